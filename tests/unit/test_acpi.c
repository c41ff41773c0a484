// SPDX-License-Identifier: MIT
/* test_acpi.c - ACPI tables as firmware writes them, and as it must not: each alone, then from the RSDP
 * on, in a memory that has nothing else in it. */
#include "lib/format/acpi.h"

#include "firmware_memory.h"
#include "firmware_table.h"
#include "unit.h"

static void rsdp_begin(struct table *t, unsigned revision)
{
    memset(t, 0, sizeof(*t));
    memcpy(t->bytes, "RSD PTR ", 8);
    t->bytes[15] = (uint8_t)revision;
    put(t, 16, 0x1000, 4);
    put(t, 20, 36, 4);
    put(t, 24, 0x2000, 8);
    sum(t, 8, 20);
    sum(t, 32, 36);
}

TEST(acpi, rsdp_names_the_xsdt_and_the_rsdt)
{
    struct table t;
    struct acpi_roots roots;

    rsdp_begin(&t, 2);
    CHECK(acpi_rsdp_parse(t.bytes, 36, &roots));
    CHECK(roots.xsdt == 0x2000 && roots.rsdt == 0x1000);
    CHECK(acpi_rsdp_parse(t.bytes, 20, &roots));
    CHECK(roots.xsdt == 0 && roots.rsdt == 0x1000);
    t.bytes[30] ^= 1; /* damaged beyond the first 20 bytes: the older half still counts */
    CHECK(acpi_rsdp_parse(t.bytes, 36, &roots));
    CHECK(roots.xsdt == 0 && roots.rsdt == 0x1000);
    rsdp_begin(&t, 0);
    CHECK(acpi_rsdp_parse(t.bytes, 36, &roots));
    CHECK_EQ(roots.xsdt, 0);
}

TEST(acpi, rsdp_is_refused_when_damaged)
{
    struct table t;
    struct acpi_roots roots;
    void *copy;

    rsdp_begin(&t, 2);
    t.bytes[10] ^= 1;
    CHECK(!acpi_rsdp_parse(t.bytes, 36, &roots));
    rsdp_begin(&t, 2);
    t.bytes[0] = 'r';
    CHECK(!acpi_rsdp_parse(t.bytes, 36, &roots));
    copy = exactly(&t, 19);
    CHECK(!acpi_rsdp_parse(copy, 19, &roots));
    free(copy);
}

TEST(acpi, hpet_must_be_in_memory)
{
    struct table t;

    table_begin(&t, "HPET", 56);
    put(&t, 44, 0xFED00000, 8);
    table_end(&t);
    CHECK_EQ(acpi_hpet_address(t.bytes, t.size, FIRMWARE_MEMORY_END), 0xFED00000);
    CHECK_EQ(acpi_hpet_address(t.bytes, t.size, 0xFED00400), 0xFED00000);
    CHECK_EQ(acpi_hpet_address(t.bytes, t.size, 0xFED003FF), 0);
    t.bytes[40] = 1;
    sum(&t, 9, t.size);
    CHECK_EQ(acpi_hpet_address(t.bytes, t.size, FIRMWARE_MEMORY_END), 0);
    table_begin(&t, "HPET", 51);
    table_end(&t);
    CHECK_EQ(acpi_hpet_address(t.bytes, t.size, FIRMWARE_MEMORY_END), 0);
}

TEST(acpi, pm_timer_is_an_io_port)
{
    struct table t;
    bool is_32_bit = true;

    table_begin(&t, "FACP", 116);
    put(&t, 76, 0x608, 4);
    table_end(&t);
    CHECK_EQ(acpi_pm_timer_port(t.bytes, t.size, &is_32_bit), 0x608);
    CHECK(!is_32_bit);

    table_begin(&t, "FACP", 244);
    put(&t, 76, 0x608, 4);
    put(&t, 112, 1 << 8, 4);
    t.bytes[208] = 1;
    put(&t, 212, 0x1808, 8);
    table_end(&t);
    CHECK_EQ(acpi_pm_timer_port(t.bytes, t.size, &is_32_bit), 0x1808);
    CHECK(is_32_bit);

    put(&t, 212, 0x10000, 8); /* no such port: the older field counts */
    table_end(&t);
    CHECK_EQ(acpi_pm_timer_port(t.bytes, t.size, &is_32_bit), 0x608);
    put(&t, 76, 0x10000, 4);
    table_end(&t);
    CHECK_EQ(acpi_pm_timer_port(t.bytes, t.size, &is_32_bit), 0);
    table_begin(&t, "FACP", 115);
    table_end(&t);
    CHECK_EQ(acpi_pm_timer_port(t.bytes, t.size, &is_32_bit), 0);
}

