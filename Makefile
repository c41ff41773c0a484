# SPDX-License-Identifier: MIT
#
# Makefile - builds, runs and tests MinimalOS NextGen; `make help` lists what it can do.
#
# Sources are found by folder, so a new file needs no line here. Everything made goes to build/.
#
# `make help` shows these settings, with their defaults:
#: BUILD=build              the folder for everything that is made
#: CC=gcc                   the compiler: gcc or clang
#: CROSS_COMPILE=           what the names of gcc and binutils begin with, as x86_64-linux-gnu-
#: PYTHON=/usr/bin/python3  Python, 3.11 or newer
#: DEPS=                    no: do not look for missing packages, and install none
#: V=                       1: show the commands
#: CMDLINE=                 command line of the kernel, for run, iso and direct
#: CPUS=2                   processors, for run
#: MEMORY=512               MiB of memory, for run
#: CPU=max                  processor model of QEMU, for run
#: MEDIUM=cdrom             cdrom, disk or usb, for run and run-bios
#: DISPLAY_QEMU=none        gtk, sdl or curses: show the screen as well, for run
#: KVM=0                    1: use the host's processor, for run
#: SUITES=                  only these: build, unit, loader, guest, game, system, for test and test-fresh
#: SEED=                    plays the games of that seed again, for test-long
#: RELEASE=bookworm         the release of Debian, for test-fresh
#: NEW_ROOT=                1: make the bare system anew, for test-fresh

MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.SUFFIXES:

# All processors, unless the user says -j.
cores     := $(shell nproc)
MAKEFLAGS += -j$(cores)

BUILD   ?= build
PYTHON  ?= /usr/bin/python3
Q       := $(if $(V),,@)
default  = $(if $(filter default undefined,$(origin $1)),$2,$($1))
CC      := $(call default,CC,$(CROSS_COMPILE)gcc)
LD      := $(call default,LD,$(CROSS_COMPILE)ld)
AR      := $(call default,AR,$(CROSS_COMPILE)ar)
OBJCOPY := $(call default,OBJCOPY,$(CROSS_COMPILE)objcopy)
# Compiles what runs on this machine.
HOSTCC  := $(call default,HOSTCC,$(if $(CROSS_COMPILE),gcc,$(CC)))

# Tools and tests work with the same folder and compilers, and read the settings of a run.
export BUILD CC CROSS_COMPILE CMDLINE

# What is found by folder is source; nothing that is made may lie there, or be all there is.
SOURCE_DIRS := abi bench boot drivers kernel lib programs protocols services system tests
ifneq ($(words $(BUILD)),1)
$(error BUILD is the name of one folder, without blanks)
endif
ifneq ($(filter $(patsubst %/,%,$(abspath $(BUILD)))/%,$(CURDIR)/),)
$(error BUILD=$(BUILD) holds the sources themselves)
endif
ifneq ($(filter $(addsuffix /%,$(abspath $(SOURCE_DIRS) docs tools)),$(abspath $(BUILD))/),)
$(error BUILD=$(BUILD) is among the sources)
endif

# The same input gives the same bytes: one date for every file in an image, no path in an object.
export SOURCE_DATE_EPOCH ?= 1735689600
export PYTHONDONTWRITEBYTECODE := 1

all: kernel initrd iso direct ## Build everything that boots

# ---- Packages ------------------------------------------------------------------------------------
# Make brings included files up to date before anything else, so this one installs what the goals
# need. It has no content; it is made again when the table changes.

no_deps  := help clean format format-check test-fresh
goals    := $(or $(MAKECMDGOALS),all)
all_deps := $(filter-out test-fresh,$(goals))
deps     := $(if $(filter-out $(no_deps),$(goals)),build) \
            $(if $(filter all iso run% test% bench% check%,$(all_deps)),iso) \
            $(if $(filter run% test% bench%,$(all_deps)),run) \
            $(if $(filter test% bench% check% fuzz,$(all_deps)),test) \
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

# ---- Flags ---------------------------------------------------------------------------------------

WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef \
            -Wpointer-arith -Wvla -Wwrite-strings -Wold-style-definition -Wimplicit-fallthrough
CFLAGS   := -std=gnu2x -g $(WARNINGS) '-ffile-prefix-map=$(CURDIR)=.' -ffile-prefix-map=$(BUILD)=build -MMD -MP

comma    := ,

