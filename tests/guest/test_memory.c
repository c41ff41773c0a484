// SPDX-License-Identifier: MIT
/* test_memory.c - allocating memory, and what maps where. */
#include "lib/base/string.h"
#include "lib/mnos/bootstrap.h"
#include "tests/guest/mapping.h"
#include "tests/guest/output.h"

/* ---- sys_mem_alloc ---- */

TEST(memory, alloc_refuses_bad_counts_and_flags)
{
    mnos_cap_t memory;

    CHECK_FAILS(sys_mem_alloc(0, 0, &memory), MNOS_ERR_ARGUMENT, 1, 0);
    CHECK_FAILS(sys_mem_alloc(1ull << 32, 0, &memory), MNOS_ERR_ARGUMENT, 1, 0);
    CHECK_FAILS(sys_mem_alloc(UINT64_MAX, 0, &memory), MNOS_ERR_ARGUMENT, 1, 0);
    CHECK_FAILS(sys_mem_alloc(1, 8, &memory), MNOS_ERR_ARGUMENT, 2, 0);
    CHECK_FAILS(sys_mem_alloc(1, 1ull << 63, &memory), MNOS_ERR_ARGUMENT, 2, 0);
}

TEST(memory, alloc_beyond_the_quota_or_the_machine)
{
    mnos_cap_t memory;

    CHECK_STATUS(sys_mem_alloc(UINT32_MAX, 0, &memory), MNOS_ERR_QUOTA);
    CHECK_STATUS(
        sys_mem_alloc(process_info(MNOS_SELF).frames_quota, MNOS_ALLOC_CONTIGUOUS, &memory),
        MNOS_ERR_QUOTA);
}

TEST(memory, alloc_takes_its_frames_from_the_account)
{
    struct mnos_process_info before = process_info(MNOS_SELF);
    mnos_cap_t memory = memory_new(100);

    CHECK_EQ(process_info(MNOS_SELF).frames_used, before.frames_used + 100);
    CHECK_EQ(cap_info(memory).rights, MNOS_RIGHTS_ALL);
    CHECK_EQ(cap_info(memory).flavour, MNOS_MEMORY_RAM);
    CHECK_EQ(cap_info(memory).first, 0);
    CHECK_EQ(cap_info(memory).count, 100);
    cap_drop(memory);
}

static void check_zero(mnos_cap_t memory, uint64_t count)
{
    CHECK_OK(map(memory, ARENA, 0, count));
    for (uint64_t at = ARENA; at < ARENA + count * PAGE && !check_failed(); at += 64)
        CHECK_EQ(*word_at(at), 0);
    memset((void *)ARENA, 0xA5, count * PAGE);
    CHECK_OK(unmap(ARENA, count));
}

TEST(memory, new_memory_is_zero_though_it_was_used_before)
{
    for (unsigned round = 0; round < 4; round++) {
        mnos_cap_t memory = memory_new(100);

        check_zero(memory, 100);
        cap_drop(memory);
    }
}

static void check_alloc(uint64_t count, uint64_t flags, uint64_t align, uint64_t limit)
{
    mnos_cap_t memory = 0;
    uint64_t physical;

    if (!CHECK_OK(sys_mem_alloc(count, flags, &memory)))
        return;
    physical = cap_info(memory).physical_address;
    CHECK(physical != UINT64_MAX);
    CHECK_EQ(physical % align, 0);
    CHECK(physical + count * PAGE <= limit);
    check_zero(memory, count);
    cap_drop(memory);
}

TEST(memory, contiguous_below_four_gib_and_aligned_to_two_mib)
{
    const uint64_t four_gib = 1ull << 32, two_mib = 1ull << 21;

    check_alloc(33, MNOS_ALLOC_CONTIGUOUS, PAGE, UINT64_MAX);
    check_alloc(33, MNOS_ALLOC_CONTIGUOUS | MNOS_ALLOC_BELOW_4G, PAGE, four_gib);
    check_alloc(1, MNOS_ALLOC_BELOW_4G, PAGE, four_gib);
    check_alloc(TWO_MIB_PAGES, MNOS_ALLOC_ALIGN_2M, two_mib, UINT64_MAX);
    check_alloc(1, MNOS_ALLOC_ALIGN_2M, two_mib, UINT64_MAX);
    check_alloc(TWO_MIB_PAGES + 1, MNOS_ALLOC_ALIGN_2M | MNOS_ALLOC_BELOW_4G, two_mib, four_gib);
}

