# SPDX-License-Identifier: MIT
#
# user.mk - programs, their libraries, and the RAM disks that they are in. Part of the Makefile.

# Each folder with C files below is a program named after the folder. Programs are linked with
# the libraries of lib/; the copies without symbols go to the initial RAM disk.

PROGRAM_DIRS := $(sort $(patsubst %/,%,$(dir $(wildcard services/*/*.c services/*/*/*.c drivers/*/*/*.c programs/*/*.c personality/linux/lxhost/*.c))))
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
LWIP_SRCS  := $(addprefix core/,def.c inet_chksum.c init.c ip.c mem.c memp.c netif.c pbuf.c raw.c tcp.c tcp_in.c tcp_out.c udp.c) \
              $(addprefix core/ipv4/,etharp.c icmp.c ip4.c ip4_addr.c ip4_frag.c) \
              $(addprefix core/ipv6/,ethip6.c icmp6.c ip6.c ip6_addr.c mld6.c nd6.c) netif/ethernet.c
# Ours, which include a part of lwIP, or look into its tables.
LWIP_OWN   := third_party/lwip/fragments6.c third_party/lwip/steps.c
LWIP_FLAGS := $(USER_CFLAGS) -w -Ithird_party/lwip/config -I$(BUILD)/src/lwip/src -I$(BUILD)/src/lwip/src/include
LWIP_NEEDS := $(THIRD_PARTY) $(LWIP_OWN) services/net/timers.h $(wildcard third_party/lwip/config/*.h third_party/lwip/config/*/*.h) $(common)
$(BUILD)/user/lwip/core/ipv4/dhcp.c.o: $(LWIP_NEEDS)
	$(call say,CC)
	$(Q)mkdir -p $(@D) && $(CC) $(LWIP_FLAGS) -DLWIP_DNS=1 -c $(BUILD)/src/lwip/src/core/ipv4/dhcp.c -o $@
$(BUILD)/user/lwip/all.c: make/user.mk
	$(Q)mkdir -p $(@D) && printf '#include "%s"\n' $(LWIP_SRCS) $(LWIP_OWN) > $@
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
# libvterm, the state of a terminal (third_party/libvterm), for `terminal` and for this machine. Warnings are its own.
LIBVTERM       := $(BUILD)/src/libvterm
LIBVTERM_SRCS  := $(addprefix $(LIBVTERM)/src/,encoding.c keyboard.c mouse.c parser.c pen.c screen.c state.c unicode.c vterm.c)
LIBVTERM_FLAGS := -w -isystem $(LIBVTERM)/include
LIBVTERM_OBJS  := $(LIBVTERM_SRCS:$(LIBVTERM)/src/%=$(BUILD)/user/libvterm/%.o)
LIBVTERM_HOST  := $(LIBVTERM_SRCS:$(LIBVTERM)/src/%=$(BUILD)/unit/libvterm/%.o)
$(BUILD)/user/libvterm/%.c.o: $(THIRD_PARTY) $(wildcard third_party/libvterm/config/*.h) $(common)
	$(call say,CC)
	$(Q)mkdir -p $(@D) && $(CC) $(USER_CFLAGS) $(LIBVTERM_FLAGS) -Ithird_party/libvterm/config -c $(LIBVTERM)/src/$*.c -o $@
$(BUILD)/unit/libvterm/%.c.o: $(THIRD_PARTY) $(common)
	$(call say,HOSTCC)
	$(Q)mkdir -p $(@D) && $(HOSTCC) $(filter-out $(WARNINGS),$(HOST_CFLAGS)) $(LIBVTERM_FLAGS) -c $(LIBVTERM)/src/$*.c -o $@
$(BUILD)/user/terminal.elf: $(LIBVTERM_OBJS)
$(BUILD)/user/obj/services/terminal/emulator.c.o: USER_CFLAGS += -Ithird_party/libvterm/config -isystem $(LIBVTERM)/include
$(BUILD)/unit/obj/services/terminal/emulator.c.o: HOST_CFLAGS += -isystem $(LIBVTERM)/include
$(BUILD)/user/obj/services/terminal/emulator.c.o $(BUILD)/unit/obj/services/terminal/emulator.c.o: $(THIRD_PARTY)
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
TEST_SERVICES := $(foreach s,$(TEST_SERVICES),$(BUILD)/tests/services/$s.stripped $(BUILD)/tests/services/$s.needs)

%.stripped: %.elf
	$(Q)$(OBJCOPY) --strip-all --remove-section=.bootstrap_names $< $@
# The names that it looks up, as text: lib/mnos/bootstrap.h.
%.needs: %.elf
	$(Q)$(OBJCOPY) -O binary -j .bootstrap_names --set-section-flags .bootstrap_names=alloc $< $@

# ---- Initial RAM disks ---------------------------------------------------------------------------

# Init is not started by the manifest; lx is what `launcher` starts for programs of Linux.
NEEDS := $(patsubst %,$(BUILD)/user/%.needs,$(filter-out init,$(PROGRAMS)) lx)

# What people call the devices of PCI.
$(BUILD)/pci_names: tools/mkpcinames.py $(THIRD_PARTY) | $(python_ok)
	$(call say,NAMES)
	$(Q)$(PYTHON) $< $(BUILD)/src/pci.ids/usr/share/misc/pci.ids $@
# What the screen shows characters by, and what is printed on keys.
$(BUILD)/fonts: tools/mkfonts.py tools/psf.py | $(python_ok)
	$(call say,FONTS)
	$(Q)$(PYTHON) $< $@
$(BUILD)/keymaps: tools/mkkeymaps.py $(THIRD_PARTY) | $(python_ok)
	$(call say,KEYMAPS)
	$(Q)$(PYTHON) $< $(BUILD)/src/console-setup/usr/bin/ckbcomp $(BUILD)/src/xkb-data/usr/share/X11/xkb $@

# What is in each RAM disk with the system: files of the build, and programs without their symbols.
SYSTEM_FILES    := $(addprefix $(BUILD)/,pci_names fonts keymaps)
SYSTEM_PROGRAMS := $(patsubst %,$(BUILD)/user/%.stripped,$(PROGRAMS) lx)
MANIFEST_TOOLS  := tools/join_manifest.py
SYSTEM_TABLES   := manifest.bin mounts.bin net_limits file_limits symbols
member           = $(basename $(notdir $1))=$1
# system_members FOLDER PROGRAMS: what the RAM disk holds, NAME=FILE for each, but for the name of it all.
system_members   = $(foreach f,$(SYSTEM_TABLES),$f=$1/$f) $(foreach f,$(SYSTEM_FILES),$(notdir $f)=$f) \
                   tour_page=system/web/index.html $(foreach p,$2,$(call member,$p))

# system_rules FOLDER MANIFEST NEEDS PROGRAMS
#
# In FOLDER, what is compiled of MANIFEST for programs that look up what is in NEEDS: who is started and may do what, what is
# mounted, what services may do on the network, which directories of files in memory they are given, the names by which
# init says where a program has faulted, and a name for all of it with the kernel. And the RAM disk with all that and PROGRAMS.
define system_rules
$1/manifest.bin: $2 $$(wildcard tools/mkmanifest.py tools/manifest_*.py) tools/mknet.py tools/mkfiles.py tools/service_limits.py $(MANIFEST_TOOLS) $3 | $(python_ok)
	$$(call say,MANIFEST)
	$(Q)mkdir -p $$(@D) && $(PYTHON) tools/mkmanifest.py $$< $$@ $3
$1/mounts.bin: $2 tools/mkmounts.py $(MANIFEST_TOOLS) | $(python_ok)
	$$(call say,MOUNTS)
	$(Q)mkdir -p $$(@D) && $(PYTHON) tools/mkmounts.py $$< $$@
$1/net_limits: $2 tools/mknet.py tools/service_limits.py $(MANIFEST_TOOLS) | $(python_ok)
	$$(call say,LIMITS)
	$(Q)mkdir -p $$(@D) && $(PYTHON) tools/mknet.py $$< $$@
$1/file_limits: $2 tools/mkfiles.py tools/service_limits.py $(MANIFEST_TOOLS) | $(python_ok)
	$$(call say,LIMITS)
	$(Q)mkdir -p $$(@D) && $(PYTHON) tools/mkfiles.py $$< $$@
$1/symbols: $(4:.stripped=.elf) tools/mkprogramsymbols.py tools/mksymbols.py tools/buildid.py | $(python_ok)
	$$(call say,SYMBOLS)
	$(Q)mkdir -p $$(@D) && $(PYTHON) tools/mkprogramsymbols.py $$@ $$(filter %.elf,$$^)
$1/image: $(BUILD)/kernel.elf $$(addprefix $1/,$(SYSTEM_TABLES)) $(SYSTEM_FILES) system/web/index.html $4 tools/mkimageid.py tools/buildid.py $(sources) | $(python_ok)
	$(Q)$(PYTHON) tools/mkimageid.py $$@ $$< $$(call system_members,$1,$4)
$1/initrd.tar: $1/image tools/mkarchive.py | $(python_ok)
	$$(call say,INITRD)
	$(Q)$(PYTHON) tools/mkarchive.py $$@ image=$$< $$(call system_members,$1,$4)
endef
$(eval $(call system_rules,$(BUILD),system/manifest.toml,$(NEEDS),$(SYSTEM_PROGRAMS)))

# A test or a benchmark is the init process of a RAM disk of its own.
$(BUILD)/tests/guest-initrd.tar: $(BUILD)/tests/guest-init.stripped $(CLAIMS) tools/mkarchive.py
	$(Q)$(PYTHON) tools/mkarchive.py $@ init=$<
$(BUILD)/tests/game-initrd.tar: $(BUILD)/tests/game-init.stripped tools/mkarchive.py
	$(Q)$(PYTHON) tools/mkarchive.py $@ init=$<
$(BUILD)/bench/initrd.tar: $(BUILD)/bench/bench-init.stripped tools/mkarchive.py
	$(Q)$(PYTHON) tools/mkarchive.py $@ init=$<
