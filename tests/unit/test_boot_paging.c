// SPDX-License-Identifier: MIT
/* Tests of boot/core/paging and acpi: entries and page sizes; tables that firmware left broken. */
#include <stdlib.h>
#include <string.h>

#include "boot/core/acpi.h"
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

static uint8_t madt[256];
static struct boot_madt parsed;

static size_t make_madt(void)
{
    static const uint8_t entries[] = {
        0, 8,  7, 1, 1, 0, 0,    0,                            /* processor 7, APIC 1 */
        0, 8,  8, 2, 0, 0, 0,    0,                            /* disabled */
        9, 16, 0, 0, 0, 2, 0,    0,    1, 0, 0, 0, 9, 0, 0, 0, /* processor 9, x2APIC 0x200 */
        9, 16, 0, 0, 1, 0, 0,    0,    1, 0, 0, 0, 7, 0, 0, 0, /* APIC 1 again */
        1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0,             /* I/O APIC */
        2, 10, 0, 0, 0, 0, 0,    0,    0, 0,                   /* something else */
    };

    memset(madt, 0, sizeof madt);
    memcpy(madt, "APIC", 4);
    memcpy(madt + 44, entries, sizeof entries);
    madt[4] = 44 + sizeof entries;
    madt[9] = (uint8_t)-boot_checksum(madt, madt[4]);
    return madt[4];
}

TEST(boot_acpi, lists_enabled_processors_once)
{
    size_t size = make_madt();

    boot_madt_parse(&parsed, madt, size);
    CHECK_EQ(parsed.cpu_count, 2);
    CHECK_EQ(parsed.cpus[0].uid, 7);
    CHECK_EQ(parsed.cpus[0].lapic_id, 1);
    CHECK_EQ(parsed.cpus[1].uid, 9);
    CHECK_EQ(parsed.cpus[1].lapic_id, 0x200);
    CHECK_EQ(parsed.ioapic_count, 1);
    CHECK_EQ(parsed.ioapics[0], 0xfec00000);
}

TEST(boot_acpi, stays_inside_a_table_that_is_cut_or_has_bad_lengths)
{
    size_t size = make_madt();

    for (size_t cut = 1; cut <= size; cut++) {
        uint8_t *exact = malloc(cut);

        memcpy(exact, madt, cut);
        boot_madt_parse(&parsed, exact, cut);
        CHECK(parsed.cpu_count <= 2);
        free(exact);
    }
    for (unsigned length = 0; length < 256; length++) {
        uint8_t *exact = malloc(size);

        memcpy(exact, madt, size);
        exact[45] = (uint8_t)length;
        boot_madt_parse(&parsed, exact, size);
        free(exact);
    }
}

TEST(boot_acpi, finds_the_madt_and_refuses_damaged_tables)
{
    static uint8_t rsdp[36], xsdt[44];
    uint64_t address = (uint64_t)(uintptr_t)madt, at = (uint64_t)(uintptr_t)xsdt;

    make_madt();
    memset(xsdt, 0, sizeof xsdt);
    memcpy(xsdt, "XSDT", 4);
    xsdt[4] = sizeof xsdt;
    memcpy(xsdt + 36, &address, 8);
    xsdt[9] = (uint8_t)-boot_checksum(xsdt, sizeof xsdt);
    memset(rsdp, 0, sizeof rsdp);
    memcpy(rsdp, "RSD PTR ", 8);
    rsdp[15] = 2;
    memcpy(rsdp + 24, &at, 8);
    rsdp[8] = (uint8_t)-boot_checksum(rsdp, 20);

    CHECK_PTR_EQ(boot_acpi_find_madt((uint64_t)(uintptr_t)rsdp, UINT64_MAX), madt);
    CHECK_PTR_EQ(boot_acpi_find_madt(0, UINT64_MAX), NULL);
    CHECK_PTR_EQ(boot_acpi_find_madt((uint64_t)(uintptr_t)rsdp, 4096), NULL);
    madt[100]++;
    CHECK_PTR_EQ(boot_acpi_find_madt((uint64_t)(uintptr_t)rsdp, UINT64_MAX), NULL);
    madt[100]--;
    xsdt[40]++;
    CHECK_PTR_EQ(boot_acpi_find_madt((uint64_t)(uintptr_t)rsdp, UINT64_MAX), NULL);
    xsdt[40]--;
    rsdp[0]++;
    CHECK_PTR_EQ(boot_acpi_find_madt((uint64_t)(uintptr_t)rsdp, UINT64_MAX), NULL);
}
