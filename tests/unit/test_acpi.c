// SPDX-License-Identifier: MIT
/* test_acpi.c - ACPI tables as firmware writes them, and as it must not. Every table lies at the end of
 * an allocation of its exact size, so that the address sanitizer sees the first byte read beyond. */
#include "lib/format/acpi.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"

enum { BUFFER_BYTES = 4096 };

/* A table under construction. */
struct table {
    uint8_t bytes[BUFFER_BYTES];
    size_t size;
};

static void put(struct table *t, size_t at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        t->bytes[at + i] = (uint8_t)(value >> 8 * i);
}

static void sum(struct table *t, size_t checksum_at, size_t size)
{
    uint8_t total = 0;

    t->bytes[checksum_at] = 0;
    for (size_t i = 0; i < size; i++)
        total = (uint8_t)(total + t->bytes[i]);
    t->bytes[checksum_at] = (uint8_t)-total;
}

static void table_begin(struct table *t, const char *signature, size_t size)
{
    memset(t, 0, sizeof(*t));
    memcpy(t->bytes, signature, 4);
    t->size = size;
}

static void table_end(struct table *t)
{
    put(t, 4, t->size, 4);
    sum(t, 9, t->size);
}

/* A copy with nothing behind it; the caller frees it. */
static void *exactly(const struct table *t, size_t size)
{
    void *copy = malloc(size);

    memcpy(copy, t->bytes, size);
    return copy;
}

static void madt_begin(struct table *t)
{
    table_begin(t, "APIC", 44);
    put(t, 36, 0xFEE00000, 4);
}

static void add(struct table *t, const void *entry, size_t bytes)
{
    memcpy(t->bytes + t->size, entry, bytes);
    t->size += bytes;
}

#define ADD(t, ...)                                                                                \
    do {                                                                                           \
        const uint8_t entry_[] = {__VA_ARGS__};                                                    \
        add(t, entry_, sizeof(entry_));                                                            \
    } while (0)

static bool parse(struct table *t, struct madt_info *info)
{
    void *copy = exactly(t, t->size);
    bool ok = madt_parse(copy, t->size, info);

    free(copy);
    return ok;
}

TEST(madt, reads_an_ordinary_table)
{
    struct table t;
    struct madt_info info;

    madt_begin(&t);
    ADD(&t, 0, 8, 0, 0, 1, 0, 0, 0);                          /* core, enabled */
    ADD(&t, 0, 8, 1, 1, 0, 0, 0, 0);                          /* core, disabled */
    ADD(&t, 0, 8, 2, 2, 2, 0, 0, 0);                          /* core, can be plugged in */
    ADD(&t, 9, 16, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0); /* x2APIC 256 */
    ADD(&t, 1, 12, 8, 0, 0, 0, 0xC0, 0xFE, 0, 0, 0, 0);       /* I/O APIC, lines from 0 */
    ADD(&t, 1, 12, 9, 0, 0, 0x10, 0xC0, 0xFE, 24, 0, 0, 0);   /* and from 24 */
    ADD(&t, 2, 10, 0, 0, 2, 0, 0, 0, 0, 0);                   /* IRQ 0 is line 2 */
    ADD(&t, 2, 10, 0, 9, 9, 0, 0, 0, 0x0F, 0);                /* IRQ 9: level, active low */
    ADD(&t, 2, 10, 0, 5, 5, 0, 0, 0, 0x0D, 0);                /* IRQ 5: level, active high */
    ADD(&t, 4, 6, 0xFF, 5, 0, 1);                             /* NMI: everywhere on LINT1 */
    ADD(&t, 10, 12, 0x0F, 0, 3, 0, 0, 0, 0, 0, 0, 0);         /* core 3, LINT0, level, low */
    table_end(&t);

    CHECK(parse(&t, &info));
    CHECK_EQ(info.lapic_address, 0xFEE00000);
    CHECK_EQ(info.core_count, 2);
    CHECK_EQ(info.ignored, 0);
    CHECK_EQ(info.ioapic_count, 2);
    CHECK_EQ(info.ioapics[0].address, 0xFEC00000);
    CHECK_EQ(info.ioapics[1].address, 0xFEC01000);
    CHECK_EQ(info.ioapics[1].first_line, 24);
    CHECK_EQ(info.override_count, 3);
    CHECK_EQ(info.overrides[0].isa_irq, 0);
    CHECK_EQ(info.overrides[0].line, 2);
    CHECK(!info.overrides[0].level && !info.overrides[0].active_low);
    CHECK(info.overrides[1].level && info.overrides[1].active_low);
    CHECK(info.overrides[2].level && !info.overrides[2].active_low);
    CHECK_EQ(info.nmi_count, 2);
    CHECK(info.nmis[0].every_core && info.nmis[0].pin == 1 && !info.nmis[0].level);
    CHECK(!info.nmis[1].every_core && info.nmis[1].acpi_uid == 3 && info.nmis[1].pin == 0);
    CHECK(info.nmis[1].level && info.nmis[1].active_low);
}

