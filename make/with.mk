# SPDX-License-Identifier: MIT
#
# with.mk - programs that are not of the system: those of examples/, and those in the folders that WITH names. Part of the
# Makefile; docs/tutorials shows how to use it.

# The examples are built to see that they can be; none is in the system by itself.
EXAMPLE_DIRS := $(sort $(patsubst %/,%,$(dir $(wildcard examples/*/*.c))))
$(foreach d,$(EXAMPLE_DIRS),$(eval $(call program_rules,$(BUILD)/examples/$(notdir $d).elf,$d)))
EXAMPLES := $(foreach d,$(EXAMPLE_DIRS),$(BUILD)/examples/$(notdir $d).stripped $(BUILD)/examples/$(notdir $d).needs)

# Each folder of WITH is a program named after it; its manifest.toml, if there is one, is joined to that of the
# system. All that is made of them is in build/with, and so is the RAM disk that has them.
# A shell that completes a name puts a slash behind it, and what the command line says is changed by override alone.
override WITH := $(patsubst %/,%,$(WITH))
hash      := \#
with_odd  := $(strip $(foreach c,: ; % * ? [ ] | & = $(hash) ' " \,$(findstring $c,$(WITH))))
with_bad  := $(strip $(foreach d,$(WITH),$(if $(wildcard $d/*.c),,$d)))
with_same := $(strip $(foreach p,$(notdir $(WITH)),$(if $(or $(filter $p,$(PROGRAMS) lx),$(word 2,$(filter $p,$(notdir $(WITH))))),$p)))
ifneq ($(with_odd),)
$(error WITH=$(WITH): names of folders are without $(with_odd))
endif
ifneq ($(with_bad),)
$(error WITH=$(with_bad): no folder with C files)
endif
ifneq ($(with_same),)
$(error WITH: a program has the name of its folder, and each its own: $(sort $(with_same)))
endif
ifneq ($(and $(WITH),$(filter release test% bench%,$(goals))),)
$(error WITH is for run, initrd, iso, image and direct; a release, tests and benchmarks are of the system alone)
endif

INITRD := $(if $(WITH),$(BUILD)/with/initrd.tar,$(BUILD)/initrd.tar)

# Changes when WITH does: which RAM disk the images have.
with_mark := $(BUILD)/.with
$(with_mark): FORCE
	$(Q)mkdir -p $(@D) && { echo '$(WITH)' | cmp -s - $@ || echo '$(WITH)' >$@; }
$(BUILD)/boot.tar $(BUILD)/minimalos.iso $(BUILD)/minimalos.qcow2: $(with_mark)

# Changes when WITH names other folders, or when one of their files comes or goes.
with_files := $(BUILD)/with/.files
$(with_files): FORCE
	$(Q)mkdir -p $(@D) && new=$@.$$$$ && find -H $(WITH) -type f ! -name '.*' ! -name '*~' | LC_ALL=C sort >$$new && \
	    if cmp -s $$new $@; then rm $$new; else mv $$new $@; fi

# with_rules FOLDER: its objects, and the program. The folder may be anywhere, and another of the same name take its place:
# objects have the whole path, so that none is made of a file that is there no more.
define with_rules
$(BUILD)/with/obj$(abspath $1)/%.c.o: $1/%.c $(common) $(with_files)
	$$(call say,CC)
	$$(call compile,$$(USER_CFLAGS))
$(BUILD)/with/obj$(abspath $1)/%.S.o: $1/%.S $(common) $(with_files)
	$$(call say,AS)
	$$(call compile,$$(USER_CFLAGS))
$(BUILD)/with/$(notdir $1).elf: $$(patsubst $1/%,$(BUILD)/with/obj$(abspath $1)/%.o,$$(wildcard $1/*.[cS])) $(LIBMNOS) $(USER_LD) $(with_files)
	$$(call say,LINK)
	$(Q)$(LD) $$(LINK_FLAGS) -T $(USER_LD) $$(filter %.o %.a,$$^) -o $$@
endef
$(foreach d,$(WITH),$(eval $(call with_rules,$d)))

ifneq ($(WITH),)
with_manifests := $(wildcard $(addsuffix /manifest.toml,$(WITH)))
$(BUILD)/with/manifest.toml: tools/join_manifest.py system/manifest.toml $(with_manifests) $(with_files) | $(python_ok)
	$(Q)$(PYTHON) $< $@ system/manifest.toml $(with_manifests)
$(eval $(call system_rules,$(BUILD)/with,$(BUILD)/with/manifest.toml,$(NEEDS) $(patsubst %,$(BUILD)/with/%.needs,$(notdir $(WITH))),$(SYSTEM_PROGRAMS) $(patsubst %,$(BUILD)/with/%.stripped,$(notdir $(WITH)))))
$(BUILD)/with/initrd.tar: $(with_files)
endif