/* ---- sys_mem_map ---- */

TEST(memory, map_refuses_bad_flags)
{
    mnos_cap_t memory = memory_new(1);
    const uint64_t bad[] = {0,
                            MNOS_MAP_WRITE | MNOS_MAP_EXECUTE,
                            MAP_RW | MNOS_MAP_EXECUTE,
                            MNOS_MAP_WRITE_COMBINING,
                            MNOS_MAP_READ | MNOS_MAP_WRITE_COMBINING,
                            MNOS_MAP_READ | 0x20,
                            MNOS_MAP_READ | 1ull << 63};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_FAILS(sys_mem_map(MNOS_SELF, memory, ARENA, 0, 1, bad[i]), MNOS_ERR_ARGUMENT, 6, 0);
    cap_drop(memory);
}

TEST(memory, map_refuses_bad_addresses)
{
    mnos_cap_t memory = memory_new(2);
    const uint64_t bad[] = {0,
                            1,
                            ARENA + 1,
                            ARENA + PAGE - 1,
                            MNOS_USER_END,
                            MNOS_USER_END + PAGE,
                            0x0000800000000000ull,
                            0xFFFF800000000000ull,
                            0xFFFFFFFF80200000ull,
                            UINT64_MAX - PAGE + 1};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_FAILS(map(memory, bad[i], 0, 1), MNOS_ERR_ADDRESS, 3, 0);
    CHECK_FAILS(map(memory, USER_LAST, 0, 2), MNOS_ERR_ADDRESS, 3, 0);
    cap_drop(memory);
}

TEST(memory, map_reaches_the_first_and_not_the_kernels_pages)
{
    mnos_cap_t memory = memory_new(1);

    CHECK_OK(map(memory, PAGE, 0, 1));
    *word_at(PAGE) = 1;
    CHECK_OK(unmap(PAGE, 1));
    CHECK_FAILS(map(memory, MNOS_KINFO_ADDRESS, 0, 1), MNOS_ERR_OVERLAP, 3, 0);
    CHECK_FAILS(map(memory, (uint64_t)ipc_buffer(), 0, 1), MNOS_ERR_OVERLAP, 3, 0);
    CHECK_FAILS(unmap(MNOS_KINFO_ADDRESS, 1), MNOS_ERR_NOT_MAPPED, 2, 0);
    CHECK_FAILS(unmap((uint64_t)ipc_buffer(), 1), MNOS_ERR_NOT_MAPPED, 2, 0);
    cap_drop(memory);
}

TEST(memory, map_stays_inside_the_capability)
{
    mnos_cap_t memory = memory_new(4);
    mnos_cap_t part = cap_range(memory, MNOS_RIGHTS_ALL, 1, 2);

    CHECK_FAILS(map(part, ARENA, 0, 3), MNOS_ERR_ARGUMENT, 5, 0);
    CHECK_FAILS(map(part, ARENA, 2, 1), MNOS_ERR_ARGUMENT, 5, 0);
    CHECK_FAILS(map(part, ARENA, 0, 0), MNOS_ERR_ARGUMENT, 5, 0);
    CHECK_FAILS(map(part, ARENA, UINT64_MAX, 2), MNOS_ERR_ARGUMENT, 5, 0);
    CHECK_FAILS(map(part, ARENA, 1, UINT64_MAX), MNOS_ERR_ARGUMENT, 5, 0);
    CHECK_OK(map(memory, ARENA, 0, 4));
    CHECK_OK(map(part, ARENA + 4 * PAGE, 0, 2));
    *word_at(ARENA + 2 * PAGE) = 42;
    CHECK_EQ(*word_at(ARENA + 5 * PAGE), 42);
    CHECK_OK(unmap(ARENA, 6));
    cap_drop(part);
    cap_drop(memory);
}

