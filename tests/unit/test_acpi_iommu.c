// SPDX-License-Identifier: MIT
/* test_acpi_iommu.c - where IOMMUs have their registers. Every table lies at the end of an allocation of its exact
 * size, so that the address sanitizer sees the first byte read beyond. */
#include "lib/format/acpi_iommu.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"

enum { BYTES_MAX = 256, STRUCTURES = 48 };

static uint8_t bytes[BYTES_MAX];
static size_t size;

static void put(size_t at, uint64_t value, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        bytes[at + i] = (uint8_t)(value >> 8 * i);
}

static void begin(const char *signature)
{
    memset(bytes, 0, sizeof(bytes));
    memcpy(bytes, signature, 4);
    size = STRUCTURES;
}

/* A structure of a type that is two bytes in one table and a byte and flags in the other. */
static void add(unsigned type, unsigned length, unsigned size_field, uint64_t address)
{
    put(size, type, 2);
    put(size + 2, length, 2);
    if (length >= 16) {
        put(size + 5, size_field, 1);
        put(size + 8, address, 8);
    }
    size += length;
}

/* A copy with nothing behind it, its length and checksum right. */
static void *finished(void)
{
    uint8_t *copy = malloc(size), total = 0;

    put(4, size, 4);
    bytes[9] = 0;
    for (size_t i = 0; i < size; i++)
        total = (uint8_t)(total + bytes[i]);
    bytes[9] = (uint8_t)-total;
    return memcpy(copy, bytes, size);
}

TEST(acpi_iommu, dmar_lists_units_among_other_structures)
{
    struct acpi_iommu unit;
    size_t at = 0;

    begin("DMAR");
    add(1, 24, 0, 0x1000); /* memory reserved for devices */
    add(0, 16, 0, 0xFED90000);
    add(2, 8, 0, 0);
    add(0, 24, 3, 0xFED91000);
    void *table = finished();
    CHECK(acpi_iommu_next(table, size, &at, &unit));
    CHECK_EQ(unit.address, 0xFED90000);
    CHECK_EQ(unit.bytes, 4096);
    CHECK(acpi_iommu_next(table, size, &at, &unit));
    CHECK_EQ(unit.address, 0xFED91000);
    CHECK_EQ(unit.bytes, 8 * 4096);
    CHECK(!acpi_iommu_next(table, size, &at, &unit));
    free(table);
}

TEST(acpi_iommu, ivrs_lists_units_of_each_generation)
{
    struct acpi_iommu unit;
    size_t at = 0;

    begin("IVRS");
    add(0x10, 24, 0, 0xFED80000);
    add(0x20, 32, 0, 0x1000);
    add(0x40, 40, 0, 0xFEB80000);
    void *table = finished();
    CHECK(acpi_iommu_next(table, size, &at, &unit));
    CHECK_EQ(unit.address, 0xFED80000);
    CHECK_EQ(unit.bytes, 4 * 4096);
    CHECK(acpi_iommu_next(table, size, &at, &unit));
    CHECK_EQ(unit.address, 0xFEB80000);
    CHECK(!acpi_iommu_next(table, size, &at, &unit));
    free(table);
}

TEST(acpi_iommu, structures_that_make_no_sense_end_the_list)
{
    static const unsigned lengths[] = {0, 3, 15, 200, 0xFFFF};

    for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct acpi_iommu unit;
        size_t at = 0;

        begin("DMAR");
        add(0, 16, 0, 0xFED90000);
        put(STRUCTURES + 2, lengths[i], 2);
        void *table = finished();
        CHECK(!acpi_iommu_next(table, size, &at, &unit));
        free(table);
    }
}

TEST(acpi_iommu, stays_inside_mutated_tables)
{
    unsigned found = 0;

    srand(1);
    for (unsigned round = 0; round < 20000; round++) {
        struct acpi_iommu unit;
        size_t at = 0;

        begin(round % 2 == 0 ? "DMAR" : "IVRS");
        add(round % 2 == 0 ? 0 : 0x11, 24, 0, 0xFED90000);
        add(round % 2 == 0 ? 0 : 0x10, 16 + (unsigned)rand() % 20, 0, 0xFED91000);
        for (unsigned i = 0; i < 3; i++)
            bytes[STRUCTURES + (unsigned)rand() % (size - STRUCTURES)] = (uint8_t)rand();
        void *table = finished();
        while (acpi_iommu_next(table, size, &at, &unit))
            found++;
        CHECK(at <= size);
        free(table);
    }
    CHECK(found > 10000);
}
