# SPDX-License-Identifier: MIT
#
# tests.mk - what tests and benchmarks are made of. Part of the Makefile.

# tests/unit/host includes the files of kernel/mm that it has too.
UNIT_SRCS := $(filter-out kernel/main.c kernel/mm/frame.c kernel/mm/slab.c kernel/arch/x86_64/% kernel/debug/off/% kernel/debug/measure/%, \
                          $(call find,kernel,-name '*.c')) \
             $(call find,lib/format tests/unit,-name '*.[cS]') $(addprefix lib/server/,file_resolve.c lane.c park.c session.c state.c) \
             $(addprefix lib/driver/,dma.c virtio/queue.c virtio/transport.c) \
             $(addprefix services/fs/tmpfs/,check.c data.c methods.c names.c pages.c store.c tree.c) lib/base/printf.c lib/base/tree.c $(LOADER_PORTABLE_SRCS)
UNIT      := $(BUILD)/unit/unit-tests

$(BUILD)/unit/obj/%.c.o: %.c $(common)
	$(call say,HOSTCC)
	$(Q)mkdir -p $(@D) && $(HOSTCC) $(HOST_CFLAGS) -c $< -o $@
$(BUILD)/unit/obj/%.S.o: %.S $(common)
	$(call say,HOSTAS)
	$(Q)mkdir -p $(@D) && $(HOSTCC) $(HOST_CFLAGS) -c $< -o $@
$(UNIT): $(UNIT_SRCS:%=$(BUILD)/unit/obj/%.o) $(sources)
	$(call say,LINK)
	$(Q)$(HOSTCC) -fsanitize=address,undefined -pthread $(filter %.o,$^) -o $@

# libFuzzer, which Clang has; FUZZ_SECONDS is how long it looks. What it has learned stays in the corpus.
FUZZ         := $(BUILD)/fuzz/firmware
FUZZ_SRCS    := tests/fuzz/firmware.c tests/unit/firmware_fuzz.c tests/unit/firmware_memory.c \
                $(addprefix lib/format/,acpi.c acpi_iommu.c madt.c mptable.c)
FUZZ_SECONDS ?= 60

$(FUZZ): $(FUZZ_SRCS) $(wildcard lib/format/*.h tests/unit/*.h) $(makefiles)
	$(call say,FUZZ)
	$(Q)mkdir -p $(@D) && clang -std=gnu2x -g -O1 $(WARNINGS) -I. -Itests/unit \
	    -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all $(FUZZ_SRCS) -o $@

GUEST := $(BUILD)/kernel.elf $(BUILD)/debug/kernel.elf $(BUILD)/measure/kernel.elf \
         $(BUILD)/tests/guest-initrd.tar $(BUILD)/tests/game-initrd.tar

BENCH := $(BUILD)/kernel.elf $(BUILD)/bench/initrd.tar

# ---- Code style ----------------------------------------------------------------------------------
FORMATTED = $(call find,abi boot kernel lib protocols services drivers programs tests bench,-name '*.[ch]')
HEADERS   = $(call find,abi kernel lib,-name '*.h')

# Each header, alone, as the code that includes it is compiled.
$(BUILD)/headers/kernel/%.ok: header_flags = $(KERNEL_CFLAGS) -Ikernel/debug/on
$(BUILD)/headers/abi/%.ok: header_flags = $(USER_CFLAGS)
$(BUILD)/headers/lib/%.ok: header_flags = $(USER_CFLAGS)
$(BUILD)/headers/%.ok: % $(common)
	$(Q)mkdir -p $(@D) && echo '#include "$<"' | $(CC) $(header_flags) -MF $@.d -MT $@ -x c - -c -o $@