TEST(memory, nothing_maps_over_what_is_mapped)
{
    mnos_cap_t memory = memory_new(4);

    CHECK_OK(map(memory, ARENA + 2 * PAGE, 0, 2));
    CHECK_FAILS(map(memory, ARENA, 0, 3), MNOS_ERR_OVERLAP, 3, 0);
    CHECK_FAILS(map(memory, ARENA + 2 * PAGE, 0, 1), MNOS_ERR_OVERLAP, 3, 0);
    CHECK_FAILS(map(memory, ARENA + 3 * PAGE, 0, 2), MNOS_ERR_OVERLAP, 3, 0);
    CHECK_OK(map(memory, ARENA, 0, 2));
    CHECK_OK(map(memory, ARENA + 4 * PAGE, 0, 2));
    CHECK_OK(unmap(ARENA, 6));
    cap_drop(memory);
}

/* ---- sys_mem_unmap ---- */

TEST(memory, unmap_refuses_what_is_not_mapped_whole)
{
    mnos_cap_t memory = memory_new(4);

    CHECK_OK(map(memory, ARENA, 0, 2));
    CHECK_OK(map(memory, ARENA + 3 * PAGE, 2, 2));
    CHECK_FAILS(unmap(ARENA, 5), MNOS_ERR_NOT_MAPPED, 2, 0);
    CHECK_FAILS(unmap(ARENA + 2 * PAGE, 1), MNOS_ERR_NOT_MAPPED, 2, 0);
    CHECK_FAILS(unmap(ARENA + 1, 1), MNOS_ERR_ADDRESS, 2, 0);
    CHECK_FAILS(unmap(ARENA, 0), MNOS_ERR_ADDRESS, 2, 0);
    CHECK_FAILS(unmap(0, 1), MNOS_ERR_ADDRESS, 2, 0);
    CHECK_FAILS(unmap(ARENA, UINT64_MAX), MNOS_ERR_ADDRESS, 2, 0);
    CHECK_FAILS(unmap(0xFFFF800000000000ull, 1), MNOS_ERR_ADDRESS, 2, 0);
    *word_at(ARENA) = 1;
    *word_at(ARENA + 4 * PAGE) = 1;
    CHECK_OK(unmap(ARENA, 2));
    CHECK_OK(unmap(ARENA + 3 * PAGE, 2));
    cap_drop(memory);
}

TEST(memory, a_hole_in_a_mapping_leaves_both_ends)
{
    mnos_cap_t memory = memory_new(10);

    CHECK_OK(map(memory, ARENA, 0, 10));
    for (uint64_t i = 0; i < 10; i++)
        *word_at(ARENA + i * PAGE) = i;
    CHECK_OK(unmap(ARENA + 4 * PAGE, 2));
    for (uint64_t i = 0; i < 10; i++)
        if (i != 4 && i != 5)
            CHECK_EQ(*word_at(ARENA + i * PAGE), i);
    CHECK_FAILS(unmap(ARENA + 4 * PAGE, 1), MNOS_ERR_NOT_MAPPED, 2, 0);
    CHECK_OK(map(memory, ARENA + 4 * PAGE, 8, 2));
    CHECK_EQ(*word_at(ARENA + 4 * PAGE), 8);
    CHECK_OK(unmap(ARENA + 3 * PAGE, 4)); /* across three mappings */
    CHECK_OK(unmap(ARENA, 3));
    cap_drop(memory); /* takes the rest */
    CHECK_FAILS(unmap(ARENA + 7 * PAGE, 3), MNOS_ERR_NOT_MAPPED, 2, 0);
}

TEST(memory, a_large_page_can_be_cut)
{
    mnos_cap_t memory = 0;

    CHECK_OK(sys_mem_alloc(2 * TWO_MIB_PAGES, MNOS_ALLOC_ALIGN_2M, &memory));
    CHECK_OK(map(memory, ARENA, 0, 2 * TWO_MIB_PAGES));
    for (uint64_t i = 0; i < 2 * TWO_MIB_PAGES; i += 7)
        *word_at(ARENA + i * PAGE) = i;
    CHECK_OK(unmap(ARENA + 500 * PAGE, 20)); /* the end of one, the beginning of the other */
    for (uint64_t i = 0; i < 2 * TWO_MIB_PAGES && !check_failed(); i += 7)
        if (i < 500 || i >= 520)
            CHECK_EQ(*word_at(ARENA + i * PAGE), i);
    CHECK_OK(unmap(ARENA, 500));
    CHECK_OK(unmap(ARENA + 520 * PAGE, 2 * TWO_MIB_PAGES - 520));
    cap_drop(memory);
}

