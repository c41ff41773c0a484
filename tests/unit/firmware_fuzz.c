// SPDX-License-Identifier: MIT
/* firmware_fuzz.c - see firmware_fuzz.h. */
#include "firmware_fuzz.h"

#include "firmware_memory.h"
#include "firmware_table.h"
#include "lib/format/acpi.h"
#include "lib/format/mptable.h"
#include "unit.h"

/* Places in the image, which lies at BASE. */
enum {
    BASE = 0xF0000,
    RSDP = 0x0,
    RSDT = 0x100,
    XSDT = 0x200,
    MADT = 0x300,
    MADT_2 = 0x500,
    FADT = 0x600,
    HPET = 0x800,
    MP_POINTER = 0x900,
    MP_TABLE = 0x940,
};

/* More than any reading of both kinds of tables may map: two roots of as many tables as are read, each
 * looked at and one of them, of 1 MiB, read again for each. */
#define WORK_MAX ((2 * (uint64_t)ACPI_TABLES_MAX + 8) * ((1 << 20) + 64))

static uint8_t image[FIRMWARE_IMAGE_BYTES];

static void place(struct table *t, uint64_t at)
{
    put(t, 4, t->size, 4);
    memcpy(image + at, t->bytes, t->size);
}

static void put_roots(void)
{
    static const uint32_t tables[] = {FADT, MADT, MADT_2, HPET};
    struct table t;

    for (unsigned bytes = 4; bytes <= 8; bytes += 4) {
        table_begin(&t, bytes == 8 ? "XSDT" : "RSDT", 36);
        for (unsigned i = 0; i < 4; i++, t.size += bytes)
            put(&t, t.size, BASE + tables[i], bytes);
        place(&t, bytes == 8 ? XSDT : RSDT);
    }
    memset(&t, 0, sizeof(t));
    memcpy(t.bytes, "RSD PTR ", 8);
    t.bytes[15] = 2;
    put(&t, 16, BASE + RSDT, 4);
    put(&t, 20, 36, 4);
    put(&t, 24, BASE + XSDT, 8);
    memcpy(image + RSDP, t.bytes, 36);
}

static void put_acpi(void)
{
    struct table t;

    table_begin(&t, "APIC", 44);
    ADD(&t, 0, 8, 0, 0, 1, 0, 0, 0);
    ADD(&t, 9, 16, 0, 0, 1, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0);
    ADD(&t, 1, 12, 8, 0, 0, 0, 0xC0, 0xFE, 0, 0, 0, 0);
    ADD(&t, 2, 10, 0, 9, 9, 0, 0, 0, 0x0F, 0);
    ADD(&t, 4, 6, 0xFF, 5, 0, 1);
    ADD(&t, 10, 12, 0x0F, 0, 3, 0, 0, 0, 0, 0, 0, 0);
    place(&t, MADT);
    place(&t, MADT_2);
    table_begin(&t, "FACP", 244);
    put(&t, 76, 0x608, 4);
    t.bytes[208] = 1;
    put(&t, 212, 0x608, 8);
    place(&t, FADT);
    table_begin(&t, "HPET", 56);
    put(&t, 44, 0xFED00000, 8);
    place(&t, HPET);
}

static void put_mp(void)
{
    struct table t;

    table_begin(&t, "PCMP", 44);
    ADD(&t, 0, 0, 0x14, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    ADD(&t, 0, 1, 0x14, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    ADD(&t, 1, 0, 'P', 'C', 'I', ' ', ' ', ' ');
    ADD(&t, 2, 8, 0x11, 1, 0, 0, 0xC0, 0xFE);
    ADD(&t, 3, 0, 0, 0, 0, 4, 8, 11);
    ADD(&t, 4, 1, 0, 0, 0, 0, 0xFF, 1);
    place(&t, MP_TABLE);
    put(&t, 4, t.size, 2);
    memcpy(image + MP_TABLE, t.bytes, t.size);
    table_begin(&t, "_MP_", 16);
    put(&t, 4, BASE + MP_TABLE, 4);
    put(&t, 8, 1, 1);
    put(&t, 9, 4, 1);
    memcpy(image + MP_POINTER, t.bytes, 16);
}

/* Makes the sum of [at, at + size) right, as far as it lies in the image. */
static void repair(size_t at, size_t size, size_t checksum_at)
{
    uint8_t total = 0;

    if (size > FIRMWARE_IMAGE_BYTES - at || checksum_at >= size)
        return;
    image[at + checksum_at] = 0;
    for (size_t i = 0; i < size; i++)
        total = (uint8_t)(total + image[at + i]);
    image[at + checksum_at] = (uint8_t)-total;
}

static size_t length_at(size_t at, unsigned bytes)
{
    size_t length = 0;

    memcpy(&length, image + at, bytes);
    return length;
}

/* Otherwise hardly any input would come further than a checksum. */
static void repair_all(void)
{
    static const size_t tables[] = {RSDT, XSDT, MADT, MADT_2, FADT, HPET};

    for (unsigned i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        repair(tables[i], length_at(tables[i] + 4, 4), 9);
    repair(MP_TABLE, length_at(MP_TABLE + 4, 2), 7);
    repair(MP_POINTER, 16, 10);
    repair(RSDP, 20, 8);
    repair(RSDP, 36, 32);
}

static void check_madt(const struct madt_info *info)
{
    CHECK(info->ioapic_count <= MADT_IOAPICS_MAX && info->nmi_count <= MADT_NMIS_MAX &&
          info->override_count <= MADT_OVERRIDES_MAX && madt_listed(info) <= MADT_CPUS_MAX);
    for (uint32_t i = 0; i < madt_listed(info); i++)
        for (uint32_t j = 0; j < i; j++)
            CHECK(info->cpus[i].apic_id != info->cpus[j].apic_id);
    for (uint32_t i = 0; i < info->ioapic_count; i++)
        CHECK(info->ioapics[i].address != 0 && info->ioapics[i].address < FIRMWARE_MEMORY_END);
    for (uint32_t i = 0; i < info->nmi_count; i++)
        CHECK(info->nmis[i].pin <= 1);
}

/* The first byte says whether checksums are repaired; the others change the image. */
void firmware_fuzz(const uint8_t *data, size_t size)
{
    static struct acpi_tables tables;
    static struct madt_info info;

    memset(image, 0, sizeof(image));
    put_roots();
    put_acpi();
    put_mp();
    repair_all();
    for (size_t i = 1; i < size && i <= FIRMWARE_IMAGE_BYTES; i++)
        image[i - 1] ^= data[i];
    if (size == 0 || data[0] % 4 != 0)
        repair_all();
    firmware_memory_clear();
    firmware_memory_put(BASE, image, sizeof(image));

    (void)acpi_read(&firmware_memory, BASE + RSDP, &tables);
    check_madt(&tables.madt);
    CHECK(tables.hpet < FIRMWARE_MEMORY_END);
    CHECK(tables.tables_first <= tables.tables_end && tables.tables_end <= FIRMWARE_MEMORY_END);
    CHECK(size != 0 || (tables.madt.core_count == 2 && tables.hpet != 0 && tables.pm_timer != 0));

    (void)mptable_read(&firmware_memory, &info);
    check_madt(&info);
    CHECK(size != 0 || info.core_count == 2);
    CHECK(firmware_memory_mapped == 0 && firmware_memory_work <= WORK_MAX);
    firmware_memory_clear();
}
