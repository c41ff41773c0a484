# SPDX-License-Identifier: MIT
#
# third_party.mk - files of others: fetched by name and hash, then kept outside of the repository
# (third_party/README.md). Part of the Makefile.

THIRD_PARTY := $(BUILD)/src/.fetched
$(THIRD_PARTY): third_party/deps.lock tools/deps.sh $(wildcard third_party/*/*.patch)
	$(Q)tools/deps.sh $< $(@D) && : >$@

# What only tests are made of, or run on.
THIRD_PARTY_TESTS := $(BUILD)/src/.fetched-tests
$(THIRD_PARTY_TESTS): third_party/tests.lock tools/deps.sh
	$(Q)tools/deps.sh $< $(@D) && : >$@

# The model checker of `make proof`, with its libraries by the names that it looks for.
CBMC := $(BUILD)/proofs/cbmc
$(CBMC)/.fetched: third_party/proofs.lock tools/deps.sh
	$(Q)rm -rf $(@D) && tools/deps.sh $< $(@D)/packages && mkdir $(@D)/lib
	$(Q)ln $(@D)/packages/*/usr/lib/x86_64-linux-gnu/* $(@D)/packages/*/usr/lib/*.so.* $(@D)/lib
	$(Q)cd $(@D)/lib && ln -s libminisat.so.2.* libminisat.so.2 && ln -s libstdc++.so.6.* libstdc++.so.6
	$(Q)ln $(@D)/packages/cbmc/usr/bin/cbmc $(@D)/cbmc && : >$@

# FatFs, by which the service `fat` knows its formats: one file of ours with ff.c in it, without our warnings, for programs
# and for this machine.
OOFATFS        := $(BUILD)/src/micropython/lib/oofatfs
OOFATFS_DEPS   := $(wildcard third_party/oofatfs/*) $(THIRD_PARTY)
OOFATFS_FLAGS   = -w -I. -Ithird_party/oofatfs -I$(OOFATFS) '-DFFCONF_H="third_party/oofatfs/ffconf.h"'
OOFATFS_OBJECT := $(BUILD)/user/obj/third_party/oofatfs/port.c.o
OOFATFS_HOST   := $(BUILD)/unit/obj/third_party/oofatfs/port.c.o

$(OOFATFS_OBJECT): third_party/oofatfs/port.c $(OOFATFS_DEPS) $(common)
	$(call say,CC)
	$(call compile,$(filter-out $(WARNINGS),$(USER_CFLAGS)) -Ilib/base $(OOFATFS_FLAGS))
$(OOFATFS_HOST): third_party/oofatfs/port.c $(OOFATFS_DEPS) $(common)
	$(call say,HOSTCC)
	$(Q)mkdir -p $(@D) && $(HOSTCC) $(filter-out $(WARNINGS),$(HOST_CFLAGS)) $(OOFATFS_FLAGS) -c $< -o $@
$(BUILD)/user/fat.elf: $(OOFATFS_OBJECT)
