/* SPDX-License-Identifier: MIT */
/* test_bootinfo.c - responses of good, odd and missing loaders. */
#include "boot/bootinfo.h"

#include <string.h>

#include "arch/arch.h"
#include "boot/requests.h"
#include "tests/unit/unit.h"

#define OFFSET 0xFFFF900000000000ull /* the loader's direct map */

enum { ENTRIES_MAX = 5000, INITRD = 0x400000, INITRD_END = 0x403000 };

static struct limine_memory_entry entries[ENTRIES_MAX];
static struct limine_memory_entry *entry_list[ENTRIES_MAX];
static struct limine_memory_map map = {.list = entry_list};
static struct limine_hhdm hhdm = {.offset = OFFSET};
static struct limine_kernel_address kernel = {.physical = 0x200000, .virtual = 0xFFFFFFFF80200000};
static struct limine_rsdp rsdp = {.address = 0xE0000};
static struct limine_boot_time boot_time = {.unix_seconds = 1700000000};
static struct limine_file initrd = {
    .address = (void *)(OFFSET + 0x400000), .size = 10000, .path = "/boot/initrd.tar"};
static struct limine_file *module_list[] = {&initrd};
static struct limine_modules modules = {.count = 1, .list = module_list};
static struct limine_cpu cpus[40];
static struct limine_cpu *cpu_list[40];
static struct limine_mp mp = {.count = 1, .list = cpu_list};
static struct limine_file kernel_file = {.cmdline = "from the file"};
static struct limine_kernel_file file = {.file = &kernel_file};
static struct limine_cmdline cmdline = {.text = "bench  fault=3 console=kernel"};

static void add(paddr_t base, paddr_t end, uint64_t type)
{
    entries[map.count] = (struct limine_memory_entry){base, end - base, type};
    entry_list[map.count] = &entries[map.count];
    map.count++;
}

/* A loader that answers everything; tests take away. */
static void good_loader(void)
{
    limine_requests.base_revision[2] = 0;
    limine_requests.hhdm.response = &hhdm;
    limine_requests.kernel_address.response = &kernel;
    limine_requests.rsdp.response = &rsdp;
    limine_requests.boot_time.response = &boot_time;
    limine_requests.memory_map.response = &map;
    limine_requests.modules.response = &modules;
    limine_requests.mp.response = &mp;
    limine_requests.file.response = &file;
    limine_requests.cmdline.response = &cmdline;
    for (unsigned i = 0; i < 40; i++) {
        cpus[i].apic_id = i;
        cpu_list[i] = &cpus[i];
    }
    add(INITRD, INITRD_END, LIMINE_KERNEL_AND_MODULES);
}

static bool range_is(unsigned index, paddr_t base, paddr_t end, enum boot_range_type type)
{
    const struct boot_range *range = &boot_info.ranges[index];

    return range->base == base && range->end == end && range->type == type;
}

TEST(bootinfo, copies_addresses_and_files)
{
    good_loader();
    add(0x100000, 0x8000000, LIMINE_USABLE);
    boot_info_init();
    CHECK_EQ(boot_info.hhdm_offset, OFFSET);
    CHECK_EQ(boot_info.initrd, 0x400000);
    CHECK_EQ(boot_info.initrd_bytes, 10000);
    CHECK_STR_EQ(boot_info.initrd_path, "/boot/initrd.tar");
    CHECK_EQ(boot_info.rsdp, 0xE0000);
    CHECK_EQ(boot_info.boot_time, 1700000000);
    CHECK_EQ(boot_image_to_phys((void *)0xFFFFFFFF80201000), 0x201000);
    CHECK_EQ(boot_info.framebuffer.address, 0);
}

TEST(bootinfo, memory_map_is_sorted_rounded_and_joined)
{
    good_loader();
    add(0x200000, 0x300000, LIMINE_USABLE);
    add(0x300000, 0x3FF800, LIMINE_USABLE); /* half a frame is none */
    add(0x100000, 0x200000, LIMINE_BOOTLOADER);
    add(0x500800, 0x501800, LIMINE_KERNEL_AND_MODULES); /* half a frame in use is a whole one */
    boot_info_init();
    CHECK_EQ(boot_info.range_count, 4);
    CHECK(range_is(0, 0x100000, 0x200000, BOOT_RANGE_RECLAIMABLE));
    CHECK(range_is(1, 0x200000, 0x3FF000, BOOT_RANGE_USABLE));
    CHECK(range_is(2, INITRD, INITRD_END, BOOT_RANGE_KERNEL));
    CHECK(range_is(3, 0x500000, 0x502000, BOOT_RANGE_KERNEL));
}

