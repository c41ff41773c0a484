# SPDX-License-Identifier: MIT
#
# user.mk - programs, their libraries, and the RAM disks that they are in. Part of the Makefile.

# Each folder with C files below is a program named after the folder. Programs are linked with
# the libraries of lib/; the copies without symbols go to the initial RAM disk.

PROGRAM_DIRS := $(sort $(patsubst %/,%,$(dir $(wildcard services/*/*.c services/*/*/*.c drivers/*/*/*.c programs/*/*.c))))
PROGRAMS     := $(notdir $(PROGRAM_DIRS))
LIBMNOS      := $(BUILD)/user/libmnos.a
USER_LD      := lib/mnos/user.ld
user_objects  = $(patsubst %,$(BUILD)/user/obj/%.o,$(call find,$1,-name '*.[cS]'))

named      = $(filter %/$1,$(PROGRAM_DIRS))
same_name := $(strip $(foreach p,$(sort $(PROGRAMS)),$(if $(word 2,$(call named,$p)),$(call named,$p))))
ifneq ($(same_name),)
$(error a program has the name of its folder, and each its own: $(same_name))
endif

$(BUILD)/user/obj/%.c.o: %.c $(common)
	$(call say,CC)
	$(call compile,$(USER_CFLAGS))
$(BUILD)/user/obj/%.S.o: %.S $(common)
	$(call say,AS)
	$(call compile,$(USER_CFLAGS))
# lwIP, which `net` alone is linked with (third_party/lwip). Warnings are its own. All but DHCP is compiled as one file:
# calls between its files are many, and a compiler that sees both sides makes fewer of them.
LWIP_SRCS  := $(addprefix core/,def.c inet_chksum.c init.c ip.c mem.c memp.c netif.c pbuf.c raw.c tcp.c tcp_in.c tcp_out.c timeouts.c udp.c) \
              $(addprefix core/ipv4/,etharp.c icmp.c ip4.c ip4_addr.c ip4_frag.c) netif/ethernet.c
LWIP_FLAGS := $(USER_CFLAGS) -w -Ithird_party/lwip/config -I$(BUILD)/src/lwip/src -I$(BUILD)/src/lwip/src/include
LWIP_NEEDS := $(THIRD_PARTY) $(wildcard third_party/lwip/config/*.h third_party/lwip/config/*/*.h) $(common)
$(BUILD)/user/lwip/core/ipv4/dhcp.c.o: $(LWIP_NEEDS)
	$(call say,CC)
	$(Q)mkdir -p $(@D) && $(CC) $(LWIP_FLAGS) -DLWIP_DNS=1 -c $(BUILD)/src/lwip/src/core/ipv4/dhcp.c -o $@
$(BUILD)/user/lwip/all.c: make/user.mk
	$(Q)mkdir -p $(@D) && printf '#include "%s"\n' $(LWIP_SRCS) > $@
$(BUILD)/user/lwip/all.c.o: $(BUILD)/user/lwip/all.c $(LWIP_NEEDS)
	$(call say,CC)
	$(Q)$(CC) $(LWIP_FLAGS) -c $< -o $@
