// SPDX-License-Identifier: MIT
/* Tests of boot/core/memmap: sorting, merging, retyping and handing out memory. */
#include <stdlib.h>
#include <string.h>

#include "boot/core/memmap.h"
#include "unit.h"

#define PAGE BOOT_PAGE_SIZE
#define LIMIT (UINT64_C(1) << 46) /* what the processor can address */

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

static struct boot_range read_range(const void *entry)
{
    struct boot_range range;

    memcpy(&range, entry, sizeof range);
    return range;
}

static void build(const struct boot_range *ranges, unsigned count)
{
    struct boot_range *copy = malloc(count * sizeof *copy); /* sorted in place */
    const struct boot_raw_map raw = {copy, count, sizeof *copy, 0, read_range};

    memcpy(copy, ranges, count * sizeof *copy);
    boot_memmap_build(&map, &raw, LIMIT);
    free(copy);
}

TEST(boot_memmap, sorts_and_merges)
{
    static const struct boot_range raw[] = {
        {0x200000, 0x100000, BOOT_MEMORY_USABLE},
        {0x100000, 0x100000, BOOT_MEMORY_USABLE},
        {0, 0x9f000, BOOT_MEMORY_USABLE},
    };

    build(raw, 3);
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

    build(raw, 5);
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

    build(raw, 3);
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
        {LIMIT, PAGE, BOOT_MEMORY_USABLE},
    };

    build(raw, 5);
    check_map();
    CHECK_EQ(boot_memmap_ram(&map), 0);
}

TEST(boot_memmap, cuts_what_the_processor_cannot_address)
{
    static const struct boot_range raw[] = {
        {LIMIT - PAGE, UINT64_MAX, BOOT_MEMORY_USABLE},
        {LIMIT - 3 * PAGE, 2 * PAGE, BOOT_MEMORY_RESERVED},
        {UINT64_C(1) << 63, UINT64_C(1) << 63, BOOT_MEMORY_RESERVED},
    };

    build(raw, 3);
    check_map();
    CHECK_EQ(map.count, 2);
    CHECK_EQ(map.ranges[1].base + map.ranges[1].length, LIMIT);
}

TEST(boot_memmap, splits_and_restores)
{
    static const struct boot_range raw[] = {{0x100000, 0x100000, BOOT_MEMORY_USABLE}};

    build(raw, 1);
    boot_memmap_set(&map, 0x140001, 0x10, BOOT_MEMORY_KERNEL);
    check_map();
    CHECK_EQ(map.count, 3);
    CHECK_EQ(type_at(0x140000), BOOT_MEMORY_KERNEL);
    CHECK_EQ(type_at(0x141000), BOOT_MEMORY_USABLE);
    boot_memmap_set(&map, 0x140000, PAGE, BOOT_MEMORY_USABLE);
    CHECK_EQ(map.count, 1);
}

TEST(boot_memmap, gives_out_pages_from_the_top)
{
    static const struct boot_range raw[] = {
        {0, 0xa0000, BOOT_MEMORY_USABLE},
        {0x100000, 0x100000, BOOT_MEMORY_USABLE},
        {UINT64_C(0x100000000), 0x100000, BOOT_MEMORY_USABLE},
    };

    build(raw, 3);
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

    build(raw, 1);
    CHECK_EQ(boot_memmap_allocate(&map, 3, BOOT_BELOW_4G, BOOT_MEMORY_LOADER), 0);
    CHECK_EQ(boot_memmap_allocate(&map, 0, BOOT_BELOW_4G, BOOT_MEMORY_LOADER), 0);
    CHECK_EQ(boot_memmap_allocate(&map, UINT64_MAX, BOOT_BELOW_4G, BOOT_MEMORY_LOADER), 0);
    CHECK_EQ(boot_memmap_allocate(&map, UINT64_C(1) << 52, BOOT_BELOW_4G, BOOT_MEMORY_LOADER), 0);
    CHECK_EQ(boot_memmap_allocate(&map, 2, BOOT_BELOW_4G, BOOT_MEMORY_LOADER), 0x1000);
    CHECK_EQ(boot_memmap_allocate(&map, 1, BOOT_BELOW_4G, BOOT_MEMORY_LOADER), 0);
}

/* Every second page, `count` of them, in an order that is not sorted. */
static struct boot_range *scattered(unsigned count, uint64_t spacing, uint64_t type)
{
    struct boot_range *ranges = malloc(count * sizeof *ranges);

    for (unsigned i = 0; i < count; i++) /* 7919 is a prime, so each place comes once */
        ranges[i] = (struct boot_range){(1 + i * UINT64_C(7919) % count) * spacing, PAGE, type};
    return ranges;
}

TEST(boot_memmap, any_number_of_ranges_that_merge_is_one)
{
    enum { COUNT = 20000 };
    struct boot_range *ranges = scattered(COUNT, PAGE, BOOT_MEMORY_USABLE);

    build(ranges, COUNT);
    check_map();
    CHECK_EQ(map.count, 1);
    CHECK_EQ(map.ranges[0].length, COUNT * PAGE);
    CHECK_EQ(map.dropped_count, 0);
    free(ranges);
}

TEST(boot_memmap, hundreds_that_do_not_merge_are_kept)
{
    struct boot_range *ranges = scattered(BOOT_MEMMAP_CAPACITY, 2 * PAGE, BOOT_MEMORY_USABLE);

    build(ranges, BOOT_MEMMAP_CAPACITY);
    check_map();
    CHECK_EQ(map.count, BOOT_MEMMAP_CAPACITY);
    CHECK_EQ(map.dropped_count, 0);
    free(ranges);
}