TEST(bootinfo, free_memory_that_something_else_claims_is_cut)
{
    good_loader();
    add(0x100000, 0x300000, LIMINE_USABLE);
    add(0x280000, 0x500000, LIMINE_KERNEL_AND_MODULES);
    add(0x400000, 0x600000, LIMINE_USABLE);
    add(0x700000, 0x700000, LIMINE_USABLE);             /* empty */
    add(UINT64_MAX - 0xFFF, UINT64_MAX, LIMINE_USABLE); /* at the end of all addresses */
    add(0x580800, 0x580900, LIMINE_RESERVED);           /* a hole in the middle */
    boot_info_init();
    CHECK_EQ(boot_info.range_count, 4);
    CHECK(range_is(0, 0x100000, 0x280000, BOOT_RANGE_USABLE));
    CHECK(range_is(1, 0x280000, 0x500000, BOOT_RANGE_KERNEL));
    CHECK(range_is(2, 0x500000, 0x580000, BOOT_RANGE_USABLE));
    CHECK(range_is(3, 0x581000, 0x600000, BOOT_RANGE_USABLE));
}

TEST(bootinfo, any_number_of_ranges_that_merge_is_one)
{
    good_loader();
    for (unsigned i = 1; i < ENTRIES_MAX; i++)
        add(0x1000000 + i * 0x1000ull, 0x1001000 + i * 0x1000ull, LIMINE_USABLE);
    boot_info_init();
    CHECK_EQ(boot_info.range_count, 2);
    CHECK(range_is(1, 0x1001000, 0x1000000 + ENTRIES_MAX * 0x1000ull, BOOT_RANGE_USABLE));
}

/* Reserved ranges between free ones, hundreds of them: the loader's map of an odd machine. */
TEST(bootinfo, hundreds_of_ranges_that_do_not_merge_are_used)
{
    good_loader();
    for (unsigned i = 0; i < 500; i++) {
        add(0x1000000 + i * 0x2000ull, 0x1001000 + i * 0x2000ull, LIMINE_USABLE);
        add(0x1001000 + i * 0x2000ull, 0x1002000 + i * 0x2000ull, LIMINE_RESERVED);
    }
    boot_info_init();
    CHECK_EQ(boot_info.range_count, 501);
}

TEST(bootinfo, a_full_table_drops_the_smallest_free_ranges)
{
    good_loader();
    for (unsigned i = 0; i < 600; i++)
        add(0x1000000 + i * 0x4000ull, 0x1000000 + i * 0x4000ull + (i < 100 ? 0x1000 : 0x2000),
            LIMINE_USABLE);
    add(0x8000000, 0x8001000, LIMINE_BOOTLOADER);
    boot_info_init();
    CHECK_EQ(boot_info.range_count, BOOT_RANGES_MAX);
    CHECK(range_is(0, INITRD, INITRD_END, BOOT_RANGE_KERNEL));
    CHECK(range_is(BOOT_RANGES_MAX - 1, 0x8000000, 0x8001000, BOOT_RANGE_RECLAIMABLE));
    for (unsigned i = BOOT_RANGES_MAX - 501; i + 1 < BOOT_RANGES_MAX; i++)
        CHECK_EQ(boot_info.ranges[i].end - boot_info.ranges[i].base, 0x2000);
}

TEST(bootinfo, more_ranges_in_use_than_fit_is_a_panic)
{
    good_loader();
    for (unsigned i = 0; i < 600; i++)
        add(0x1000000 + i * 0x4000ull, 0x1001000 + i * 0x4000ull, LIMINE_BOOTLOADER);
    EXPECT_PANIC(boot_info_init());
}

TEST(bootinfo, memory_out_of_reach_is_not_used)
{
    paddr_t width = arch_physical_pages() << PAGE_SHIFT;

    good_loader();
    add(RAM_LIMIT - 0x100000, RAM_LIMIT + 0x100000, LIMINE_USABLE);
    add(RAM_LIMIT + 0x200000, RAM_LIMIT + 0x300000, LIMINE_USABLE);
    add(width, width + 0x100000, LIMINE_USABLE);
    boot_info_init();
    CHECK_EQ(boot_info.range_count, 2);
    CHECK(range_is(1, RAM_LIMIT - 0x100000, RAM_LIMIT, BOOT_RANGE_USABLE));
}