# Freestanding code for the machine itself: position dependent, no vector registers.
TARGET_CFLAGS := $(CFLAGS) -m64 -ffreestanding -fno-pic -fno-pie -mgeneral-regs-only \
                 -fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none \
                 -fno-common
# Interrupts use the kernel's stack (no red zone). Nothing on it needs more than eight bytes' alignment.
KERNEL_CFLAGS := $(TARGET_CFLAGS) -mcmodel=kernel -mno-red-zone -fomit-frame-pointer \
                 $(if $(findstring clang,$(CC)),-mstack-alignment=8,-mpreferred-stack-boundary=3) \
                 -Wframe-larger-than=2048 \
                 -I. -Ikernel -Ikernel/arch/x86_64 -I$(BUILD)/gen
# Programs: small copies of a known size are moves in place, long ones go to memcpy(), which has vector
# registers (lib/mnos/memcpy.S).
USER_CFLAGS   := $(TARGET_CFLAGS) -O2 -fbuiltin \
                 $(if $(findstring clang,$(CC)),,-mmemcpy-strategy=unrolled_loop:64:noalign$(comma)libcall:-1:noalign) \
                 -I. -Ilib/mnos -Iprotocols -I$(BUILD)/gen
HOST_CFLAGS   := $(CFLAGS) -O1 -fno-omit-frame-pointer -fsanitize=address,undefined \
                 -fno-sanitize-recover=all -I. -Ikernel -Itests/unit/host \
                 -Ikernel/debug/on -I$(BUILD)/gen
LINK_FLAGS    := -m elf_x86_64 -nostdlib -static -z max-page-size=4096 -z noexecstack --build-id=none

# Changes when the compiler does; every object depends on it.
tools    := $(CC) $(LD) $(AR) $(OBJCOPY) $(HOSTCC)
compiler := $(BUILD)/.compiler
$(compiler): FORCE
	$(Q)mkdir -p $(@D) && { echo '$(tools)' | cmp -s - $@ || echo '$(tools)' >$@; }
common := $(compiler) Makefile

# Changes when a source file comes or goes; whatever is put together from files that are found depends
# on it, so that what was deleted is gone from there, too.
sources  := $(BUILD)/.sources
$(sources): FORCE
	$(Q)mkdir -p $(@D) && find $(SOURCE_DIRS) -type f ! -name '.*' ! -name '*~' ! -name '*.pyc' ! -name '*.md' | \
	    LC_ALL=C sort >$@.new
	$(Q)if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

# An older Python than the tools are written for would fail somewhere with a riddle.
python_ok := $(BUILD)/.python-$(subst /,-,$(PYTHON))
$(python_ok):
	$(Q)$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
	    "PYTHON=$(PYTHON) is %d.%d; the tools need Python 3.11 or newer" % sys.version_info[:2])'
	$(Q)mkdir -p $(@D) && : >$@

# compile NAME - $(Q)$(call compile,FLAGS) turns the first prerequisite into an object.
say     = @printf '  %-8s %s\n' '$1' '$(patsubst $(BUILD)/%,%,$@)'
compile = $(Q)mkdir -p $(@D) && $(CC) $1 -c $< -o $@
find    = $(sort $(shell find $1 -type f $2 2>/dev/null))

# ---- Third-party files ---------------------------------------------------------------------------
# Fetched by name and hash, then kept outside of the repository: third_party/README.md.

THIRD_PARTY := $(BUILD)/src/.fetched
$(THIRD_PARTY): third_party/deps.lock tools/deps.sh
	$(Q)tools/deps.sh $< $(@D) && : >$@

deps: $(THIRD_PARTY) ## Fetch the third-party files of third_party/deps.lock; later builds need no network

# ---- Kernel --------------------------------------------------------------------------------------
# Three variants, chosen by which files are compiled: kernel/debug/off in build/kernel.elf, the one
# that ships, kernel/debug/on in build/debug/kernel.elf, the one that the guest tests boot, and kernel/debug/measure,
# otherwise as the one that ships, in build/measure/kernel.elf, which tells how long it does not look at interrupts.

KERNEL_SRCS := $(filter-out kernel/debug/% %/offsets.c,$(call find,kernel lib/base lib/format,-name '*.[cS]'))
KERNEL_LD   := kernel/arch/x86_64/kernel.ld

