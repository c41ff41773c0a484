// SPDX-License-Identifier: MIT
/*
 * fadt - see fadt.h. The table is searched by its signature and checksum instead of through the
 * root pointer, because this driver may read the region of the tables and nothing else, and the
 * root pointer usually lies elsewhere. Host tests compile this file as it is.
 */
#include "drivers/power/acpi_reset/fadt.h"

#define HEADER_BYTES 36
#define LENGTH_OFFSET 4
#define FLAGS_OFFSET 112
#define FLAG_RESET_SUPPORTED (1u << 10)
#define RESET_REGISTER_OFFSET 116
#define RESET_VALUE_OFFSET 128
#define LENGTH_WITH_RESET 129

static uint64_t read_le(const uint8_t *from, unsigned bytes)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < bytes; i++)
        value |= (uint64_t)from[i] << (8 * i);
    return value;
}

static bool is_fadt(const uint8_t *table, size_t room, size_t *length)
{
    uint8_t sum = 0;

    if (table[0] != 'F' || table[1] != 'A' || table[2] != 'C' || table[3] != 'P')
        return false;
    *length = (size_t)read_le(table + LENGTH_OFFSET, 4);
    if (*length < HEADER_BYTES || *length > room)
        return false;
    for (size_t i = 0; i < *length; i++)
        sum = (uint8_t)(sum + table[i]);
    return sum == 0;
}

bool fadt_find_reset(const uint8_t *region, size_t size, struct fadt_reset *reset)
{
    size_t length;

    for (size_t at = 0; at + HEADER_BYTES <= size; at++) {
        const uint8_t *table = region + at;

        if (!is_fadt(table, size - at, &length))
            continue;
        if (length < LENGTH_WITH_RESET ||
            (read_le(table + FLAGS_OFFSET, 4) & FLAG_RESET_SUPPORTED) == 0)
            return false;
        reset->space = table[RESET_REGISTER_OFFSET];
        reset->address = read_le(table + RESET_REGISTER_OFFSET + 4, 8);
        reset->value = table[RESET_VALUE_OFFSET];
        return true;
    }
    return false;
}