/* Optional by the protocol: other loaders leave them out on machines without ACPI. */
TEST(bootinfo, no_optional_response_is_a_must)
{
    good_loader();
    limine_requests.rsdp.response = NULL;
    limine_requests.mp.response = NULL;
    limine_requests.framebuffer.response = NULL;
    limine_requests.boot_time.response = NULL;
    limine_requests.loader.response = NULL;
    limine_requests.file.response = NULL;
    limine_requests.cmdline.response = NULL;
    boot_cmdline_init();
    boot_info_init();
    CHECK_EQ(boot_info.rsdp, 0);
    CHECK_EQ(boot_info.cpu_count, 1);
    CHECK(!boot_info.cpus_listed);
    CHECK_EQ(boot_info.framebuffer.address, 0);
    CHECK_STR_EQ(boot_info.loader_name, "unknown");
}

TEST(bootinfo, an_rsdp_in_the_direct_map_is_understood_and_one_nowhere_is_not_used)
{
    good_loader();
    rsdp.address = OFFSET + 0xE0000;
    boot_info_init();
    CHECK_EQ(boot_info.rsdp, 0xE0000);
    rsdp.address = 0xFFFF800000000000;
    boot_info_init();
    CHECK_EQ(boot_info.rsdp, 0);
    rsdp.address = arch_physical_pages() << PAGE_SHIFT;
    boot_info_init();
    CHECK_EQ(boot_info.rsdp, 0);
}

TEST(bootinfo, an_initial_ram_disk_is_in_use_whatever_the_map_says)
{
    good_loader();
    map.count = 0;
    add(0x100000, 0x8000000, LIMINE_USABLE);
    boot_info_init();
    CHECK_EQ(boot_info.range_count, 3);
    CHECK(range_is(1, INITRD, INITRD_END, BOOT_RANGE_KERNEL));
    map.count = 0;
    add(0x100000, INITRD_END - 0x1000, LIMINE_USABLE); /* its last page is not RAM */
    EXPECT_PANIC(boot_info_init());
}

TEST(bootinfo, the_boot_processor_comes_first)
{
    good_loader();
    mp.count = 4;
    mp.bsp_apic_id = 2;
    mp.flags = 1;
    boot_info_init();
    CHECK(boot_info.x2apic);
    CHECK_EQ(boot_info.cpu_count, 4);
    CHECK_EQ(boot_info.cpus[0].apic_id, 2);
    CHECK_EQ(boot_info.cpus[1].apic_id, 0);
    CHECK_EQ(boot_info.cpus[3].apic_id, 3);
}

TEST(bootinfo, more_processors_than_supported_are_left_parked)
{
    good_loader();
    mp.count = 40;
    mp.bsp_apic_id = 39;
    boot_info_init();
    CHECK_EQ(boot_info.cpu_count, MNOS_CORES_MAX);
    CHECK_EQ(boot_info.cpus[0].apic_id, 39);
    CHECK_EQ(boot_info.cpus[31].apic_id, 30);
}

TEST(bootinfo, what_is_missing_is_a_panic)
{
    good_loader();
    boot_info_init();
    limine_requests.memory_map.response = NULL;
    EXPECT_PANIC(boot_info_init());
    good_loader();
    limine_requests.hhdm.response = NULL;
    EXPECT_PANIC(boot_info_init());
    good_loader();
    limine_requests.modules.response = NULL;
    EXPECT_PANIC(boot_info_init());
    good_loader();
    limine_requests.kernel_address.response = NULL;
    EXPECT_PANIC(boot_info_init());
    good_loader();
    limine_requests.base_revision[2] = 3;
    EXPECT_PANIC(boot_info_init());
}

TEST(bootinfo, command_line_words)
{
    good_loader();
    boot_cmdline_init();
    CHECK(boot_cmdline_has("bench") && boot_cmdline_has("fault=3"));
    CHECK(boot_cmdline_has("console=kernel"));
    CHECK(!boot_cmdline_has("ben") && !boot_cmdline_has("fault=31") && !boot_cmdline_has("ault=3"));
}

TEST(bootinfo, command_line_of_older_loaders_is_that_of_the_kernel_file)
{
    good_loader();
    limine_requests.cmdline.response = NULL;
    boot_cmdline_init();
    CHECK_STR_EQ(boot_info.cmdline, "from the file");
}

