# SPDX-License-Identifier: MIT
#
# loader.mk - builds the boot loader, boot.tar and the ISO image. Part of the top Makefile;
# `make -f boot/loader.mk` from the top folder builds the loader alone.

BUILD    ?= build
PYTHON   ?= /usr/bin/python3
Q        ?= @
export SOURCE_DATE_EPOCH ?= 1735689600
ifeq ($(origin CC),default)
CC       := gcc
endif
LOADER_UEFI_CC := clang
LOADER_UEFI_LD := lld-link

loader: $(BUILD)/loader.elf $(BUILD)/BOOTX64.EFI ## The boot loader, for direct boot and for UEFI
direct: $(BUILD)/loader.elf $(BUILD)/boot.tar ## What `qemu -kernel loader.elf -initrd boot.tar` needs

# Files without hardware in them: host tests link these, too.
LOADER_PORTABLE_SRCS := $(addprefix boot/core/,config.c image.c memmap.c paging.c requests.c)

LOADER_CORE   := $(sort $(wildcard boot/core/*.c boot/core/*.S)) \
                 $(addprefix lib/format/,acpi.c acpi_iommu.c elf.c madt.c mptable.c)
LOADER_DIRECT := $(LOADER_CORE) lib/format/ustar.c $(sort $(wildcard boot/direct/*.c boot/direct/*.S))
LOADER_UEFI   := $(LOADER_CORE) $(sort $(wildcard boot/uefi/*.c))

LOADER_CFLAGS := -std=gnu2x -O2 -ffreestanding -mgeneral-regs-only -mno-red-zone \
                 -fno-stack-protector -fno-common -Wall -Wextra -Werror -Wshadow -Wundef \
                 -Wmissing-prototypes -Wstrict-prototypes -Wpointer-arith -Wvla -Wwrite-strings \
                 -Wframe-larger-than=4096 '-ffile-prefix-map=$(CURDIR)=.' \
                 -I. -Iboot/core -Iboot/include -MMD -MP
LOADER_DIRECT_CFLAGS := $(LOADER_CFLAGS) -m64 -fno-pic -fno-pie -fcf-protection=none \
                        -fno-asynchronous-unwind-tables
LOADER_UEFI_CFLAGS   := $(LOADER_CFLAGS) -target x86_64-unknown-windows -fshort-wchar \
                        -mno-stack-arg-probe

loader_objects = $(patsubst %,$(BUILD)/loader/$1/%.o,$2) $(BUILD)/loader/$1/font.c.o

$(BUILD)/loader/font.c: tools/mkfont.py
	@mkdir -p $(@D)
	$(Q)$(PYTHON) $< $@ boot_font

$(BUILD)/loader/direct/%.o: % boot/loader.mk
	@mkdir -p $(@D)
	$(Q)$(CC) $(LOADER_DIRECT_CFLAGS) -c $< -o $@
$(BUILD)/loader/direct/font.c.o: $(BUILD)/loader/font.c boot/loader.mk
	@mkdir -p $(@D)
	$(Q)$(CC) $(LOADER_DIRECT_CFLAGS) -c $< -o $@
$(BUILD)/loader.elf: $(call loader_objects,direct,$(LOADER_DIRECT)) boot/direct/loader.ld $(sources)
	$(Q)$(LD) -m elf_x86_64 -nostdlib -static -z max-page-size=4096 -z noexecstack --build-id=none \
	    -T boot/direct/loader.ld $(filter %.o,$^) -o $@

$(BUILD)/loader/uefi/%.o: % boot/loader.mk
	@mkdir -p $(@D)
	$(Q)$(LOADER_UEFI_CC) $(LOADER_UEFI_CFLAGS) -c $< -o $@
$(BUILD)/loader/uefi/font.c.o: $(BUILD)/loader/font.c boot/loader.mk
	@mkdir -p $(@D)
	$(Q)$(LOADER_UEFI_CC) $(LOADER_UEFI_CFLAGS) -c $< -o $@
$(BUILD)/BOOTX64.EFI: $(call loader_objects,uefi,$(LOADER_UEFI)) $(sources)
	$(Q)$(LOADER_UEFI_LD) /nologo /Brepro /subsystem:efi_application /entry:efi_main /nodefaultlib \
	    /out:$@ $(filter %.o,$^)

# The configuration of the boot volumes, with the kernel's command line CMDLINE.
$(BUILD)/limine.conf: boot/limine.conf tools/mkconfig.py FORCE
	@mkdir -p $(@D)
	$(Q)$(PYTHON) tools/mkconfig.py $< $@

$(BUILD)/boot.tar: tools/mkarchive.py $(BUILD)/limine.conf $(BUILD)/kernel.elf $(INITRD)
	$(Q)$(PYTHON) $< $@ boot/limine.conf=$(BUILD)/limine.conf boot/kernel.elf=$(BUILD)/kernel.elf \
	    boot/initrd.tar=$(INITRD)

$(BUILD)/minimalos.iso: tools/mkiso.sh $(BUILD)/limine.conf $(BUILD)/kernel.elf $(INITRD) \
                        $(BUILD)/BOOTX64.EFI $(BUILD)/loader.elf
	$(Q)tools/mkiso.sh $@ $(BUILD)/limine.conf $(BUILD)/kernel.elf $(INITRD) \
	    $(BUILD)/BOOTX64.EFI $(BUILD)/loader.elf

# The system on a disk of its own, with a partition for files.
$(BUILD)/minimalos.qcow2: tools/mkimage.py tools/mkdisk.py $(BUILD)/limine.conf $(BUILD)/kernel.elf $(INITRD) \
                          $(BUILD)/BOOTX64.EFI
	$(Q)$(PYTHON) $< $@ $(BUILD)/limine.conf $(BUILD)/kernel.elf $(INITRD) $(BUILD)/BOOTX64.EFI

FORCE:
.PHONY: FORCE loader direct
-include $(shell find $(BUILD)/loader -name '*.d' 2>/dev/null)
