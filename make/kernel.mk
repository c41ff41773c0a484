# SPDX-License-Identifier: MIT
#
# kernel.mk - the kernels. Part of the Makefile.

# Three variants, chosen by which files are compiled: kernel/debug/off in build/kernel.elf, the one
# that ships, kernel/debug/on in build/debug/kernel.elf, the one that the guest tests boot, and kernel/debug/measure,
# otherwise as the one that ships, in build/measure/kernel.elf, which tells how long it does not look at interrupts.

KERNEL_SRCS := $(filter-out kernel/debug/% %/offsets.c lib/format/pci/% lib/format/acpi_sleep.c lib/format/date.c lib/format/elf_names.c lib/format/elf_note.c lib/format/symbols.c lib/format/disk/% lib/format/net/%,$(call find,kernel lib/base lib/format,-name '*.[cS]'))
KERNEL_LD   := kernel/arch/x86_64/kernel.ld

$(BUILD)/gen/font.c: tools/mkfont.py tools/psf.py | $(python_ok)
	$(call say,FONT)
	$(Q)mkdir -p $(@D) && $(PYTHON) $< $@ console_font

# The paths of system calls and interrupts are compiled for speed, everything else for size, as is what
# gains nothing: docs/performance.md. Padding before functions and loops is left out: it costs cache
# lines, and inside a loop instructions. What GCC does at -O2 that makes copies of code, or two parts of one
# function, has no effect on our paths, or makes them longer.
SPEED      := -O2 -fno-align-functions \
              $(if $(findstring clang,$(CC)),,-fno-align-loops -fno-align-jumps -fno-align-labels \
                  -freorder-blocks-algorithm=simple -fno-reorder-blocks-and-partition -fno-tree-pre \
                  -fno-partial-inlining)
KERNEL_HOT := $(patsubst %,kernel/syscall/%.c,capability dispatch ipc memory process) \
              kernel/cap/% kernel/ipc/% \
              $(patsubst %,kernel/sched/%.c,balance cores ready runqueue sched timer_queue work) \
              $(patsubst %,kernel/vm/%.c,aspace mapping protect replace) \
              $(patsubst %,kernel/object/%.c,endpoint fault interrupt kobject memory thread) \
              $(patsubst %,kernel/arch/x86_64/%.c,apic/ioapic apic/lapic apic/timer cpu/fpu entry/trap mmu/aspace_change mmu/aspace_tables mmu/aspace_teardown mmu/tlb) \
              lib/base/tree.c
# Of these, where only the smallest functions are worth copying into their callers.
KERNEL_FEW := $(patsubst %,kernel/%.c,syscall/dispatch cap/captable cap/derive vm/aspace object/endpoint)
speed       = $(SPEED) $(if $(findstring clang,$(CC)),,$(if $(filter $(KERNEL_FEW),$1),--param=max-inline-insns-auto=6))

# Where assembly finds the members of structures; both variants have the same.
STRUCT_OFFSETS := $(BUILD)/gen/struct_offsets.h
$(STRUCT_OFFSETS): kernel/arch/x86_64/entry/offsets.c $(common)
	$(call say,OFFSETS)
	$(Q)mkdir -p $(@D) && echo '#include "$<"' | $(CC) $(KERNEL_CFLAGS) -Ikernel/debug/off -MF $(@:.h=.d) -MT $@ -x c - -S -o $@.s
	$(Q)sed -n 's/.*"=> \([A-Z0-9_]* -\{0,1\}[0-9]*\)".*/#define \1/p' $@.s >$@

# kernel_rules FOLDER VARIANT [WHERE ELSE ITS HEADERS ARE]
#
# The symbol table for backtraces is made from a first link without it. It lies behind the code, so
# the code keeps its addresses in the second link; mksymbols.py checks that it did.
define kernel_rules
$1/objects := $$(patsubst %,$1/obj/%.o,$$(KERNEL_SRCS) $$(call find,kernel/debug/$2,-name '*.c')) \
              $1/obj/font.c.o

$1/obj/%.c.o: %.c $(common)
	$$(call say,CC)
	$$(call compile,$$(KERNEL_CFLAGS) $$(if $$(filter $$(KERNEL_HOT),$$<),$$(call speed,$$<),-Os) -Ikernel/debug/$2 $3)
$1/obj/%.S.o: %.S $(STRUCT_OFFSETS) $(common)
	$$(call say,AS)
	$$(call compile,$$(KERNEL_CFLAGS) -Ikernel/debug/$2 $3)
$1/obj/font.c.o: $(BUILD)/gen/font.c $(common)
	$$(call say,CC)
	$$(call compile,$$(KERNEL_CFLAGS) -Ikernel/debug/$2 $3)
$1/obj/%.S.o: $1/obj/%.S $(common)
	$$(call compile,$$(KERNEL_CFLAGS) -Ikernel/debug/$2 $3)

$1/obj/no-symbols.S: tools/mksymbols.py
	$(Q)mkdir -p $$(@D) && $(PYTHON) $$< --empty $$@
$1/obj/symbols.S: $1/obj/first-link.elf tools/mksymbols.py
	$(Q)$(PYTHON) tools/mksymbols.py $$< $$@
$1/obj/first-link.elf: $$($1/objects) $1/obj/no-symbols.S.o $(KERNEL_LD) $(sources)
	$(Q)$(LD) $(LINK_FLAGS) -T $(KERNEL_LD) $$(filter %.o,$$^) -o $$@
$1/kernel.elf: $$($1/objects) $1/obj/symbols.S.o $(KERNEL_LD) $(sources)
	$$(call say,LINK)
	$(Q)$(LD) $(LINK_FLAGS) -T $(KERNEL_LD) $$(filter %.o,$$^) -o $$@
	$(Q)$(PYTHON) tools/mksymbols.py --check $$@ $1/obj/symbols.S
endef
$(eval $(call kernel_rules,$(BUILD),off))
$(eval $(call kernel_rules,$(BUILD)/debug,on))
$(eval $(call kernel_rules,$(BUILD)/measure,measure,-Ikernel/debug/off))