TEST(bootinfo, an_overlong_command_line_is_cut)
{
    static char text[2000];

    good_loader();
    memset(text, 'x', sizeof(text) - 1);
    cmdline.text = text;
    boot_cmdline_init();
    CHECK_EQ(strlen(boot_info.cmdline), BOOT_CMDLINE_BYTES - 1);
}

static struct limine_framebuffer screen;

static const struct limine_framebuffer good_screen = {.address = (void *)(OFFSET + 0xE0000000),
                                                      .width = 1024,
                                                      .height = 768,
                                                      .pitch = 4096,
                                                      .bpp = 32,
                                                      .model = 1,
                                                      .red_size = 8,
                                                      .red_shift = 16,
                                                      .green_size = 8,
                                                      .green_shift = 8,
                                                      .blue_size = 8};

/* Whether the kernel takes a screen like the good one but for what `change` did to it. */
static bool takes_screen(void)
{
    static struct limine_framebuffer *list[] = {&screen};
    static struct limine_framebuffers response = {.count = 1, .list = list};

    good_loader();
    limine_requests.framebuffer.response = &response;
    boot_info.framebuffer.address = 0;
    boot_info_init();
    return boot_info.framebuffer.address != 0;
}

#define TAKES_SCREEN_WITH(...) (screen = good_screen, __VA_ARGS__, takes_screen())

TEST(bootinfo, only_a_framebuffer_that_can_be_drawn_on_is_taken)
{
    add(0x100000, 0x8000000, LIMINE_USABLE);
    CHECK(TAKES_SCREEN_WITH(screen.bpp = 32));
    CHECK_EQ(boot_info.framebuffer.address, 0xE0000000);
    CHECK_EQ(boot_info.framebuffer.pitch, 4096);
    CHECK(!TAKES_SCREEN_WITH(screen.pitch = 4092));
    CHECK(!TAKES_SCREEN_WITH(screen.bpp = 8));
    CHECK(!TAKES_SCREEN_WITH(screen.model = 0));
    CHECK(!TAKES_SCREEN_WITH(screen.red_shift = 25));
    CHECK(!TAKES_SCREEN_WITH(screen.green_size = 255, screen.green_shift = 255));
    CHECK(!TAKES_SCREEN_WITH(screen.blue_size = 33));
}

TEST(bootinfo, a_framebuffer_whose_size_cannot_be_is_not_taken)
{
    add(0x100000, 0x8000000, LIMINE_USABLE);
    CHECK(!TAKES_SCREEN_WITH(screen.pitch = UINT32_MAX));
    CHECK(!TAKES_SCREEN_WITH(screen.pitch = UINT64_MAX));
    CHECK(!TAKES_SCREEN_WITH(screen.width = 0));
    CHECK(!TAKES_SCREEN_WITH(screen.height = UINT64_MAX));
    CHECK(!TAKES_SCREEN_WITH(screen.width = 1ull << 62)); /* its bytes overflow to 0 */
    CHECK(!TAKES_SCREEN_WITH(screen.width = 65535, screen.height = 65535, screen.pitch = 262144));
    CHECK(TAKES_SCREEN_WITH(screen.width = 16384, screen.height = 8192, screen.pitch = 65536));
}

TEST(bootinfo, a_framebuffer_that_is_nowhere_or_somebody_elses_is_not_taken)
{
    add(0x100000, 0x8000000, LIMINE_USABLE);
    add(0x8000000, 0x8400000, LIMINE_KERNEL_AND_MODULES);
    paddr_t width = arch_physical_pages() << PAGE_SHIFT;

    CHECK(!TAKES_SCREEN_WITH(screen.address = NULL));
    CHECK(!TAKES_SCREEN_WITH(screen.address = (void *)0xE0000000)); /* physical */
    CHECK(!TAKES_SCREEN_WITH(screen.address = (void *)(OFFSET + 0x7FFF000)));
    CHECK(!TAKES_SCREEN_WITH(screen.address = (void *)(OFFSET + 0x83FF000)));
    CHECK(TAKES_SCREEN_WITH(screen.address = (void *)(OFFSET + 0x8400000)));
    CHECK(TAKES_SCREEN_WITH(screen.address = (void *)(OFFSET + width - 768 * 4096)));
    CHECK(!TAKES_SCREEN_WITH(screen.address = (void *)(OFFSET + width - 767 * 4096)));
    CHECK(!TAKES_SCREEN_WITH(screen.address = (void *)(UINT64_MAX - 0xFFF)));
}
