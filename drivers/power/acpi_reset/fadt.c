// SPDX-License-Identifier: MIT
/*
 * fadt - see fadt.h. The table is searched by its signature and checksum instead of through the
 * root pointer, because this driver may read the region of the tables and nothing else, and the
 * root pointer usually lies elsewhere. Host tests compile this file as it is.
 */
#include "drivers/power/acpi_reset/fadt.h"

#include "lib/format/acpi.h"
#include "lib/format/bytes.h"

#define FLAGS_OFFSET 112
#define FLAG_RESET_SUPPORTED (1u << 10)
#define RESET_REGISTER_OFFSET 116
#define RESET_VALUE_OFFSET 128
#define LENGTH_WITH_RESET 129

const uint8_t *table_find(const uint8_t *region, size_t size, const char *signature)
{
    for (size_t at = 0; at + ACPI_HEADER_BYTES <= size; at++) {
        if (region[at] == (uint8_t)signature[0] &&
            acpi_table_valid(region + at, size - at, signature))
            return region + at;
    }
    return NULL;
}

bool fadt_find_reset(const uint8_t *region, size_t size, struct fadt_reset *reset)
{
    const uint8_t *table = table_find(region, size, "FACP");

    if (table == NULL || acpi_table_bytes(table) < LENGTH_WITH_RESET ||
        (bytes_get(table + FLAGS_OFFSET, 4) & FLAG_RESET_SUPPORTED) == 0)
        return false;
    reset->space = table[RESET_REGISTER_OFFSET];
    reset->address = bytes_get(table + RESET_REGISTER_OFFSET + 4, 8);
    reset->value = table[RESET_VALUE_OFFSET];
    return true;
}
