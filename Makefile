# SPDX-License-Identifier: MIT
#
# Makefile - builds, runs and tests MinimalOS NextGen; `make help` lists what it can do.
#
# This file has the settings and the goals. How something is made is in make/*.mk and boot/loader.mk.
# Sources are found by folder, so a new file needs no line anywhere. Everything made goes to build/.
#
# `make help` shows these settings, with their defaults:
#: BUILD=build              the folder for everything that is made
#: GDB_SOCKET=             socket at which make debug waits for make gdb (empty: gdb.sock of the build)
#: CC=gcc                   the compiler: gcc or clang
#: CROSS_COMPILE=           what the names of gcc and binutils begin with, as x86_64-linux-gnu-
#: LD=ld                    the linker
#: AR=ar                    what makes libraries
#: OBJCOPY=objcopy          what copies parts of programs
#: HOSTCC=gcc               the compiler of what runs on this machine
#: PYTHON=/usr/bin/python3  Python, 3.11 or newer
#: DEPS=                    no: do not look for missing packages, and install none
#: V=                       1: show the commands
#: CMDLINE=                 command line of the kernel, for run, iso and direct
#: WITH=                    folders of programs of your own to be in the system, for run, initrd, iso, image and direct
#: CPUS=2                   processors, for run
#: MEMORY=512               MiB of memory, for run
#: CPU=max                  processor model of QEMU, for run
#: MEDIUM=cdrom             cdrom, disk or usb, for run and run-bios
#: DISK=                    file of the disk to keep files on, or none, for run (empty: disk.img of the build)
#: LINUX=yes                no: a new disk.img without programs of Linux, for run
#: NETWORK=user             user, QEMU's own network, or none, for run
#: NIC=virtio               virtio or e1000e, the network card, for run
#: DEVICES=                 further devices of the machine, as QEMU names them, for run: edu
#: DISPLAY_QEMU=none        gtk, sdl or curses: show the screen as well, for run
#: KVM=0                    1: use the host's processor, for run
#: PROGRAM=                 the program, as the words of its fault have it, or kernel, for where
#: ADDRESS=                 hexadecimal; several with commas between them, for where
#: SUITES=                  only these: build, rebuilds, unit, ext4, fat, loader, guest, game, system, for test and test-fresh
#: SEED=                    plays the games of that seed again, for test-long
#: FUZZ_SECONDS=60          how long each target runs, for fuzz
#: RELEASE=bookworm         the release of Debian, for test-fresh
#: NEW_ROOT=                1: make the bare system anew, for test-fresh
#: PEERS=../shared/peers    the folder with what Linux and seL4 are measured by, for bench-peers
#: COMPILE_COMMANDS=compile_commands.json  the file that compile-commands makes
#: SOURCE_DATE_EPOCH=1735689600  the date of every file in an image, in seconds since 1970

include make/settings.mk

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
export BUILD CC CROSS_COMPILE CMDLINE WITH

# What is found by folder is source; nothing that is made may lie there, or be all there is.
SOURCE_DIRS := abi bench boot drivers examples kernel lib personality programs protocols services system tests
ifneq ($(words $(BUILD)),1)
$(error BUILD is the name of one folder, without blanks)
endif
ifneq ($(filter $(patsubst %/,%,$(abspath $(BUILD)))/%,$(CURDIR)/),)
$(error BUILD=$(BUILD) holds the sources themselves)
endif
ifneq ($(filter $(addsuffix /%,$(abspath $(SOURCE_DIRS) docs make tools)),$(abspath $(BUILD))/),)
$(error BUILD=$(BUILD) is among the sources)
endif

# The same input gives the same bytes: one date for every file in an image, no path in an object.
export SOURCE_DATE_EPOCH ?= 1735689600
export PYTHONDONTWRITEBYTECODE := 1

all: kernel initrd iso direct ## Build everything that boots

include $(addprefix make/,packages.mk compile.mk third_party.mk kernel.mk user.mk linux.mk with.mk) boot/loader.mk make/tests.mk

deps: $(THIRD_PARTY) $(THIRD_PARTY_TESTS) ## Fetch the third-party files of third_party/deps.lock; later builds need no network

# ---- What boots ----------------------------------------------------------------------------------

kernel: $(BUILD)/kernel.elf $(BUILD)/debug/kernel.elf ## Both kernels: build/kernel.elf and build/debug/kernel.elf
user: $(LIBMNOS) $(PROGRAMS:%=$(BUILD)/user/%.elf) ## Services, drivers and programs
examples: $(EXAMPLES) ## The programs of examples/, which `make run WITH=examples/NAME` has in the system
initrd: $(INITRD) ## The initial RAM disk with init, the manifest and the services
iso: $(BUILD)/minimalos.iso ## The bootable image build/minimalos.iso (CD, disk or USB stick; UEFI or BIOS)
	@echo "$<: image $$(cut -d' ' -f1 $(dir $(INITRD))image)"

