# SPDX-License-Identifier: MIT
#
# tests.mk - what tests and benchmarks are made of. Part of the Makefile.

# What moves frames between a stack and a card, without system calls.
FRAME_SRCS := lib/server/frame_port.c lib/client/frame_buffers.c lib/mnos/entries.c $(addprefix drivers/net/virtio_net/,card.c setup.c) $(addprefix drivers/net/e1000e/,card.c setup.c)

# tests/unit/host includes the files of kernel/mm that it has too.
UNIT_SRCS := $(filter-out kernel/main.c kernel/mm/frame.c kernel/mm/slab.c kernel/arch/x86_64/% kernel/debug/off/% kernel/debug/measure/%, \
                          $(call find,kernel,-name '*.c')) \
             $(call find,lib/format tests/unit,-name '*.[cS]') $(addprefix lib/server/,fault_report.c file_lock.c file_resolve.c front.c lane.c park.c running.c service_limits.c session.c session_check.c state.c) \
             $(addprefix lib/server/,block_queue.c block_session.c) \
             $(addprefix services/volumes/,assign.c scan.c) \
             $(addprefix lib/driver/,dma.c virtio/queue.c virtio/queue_packed.c virtio/transport.c) \
             $(FRAME_SRCS) \
             drivers/block/nvme/queue.c \
             $(addprefix services/terminal/,emulator.c font.c layout.c screen.c scrollback.c terminal.c terminals.c) \
             $(addprefix services/devices/,match.c names.c quiet.c scan.c table.c vectors.c windows.c) \
             $(addprefix services/net/,address.c limits.c) services/fs/initrdfs/files.c $(addprefix services/vfs/,steps.c table.c) \
             $(addprefix services/fs/fat/,boot.c time.c volume_cache.c) \
             $(addprefix services/fs/ext4/,cache.c cache_check.c cache_take.c queue.c core/crc32c.c core/hash.c) \
             $(addprefix services/fs/tmpfs/,check.c data.c limits.c methods.c names.c pages.c space.c store.c tree.c) lib/base/printf.c lib/base/tree.c lib/mnos/process_end.c $(LOADER_PORTABLE_SRCS)
UNIT      := $(BUILD)/unit/unit-tests
# They have files of services/net, which include lwIP's headers.
LWIP_TESTS := $(patsubst %,$(BUILD)/unit/obj/tests/unit/test_net_%.c.o,capture cards direct join lookup names recover) $(BUILD)/unit/obj/services/net/address.c.o
$(LWIP_TESTS): HOST_CFLAGS += -Ithird_party/lwip/config -isystem $(BUILD)/src/lwip/src/include
$(LWIP_TESTS): $(THIRD_PARTY)

$(BUILD)/unit/obj/%.c.o: %.c $(common)
	$(call say,HOSTCC)
	$(Q)mkdir -p $(@D) && $(HOSTCC) $(HOST_CFLAGS) -c $< -o $@
$(BUILD)/unit/obj/%.S.o: %.S $(common)
	$(call say,HOSTAS)
	$(Q)mkdir -p $(@D) && $(HOSTCC) $(HOST_CFLAGS) -c $< -o $@
$(UNIT): $(UNIT_SRCS:%=$(BUILD)/unit/obj/%.o) $(LIBVTERM_HOST) $(sources)
	$(call say,LINK)
	$(Q)$(HOSTCC) -fsanitize=address,undefined -pthread $(filter %.o,$^) -o $@

# lwIP's own tests, with our options, patches and checksum: tests/lwip.
LWIP_UNIT := $(BUILD)/unit/lwip-tests
LWIP_UNIT_DIR = $(BUILD)/src/lwip/test/unit
LWIP_UNIT_SRCS = $(patsubst %,$(BUILD)/src/lwip/src/%,$(filter-out %/etharp.c %/ip4_frag.c %/nd6.c,$(LWIP_SRCS)) core/stats.c core/ipv4/dhcp.c) \
                 $(patsubst %,$(LWIP_UNIT_DIR)/%.c,arch/sys_arch core/test_def core/test_netif core/test_pbuf dhcp/test_dhcp \
                              etharp/test_etharp ip4/test_ip4 ip6/test_ip6 tcp/tcp_helper tcp/test_tcp tcp/test_tcp_oos tcp/test_tcp_state udp/test_udp)
