// SPDX-License-Identifier: MIT
/* test_mptable.c - MP tables as a BIOS leaves them, and as it must not. */
#include "lib/format/mptable.h"

#include "firmware_memory.h"
#include "firmware_table.h"
#include "unit.h"

enum { BIOS = 0xF0000, TABLE = 0xF0100 };

static struct madt_info info;

static void mp_begin(struct table *t)
{
    table_begin(t, "PCMP", 44);
}

/* A pointer at `at`, and the table at TABLE. */
static void place(struct table *t, uint64_t at)
{
    struct table pointer;

    put(t, 4, t->size, 2);
    sum(t, 7, t->size);
    firmware_memory_put(TABLE, t->bytes, t->size);
    table_begin(&pointer, "_MP_", 16);
    put(&pointer, 4, TABLE, 4);
    put(&pointer, 8, 1, 1);
    put(&pointer, 9, 4, 1);
    sum(&pointer, 10, 16);
    firmware_memory_put(at, pointer.bytes, 16);
}

static bool read_table(void)
{
    bool found = mptable_read(&firmware_memory, &info);

    CHECK_EQ(firmware_memory_mapped, 0);
    return found;
}

static void ordinary(struct table *t)
{
    mp_begin(t);
    ADD(t, 0, 0, 0x14, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0); /* boot processor 0 */
    ADD(t, 0, 1, 0x14, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0); /* 1 */
    ADD(t, 0, 2, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0); /* not usable */
    ADD(t, 1, 0, 'P', 'C', 'I', ' ', ' ', ' ');
    ADD(t, 1, 1, 'I', 'S', 'A', ' ', ' ', ' ');
    ADD(t, 2, 8, 0x11, 1, 0, 0, 0xC0, 0xFE);     /* I/O APIC 8 */
    ADD(t, 2, 9, 0x11, 1, 0, 0x10, 0xC0, 0xFE);  /* and 9 */
    ADD(t, 2, 10, 0x11, 0, 0, 0x20, 0xC0, 0xFE); /* not usable */
    ADD(t, 3, 0, 0, 0, 1, 0, 8, 2);              /* ISA interrupt 0 on line 2 */
    ADD(t, 3, 0, 0, 0, 0, 4, 8, 11);             /* PCI, as its bus has it, on line 11 */
    ADD(t, 3, 0, 0x0D, 0, 1, 9, 8, 9);           /* ISA 9: level, active high */
    ADD(t, 3, 0, 0, 0, 0, 8, 8, 11);             /* line 11 again */
    ADD(t, 3, 0, 0, 0, 0, 8, 8, 19);             /* what is assumed of a line above 15 */
    ADD(t, 3, 0, 0, 0, 0, 8, 9, 3);              /* at the other I/O APIC */
    ADD(t, 3, 3, 0, 0, 1, 0, 8, 0);              /* the 8259s */
    ADD(t, 4, 3, 0, 0, 1, 0, 0xFF, 0);           /* the 8259s, at processors */
    ADD(t, 4, 1, 0, 0, 1, 0, 0xFF, 1);           /* NMI everywhere */
    ADD(t, 4, 1, 0x0F, 0, 1, 0, 1, 0);           /* and at processor 1 */
}

TEST(mptable, reads_an_ordinary_table)
{
    struct table t;

    ordinary(&t);
    place(&t, BIOS + 0x50);
    CHECK(read_table());
    CHECK_EQ(info.core_count, 2);
    CHECK(info.cpus[1].acpi_uid == 1 && info.cpus[1].apic_id == 1);
    CHECK_EQ(info.ioapic_count, 2);
    CHECK(info.ioapics[0].address == 0xFEC00000 && info.ioapics[0].first_line == 0);
    CHECK(info.ioapics[1].address == 0xFEC01000 && info.ioapics[1].first_line == MADT_LINE_NEXT);
    CHECK_EQ(info.override_count, 3);
    CHECK(info.overrides[0].line == 2 && !info.overrides[0].level && !info.overrides[0].active_low);
    CHECK(info.overrides[1].line == 11 && info.overrides[1].level && info.overrides[1].active_low);
    CHECK(info.overrides[2].line == 9 && info.overrides[2].level && !info.overrides[2].active_low);
    CHECK_EQ(info.nmi_count, 2);
    CHECK(info.nmis[0].every_core && info.nmis[0].pin == 1);
    CHECK(!info.nmis[1].every_core && info.nmis[1].acpi_uid == 1 && info.nmis[1].active_low);
    CHECK_EQ(info.ignored, 0);
}

TEST(mptable, is_found_where_a_bios_leaves_it)
{
    static const uint8_t segment[] = {0x80, 0x9F}, base_memory[] = {0x7A, 0x02};
    static const uint64_t places[] = {0x9FC00, 0x9F800 + 1008, 0x9E400, BIOS, 0xFFFF0};
    struct table t;

    for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        firmware_memory_clear();
        ordinary(&t);
        place(&t, places[i]);
        if (i == 1)
            firmware_memory_put(0x40E, segment, 2);
        if (i == 2)
            firmware_memory_put(0x413, base_memory, 2);
        CHECK(read_table());
    }
    firmware_memory_clear();
    place(&t, 0x9F800); /* nothing says that it is there */
    CHECK(!read_table());
    CHECK_EQ(info.core_count, 0);
}

TEST(mptable, a_damaged_table_is_none_and_the_next_pointer_counts)
{
    struct table t;
    uint8_t wrong = 0x55;

    ordinary(&t);
    place(&t, BIOS + 0x40);
    firmware_memory_put(TABLE + 20, &wrong, 1);
    CHECK(!read_table());
    CHECK_EQ(info.core_count + info.ioapic_count, 0);

    mp_begin(&t); /* without a processor */
    place(&t, BIOS + 0x40);
    CHECK(!read_table());

    ordinary(&t);
    place(&t, BIOS + 0x8000);
    CHECK(read_table());
}

/* The count of entries is not believed: qboot leaves it 0. */
TEST(mptable, entries_end_with_the_table_or_with_one_that_is_unknown)
{
    struct table t;

    ordinary(&t);
    ADD(&t, 5, 0, 0, 0, 0, 0, 0, 0);
    ADD(&t, 0, 7, 0x14, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    place(&t, BIOS);
    CHECK(read_table());
    CHECK_EQ(info.core_count, 2);
    CHECK_EQ(info.ignored, 1);

    ordinary(&t);
    ADD(&t, 0, 7, 0x14, 1, 0); /* half a processor */
    place(&t, BIOS);
    CHECK(read_table());
    CHECK_EQ(info.core_count, 2);
    CHECK_EQ(info.ignored, 1);
}

TEST(mptable, ignores_what_no_machine_has)
{
    struct table t;

    ordinary(&t);
    ADD(&t, 0, 1, 0x14, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);    /* again */
    ADD(&t, 0, 0xFF, 0x14, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0); /* everybody */
    ADD(&t, 2, 11, 0x11, 1, 0, 0, 0, 0);
    ADD(&t, 2, 12, 0x11, 1, 1, 0, 0xC0, 0xFE);
    ADD(&t, 4, 1, 0, 0, 1, 0, 0xFF, 2); /* LINT2 */
    place(&t, BIOS);
    CHECK(read_table());
    CHECK_EQ(info.core_count, 2);
    CHECK_EQ(info.ioapic_count, 2);
    CHECK_EQ(info.ignored, 5);
}