/* Frames that mapping these pages at `address` takes of a new process: page tables. */
static uint64_t tables_for(mnos_cap_t memory, uint64_t address, uint64_t first, uint64_t count)
{
    mnos_cap_t process = process_new();
    uint64_t before = process_info(process).frames_used, taken;

    CHECK_OK(sys_mem_map(process, memory, address, first, count, MAP_RW));
    taken = process_info(process).frames_used - before;
    process_end(process);
    return taken;
}

TEST(memory, large_pages_are_used_when_both_sides_align)
{
    mnos_cap_t memory = 0;

    CHECK_OK(sys_mem_alloc(3 * TWO_MIB_PAGES, MNOS_ALLOC_ALIGN_2M, &memory));
    CHECK_EQ(tables_for(memory, ARENA, 0, 3 * TWO_MIB_PAGES), 2);
    CHECK_EQ(tables_for(memory, ARENA, TWO_MIB_PAGES, TWO_MIB_PAGES), 2);
    /* The address does not, the frames do not; both are off by the same. */
    CHECK_EQ(tables_for(memory, ARENA + PAGE, 0, 2 * TWO_MIB_PAGES), 2 + 3);
    CHECK_EQ(tables_for(memory, ARENA, 1, 2 * TWO_MIB_PAGES), 2 + 2);
    CHECK_EQ(tables_for(memory, ARENA + PAGE, 1, 3 * TWO_MIB_PAGES - 1), 2 + 1);
    cap_drop(memory);
}

TEST(memory, sixty_four_mib_at_once)
{
    const uint64_t pages = 64 * 256;
    mnos_cap_t memory = memory_new(pages);

    CHECK_OK(map(memory, ARENA, 0, pages));
    for (uint64_t i = 0; i < pages; i += 61)
        *word_at(ARENA + i * PAGE + 8) = i;
    for (uint64_t i = 0; i < pages && !check_failed(); i += 61)
        CHECK_EQ(*word_at(ARENA + i * PAGE + 8), i);
    CHECK_OK(unmap(ARENA, pages));
    CHECK_OK(map(memory, ARENA + PAGE, 0, pages)); /* not aligned for large pages */
    for (uint64_t i = 0; i < pages && !check_failed(); i += 61)
        CHECK_EQ(*word_at(ARENA + PAGE + i * PAGE + 8), i);
    CHECK_OK(unmap(ARENA + PAGE, pages));
    cap_drop(memory);
}

/* ---- device memory ---- */

TEST(memory, device_memory_over_ram_is_refused)
{
    mnos_cap_t memory = 0, device = bootstrap_cap("device");
    uint64_t page;

    CHECK_OK(sys_mem_alloc(1, MNOS_ALLOC_CONTIGUOUS, &memory));
    page = cap_info(memory).physical_address / PAGE;
    CHECK_FAILS(map(device, ARENA, page, 1), MNOS_ERR_ARGUMENT, 4, 0);
    CHECK_FAILS(map(device, ARENA, 0x100, 1), MNOS_ERR_ARGUMENT, 4, 0);
    CHECK_FAILS(sys_mem_map(MNOS_SELF, device, ARENA, BRIDGE_PAGE, 1, RX), MNOS_ERR_ARGUMENT, 6, 0);
    cap_drop(memory);
}

TEST(memory, device_registers_can_be_read)
{
    CHECK_OK(sys_mem_map(MNOS_SELF, bootstrap_cap("device"), ARENA, BRIDGE_PAGE, 1, MNOS_MAP_READ));
    CHECK_EQ((uint32_t)*word_at(ARENA), BRIDGE_ID);
    CHECK_OK(unmap(ARENA, 1));
}