/* ---- from the RSDP on ---- */

enum { RSDP = 0xE0000, RSDT = 0x1000, XSDT = 0x2000, MADT_1 = 0x10000, MADT_2 = 0x20000 };

static struct acpi_tables tables;

static void place(struct table *t, uint64_t address)
{
    table_end(t);
    firmware_memory_put(address, t->bytes, t->size);
}

static void place_rsdp(unsigned revision)
{
    struct table t;

    rsdp_begin(&t, revision);
    firmware_memory_put(RSDP, t.bytes, revision >= 2 ? 36 : 20);
}

/* A table of tables with up to four addresses, of which 0 is one too. */
static void place_root(uint64_t at, unsigned entry_bytes, unsigned count, const uint64_t *addresses)
{
    struct table t;

    table_begin(&t, entry_bytes == 8 ? "XSDT" : "RSDT", 36);
    for (unsigned i = 0; i < count; i++, t.size += entry_bytes)
        put(&t, t.size, addresses[i], entry_bytes);
    place(&t, at);
}

/* A MADT whose processors have the identifiers first, first + 1, ... */
static void place_madt(uint64_t at, unsigned first, unsigned count)
{
    struct table t;

    table_begin(&t, "APIC", 44);
    for (unsigned i = first; i < first + count; i++)
        ADD(&t, 0, 8, (uint8_t)i, (uint8_t)i, 1, 0, 0, 0);
    place(&t, at);
}

static enum acpi_result read_tables(void)
{
    enum acpi_result result = acpi_read(&firmware_memory, RSDP, &tables);

    CHECK_EQ(firmware_memory_mapped, 0);
    return result;
}

#define PLACE_ROOT(at, entry_bytes, ...)                                                           \
    do {                                                                                           \
        const uint64_t list_[] = {__VA_ARGS__};                                                    \
        place_root(at, entry_bytes, sizeof(list_) / sizeof(list_[0]), list_);                      \
    } while (0)

TEST(acpi_read, reads_the_xsdt_before_the_rsdt)
{
    place_rsdp(2);
    PLACE_ROOT(XSDT, 8, MADT_1);
    PLACE_ROOT(RSDT, 4, MADT_2);
    place_madt(MADT_1, 1, 2);
    place_madt(MADT_2, 5, 3);
    CHECK_EQ(read_tables(), ACPI_READ);
    CHECK_EQ(tables.madt.core_count, 2);
    CHECK_EQ(tables.tables_first, XSDT);
    CHECK_EQ(tables.tables_end, MADT_1 + 44 + 2 * 8);
    CHECK_EQ(tables.ignored, 0);
}

TEST(acpi_read, falls_back_to_the_rsdt)
{
    place_rsdp(2);
    PLACE_ROOT(RSDT, 4, MADT_2);
    place_madt(MADT_2, 5, 3);
    CHECK_EQ(read_tables(), ACPI_READ); /* no XSDT at all */
    CHECK_EQ(tables.madt.core_count, 3);

    PLACE_ROOT(XSDT, 8, 0, MADT_1); /* one that leads to no MADT */
    CHECK_EQ(read_tables(), ACPI_READ);
    CHECK_EQ(tables.madt.core_count, 3);
    CHECK_EQ(tables.ignored, 1);

    place_madt(MADT_1, 1, 0); /* one that leads to a MADT without processors */
    CHECK_EQ(read_tables(), ACPI_READ);
    CHECK_EQ(tables.madt.core_count, 3);
    CHECK_EQ(tables.ignored, 0);
}