TEST(boot_memmap, a_full_map_drops_the_smallest_free_ranges_and_counts_them)
{
    enum { COUNT = BOOT_MEMMAP_CAPACITY + 100 };
    struct boot_range *ranges = scattered(COUNT, 4 * PAGE, BOOT_MEMORY_USABLE);

    for (unsigned i = 0; i < COUNT; i++)
        ranges[i].length = i < 120 ? PAGE : 2 * PAGE;
    build(ranges, COUNT);
    check_map();
    CHECK_EQ(map.count, BOOT_MEMMAP_CAPACITY);
    CHECK_EQ(map.dropped_count, 100);
    CHECK_EQ(map.dropped_bytes, 100 * PAGE);
    CHECK(!map.is_lost);

    /* What is used is set whatever is there; for it another small range goes, then larger ones. */
    for (unsigned i = 0; i < 20; i++)
        boot_memmap_set(&map, UINT64_C(0x100000000) + 2 * PAGE * i, PAGE, BOOT_MEMORY_KERNEL);
    check_map();
    CHECK_EQ(map.dropped_count, 120);
    CHECK_EQ(type_at(UINT64_C(0x100000000) + 38 * PAGE), BOOT_MEMORY_KERNEL);
    CHECK_EQ(boot_memmap_ram(&map), (BOOT_MEMMAP_CAPACITY - 20) * 2 * PAGE + 20 * PAGE);
    free(ranges);
}

TEST(boot_memmap, reserved_ranges_are_forgotten_first_and_never_become_free)
{
    enum { COUNT = BOOT_MEMMAP_CAPACITY };
    struct boot_range *ranges = scattered(2 * COUNT, PAGE, BOOT_MEMORY_USABLE);
    uint64_t usable = 0;

    for (unsigned i = 0; i < 2 * COUNT; i++)
        if (ranges[i].base / PAGE % 2 == 0)
            ranges[i].type = BOOT_MEMORY_RESERVED;
        else
            usable += PAGE;
    build(ranges, 2 * COUNT);
    check_map();
    CHECK_EQ(map.dropped_count, 0);
    CHECK_EQ(boot_memmap_ram(&map), usable);
    for (unsigned i = 0; i < map.count; i++)
        CHECK(map.ranges[i].type != BOOT_MEMORY_USABLE || map.ranges[i].length == PAGE);
    free(ranges);
}

TEST(boot_memmap, what_is_in_use_and_does_not_fit_is_not_hidden)
{
    boot_memmap_clear(&map);
    for (unsigned i = 0; i <= BOOT_MEMMAP_CAPACITY; i++)
        boot_memmap_set(&map, 2 * PAGE * i, PAGE, BOOT_MEMORY_LOADER);
    check_map();
    CHECK(map.is_lost);
}

static struct boot_range read_range_of_entry(const void *entry)
{
    const uint64_t *words = entry;

    return (struct boot_range){words[1], words[2] * PAGE, BOOT_MEMORY_USABLE};
}

TEST(boot_memmap, entries_may_be_longer_than_what_is_read_of_them)
{
    struct entry {
        uint32_t type, pad;
        uint64_t base, pages, more[3];
    } entries[] = {{7, 0, 0x300000, 0x100, {0}}, {7, 0, 0x100000, 0x200, {0}}};
    const struct boot_raw_map raw = {entries, 2, sizeof entries[0], offsetof(struct entry, base),
                                     read_range_of_entry};

    boot_memmap_build(&map, &raw, LIMIT);
    check_map();
    CHECK_EQ(map.count, 1);
    CHECK_EQ(map.ranges[0].length, 0x300000);
}

TEST(boot_memmap, knows_what_is_listed_and_what_is_ram)
{
    static const struct boot_range raw[] = {
        {0x100000, 0x1000, BOOT_MEMORY_USABLE},
        {0x101000, 0x1000, BOOT_MEMORY_RESERVED},
        {0x103000, 0x1000, BOOT_MEMORY_USABLE},
    };

    build(raw, 3);
    CHECK(boot_memmap_lists(&map, 0x100800, 0x1000) && boot_memmap_lists(&map, 0x100000, 0x2000));
    CHECK(!boot_memmap_lists(&map, 0x101800, 0x1000) && !boot_memmap_lists(&map, 0xFFFFF, 2));
    CHECK(!boot_memmap_lists(&map, 0x104000, 1));
    CHECK(boot_memmap_has_ram(&map, 0xFFFFF, 2) && boot_memmap_has_ram(&map, 0x101800, 0x2000));
    CHECK(!boot_memmap_has_ram(&map, 0x101000, 0x2000));
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
        boot_memmap_clear(&map);
        for (unsigned step = 0; step < 40; step++) {
            unsigned first = (unsigned)(random_number() % 64);
            unsigned count = 1 + (unsigned)(random_number() % (64 - first));
            unsigned type = (unsigned)(random_number() % 4);

            boot_memmap_set(&map, first * PAGE, count * PAGE, type);
            for (unsigned i = first; i < first + count; i++)
                model[i] = type;
        }
        check_map();
        for (unsigned i = 0; i < 64; i++)
            CHECK_EQ(type_at(i * PAGE), model[i]);
    }
}