$(LWIP_UNIT): $(LWIP_NEEDS) $(wildcard tests/lwip/*) $(addprefix services/net/,checksum.c timers.c) $(wildcard services/net/*.h)
	$(call say,LINK)
	$(Q)mkdir -p $(@D) && $(HOSTCC) $(filter-out $(WARNINGS),$(HOST_CFLAGS)) -w -Itests/lwip -I$(LWIP_UNIT_DIR) -I$(BUILD)/src/lwip/src -I$(BUILD)/src/lwip/src/include \
	    -idirafter third_party/lwip/config $(wildcard tests/lwip/*.c) $(addprefix services/net/,checksum.c timers.c) $(LWIP_UNIT_SRCS) \
	    -Wl,--wrap=etharp_request -lcheck_pic -lrt -lm -lsubunit -o $@

# The core of the ext4 service on images of this machine: tests/ext4.
EXT4_CORE := $(call find,services/fs/ext4/core,-name '*.c')
EXT4_TOOL := $(BUILD)/ext4/tool
$(EXT4_TOOL): $(patsubst %,$(BUILD)/unit/obj/%.o,$(EXT4_CORE) lib/server/state.c $(call find,tests/ext4,-name '*.c')) $(sources)
	$(call say,LINK)
	$(Q)mkdir -p $(@D) && $(HOSTCC) -fsanitize=address,undefined -Wl,--wrap=state_put_any $(filter %.o,$^) -o $@

# libFuzzer, which Clang has. Each tests/fuzz/NAME.c is a target; what else it is made of is fuzz_NAME. It looks for
# FUZZ_SECONDS; what it has learned stays in its corpus.
FUZZERS       = $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*.c))
FUZZ_SECONDS ?= 60
fuzz_firmware := tests/unit/firmware_fuzz.c tests/unit/firmware_memory.c \
                 $(addprefix lib/format/,acpi.c acpi_iommu.c madt.c mptable.c)
fuzz_pci      := tests/unit/pci_fuzz.c $(addprefix lib/format/,pci/config.c pci/mcfg.c acpi.c acpi_iommu.c madt.c)
fuzz_partitions := tests/unit/partitions_fuzz.c services/volumes/scan.c \
                   $(addprefix lib/format/disk/,content.c crc32.c gpt.c mbr.c)
fuzz_dns      := tests/unit/dns_fuzz.c lib/format/net/dns.c
fuzz_sleep    := tests/unit/sleep_fuzz.c $(addprefix lib/format/,acpi_sleep.c acpi.c acpi_iommu.c madt.c)
fuzz_nvme     := tests/unit/nvme_fuzz.c drivers/block/nvme/queue.c lib/driver/dma.c tests/unit/mmio_model.c
fuzz_virtio   := tests/unit/virtio_fuzz.c $(addprefix lib/driver/,dma.c virtio/queue.c virtio/queue_packed.c virtio/transport.c) tests/unit/mmio_model.c
fuzz_frame    := tests/unit/frame_fuzz.c $(FRAME_SRCS) $(addprefix lib/driver/,dma.c virtio/queue.c virtio/queue_packed.c virtio/transport.c) tests/unit/mmio_model.c
fuzz_stream   := tests/unit/stream_fuzz.c tests/unit/ns16550_model.c tests/unit/ns16550_device.c lib/base/printf.c lib/server/front.c lib/mnos/ring.c
fuzz_files    := $(addprefix lib/server/,file_lock.c file_resolve.c lane.c park.c running.c session.c session_check.c state.c) \
                 $(addprefix services/fs/tmpfs/,check.c data.c methods.c names.c pages.c space.c store.c tree.c)
fuzz_ext4     := $(EXT4_CORE) lib/server/state.c $(addprefix tests/ext4/,disk.c files.c scenes.c visitors.c)
fuzz_fat      := $(filter-out %/main.c,$(wildcard services/fs/fat/*.c)) tests/fat_service/scene.c lib/server/park.c
fuzz_more_fat := $(OOFATFS_FLAGS) third_party/oofatfs/port.c

define fuzz_rules
$(BUILD)/fuzz/$1: tests/fuzz/$1.c tests/fuzz/check/check.c $(fuzz_$1) $(if $(fuzz_more_$1),$(THIRD_PARTY)) $(call find,lib tests/unit tests/models,-name '*.h') $(makefiles)
	$$(call say,FUZZ)
	$(Q)mkdir -p $$(@D) && clang -std=gnu2x -g -O1 $(WARNINGS) -I. -Itests/unit \
	    -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all tests/fuzz/$1.c tests/fuzz/check/check.c $(fuzz_$1) $(fuzz_more_$1) -o $$@
fuzz-$1: $(BUILD)/fuzz/$1
	$(Q)mkdir -p $(BUILD)/fuzz/corpus/$1
	$(Q)$(BUILD)/fuzz/$1 -max_total_time=$(FUZZ_SECONDS) -max_len=4097 -timeout=20 -print_final_stats=1 \
	    -artifact_prefix=$(BUILD)/fuzz/$1- $(BUILD)/fuzz/corpus/$1
.PHONY: fuzz-$1
endef
$(foreach f,$(FUZZERS),$(eval $(call fuzz_rules,$f)))

# Programs of Linux that are static, and have the C library of this machine.
LINUX_HOSTED := $(patsubst tests/linux/hosted/%.c,$(BUILD)/tests/linux/%,$(wildcard tests/linux/hosted/*.c))
TEST_SERVICES += $(LINUX_HOSTED)
$(LINUX_HOSTED): $(BUILD)/tests/linux/%: tests/linux/hosted/%.c tests/linux/hosted/threads.h $(common)
	$(call say,CC)
	$(Q)mkdir -p $(@D) && $(CC) $(filter-out -MMD -MP,$(WARNINGS)) -std=gnu2x -O1 -I. -pthread -c $< -o $@.o
	$(Q)$(CC) -static -pthread -Wl,--build-id=none $@.o -o $@

# Programs of Linux: static, and without a C library. With the services that tests have, and the examples, they are what is to
# be built.
LINUX_TESTS := $(patsubst tests/linux/%.c,$(BUILD)/tests/linux/%,$(wildcard tests/linux/*.c))
TEST_SERVICES += $(LINUX_TESTS) $(EXAMPLES)
$(LINUX_TESTS): $(BUILD)/tests/linux/%: tests/linux/%.c tests/linux/program.h $(common)
	$(call say,CC)
	$(Q)mkdir -p $(@D) && $(CC) $(filter-out -MMD -MP,$(WARNINGS)) -std=gnu2x -O1 -m64 -ffreestanding -fno-stack-protector -fno-pie -fcf-protection=none -I. -c $< -o $@.o
	$(Q)$(LD) -m elf_x86_64 -static -nostdlib -z noexecstack --build-id=none $@.o -o $@

GUEST := $(BUILD)/kernel.elf $(BUILD)/debug/kernel.elf $(BUILD)/measure/kernel.elf \
         $(BUILD)/tests/guest-initrd.tar $(BUILD)/tests/game-initrd.tar

BENCH := $(BUILD)/kernel.elf $(BUILD)/bench/initrd.tar $(foreach p,disk traffic,$(BUILD)/bench/$p.stripped $(BUILD)/bench/$p.needs) \
         $(BUILD)/tests/linux/cost

# ---- Code style ----------------------------------------------------------------------------------
FORMATTED = $(call find,abi boot kernel lib personality protocols services drivers programs examples tests bench,-name '*.[ch]')
HEADERS   = $(call find,abi kernel lib,-name '*.h')

# Each header, alone, as the code that includes it is compiled.
$(BUILD)/headers/kernel/%.ok: header_flags = $(KERNEL_CFLAGS) -Ikernel/debug/on
$(BUILD)/headers/abi/%.ok: header_flags = $(USER_CFLAGS)
$(BUILD)/headers/lib/%.ok: header_flags = $(USER_CFLAGS)
$(BUILD)/headers/%.ok: % $(common)
	$(Q)mkdir -p $(@D) && echo '#include "$<"' | $(CC) $(header_flags) -MF $@.d -MT $@ -x c - -c -o $@

# The ext4 service, with lib/server above it, on an image file of this machine: tests/ext4_service.
EXT4_SERVICE := $(BUILD)/ext4/service
EXT4_SERVICE_SRCS := $(filter-out %/main.c,$(wildcard services/fs/ext4/*.c)) $(call find,services/fs/ext4/core tests/ext4_service,-name '*.c') \
                     $(addprefix lib/server/,file_lock.c file_resolve.c lane.c park.c running.c session.c session_check.c state.c)
$(EXT4_SERVICE): $(EXT4_SERVICE_SRCS:%=$(BUILD)/unit/obj/%.o) $(sources)
	$(call say,LINK)
	$(Q)mkdir -p $(@D) && $(HOSTCC) -fsanitize=address,undefined -Wl,--wrap=state_put_any $(filter %.o,$^) -o $@

# The FAT service in the same way, by the same commands: tests/fat_service.
FAT_SERVICE := $(BUILD)/fat/service
FAT_SERVICE_SRCS := $(filter-out %/main.c,$(wildcard services/fs/fat/*.c)) tests/fat_service/host.c \
                    $(addprefix tests/ext4_service/,attributes.c commands.c disk.c hostile.c locks.c main.c random.c returning.c shares.c) \
                    $(addprefix lib/server/,file_lock.c file_resolve.c lane.c park.c running.c session.c session_check.c state.c)
$(FAT_SERVICE): $(FAT_SERVICE_SRCS:%=$(BUILD)/unit/obj/%.o) $(OOFATFS_HOST) $(sources)
	$(call say,LINK)
	$(Q)mkdir -p $(@D) && $(HOSTCC) -fsanitize=address,undefined $(filter %.o,$^) -o $@
