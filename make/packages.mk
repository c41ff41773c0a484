# SPDX-License-Identifier: MIT
#
# packages.mk - installs what the goals need and the system lacks. Part of the Makefile.

# Make brings included files up to date before anything else, so this one installs what the goals
# need. It has no content; it is made again when the table changes.

no_deps  := help where clean format format-check hooks test-fresh
goals    := $(or $(MAKECMDGOALS),all)
all_deps := $(filter-out test-fresh,$(goals))
deps     := $(if $(filter-out $(no_deps),$(goals)),build) \
            $(if $(filter all iso image release run% test% bench% check%,$(all_deps)),iso) \
            $(if $(filter image release run% debug test% bench%,$(all_deps)),run) \
            $(if $(filter debug gdb test%,$(all_deps)),debug) \
            $(if $(filter image release test%,$(all_deps)),image) \
            $(if $(filter test% bench% check% fuzz unit,$(all_deps)),test) \
            $(if $(filter test-fresh,$(goals)),fresh)
empty    :=
dep_mark := $(BUILD)/.packages-$(subst $(empty) ,-,$(strip $(deps)))

ifneq ($(strip $(deps)),)
ifneq ($(DEPS),no)
include $(dep_mark)
endif
endif

$(dep_mark): tools/packages.txt tools/install-deps.sh
	$(Q)tools/install-deps.sh $(deps)
	$(Q)mkdir -p $(@D) && : >$@
