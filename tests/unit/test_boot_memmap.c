// SPDX-License-Identifier: MIT
/* Tests of boot/core/memmap: sorting, merging, retyping and handing out memory. */
#include <string.h>

#include "boot/core/memmap.h"
#include "unit.h"

#define PAGE BOOT_PAGE_SIZE

static struct boot_memmap map;

/* Sorted, aligned, not empty, no overlap, and no neighbours that could be one. */
static void check_map(void)
{
    CHECK(map.count <= BOOT_MEMMAP_CAPACITY);
    for (unsigned i = 0; i < map.count; i++) {
        const struct boot_range *range = &map.ranges[i];

        CHECK(range->length > 0 && ((range->base | range->length) & BOOT_PAGE_MASK) == 0);
        CHECK(range->base + range->length > range->base);
        if (i > 0) {
            uint64_t end = range[-1].base + range[-1].length;

            CHECK(end < range->base || (end == range->base && range[-1].type != range->type));
        }
    }
}

static uint64_t type_at(uint64_t address)
{
    for (unsigned i = 0; i < map.count; i++) {
        if (address >= map.ranges[i].base && address - map.ranges[i].base < map.ranges[i].length)
            return map.ranges[i].type;
    }
    return UINT64_MAX;
}

TEST(boot_memmap, sorts_and_merges)
{
    static const struct boot_range raw[] = {
        {0x200000, 0x100000, BOOT_MEMORY_USABLE},
        {0x100000, 0x100000, BOOT_MEMORY_USABLE},
        {0, 0x9f000, BOOT_MEMORY_USABLE},
    };

    CHECK(boot_memmap_build(&map, raw, 3));
    check_map();
    CHECK_EQ(map.count, 2);
    CHECK_EQ(map.ranges[1].base, 0x100000);
    CHECK_EQ(map.ranges[1].length, 0x200000);
}

TEST(boot_memmap, lets_the_restrictive_type_win)
{
    static const struct boot_range raw[] = {
        {0x103000, 0x1000, BOOT_MEMORY_BAD},     {0x102000, 0x4000, BOOT_MEMORY_RESERVED},
        {0x100000, 0x10000, BOOT_MEMORY_USABLE}, {0x10f000, 0x2000, BOOT_MEMORY_ACPI_NVS},
        {0x101000, 0x2000, BOOT_MEMORY_LOADER},
    };

    CHECK(boot_memmap_build(&map, raw, 5));
    check_map();
    CHECK_EQ(type_at(0x100000), BOOT_MEMORY_USABLE);
    CHECK_EQ(type_at(0x101000), BOOT_MEMORY_LOADER);
    CHECK_EQ(type_at(0x102000), BOOT_MEMORY_RESERVED);
    CHECK_EQ(type_at(0x103000), BOOT_MEMORY_BAD);
    CHECK_EQ(type_at(0x104000), BOOT_MEMORY_RESERVED);
    CHECK_EQ(type_at(0x10f000), BOOT_MEMORY_ACPI_NVS);
}

TEST(boot_memmap, shrinks_usable_and_grows_other_ranges_to_pages)
{
    static const struct boot_range raw[] = {
        {0x400, 0x9f800, BOOT_MEMORY_USABLE},
        {0x9fc00, 0x400, BOOT_MEMORY_RESERVED},
        {0x200010, 0x20, BOOT_MEMORY_USABLE},
    };

    CHECK(boot_memmap_build(&map, raw, 3));
    check_map();
    CHECK_EQ(map.count, 2);
    CHECK_EQ(map.ranges[0].base, 0x1000);
    CHECK_EQ(map.ranges[0].length, 0x9e000);
    CHECK_EQ(map.ranges[1].base, 0x9f000);
}

TEST(boot_memmap, survives_ranges_at_the_end_of_the_address_space)
{
    static const struct boot_range raw[] = {
        {UINT64_MAX - 10, 100, BOOT_MEMORY_USABLE},
        {UINT64_MAX - 0x10fff, UINT64_MAX, BOOT_MEMORY_USABLE},
        {UINT64_MAX - 0x20000, UINT64_MAX, BOOT_MEMORY_RESERVED},
        {0x1000, 0, BOOT_MEMORY_USABLE},
    };

    CHECK(boot_memmap_build(&map, raw, 4));
    check_map();
    CHECK_EQ(boot_memmap_ram(&map), 0);
}

