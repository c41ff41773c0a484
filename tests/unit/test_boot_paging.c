// SPDX-License-Identifier: MIT
/* Tests of boot/core/paging: entries and page sizes. */
#include <stdlib.h>
#include <string.h>

#include "boot/core/paging.h"
#include "unit.h"

#define HHDM UINT64_C(0xffff800000000000)
#define GIB (UINT64_C(1) << 30)
#define MIB (UINT64_C(1) << 20)
#define RIGHTS (BOOT_MAP_WRITE | BOOT_MAP_EXECUTE | BOOT_MAP_LARGE)

static unsigned table_count;

static uint64_t *new_table(void)
{
    static _Alignas(4096) uint64_t pool[64][512];

    memset(pool[table_count], 0, sizeof pool[0]);
    return pool[table_count++ % 64];
}

static struct boot_tables make_tables(bool has_1g)
{
    table_count = 0;
    return (struct boot_tables){new_table(), new_table, true, has_1g};
}

/* The physical address that a walk ends at, with the size of the page; UINT64_MAX: not mapped. */
static uint64_t walk(const struct boot_tables *tables, uint64_t address, uint64_t *entry,
                     uint64_t *size)
{
    const uint64_t *table = tables->root;

    for (unsigned level = 3;; level--) {
        *entry = table[address >> (12 + 9 * level) & 511];
        *size = UINT64_C(4096) << (9 * level);
        if ((*entry & 1) == 0)
            return UINT64_MAX;
        if (level == 0 || (*entry & 0x80) != 0)
            break;
        table = (const uint64_t *)(uintptr_t)(*entry & UINT64_C(0x000ffffffffff000));
    }
    return (*entry & UINT64_C(0x000ffffffffff000) & ~(*size - 1)) + (address & (*size - 1));
}

TEST(boot_paging, uses_the_largest_pages_that_fit)
{
    struct boot_tables tables = make_tables(true);
    uint64_t entry, size;

    boot_map(&tables, HHDM + GIB - 2 * MIB - 4096, GIB - 2 * MIB - 4096, 2 * GIB + 2 * MIB + 8192,
             RIGHTS);
    CHECK_EQ(walk(&tables, HHDM + GIB - 2 * MIB - 4096, &entry, &size), GIB - 2 * MIB - 4096);
    CHECK_EQ(size, 4096);
    CHECK_EQ(walk(&tables, HHDM + GIB - 5, &entry, &size), GIB - 5);
    CHECK_EQ(size, 2 * MIB);
    CHECK_EQ(walk(&tables, HHDM + GIB + 12345, &entry, &size), GIB + 12345);
    CHECK_EQ(size, GIB);
    CHECK_EQ(walk(&tables, HHDM + 3 * GIB + 4095, &entry, &size), 3 * GIB + 4095);
    CHECK_EQ(size, 4096);
    CHECK_EQ(walk(&tables, HHDM + 3 * GIB + 4096, &entry, &size), UINT64_MAX);
    CHECK_EQ(walk(&tables, HHDM + GIB - 2 * MIB - 4097, &entry, &size), UINT64_MAX);
}

TEST(boot_paging, does_without_1_gib_pages)
{
    struct boot_tables tables = make_tables(false);
    uint64_t entry, size;

    boot_map(&tables, HHDM, 0, 3 * GIB, RIGHTS);
    for (uint64_t at = 0; at < 3 * GIB; at += 2 * MIB) {
        CHECK_EQ(walk(&tables, HHDM + at, &entry, &size), at);
        CHECK_EQ(size, 2 * MIB);
    }
}

TEST(boot_paging, sets_rights_and_caching)
{
    struct boot_tables tables = make_tables(true);
    uint64_t entry, size;

    boot_map(&tables, 0x200000, 0x400000, 4096, BOOT_MAP_EXECUTE);
    boot_map(&tables, 0x201000, 0x401000, 4096, BOOT_MAP_WRITE);
    boot_map(&tables, 0x202000, 0x402000, 4096, RIGHTS | BOOT_MAP_WRITE_COMBINING);
    boot_map(&tables, 0x400000, 0x600000, 2 * MIB, RIGHTS | BOOT_MAP_WRITE_COMBINING);
    walk(&tables, 0x200000, &entry, &size);
    CHECK_EQ(entry, 0x400001);
    walk(&tables, 0x201000, &entry, &size);
    CHECK_EQ(entry, UINT64_C(0x8000000000401003));
    walk(&tables, 0x202000, &entry, &size);
    CHECK_EQ(entry, 0x40208b); /* PAT is bit 7 in small pages, bit 12 in large ones */
    walk(&tables, 0x400000, &entry, &size);
    CHECK_EQ(entry, 0x60108b);
    tables.has_nx = false;
    boot_map(&tables, 0x203000, 0x403000, 4096, BOOT_MAP_WRITE);
    walk(&tables, 0x203000, &entry, &size);
    CHECK_EQ(entry, 0x403003);
}