$(BUILD)/gen/font.c: tools/mkfont.py | $(python_ok)
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
KERNEL_HOT := $(patsubst %,kernel/calls/%.c,capability ipc memory process syscall) \
              kernel/cap/% kernel/ipc/% kernel/sched/% \
              $(patsubst %,kernel/mm/%.c,aspace mapping) \
              $(patsubst %,kernel/object/%.c,endpoint fault interrupt kobject memory thread) \
              $(patsubst %,kernel/arch/x86_64/%.c,ioapic lapic timer trap user_tables vector) \
              lib/base/tree.c
# Of these, where only the smallest functions are worth copying into their callers.
KERNEL_FEW := $(patsubst %,kernel/%.c,calls/syscall cap/captable cap/derive mm/aspace object/endpoint)
speed       = $(SPEED) $(if $(findstring clang,$(CC)),,$(if $(filter $(KERNEL_FEW),$1),--param=max-inline-insns-auto=6))

# Where assembly finds the members of structures; both variants have the same.
STRUCT_OFFSETS := $(BUILD)/gen/struct_offsets.h
$(STRUCT_OFFSETS): kernel/arch/x86_64/offsets.c $(common)
	$(call say,OFFSETS)
	$(Q)mkdir -p $(@D) && $(CC) $(KERNEL_CFLAGS) -Ikernel/debug/off -MF $@.d -MT $@ -S $< -o $@.s
	$(Q)sed -n 's/.*"=> \([A-Z0-9_]* [0-9]*\)".*/#define \1/p' $@.s >$@

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

kernel: $(BUILD)/kernel.elf $(BUILD)/debug/kernel.elf ## Both kernels: build/kernel.elf and build/debug/kernel.elf

# ---- User space ----------------------------------------------------------------------------------
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
# Columns of characters on a terminal, from the Unicode data of Python.
WIDTH_TABLE := $(BUILD)/gen/width_table.h
$(WIDTH_TABLE): tools/mkwidth.py | $(python_ok)
	$(call say,WIDTHS)
	$(Q)mkdir -p $(@D) && $(PYTHON) $< $@
$(BUILD)/user/obj/lib/mnos/utf8.c.o $(BUILD)/unit/obj/tests/unit/test_utf8.c.o: $(WIDTH_TABLE)
$(LIBMNOS): $(call user_objects,lib/mnos lib/server lib/client lib/format lib/base/string.c lib/base/printf.c) $(sources)
	$(call say,AR)
	$(Q)rm -f $@ && $(AR) qcsD $@ $(filter %.o,$^)

# program_rules ELF SOURCES, which are folders and files
define program_rules
$1: $$(call user_objects,$2) $(LIBMNOS) $(USER_LD) $(sources)
	$$(call say,LINK)
	$(Q)mkdir -p $$(@D) && $(LD) $(LINK_FLAGS) -T $(USER_LD) $$(filter %.o %.a,$$^) -o $$@