/* Pages that hold registers of I/O APIC, HPET, local APIC; where the processor's writes are messages; and of the
 * IOMMU, when tests/guest/run.py gives the machine one. */
TEST(memory, what_the_kernel_itself_uses_cannot_be_mapped)
{
    static const uint64_t own[] = {0xFEC00, 0xFED00, 0xFEE00, 0xFEE01, 0xFEEFF, 0xFED90};
    const size_t count = sizeof own / sizeof own[0] - !bootstrap_has_argument("iommu");
    mnos_cap_t device = bootstrap_cap("device");

    for (size_t i = 0; i < count; i++) {
        mnos_cap_t part = cap_range(device, MNOS_RIGHT_READ | MNOS_RIGHT_WRITE, own[i], 1);

        CHECK_FAILS(map(device, ARENA, own[i], 1), MNOS_ERR_ARGUMENT, 4, 0);
        CHECK_FAILS(map(device, ARENA, own[i] - 1, 2), MNOS_ERR_ARGUMENT, 4, 0);
        CHECK_FAILS(map(device, ARENA, own[i], 2), MNOS_ERR_ARGUMENT, 4, 0);
        CHECK_FAILS(map(part, ARENA, 0, 1), MNOS_ERR_ARGUMENT, 4, 0);
        cap_drop(part);
    }
}

TEST(memory, a_part_of_device_memory_reaches_no_further)
{
    mnos_cap_t window = cap_range(bootstrap_cap("device"), MNOS_RIGHT_READ, BRIDGE_PAGE, 2);
    mnos_cap_t first = cap_range(window, MNOS_RIGHT_READ, 0, 1);

    CHECK_FAILS(sys_mem_map(MNOS_SELF, first, ARENA, 0, 2, MNOS_MAP_READ), MNOS_ERR_ARGUMENT, 5, 0);
    CHECK_FAILS(sys_mem_map(MNOS_SELF, first, ARENA, 1, 1, MNOS_MAP_READ), MNOS_ERR_ARGUMENT, 5, 0);
    CHECK_FAILS(sys_mem_map(MNOS_SELF, first, ARENA, UINT64_MAX, 1, MNOS_MAP_READ),
                MNOS_ERR_ARGUMENT, 5, 0);
    CHECK_OK(sys_mem_map(MNOS_SELF, window, ARENA, 0, 2, MNOS_MAP_READ));
    cap_drop(first);
    cap_drop(window);
}

TEST(memory, a_framebuffer_maps_write_combining)
{
    mnos_cap_t framebuffer = bootstrap_find("framebuffer");
    volatile uint32_t *pixel = (volatile uint32_t *)ARENA;
    uint32_t old;

    if (framebuffer == 0)
        return; /* a machine without one */
    CHECK_EQ(cap_info(framebuffer).flavour, MNOS_MEMORY_DEVICE);
    CHECK_OK(sys_mem_map(MNOS_SELF, framebuffer, ARENA, 0, 1, MAP_RW | MNOS_MAP_WRITE_COMBINING));
    old = *pixel;
    *pixel = ~old;
    CHECK_EQ(*pixel, ~old);
    *pixel = old;
    CHECK_OK(unmap(ARENA, 1));
}

/* ---- caching ---- */

/* tests/system/test_caching.py reads the page tables while these are there. */
TEST(caching, each_kind_of_memory_has_its_own)
{
    mnos_cap_t memory = memory_new(1), device = bootstrap_cap("device"),
               framebuffer = bootstrap_find("framebuffer");

    CHECK_OK(map(memory, ARENA, 0, 1));
    CHECK_OK(sys_mem_map(MNOS_SELF, device, ARENA + PAGE, BRIDGE_PAGE, 1, MAP_RW));
    if (framebuffer != 0)
        CHECK_OK(sys_mem_map(MNOS_SELF, framebuffer, ARENA + 2 * PAGE, 0, 1,
                             MAP_RW | MNOS_MAP_WRITE_COMBINING));
    if (bootstrap_has_argument("watched")) {
        print("mapped");
        for (;;) /* the host looks at them, and ends the machine */
            ;
    }
    CHECK_OK(unmap(ARENA, framebuffer != 0 ? 3 : 2));
    cap_drop(memory);
}