TEST(madt, takes_the_64_bit_address_of_the_local_apic)
{
    struct table t;
    struct madt_info info;

    madt_begin(&t);
    ADD(&t, 5, 12, 0, 0, 0, 0, 0xE0, 0xFE, 1, 0, 0, 0);
    table_end(&t);
    CHECK(parse(&t, &info));
    CHECK_EQ(info.lapic_address, 0x1FEE00000);
}

TEST(madt, refuses_another_signature_a_wrong_checksum_and_a_short_header)
{
    struct table t;
    struct madt_info info;

    madt_begin(&t);
    table_end(&t);
    CHECK(parse(&t, &info));
    t.bytes[20] ^= 1;
    CHECK(!parse(&t, &info));
    t.bytes[20] ^= 1;
    t.bytes[0] = 'X';
    sum(&t, 9, t.size);
    CHECK(!parse(&t, &info));
    for (size_t size = 0; size < 44; size++) {
        void *copy;

        madt_begin(&t);
        t.size = size;
        put(&t, 4, size, 4);
        sum(&t, 9, size > 10 ? size : 10);
        copy = exactly(&t, size);
        CHECK(!madt_parse(copy, size, &info));
        free(copy);
    }
    CHECK_EQ(info.ioapic_count, 0);
}

TEST(madt, refuses_a_length_beyond_what_can_be_read)
{
    static const uint32_t lengths[] = {0, 35, 45, 1u << 20, (1u << 20) + 1, UINT32_MAX};
    struct table t;
    struct madt_info info;

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        madt_begin(&t);
        put(&t, 4, lengths[i], 4);
        sum(&t, 9, t.size);
        CHECK(!parse(&t, &info));
    }
}

TEST(madt, stops_at_an_entry_that_has_no_length_or_leaves_the_table)
{
    static const uint8_t lengths[] = {0, 1, 13, 255};
    struct table t;
    struct madt_info info;

    for (size_t i = 0; i < sizeof(lengths); i++) {
        madt_begin(&t);
        ADD(&t, 1, 12, 8, 0, 0, 0, 0xC0, 0xFE, 0, 0, 0, 0);
        ADD(&t, 1, lengths[i], 9, 0, 0, 0x10, 0xC0, 0xFE, 24, 0, 0, 0);
        table_end(&t);
        CHECK(parse(&t, &info));
        CHECK_EQ(info.ioapic_count, 1);
        CHECK_EQ(info.ignored, 1);
    }
}

TEST(madt, skips_entries_shorter_than_their_type_and_unknown_ones)
{
    struct table t;
    struct madt_info info;

    madt_begin(&t);
    ADD(&t, 1, 4, 0, 0);
    ADD(&t, 2, 2);
    ADD(&t, 5, 8, 0, 0, 1, 2, 3, 4);
    ADD(&t, 200, 3, 7);
    ADD(&t, 3, 2);
    ADD(&t, 1, 12, 8, 0, 0, 0, 0xC0, 0xFE, 0, 0, 0, 0);
    ADD(&t, 0); /* half an entry */
    table_end(&t);
    CHECK(parse(&t, &info));
    CHECK_EQ(info.ioapic_count, 1);
    CHECK_EQ(info.override_count, 0);
    CHECK_EQ(info.lapic_address, 0xFEE00000);
    CHECK_EQ(info.ignored, 3);
}

TEST(madt, ignores_what_no_machine_has)
{
    struct table t;
    struct madt_info info;

    madt_begin(&t);
    ADD(&t, 2, 10, 1, 3, 3, 0, 0, 0, 0, 0);       /* a bus other than ISA */
    ADD(&t, 2, 10, 0, 16, 3, 0, 0, 0, 0, 0);      /* ISA interrupt 16 */
    ADD(&t, 4, 6, 0xFF, 0, 0, 2);                 /* LINT2 */
    ADD(&t, 1, 12, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0); /* an I/O APIC at address 0 */
    table_end(&t);
    CHECK(parse(&t, &info));
    CHECK_EQ(info.override_count + info.nmi_count + info.ioapic_count, 0);
    CHECK_EQ(info.ignored, 4);
}

