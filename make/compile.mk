# SPDX-License-Identifier: MIT
#
# compile.mk - flags, and how a source becomes an object. Part of the Makefile.

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
LINK_FLAGS    := -m elf_x86_64 -nostdlib -static -z max-page-size=4096 -z noexecstack --build-id=sha1

# Changes when the compiler does; every object depends on it.
tools    := $(CC) $(LD) $(AR) $(OBJCOPY) $(HOSTCC)
compiler := $(BUILD)/.compiler
$(compiler): FORCE
	$(Q)mkdir -p $(@D) && { echo '$(tools)' | cmp -s - $@ || echo '$(tools)' >$@; }
makefiles := Makefile $(wildcard make/*.mk)
common    := $(compiler) $(makefiles)

# Changes when a source file comes or goes; whatever is put together from files that are found depends
# on it, so that what was deleted is gone from there, too. Two makes may do this at once.
sources  := $(BUILD)/.sources
$(sources): FORCE
	$(Q)mkdir -p $(@D) && new=$@.$$$$ && find $(SOURCE_DIRS) -type f ! -name '.*' ! -name '*~' ! -name '*.pyc' ! -name '*.md' | \
	    LC_ALL=C sort >$$new && \
	    if cmp -s $$new $@; then rm $$new; else mv $$new $@; fi

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