image: $(BUILD)/minimalos.qcow2 ## A bootable disk, build/minimalos.qcow2: GPT, an EFI system partition, and ext4 for files
	@echo "$<: image $$(cut -d' ' -f1 $(dir $(INITRD))image)"

# What a release consists of. Symbols are of the same build: a fault line's address is looked up in them.
RELEASED := $(BUILD)/minimalos.iso $(BUILD)/minimalos.qcow2 $(BUILD)/kernel.elf
release: iso image kernel user direct ## build/release: images, kernel, symbols of all programs, checksums
	$(Q)rm -rf $(BUILD)/release && mkdir -p $(BUILD)/release && cp $(RELEASED) $(BUILD)/release
	$(Q)tar -C $(BUILD) --sort=name --owner=0 --group=0 --numeric-owner --mtime=@$(SOURCE_DATE_EPOCH) -cJf \
	    $(BUILD)/release/symbols.tar.xz kernel.elf debug/kernel.elf loader.elf $(PROGRAMS:%=user/%.elf) user/lx.elf
	$(Q)cd $(BUILD)/release && sha256sum * >SHA256SUMS

# What is wrong with the settings of a run is said before anything is built.
settings: | $(python_ok)
	$(Q)$(PYTHON) tools/run.py check

run: settings iso ## Boot the ISO in QEMU with UEFI; the prompt is on this terminal (Ctrl-A X ends it)
	$(Q)$(PYTHON) tools/run.py uefi
run-bios: settings iso ## The same with BIOS firmware
	$(Q)$(PYTHON) tools/run.py bios
run-direct: settings direct ## Boot kernel and RAM disk without firmware: the fastest way to the prompt
	$(Q)$(PYTHON) tools/run.py direct

debug: settings direct ## Boot as run-direct does, and wait for `make gdb` before the first instruction: docs/debugging.md
	$(Q)$(PYTHON) tools/run.py debug
gdb: ## The debugger for a `make debug` in another terminal, with the symbols of kernel and programs
	$(Q)gdb -q -x tools/gdb/mnos.py

# They are pasted from a screen: neither make nor the shell reads more in them than text.
override PROGRAM := $(value PROGRAM)
override ADDRESS := $(value ADDRESS)
where: export PROGRAM := $(PROGRAM)
where: export ADDRESS := $(ADDRESS)
where: ## File and line of an address that a fault or a panic has told: PROGRAM=crash ADDRESS=0x4000d7
	$(Q)$(PYTHON) tools/where.py "$$PROGRAM" "$$ADDRESS"

# ---- Tests and benchmarks ------------------------------------------------------------------------

unit: $(UNIT) $(LWIP_UNIT) $(EXT4_TOOL) $(EXT4_SERVICE) $(FAT_SERVICE)
test-services: $(TEST_SERVICES)
guest: $(GUEST)
bench-programs: $(BENCH)

TESTED := all $(UNIT) $(LWIP_UNIT) $(EXT4_TOOL) $(EXT4_SERVICE) $(FAT_SERVICE) $(THIRD_PARTY_TESTS) $(GUEST) $(BENCH) $(TEST_SERVICES) image
test: $(TESTED) ## All tests, or those of SUITES; the last line counts them
	$(Q)$(PYTHON) tools/test.py $(SUITES)
test-build: initrd ## Layout, headers that compile alone, one compiler without warnings
	$(Q)$(PYTHON) tools/test.py build
test-rebuilds: kernel initrd loader ## The other compiler without warnings, and the bytes of a fresh build
	$(Q)$(PYTHON) tools/test.py rebuilds
test-unit: $(UNIT) $(LWIP_UNIT) ## Portable code and lwIP on this machine, under sanitizers
	$(Q)$(PYTHON) tools/test.py unit
test-ext4: $(EXT4_TOOL) $(EXT4_SERVICE) $(THIRD_PARTY_TESTS) ## The core of the ext4 service, and the service, on images of this machine, judged by e2fsck
	$(Q)$(PYTHON) tools/test.py ext4
test-fat: $(FAT_SERVICE) ## The FAT service on images of this machine, judged by fsck.fat and fsck.exfat
	$(Q)$(PYTHON) tools/test.py fat