TEST(madt, counts_what_is_beyond_its_limits)
{
    struct table t;
    struct madt_info info;

    madt_begin(&t);
    for (unsigned i = 0; i < 40; i++) {
        ADD(&t, 1, 12, 8, 0, 0, 0, 0xC0, 0xFE, 0, 0, 0, 0);
        ADD(&t, 2, 10, 0, 1, 1, 0, 0, 0, 0, 0);
        ADD(&t, 4, 6, 1, 0, 0, 1);
    }
    table_end(&t);
    CHECK(parse(&t, &info));
    CHECK_EQ(info.ioapic_count, MADT_IOAPICS_MAX);
    CHECK_EQ(info.override_count, MADT_OVERRIDES_MAX);
    CHECK_EQ(info.nmi_count, MADT_NMIS_MAX);
    CHECK_EQ(info.ignored, 120 - MADT_IOAPICS_MAX - MADT_OVERRIDES_MAX - MADT_NMIS_MAX);
}

TEST(madt, survives_random_entries)
{
    struct madt_info info;
    uint64_t random = 88172645463325252ull;

    for (unsigned round = 0; round < 20000; round++) {
        struct table t;

        madt_begin(&t);
        t.size += round % 200;
        for (size_t i = 44; i < t.size; i++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            t.bytes[i] = (uint8_t)(random & (random & 0x100 ? 0x0F : 0xFF));
        }
        table_end(&t);
        CHECK(parse(&t, &info));
        CHECK(info.ioapic_count <= MADT_IOAPICS_MAX && info.nmi_count <= MADT_NMIS_MAX);
    }
}

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

TEST(acpi, rsdp_names_the_xsdt_or_else_the_rsdt)
{
    struct table t;
    struct acpi_root root;

    rsdp_begin(&t, 2);
    CHECK(acpi_rsdp_parse(t.bytes, 36, &root));
    CHECK(root.address == 0x2000 && root.entry_bytes == 8);
    CHECK(acpi_rsdp_parse(t.bytes, 20, &root));
    CHECK(root.address == 0x1000 && root.entry_bytes == 4);
    t.bytes[30] ^= 1; /* damaged beyond the first 20 bytes: the older half still counts */
    CHECK(acpi_rsdp_parse(t.bytes, 36, &root));
    CHECK(root.address == 0x1000 && root.entry_bytes == 4);
    rsdp_begin(&t, 0);
    CHECK(acpi_rsdp_parse(t.bytes, 36, &root));
    CHECK_EQ(root.entry_bytes, 4);
}

TEST(acpi, rsdp_is_refused_when_damaged)
{
    struct table t;
    struct acpi_root root;
    void *copy;

    rsdp_begin(&t, 2);
    t.bytes[10] ^= 1;
    CHECK(!acpi_rsdp_parse(t.bytes, 36, &root));
    rsdp_begin(&t, 2);
    t.bytes[0] = 'r';
    CHECK(!acpi_rsdp_parse(t.bytes, 36, &root));
    rsdp_begin(&t, 0);
    put(&t, 16, 0, 4);
    sum(&t, 8, 20);
    CHECK(!acpi_rsdp_parse(t.bytes, 36, &root));
    copy = exactly(&t, 19);
    CHECK(!acpi_rsdp_parse(copy, 19, &root));
    free(copy);
}

TEST(acpi, root_tables_list_addresses)
{
    struct table t;

    table_begin(&t, "XSDT", 36 + 2 * 8 + 5);
    put(&t, 36, 0x123456789AB, 8);
    put(&t, 44, 0xFFFFFFFFFFFFFFFF, 8);
    table_end(&t);
    CHECK_EQ(acpi_root_count(t.bytes, t.size, 8), 2); /* the odd bytes are no entry */
    CHECK_EQ(acpi_root_entry(t.bytes, 0, 8), 0x123456789AB);
    CHECK_EQ(acpi_root_entry(t.bytes, 1, 8), UINT64_MAX);
    CHECK_EQ(acpi_root_count(t.bytes, t.size, 4), 0); /* not an RSDT */
    table_begin(&t, "RSDT", 36);
    table_end(&t);
    CHECK_EQ(acpi_root_count(t.bytes, t.size, 4), 0);
}

TEST(acpi, hpet_must_be_in_memory)
{
    struct table t;

    table_begin(&t, "HPET", 56);
    put(&t, 44, 0xFED00000, 8);
    table_end(&t);
    CHECK_EQ(acpi_hpet_address(t.bytes, t.size), 0xFED00000);
    t.bytes[40] = 1;
    sum(&t, 9, t.size);
    CHECK_EQ(acpi_hpet_address(t.bytes, t.size), 0);
    table_begin(&t, "HPET", 51);
    table_end(&t);
    CHECK_EQ(acpi_hpet_address(t.bytes, t.size), 0);
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

    put(&t, 212, 0x10000, 8); /* no such port */
    table_end(&t);
    CHECK_EQ(acpi_pm_timer_port(t.bytes, t.size, &is_32_bit), 0);
    table_begin(&t, "FACP", 115);
    table_end(&t);
    CHECK_EQ(acpi_pm_timer_port(t.bytes, t.size, &is_32_bit), 0);
}
