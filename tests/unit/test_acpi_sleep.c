// SPDX-License-Identifier: MIT
/* test_acpi_sleep - what switches a machine off, in good and in damaged tables. */
#include <stdlib.h>
#include <string.h>

#include "lib/format/acpi_sleep.h"
#include "tests/unit/sleep_fuzz.h"
#include "tests/unit/unit.h"

#define HEADER 36u

static uint8_t table[512];
static size_t size;

static void seal(const char *signature, size_t bytes)
{
    uint8_t sum = 0;

    size = bytes;
    memcpy(table, signature, 4);
    memcpy(table + 4, &(uint32_t){(uint32_t)bytes}, 4);
    table[9] = 0;
    for (size_t i = 0; i < bytes; i++)
        sum = (uint8_t)(sum + table[i]);
    table[9] = (uint8_t)(0 - sum);
}

static void make_dsdt(const void *code, size_t bytes)
{
    memset(table, 0, sizeof table);
    memset(table + HEADER, 0xA5, 20); /* something before it */
    memcpy(table + HEADER + 20, code, bytes);
    seal("DSDT", HEADER + 20 + bytes);
}

#define DSDT(text) make_dsdt(text, sizeof(text) - 1)

TEST(acpi_sleep, finds_the_package_by_its_name)
{
    struct acpi_sleep_types types;

    /* Name (_S5, Package (4) {5, 5, 0, 0}), as most machines have it. */
    DSDT("\x08_S5_\x12\x08\x04\x0A\x05\x0A\x06\x00\x00");
    CHECK(acpi_s5_types(table, size, &types));
    CHECK(types.a == 5 && types.b == 6);
    /* Name (\_S5, Package (4) {Zero, One, Zero, Zero}) */
    DSDT("\x08\\_S5_\x12\x06\x04\x00\x01\x00\x00");
    CHECK(acpi_s5_types(table, size, &types));
    CHECK(types.a == 0 && types.b == 1);
    /* A length of two bytes, and wider constants. */
    DSDT("\x08_S5_\x12\x4B\x00\x02\x0B\x07\x00\x0C\x03\x00\x00\x00");
    CHECK(acpi_s5_types(table, size, &types));
    CHECK(types.a == 7 && types.b == 3);
    /* One that is used before it is defined, and one of another name. */
    DSDT("\x70_S5_\x12\x08_S4_\x12\x06\x04\x06\x06\x00\x00\x08_S5_\x12\x06\x02\x00\x00\x00\x00");
    CHECK(acpi_s5_types(table, size, &types));
    CHECK(types.a == 0 && types.b == 0);
}

TEST(acpi_sleep, what_is_no_package_of_constants_is_passed_over)
{
    struct acpi_sleep_types types;

    DSDT("\x08_S5_");
    CHECK(!acpi_s5_types(table, size, &types));
    DSDT("\x08_S5_\x12");
    CHECK(!acpi_s5_types(table, size, &types));
    DSDT("\x08_S5_\x12\x06\x01\x05\x00\x00\x00"); /* one element */
    CHECK(!acpi_s5_types(table, size, &types));
    DSDT("\x08_S5_\x12\x06\x04\x0A\x08\x00\x00"); /* no type: it has three bits */
    CHECK(!acpi_s5_types(table, size, &types));
    DSDT("\x08_S5_\x12\x3F\x04\x00\x00\x00\x00"); /* longer than the table */
    CHECK(!acpi_s5_types(table, size, &types));
    DSDT("\x08_S5_\x12\x02\x04\x00\x00\x00\x00"); /* the package ends before its constants */
    CHECK(!acpi_s5_types(table, size, &types));
    DSDT("\x08_S5_\x12\x00\x04\x00\x00\x00\x00"); /* a length that does not count itself */
    CHECK(!acpi_s5_types(table, size, &types));
    DSDT("\x08_S5_\x12\x06\x04\x5B\x00\x00\x00"); /* something to compute */
    CHECK(!acpi_s5_types(table, size, &types));
    DSDT("\x14_S5_\x12\x06\x04\x00\x00\x00\x00"); /* a method */
    CHECK(!acpi_s5_types(table, size, &types));
    DSDT("\x08_S5_\x12\x06\x04\x00\x00\x00\x00");
    CHECK(acpi_s5_types(table, size, &types));
    table[50]++; /* the checksum */
    CHECK(!acpi_s5_types(table, size, &types));
    CHECK(!acpi_s5_types(table, HEADER - 1, &types));
}

TEST(acpi_sleep, registers_come_from_the_newer_field_or_the_older_one)
{
    struct acpi_sleep_registers registers;

    memset(table, 0, sizeof table);
    memcpy(table + 48, &(uint32_t){0xB2}, 4);
    table[52] = 2;
    memcpy(table + 64, &(uint32_t){0x604}, 4);
    seal("FACP", 116);
    CHECK(acpi_sleep_registers(table, size, &registers));
    CHECK(registers.pm1a_control == 0x604 && registers.pm1b_control == 0);
    CHECK(registers.smi_command == 0xB2 && registers.acpi_enable == 2);
    table[172] = 1; /* I/O */
    memcpy(table + 176, &(uint64_t){0x1804}, 8);
    memcpy(table + 68, &(uint32_t){0x1904}, 4);
    seal("FACP", 244);
    CHECK(acpi_sleep_registers(table, size, &registers));
    CHECK(registers.pm1a_control == 0x1804 && registers.pm1b_control == 0x1904);
    table[172] = 0; /* memory: the older field counts */
    seal("FACP", 244);
    CHECK(acpi_sleep_registers(table, size, &registers));
    CHECK_EQ(registers.pm1a_control, 0x604);
    table[114] = 0x10; /* hardware-reduced */
    seal("FACP", 244);
    CHECK(!acpi_sleep_registers(table, size, &registers));
    table[114] = 0;
    memset(table + 64, 0, 4);
    seal("FACP", 244);
    CHECK(!acpi_sleep_registers(table, size, &registers));
    seal("FACP", 115);
    CHECK(!acpi_sleep_registers(table, size, &registers));
}

TEST(acpi_sleep, bytes_at_random_do_no_harm)
{
    uint64_t state = 12345;
    uint8_t bytes[300];

    for (unsigned round = 0; round < 3000; round++) {
        size_t length = round % sizeof bytes;

        for (size_t i = 0; i < length; i++) {
            state = state * 6364136223846793005ull + 1442695040888963407ull;
            bytes[i] = (uint8_t)(state >> 56);
        }
        sleep_fuzz(bytes, length);
    }
}