endef
$(foreach d,$(PROGRAM_DIRS),$(eval $(call program_rules,$(BUILD)/user/$(notdir $d).elf,$d)))
# Tests and benchmarks of files run the service itself, in a process of their own making.
TMPFS_CORE := $(addprefix services/fs/tmpfs/,data.c names.c pages.c paths.c resolve.c server.c store.c tree.c)
$(eval $(call program_rules,$(BUILD)/tests/guest-init.elf,tests/guest $(TMPFS_CORE)))
# Every error that the documentation promises is tried by a test: docs/testing.md.
CLAIMS := $(BUILD)/tests/claims
$(CLAIMS): $(BUILD)/tests/guest-init.elf tests/guest/unclaimed.toml tools/claims.py tools/mkdocs.py \
           abi/syscalls.toml $(wildcard abi/*.def)
	$(call say,CLAIMS)
	$(Q)$(PYTHON) tools/claims.py $< $@
# Benchmarks are set up by the means that the guest tests have.
GUEST_SCENE := $(addprefix tests/guest/,scene.c child.c check.c output.c edu.c)
$(eval $(call program_rules,$(BUILD)/bench/bench-init.elf,bench $(GUEST_SCENE) tests/guest/files.c $(TMPFS_CORE)))

# The players of the game as well: docs/testing.md.
$(eval $(call program_rules,$(BUILD)/tests/game-init.elf,tests/campaigns/game $(GUEST_SCENE)))

%.stripped: %.elf
	$(Q)$(OBJCOPY) --strip-all $< $@

user: $(LIBMNOS) $(PROGRAMS:%=$(BUILD)/user/%.elf) ## Services, drivers and programs

# ---- Initial RAM disks ---------------------------------------------------------------------------

INITRD := $(BUILD)/initrd.tar

NEEDS  := $(wildcard services/*/needs.toml services/*/*/needs.toml drivers/*/*/needs.toml programs/*/needs.toml)

$(BUILD)/manifest.bin: system/manifest.toml tools/mkmanifest.py $(NEEDS) $(sources) | $(python_ok)
	$(call say,MANIFEST)
	$(Q)mkdir -p $(@D) && $(PYTHON) tools/mkmanifest.py $< $@
$(INITRD): $(BUILD)/manifest.bin $(PROGRAMS:%=$(BUILD)/user/%.stripped) tools/mkarchive.py $(sources) | $(python_ok)
	$(call say,INITRD)
	$(Q)$(PYTHON) tools/mkarchive.py $@ manifest.bin=$< \
	    $(foreach p,$(PROGRAMS),$p=$(BUILD)/user/$p.stripped)
# A test or a benchmark is the init process of a RAM disk of its own.
$(BUILD)/tests/guest-initrd.tar: $(BUILD)/tests/guest-init.stripped $(CLAIMS) tools/mkarchive.py
	$(Q)$(PYTHON) tools/mkarchive.py $@ init=$<
$(BUILD)/tests/game-initrd.tar: $(BUILD)/tests/game-init.stripped tools/mkarchive.py
	$(Q)$(PYTHON) tools/mkarchive.py $@ init=$<
$(BUILD)/bench/initrd.tar: $(BUILD)/bench/bench-init.stripped tools/mkarchive.py
	$(Q)$(PYTHON) tools/mkarchive.py $@ init=$<

initrd: $(INITRD) ## The initial RAM disk with init, the manifest and the services

# ---- Boot loader, ISO image, running -------------------------------------------------------------

include boot/loader.mk

iso: $(BUILD)/minimalos.iso ## The bootable image build/minimalos.iso (CD, disk or USB stick; UEFI or BIOS)

# What is wrong with the settings of a run is said before anything is built.
settings: | $(python_ok)
	$(Q)$(PYTHON) tools/run.py check

run: settings iso ## Boot the ISO in QEMU with UEFI; the prompt is on this terminal (Ctrl-A X ends it)
	$(Q)$(PYTHON) tools/run.py uefi

run-bios: settings iso ## The same with BIOS firmware
	$(Q)$(PYTHON) tools/run.py bios

run-direct: settings direct ## Boot kernel and RAM disk without firmware: the fastest way to the prompt
	$(Q)$(PYTHON) tools/run.py direct

# ---- Tests and benchmarks ------------------------------------------------------------------------

# tests/unit/host includes the files of kernel/mm that it has too.
UNIT_SRCS := $(filter-out kernel/main.c kernel/mm/frame.c kernel/mm/slab.c kernel/arch/x86_64/% kernel/debug/off/% kernel/debug/measure/%, \
                          $(call find,kernel,-name '*.c')) \
             $(call find,lib/format tests/unit,-name '*.[cS]') $(addprefix lib/server/,lane.c session.c) \
             $(addprefix services/fs/tmpfs/,check.c data.c names.c pages.c resolve.c store.c tree.c) lib/base/printf.c lib/base/tree.c $(LOADER_PORTABLE_SRCS)
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

$(FUZZ): $(FUZZ_SRCS) $(wildcard lib/format/*.h tests/unit/*.h) Makefile
	$(call say,FUZZ)
	$(Q)mkdir -p $(@D) && clang -std=gnu2x -g -O1 $(WARNINGS) -I. -Itests/unit \
	    -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all $(FUZZ_SRCS) -o $@
fuzz: $(FUZZ) ## Look for firmware tables that the readers do not survive, for FUZZ_SECONDS
	$(Q)mkdir -p $(BUILD)/fuzz/corpus
	$(Q)$(FUZZ) -max_total_time=$(FUZZ_SECONDS) -max_len=4097 -timeout=20 -print_final_stats=1 \
	    -artifact_prefix=$(BUILD)/fuzz/ $(BUILD)/fuzz/corpus

GUEST := $(BUILD)/kernel.elf $(BUILD)/debug/kernel.elf $(BUILD)/measure/kernel.elf \
         $(BUILD)/tests/guest-initrd.tar $(BUILD)/tests/game-initrd.tar

BENCH := $(BUILD)/kernel.elf $(BUILD)/bench/initrd.tar

unit: $(UNIT)
guest: $(GUEST)
bench-programs: $(BENCH)

test: all $(UNIT) $(GUEST) $(BENCH) ## All tests, or those of SUITES; the last line counts them
	$(Q)$(PYTHON) tools/test.py $(SUITES)
test-build: ## Layout, headers that compile alone, both compilers without warnings
	$(Q)$(PYTHON) tools/test.py build
test-unit: $(UNIT) ## Portable kernel code on this machine, under sanitizers
	$(Q)$(PYTHON) tools/test.py unit
test-loader: all ## The boot loader, with good and hostile input
	$(Q)$(PYTHON) tools/test.py loader
test-guest: direct $(GUEST) ## System calls, from a test process in QEMU
	$(Q)$(PYTHON) tools/test.py guest
test-game: direct $(GUEST) ## A minute of the random game of processes on each kernel
	$(Q)$(PYTHON) tools/test.py game
test-system: all $(BENCH) ## The real image, driven as a user would
	$(Q)$(PYTHON) tools/test.py system
test-fresh: ## The README's commands on a bare Debian, in a fresh clone of the commit at hand
	$(Q)$(PYTHON) tests/fresh/run.py $(or $(RELEASE),bookworm) $(if $(filter 1,$(NEW_ROOT)),--new) \
	    --suites "$(or $(SUITES),build unit)"
test-long: direct $(GUEST) ## Campaigns: hours, at low priority; their record is in build/campaigns (SEED=N repeats)
	$(Q)$(PYTHON) tools/test_long.py

bench: direct initrd $(BENCH) ## Exact instruction counts, compared with bench/results.txt
	$(Q)$(PYTHON) bench/run.py

PEERS ?= ../shared/peers
bench-peers: direct initrd $(BENCH) ## The same beside Linux, measured by PEERS=folder with its benchmark, and seL4
	$(Q)$(PYTHON) bench/run.py --peers $(PEERS)

size: kernel ## Record how large the kernel is: the build test lets it become no larger
	$(Q)$(PYTHON) tools/size.py --record

# ---- Code style ----------------------------------------------------------------------------------

FORMATTED = $(call find,abi boot kernel lib protocols services drivers programs tests bench,-name '*.[ch]')
HEADERS   = $(call find,abi kernel lib,-name '*.h')
format: ## Lay out all C files
	$(Q)clang-format -i $(FORMATTED)
format-check: ## Fail when a C file is not laid out as `make format` does
	$(Q)clang-format --dry-run -Werror $(FORMATTED)

# Each header, alone, as the code that includes it is compiled.
check-headers: $(HEADERS:%=$(BUILD)/headers/%.ok) ## Compile each header alone
$(BUILD)/headers/kernel/%.ok: header_flags = $(KERNEL_CFLAGS) -Ikernel/debug/on
$(BUILD)/headers/abi/%.ok: header_flags = $(USER_CFLAGS)
$(BUILD)/headers/lib/%.ok: header_flags = $(USER_CFLAGS)
$(BUILD)/headers/%.ok: % $(common)
	$(Q)mkdir -p $(@D) && echo '#include "$<"' | $(CC) $(header_flags) -MF $@.d -MT $@ -x c - -c -o $@

# ---- Housekeeping --------------------------------------------------------------------------------

clean: ## Remove everything that was made
	$(Q)rm -rf $(BUILD)

help: ## This list of goals and settings
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile boot/loader.mk | sort | \
	    while IFS='	' read -r target text; do printf '  %-14s %s\n' "$$target" "$$text"; done
	@echo; echo 'Settings, with their defaults, as in `make run CPUS=4`:'; sed -n 's/^#: /  /p' Makefile

FORCE:
# Of several goals that use what the others make, or this terminal, one after the other.
ifneq ($(and $(filter clean run% test% bench fuzz size,$(goals)),$(word 2,$(goals))),)
.NOTPARALLEL:
endif
.PHONY: FORCE all kernel user initrd iso direct unit guest run run-bios run-direct settings test test-build test-unit \
        test-loader test-guest test-game test-system test-fresh test-long bench bench-programs bench-peers fuzz size format format-check check-headers clean help deps
.SECONDARY:

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
