// SPDX-License-Identifier: MIT
/* test_madt.c - the MADT as firmware writes it, and as it must not. Every table lies at the end of an
 * allocation of its exact size, so that the address sanitizer sees the first byte read beyond. */
#include "lib/format/madt.h"

#include "firmware_memory.h"
#include "firmware_table.h"
#include "unit.h"

static void madt_begin(struct table *t)
{
    table_begin(t, "APIC", 44);
    put(t, 36, 0xFEE00000, 4);
}

static bool parse(struct table *t, struct madt_info *info)
{
    void *copy = exactly(t, t->size);
    bool ok = madt_parse(copy, t->size, FIRMWARE_MEMORY_END, info);

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
    CHECK_EQ(info.core_count, 2);
    CHECK(info.cpus[0].acpi_uid == 0 && info.cpus[0].apic_id == 0);
    CHECK(info.cpus[1].acpi_uid == 256 && info.cpus[1].apic_id == 256);
    CHECK_EQ(info.ignored, 0);
    CHECK_EQ(info.ioapic_count, 2);
    CHECK_EQ(info.ioapics[0].address, 0xFEC00000);
    CHECK_EQ(info.ioapics[1].address, 0xFEC01000);
    CHECK_EQ(info.ioapics[1].first_line, 24);
    CHECK_EQ(info.override_count, 3);
    CHECK_EQ(info.overrides[0].line, 2);
    CHECK(!info.overrides[0].level && !info.overrides[0].active_low);
    CHECK(info.overrides[1].level && info.overrides[1].active_low);
    CHECK(info.overrides[2].level && !info.overrides[2].active_low);
    CHECK_EQ(info.nmi_count, 2);
    CHECK(info.nmis[0].every_core && info.nmis[0].pin == 1 && !info.nmis[0].level);
    CHECK(!info.nmis[1].every_core && info.nmis[1].acpi_uid == 3 && info.nmis[1].pin == 0);
    CHECK(info.nmis[1].level && info.nmis[1].active_low);
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
        CHECK(!madt_parse(copy, size, FIRMWARE_MEMORY_END, &info));
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
    ADD(&t, 5, 8, 0, 0, 1, 2, 3, 4); /* not read */
    ADD(&t, 0, 7, 1, 1, 1, 0, 0);
    ADD(&t, 200, 3, 7);
    ADD(&t, 3, 2);
    ADD(&t, 1, 12, 8, 0, 0, 0, 0xC0, 0xFE, 0, 0, 0, 0);
    ADD(&t, 0); /* half an entry */
    table_end(&t);
    CHECK(parse(&t, &info));
    CHECK_EQ(info.ioapic_count, 1);
    CHECK_EQ(info.override_count, 0);
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
        ADD(&t, 1, 12, 8, 0, 0, (uint8_t)(i << 4), 0xC0, 0xFE, 0, 0, 0, 0);
        ADD(&t, 2, 10, 0, 1, (uint8_t)i, 0, 0, 0, 0, 0);
        ADD(&t, 4, 6, 1, 0, 0, 1);
    }
    table_end(&t);
    CHECK(parse(&t, &info));
    CHECK_EQ(info.ioapic_count, MADT_IOAPICS_MAX);
    CHECK_EQ(info.override_count, MADT_OVERRIDES_MAX);
    CHECK_EQ(info.nmi_count, MADT_NMIS_MAX);
    CHECK_EQ(info.ignored, 120 - MADT_IOAPICS_MAX - MADT_OVERRIDES_MAX - MADT_NMIS_MAX);
}

TEST(madt, lists_the_first_processors_and_counts_the_others)
{
    struct table *t = malloc(sizeof(*t));
    struct madt_info info;

    madt_begin(t);
    for (unsigned i = 0; i < MADT_CPUS_MAX + 44; i++)
        ADD(t, 9, 16, 0, 0, (uint8_t)i, (uint8_t)(i >> 8), 0, 0, 1, 0, 0, 0, (uint8_t)i, 0, 0, 0);
    table_end(t);
    CHECK(parse(t, &info));
    CHECK_EQ(info.core_count, MADT_CPUS_MAX + 44);
    CHECK_EQ(madt_listed(&info), MADT_CPUS_MAX);
    CHECK_EQ(info.cpus[MADT_CPUS_MAX - 1].apic_id, MADT_CPUS_MAX - 1);
    CHECK_EQ(info.ignored, 44);
    free(t);
}

TEST(madt, what_is_repeated_counts_once)
{
    struct table t;
    struct madt_info info;

    madt_begin(&t);
    ADD(&t, 0, 8, 7, 3, 1, 0, 0, 0);
    ADD(&t, 9, 16, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0); /* processor 3 again, as x2APIC */
    ADD(&t, 0, 8, 8, 0xFF, 1, 0, 0, 0);                       /* everybody is no processor */
    ADD(&t, 1, 12, 8, 0, 0, 0, 0xC0, 0xFE, 0, 0, 0, 0);
    ADD(&t, 1, 12, 9, 0, 0, 0, 0xC0, 0xFE, 24, 0, 0, 0);
    ADD(&t, 2, 10, 0, 9, 9, 0, 0, 0, 0x0F, 0);
    ADD(&t, 2, 10, 0, 10, 9, 0, 0, 0, 0, 0);
    table_end(&t);
    CHECK(parse(&t, &info));
    CHECK_EQ(info.core_count, 1);
    CHECK_EQ(info.cpus[0].acpi_uid, 7);
    CHECK_EQ(info.ioapic_count, 1);
    CHECK_EQ(info.ioapics[0].first_line, 0);
    CHECK_EQ(info.override_count, 1);
    CHECK(info.overrides[0].level);
    CHECK_EQ(info.ignored, 4);
}

TEST(madt, registers_lie_where_the_processor_can_address_them)
{
    struct table t;
    struct madt_info info;
    void *copy;

    madt_begin(&t);
    ADD(&t, 1, 12, 8, 0, 0, 0, 0xC0, 0xFE, 0, 0, 0, 0);
    ADD(&t, 1, 12, 8, 0, 1, 0, 0xC0, 0xFE, 0, 0, 0, 0); /* not where registers can be */
    table_end(&t);
    copy = exactly(&t, t.size);
    CHECK(madt_parse(copy, t.size, 0xFEC00020, &info));
    CHECK_EQ(info.ioapic_count, 1);
    CHECK_EQ(info.ignored, 1);
    CHECK(madt_parse(copy, t.size, 0xFEC0001F, &info));
    CHECK_EQ(info.ioapic_count, 0);
    free(copy);
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