TEST(acpi_read, an_old_rsdp_is_read_no_further_than_its_20_bytes)
{
    struct physical_memory memory = firmware_memory;

    place_rsdp(0);
    PLACE_ROOT(RSDT, 4, MADT_2);
    place_madt(MADT_2, 5, 3);
    memory.end = RSDP + 20;
    CHECK_EQ(acpi_read(&memory, RSDP, &tables), ACPI_READ);
    CHECK_EQ(tables.madt.core_count, 3);
}

TEST(acpi_read, the_first_valid_madt_with_processors_counts)
{
    static const uint8_t wrong = 1;

    place_rsdp(2);
    PLACE_ROOT(XSDT, 8, 0x30000, 0x40000, MADT_1, MADT_2, MADT_2);
    place_madt(0x30000, 1, 4);
    firmware_memory_put(0x30000 + 20, &wrong, 1); /* its checksum is wrong now */
    place_madt(0x40000, 1, 0);
    place_madt(MADT_1, 1, 2);
    place_madt(MADT_2, 5, 3);
    CHECK_EQ(read_tables(), ACPI_READ);
    CHECK_EQ(tables.madt.core_count, 2);
    CHECK_EQ(tables.ignored, 1);
}

TEST(acpi_read, passes_over_addresses_that_lead_nowhere)
{
    struct table t;

    place_rsdp(2);
    PLACE_ROOT(XSDT, 8, 0, UINT64_MAX, FIRMWARE_MEMORY_END, FIRMWARE_MEMORY_END - 35, 0x50000,
               FIRMWARE_MEMORY_END - 40, MADT_1);
    table_begin(&t, "APIC", 44); /* ends beyond the processor's width */
    put(&t, 4, 44, 4);
    firmware_memory_put(FIRMWARE_MEMORY_END - 40, t.bytes, 40);
    place_madt(MADT_1, 1, 2);
    CHECK_EQ(read_tables(), ACPI_READ);
    CHECK_EQ(tables.madt.core_count, 2);
    CHECK_EQ(tables.ignored, 5);
    CHECK_EQ(tables.tables_end, MADT_1 + 44 + 2 * 8);
}

TEST(acpi_read, says_what_is_missing)
{
    static const uint64_t nowhere[] = {
        0, UINT64_MAX, 0xFFFF8000000E0000, FIRMWARE_MEMORY_END, FIRMWARE_MEMORY_END - 19, 0x70000};

    for (unsigned i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++)
        CHECK_EQ(acpi_read(&firmware_memory, nowhere[i], &tables), ACPI_NO_RSDP);
    place_rsdp(2);
    CHECK_EQ(read_tables(), ACPI_NO_ROOT);
    place_madt(XSDT, 1, 1); /* another table is no table of tables */
    place_madt(RSDT, 1, 1);
    CHECK_EQ(read_tables(), ACPI_NO_ROOT);
    CHECK_EQ(tables.madt.core_count, 0);
}

TEST(acpi_read, reads_a_bounded_number_of_tables)
{
    struct table t;

    place_rsdp(2);
    table_begin(&t, "XSDT", 36);
    for (unsigned i = 0; i < ACPI_TABLES_MAX + 100; i++, t.size += 8)
        put(&t, t.size, i < ACPI_TABLES_MAX ? 0x50000 + 64 * i : MADT_1, 8);
    place(&t, XSDT);
    place_madt(MADT_1, 1, 2);
    CHECK_EQ(read_tables(), ACPI_READ);
    CHECK_EQ(tables.madt.core_count, 0);
    CHECK_EQ(tables.ignored, ACPI_TABLES_MAX + 100);
}

TEST(acpi_read, only_what_is_read_is_mapped_as_a_whole)
{
    struct table t;

    place_rsdp(2);
    PLACE_ROOT(XSDT, 8, 0x30000, MADT_1);
    table_begin(&t, "SSDT", 36);
    put(&t, 4, 1 << 20, 4);
    firmware_memory_put(0x30000, t.bytes, t.size);
    place_madt(MADT_1, 1, 1);
    firmware_memory_work = 0;
    CHECK_EQ(read_tables(), ACPI_READ);
    CHECK(firmware_memory_work < 1000);
    CHECK_EQ(tables.tables_end, 0x30000 + (1 << 20));
}
