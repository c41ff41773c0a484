# SPDX-License-Identifier: MIT
#
# linux.mk - lx, which is in each process of a program of Linux (personality/linux). Part of the Makefile.

# As programs are, but: code finds its data by distance, as it lies above 2 GiB; signals may use the stack behind it; and
# headers of libmnos are found in lx/native first, where it has others.
LX_CFLAGS := $(filter-out -fno-pic -fno-pie,$(USER_CFLAGS)) -fpie -fno-semantic-interposition -fvisibility=hidden -mno-red-zone
LX_CFLAGS := -iquote personality/linux/lx/native $(LX_CFLAGS)
LX_LD     := personality/linux/lx/lx.ld
lx_objects = $(patsubst %,$(BUILD)/lx/obj/%.o,$(call find,$1,-name '*.[cS]'))
# Not those that have vector registers, that begin a program, or that handle upcalls and faults in another way; and the heap is
# lx's.
LX_LIB := $(filter-out $(patsubst %,$(BUILD)/lx/obj/lib/mnos/%.o,memcpy.S crt0.S heap.c thread.c upcall.c upcall_entry.S lent.c lent_copy.S), \
            $(call lx_objects,lib/mnos lib/client lib/base/string.c lib/base/printf.c lib/base/memcpy.c lib/format/net/ipv4.c))

$(BUILD)/lx/obj/%.c.o: %.c $(common)
	$(call say,CC)
	$(call compile,$(LX_CFLAGS))
$(BUILD)/lx/obj/%.S.o: %.S $(common)
	$(call say,AS)
	$(call compile,$(LX_CFLAGS))
$(BUILD)/lx/obj/lib/mnos/utf8.c.o: $(WIDTH_TABLE)
$(BUILD)/lx/lib.a: $(LX_LIB) $(sources)
	$(call say,AR)
	$(Q)rm -f $@ && $(AR) qcsD $@ $(filter %.o,$^)
$(BUILD)/user/lx.elf: $(call lx_objects,personality/linux/lx) $(BUILD)/lx/lib.a $(LX_LD) $(sources)
	$(call say,LINK)
	$(Q)mkdir -p $(@D) && $(LD) $(LINK_FLAGS) --no-relax -T $(LX_LD) $(filter %.o %.a,$^) -o $@