test-loader: all ## The boot loader, with good and hostile input
	$(Q)$(PYTHON) tools/test.py loader
test-guest: direct $(GUEST) ## System calls, from a test process in QEMU
	$(Q)$(PYTHON) tools/test.py guest
test-game: direct $(GUEST) ## A minute of the random game of processes on each kernel
	$(Q)$(PYTHON) tools/test.py game
test-system: all image $(BENCH) $(GUEST) $(EXT4_TOOL) $(EXT4_SERVICE) $(TEST_SERVICES) $(THIRD_PARTY_TESTS) ## The real image, driven as a user would
	$(Q)$(PYTHON) tools/test.py system
test-fresh: ## The README's commands on a bare Debian, in a fresh clone of the commit at hand
	$(Q)$(PYTHON) tests/fresh/run.py $(or $(RELEASE),bookworm) $(if $(filter 1,$(NEW_ROOT)),--new) \
	    --suites "$(or $(SUITES),build unit)"
test-long: $(TESTED) ## Campaigns: hours, at low priority; their record is in build/campaigns (SEED=N repeats)
	$(Q)$(PYTHON) tools/test_long.py

proof: $(CBMC)/.fetched ## Parts of the kernel, as they ship, by the model checker cbmc: docs/proofs.md
	$(Q)$(PYTHON) tests/proofs/prove.py
mutants: $(CBMC)/.fetched ## Planted mistakes, each of which has to break a proof
	$(Q)$(PYTHON) tests/proofs/mutants.py

fuzz: $(FUZZERS:%=fuzz-%) ## Look for bytes from outside that a reader does not survive, for FUZZ_SECONDS each

bench: direct initrd $(BENCH) ## Exact instruction counts, compared with bench/results.txt
	$(Q)$(PYTHON) bench/run.py
PEERS ?= ../shared/peers
bench-peers: direct initrd $(BENCH) ## The same beside Linux, measured by PEERS=folder with its benchmark, and seL4
	$(Q)$(PYTHON) bench/run.py --peers $(PEERS)
size: kernel ## Record how large the kernel is: the build test lets it become no larger
	$(Q)$(PYTHON) tools/size.py --record

# ---- Code style ----------------------------------------------------------------------------------

format: ## Lay out all C files
	$(Q)clang-format -i $(FORMATTED)
format-check: ## Fail when a C file is not laid out as `make format` does
	$(Q)clang-format --dry-run -Werror $(FORMATTED)
hooks: ## Let git lay out the C files of each commit (tools/hooks)
	$(Q)git config core.hooksPath tools/hooks
COMPILE_COMMANDS ?= compile_commands.json
compile-commands: ## compile_commands.json, by which clangd and other tools read the C files as the build does
	$(Q)MAKEFLAGS= $(MAKE) -nB DEPS=no all unit guest bench-programs test-services | \
	    $(PYTHON) tools/compile_commands.py $(COMPILE_COMMANDS)
check-headers: $(HEADERS:%=$(BUILD)/headers/%.ok) ## Compile each header alone

# ---- Housekeeping --------------------------------------------------------------------------------

clean: ## Remove everything that was made, but for disk.img
	$(Q)[ ! -d $(BUILD) ] || find $(BUILD) -mindepth 1 -maxdepth 1 ! -name disk.img -exec rm -rf {} +
	$(Q)[ -e $(BUILD)/disk.img ] || rm -rf $(BUILD)

help: ## This list of goals and settings
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile boot/loader.mk | sort | \
	    while IFS='	' read -r target text; do printf '  %-14s %s\n' "$$target" "$$text"; done
	@echo; echo 'Settings, with their defaults, as in `make run CPUS=4`:'; sed -n 's/^#: /  /p' Makefile

FORCE:
# Of several goals that use what the others make, or this terminal, one after the other.
ifneq ($(and $(filter clean run% debug gdb test% bench fuzz proof mutants size,$(goals)),$(word 2,$(goals))),)
.NOTPARALLEL:
endif
.PHONY: FORCE all kernel user examples initrd iso image release direct unit guest run run-bios run-direct debug gdb where settings clean help \
        test test-build test-rebuilds test-unit test-ext4 test-fat test-loader test-guest test-game test-system test-fresh test-long fuzz \
        proof mutants \
        bench bench-programs bench-peers size format format-check hooks compile-commands check-headers deps
.SECONDARY:

# A file of the name left out is from before the kernel's folders were moved, and names a source that is gone.
-include $(shell find $(BUILD) -path $(BUILD)/src -prune -o -name '*.d' ! -name 'struct_offsets.h.d' -print 2>/dev/null)
