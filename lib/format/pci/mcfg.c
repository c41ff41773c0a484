// SPDX-License-Identifier: MIT
/* mcfg - see mcfg.h. */
#include "lib/format/pci/mcfg.h"

#include "lib/format/acpi.h"
#include "lib/format/bytes.h"

#define ENTRIES 44u /* 8 reserved bytes follow the header */
#define ENTRY_BYTES 16u

const uint8_t *mcfg_find(const uint8_t *region, size_t size, size_t *bytes)
{
    for (size_t at = 0; size >= ACPI_HEADER_BYTES && at <= size - ACPI_HEADER_BYTES; at++) {
        if (region[at] == 'M' && acpi_table_valid(region + at, size - at, "MCFG")) {
            *bytes = acpi_table_bytes(region + at);
            return region + at;
        }
    }
    return NULL;
}

static bool usable(const struct mcfg_segment *segment, uint64_t end)
{
    uint64_t bytes = (segment->last_bus + 1ull) * MCFG_BUS_BYTES;

    return segment->address != 0 && segment->address % MCFG_BUS_BYTES == 0 &&
           segment->first_bus <= segment->last_bus && segment->address < end &&
           bytes <= end - segment->address;
}

bool mcfg_segment(const uint8_t *table, size_t bytes, unsigned index, uint64_t end,
                  struct mcfg_segment *segment)
{
    for (size_t at = ENTRIES; bytes >= ENTRY_BYTES && at <= bytes - ENTRY_BYTES;
         at += ENTRY_BYTES) {
        *segment = (struct mcfg_segment){
            .address = bytes_get(table + at, 8),
            .number = (uint16_t)bytes_get(table + at + 8, 2),
            .first_bus = table[at + 10],
            .last_bus = table[at + 11],
        };
        if (usable(segment, end) && index-- == 0)
            return true;
    }
    return false;
}
