// SPDX-License-Identifier: MIT
/* sleep_fuzz - see sleep_fuzz.h. */
#include "tests/unit/sleep_fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "lib/format/acpi_sleep.h"
#include "tests/unit/unit.h"

#define HEADER 36u

/* A valid table in memory of its own, whose end the sanitizer watches. */
static uint8_t *make(const char *signature, const uint8_t *data, size_t size)
{
    uint8_t *table = calloc(1, HEADER + size), sum = 0;

    if (size != 0)
        memcpy(table + HEADER, data, size);
    memcpy(table, signature, 4);
    memcpy(table + 4, &(uint32_t){(uint32_t)(HEADER + size)}, 4);
    for (size_t i = 0; i < HEADER + size; i++)
        sum = (uint8_t)(sum + table[i]);
    table[9] = (uint8_t)(0 - sum);
    return table;
}

void sleep_fuzz(const uint8_t *data, size_t size)
{
    static const uint8_t name[] = {0x08, '_', 'S', '5', '_', 0x12};
    struct acpi_sleep_registers registers = {0};
    struct acpi_sleep_types types;
    uint8_t *table = make("FACP", data, size), *named;

    if (acpi_sleep_registers(table, HEADER + size, &registers))
        CHECK(registers.pm1a_control != 0);
    free(table);
    table = make("DSDT", data, size);
    if (acpi_s5_types(table, HEADER + size, &types))
        CHECK(types.a <= 7 && types.b <= 7);
    free(table);
    /* The same behind the name of the package, which chance would not write. */
    named = malloc(sizeof name + size);
    memcpy(named, name, sizeof name);
    if (size != 0)
        memcpy(named + sizeof name, data, size);
    table = make("DSDT", named, sizeof name + size);
    if (acpi_s5_types(table, HEADER + sizeof name + size, &types))
        CHECK(types.a <= 7 && types.b <= 7);
    free(table);
    free(named);
}