$(BUILD)/user/net.elf: $(BUILD)/user/lwip/all.c.o $(BUILD)/user/lwip/core/ipv4/dhcp.c.o
$(BUILD)/user/obj/services/net/%.c.o: USER_CFLAGS += -Ithird_party/lwip/config -isystem $(BUILD)/src/lwip/src/include
$(call user_objects,services/net): $(THIRD_PARTY)
# llhttp, which `httpd` and the commands about the network are linked with (third_party/node-llhttp).
LLHTTP_FLAGS := -Ithird_party/node-llhttp/config -isystem $(BUILD)/src/node-llhttp/usr/share/include/llhttp
$(BUILD)/user/llhttp/%.c.o: $(THIRD_PARTY) $(wildcard third_party/node-llhttp/config/*.h) $(common)
	$(call say,CC)
	$(Q)mkdir -p $(@D) && $(CC) $(USER_CFLAGS) -w $(LLHTTP_FLAGS) -c $(BUILD)/src/node-llhttp/usr/share/llhttp/$*.c -o $@
$(BUILD)/user/httpd.elf $(BUILD)/user/network.elf: $(patsubst %,$(BUILD)/user/llhttp/%.c.o,api http llhttp)
$(BUILD)/user/obj/services/httpd/request.c.o $(BUILD)/user/obj/programs/network/response.c.o: USER_CFLAGS += $(LLHTTP_FLAGS)
$(call user_objects,services/httpd programs/network): $(THIRD_PARTY)
# Columns of characters on a terminal, from the Unicode data of Python.
WIDTH_TABLE := $(BUILD)/gen/width_table.h
$(WIDTH_TABLE): tools/mkwidth.py | $(python_ok)
	$(call say,WIDTHS)
	$(Q)mkdir -p $(@D) && $(PYTHON) $< $@
$(BUILD)/user/obj/lib/mnos/utf8.c.o $(BUILD)/unit/obj/tests/unit/test_utf8.c.o: $(WIDTH_TABLE)
$(LIBMNOS): $(call user_objects,lib/mnos lib/server lib/client lib/driver lib/format lib/base/string.c lib/base/printf.c) $(sources)
	$(call say,AR)
	$(Q)rm -f $@ && $(AR) qcsD $@ $(filter %.o,$^)

# program_rules ELF SOURCES, which are folders and files
define program_rules
$1: $$(call user_objects,$2) $(LIBMNOS) $(USER_LD) $(sources)
	$$(call say,LINK)
	$(Q)mkdir -p $$(@D) && $(LD) $$(LINK_FLAGS) -T $(USER_LD) $$(filter %.o %.a,$$^) -o $$@
endef
$(foreach d,$(PROGRAM_DIRS),$(eval $(call program_rules,$(BUILD)/user/$(notdir $d).elf,$d)))
$(BUILD)/user/loader.elf: LINK_FLAGS += --defsym=program_base=0x40000000 # LAYOUT_LOADER

# Tests and benchmarks of files run the service itself, in a process of their own making.
TMPFS_CORE := $(addprefix services/fs/tmpfs/,data.c methods.c names.c pages.c space.c store.c tree.c)
$(eval $(call program_rules,$(BUILD)/tests/guest-init.elf,tests/guest $(TMPFS_CORE) \
    drivers/block/ramdisk/disk.c))
# Every error that the documentation promises is tried by a test: docs/testing.md.
CLAIMS := $(BUILD)/tests/claims
$(CLAIMS): $(BUILD)/tests/guest-init.elf tests/guest/unclaimed.toml tools/claims.py tools/mkdocs.py \
           abi/syscalls.toml $(wildcard abi/*.def)
	$(call say,CLAIMS)
	$(Q)$(PYTHON) tools/claims.py $< $@
# Benchmarks are set up by the means that the guest tests have.
GUEST_SCENE := $(addprefix tests/guest/,scene.c child.c check.c output.c edu.c)
$(eval $(call program_rules,$(BUILD)/bench/bench-init.elf,$(wildcard bench/*.[cS]) $(GUEST_SCENE) tests/guest/files.c $(TMPFS_CORE)))
# Those of files on a disk and of the network are services of the whole system.
$(eval $(call program_rules,$(BUILD)/bench/disk.elf,bench/disk))
$(eval $(call program_rules,$(BUILD)/bench/traffic.elf,bench/traffic bench/disk/busy.c))

# The players of the game as well: docs/testing.md.
$(eval $(call program_rules,$(BUILD)/tests/game-init.elf,tests/campaigns/game $(GUEST_SCENE)))

# Services that tests add to the system: tests/system.
TEST_SERVICES := $(patsubst tests/services/%/main.c,%,$(wildcard tests/services/*/main.c))
$(foreach s,$(TEST_SERVICES),$(eval $(call program_rules,$(BUILD)/tests/services/$s.elf,tests/services/$s)))
TEST_SERVICES := $(TEST_SERVICES:%=$(BUILD)/tests/services/%.stripped)

%.stripped: %.elf
	$(Q)$(OBJCOPY) --strip-all $< $@

# ---- Initial RAM disks ---------------------------------------------------------------------------

INITRD := $(BUILD)/initrd.tar

NEEDS  := $(wildcard services/*/needs.toml services/*/*/needs.toml drivers/*/*/needs.toml programs/*/needs.toml)

$(BUILD)/manifest.bin: system/manifest.toml $(wildcard tools/mkmanifest.py tools/manifest_*.py) $(NEEDS) $(sources) | $(python_ok)
	$(call say,MANIFEST)
	$(Q)mkdir -p $(@D) && $(PYTHON) tools/mkmanifest.py $< $@
# What people call the devices of PCI.
$(BUILD)/pci_names: tools/mkpcinames.py $(THIRD_PARTY) | $(python_ok)
	$(call say,NAMES)
	$(Q)$(PYTHON) $< $(BUILD)/src/pci.ids/usr/share/misc/pci.ids $@
$(BUILD)/mounts.bin: system/manifest.toml tools/mkmounts.py | $(python_ok)
	$(call say,MOUNTS)
	$(Q)mkdir -p $(@D) && $(PYTHON) tools/mkmounts.py $< $@
# What services may do on the network.
$(BUILD)/net_limits: system/manifest.toml tools/mknet.py | $(python_ok)
	$(call say,LIMITS)
	$(Q)mkdir -p $(@D) && $(PYTHON) tools/mknet.py $< $@
$(INITRD): $(BUILD)/manifest.bin $(BUILD)/pci_names $(BUILD)/mounts.bin $(BUILD)/net_limits $(wildcard system/web/*) $(PROGRAMS:%=$(BUILD)/user/%.stripped) tools/mkarchive.py $(sources) | $(python_ok)
	$(call say,INITRD)
	$(Q)$(PYTHON) tools/mkarchive.py $@ manifest.bin=$< pci_names=$(BUILD)/pci_names mounts.bin=$(BUILD)/mounts.bin net_limits=$(BUILD)/net_limits index.html=system/web/index.html \
	    $(foreach p,$(PROGRAMS),$p=$(BUILD)/user/$p.stripped)
# A test or a benchmark is the init process of a RAM disk of its own.
$(BUILD)/tests/guest-initrd.tar: $(BUILD)/tests/guest-init.stripped $(CLAIMS) tools/mkarchive.py
	$(Q)$(PYTHON) tools/mkarchive.py $@ init=$<
$(BUILD)/tests/game-initrd.tar: $(BUILD)/tests/game-init.stripped tools/mkarchive.py
	$(Q)$(PYTHON) tools/mkarchive.py $@ init=$<
$(BUILD)/bench/initrd.tar: $(BUILD)/bench/bench-init.stripped tools/mkarchive.py
	$(Q)$(PYTHON) tools/mkarchive.py $@ init=$<