TEST(boot_memmap, splits_and_restores)
{
    static const struct boot_range raw[] = {{0x100000, 0x100000, BOOT_MEMORY_USABLE}};

    CHECK(boot_memmap_build(&map, raw, 1));
    CHECK(boot_memmap_set(&map, 0x140001, 0x10, BOOT_MEMORY_KERNEL));
    check_map();
    CHECK_EQ(map.count, 3);
    CHECK_EQ(type_at(0x140000), BOOT_MEMORY_KERNEL);
    CHECK_EQ(type_at(0x141000), BOOT_MEMORY_USABLE);
    CHECK(boot_memmap_set(&map, 0x140000, PAGE, BOOT_MEMORY_USABLE));
    CHECK_EQ(map.count, 1);
}

TEST(boot_memmap, gives_out_pages_from_the_top)
{
    static const struct boot_range raw[] = {
        {0, 0xa0000, BOOT_MEMORY_USABLE},
        {0x100000, 0x100000, BOOT_MEMORY_USABLE},
        {UINT64_C(0x100000000), 0x100000, BOOT_MEMORY_USABLE},
    };

    CHECK(boot_memmap_build(&map, raw, 3));
    CHECK_EQ(boot_memmap_allocate(&map, 2, BOOT_BELOW_4G, BOOT_MEMORY_LOADER), 0x1fe000);
    CHECK_EQ(boot_memmap_allocate(&map, 1, BOOT_BELOW_4G, BOOT_MEMORY_LOADER), 0x1fd000);
    CHECK_EQ(map.count, 4);
    CHECK_EQ(boot_memmap_allocate(&map, 1, 0xa0000, BOOT_MEMORY_LOADER), 0x9f000);
    CHECK_EQ(boot_memmap_allocate(&map, 1, 0x180000, BOOT_MEMORY_LOADER), 0x17f000);
    check_map();
}

TEST(boot_memmap, never_gives_out_page_0_or_what_is_not_there)
{
    static const struct boot_range raw[] = {{0, 0x3000, BOOT_MEMORY_USABLE}};

    CHECK(boot_memmap_build(&map, raw, 1));
    CHECK_EQ(boot_memmap_allocate(&map, 3, BOOT_BELOW_4G, BOOT_MEMORY_LOADER), 0);
    CHECK_EQ(boot_memmap_allocate(&map, 0, BOOT_BELOW_4G, BOOT_MEMORY_LOADER), 0);
    CHECK_EQ(boot_memmap_allocate(&map, UINT64_MAX, BOOT_BELOW_4G, BOOT_MEMORY_LOADER), 0);
    CHECK_EQ(boot_memmap_allocate(&map, UINT64_C(1) << 52, BOOT_BELOW_4G, BOOT_MEMORY_LOADER), 0);
    CHECK_EQ(boot_memmap_allocate(&map, 2, BOOT_BELOW_4G, BOOT_MEMORY_LOADER), 0x1000);
    CHECK_EQ(boot_memmap_allocate(&map, 1, BOOT_BELOW_4G, BOOT_MEMORY_LOADER), 0);
}

TEST(boot_memmap, says_when_it_is_full)
{
    unsigned added = 0;

    map.count = 0;
    while (boot_memmap_set(&map, 2 * PAGE * added, PAGE, BOOT_MEMORY_USABLE))
        added++;
    CHECK_EQ(added, BOOT_MEMMAP_CAPACITY);
    check_map();
}

static uint64_t random_state = 0xdeadbeefcafef00d;

static uint64_t random_number(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* Against a model: one type for each of 64 pages. */
TEST(boot_memmap, agrees_with_a_model_on_random_changes)
{
    for (unsigned round = 0; round < 2000; round++) {
        uint64_t model[64];

        memset(model, 0xff, sizeof model);
        map.count = 0;
        for (unsigned step = 0; step < 40; step++) {
            unsigned first = (unsigned)(random_number() % 64);
            unsigned count = 1 + (unsigned)(random_number() % (64 - first));
            unsigned type = (unsigned)(random_number() % 4);

            CHECK(boot_memmap_set(&map, first * PAGE, count * PAGE, type));
            for (unsigned i = first; i < first + count; i++)
                model[i] = type;
        }
        check_map();
        for (unsigned i = 0; i < 64; i++)
            CHECK_EQ(type_at(i * PAGE), model[i]);
    }
}
