// SPDX-License-Identifier: MIT
/*
 * acpi_iommu.c - see acpi_iommu.h. Layouts: Intel Virtualization Technology for Directed I/O, "DMA Remapping
 * Reporting Structure"; AMD I/O Virtualization Technology (IOMMU) Specification, "I/O Virtualization Reporting
 * Structure". Both tables have an array of structures that begin at the same offset, a type first.
 */
#include "acpi_iommu.h"

#include "acpi.h"
#include "lib/format/bytes.h"

enum {
    STRUCTURES = 48, /* offset of the first */
    UNIT_ADDRESS = 8,
    UNIT_BYTES = 16, /* of a structure that describes a unit, at least */

    DMAR_LENGTH = 2,
    DMAR_UNIT = 0,
    DMAR_SIZE = 5, /* 2 to this power pages; the upper bits are reserved */
    DMAR_SIZE_MASK = 0xF,

    IVRS_LENGTH = 2,
    IVRS_UNIT_10H = 0x10, /* three generations, which give the address at the same place */
    IVRS_UNIT_11H = 0x11,
    IVRS_UNIT_40H = 0x40,

    PAGE = 4096,
    IVRS_REGISTERS = 4 * PAGE,
};

static bool dmar_unit(const uint8_t *p, struct acpi_iommu *unit)
{
    *unit = (struct acpi_iommu){bytes_get(p + UNIT_ADDRESS, 8),
                                (uint64_t)PAGE << (p[DMAR_SIZE] & DMAR_SIZE_MASK)};
    return bytes_get(p, 2) == DMAR_UNIT;
}

static bool ivrs_unit(const uint8_t *p, struct acpi_iommu *unit)
{
    *unit = (struct acpi_iommu){bytes_get(p + UNIT_ADDRESS, 8), IVRS_REGISTERS};
    return p[0] == IVRS_UNIT_10H || p[0] == IVRS_UNIT_11H || p[0] == IVRS_UNIT_40H;
}

bool acpi_iommu_next(const void *table, size_t size, size_t *offset, struct acpi_iommu *unit)
{
    const uint8_t *p = table;
    bool is_dmar = acpi_table_valid(table, size, "DMAR");
    struct acpi_iommu found;
    size_t end, length;

    if (!is_dmar && !acpi_table_valid(table, size, "IVRS"))
        return false;
    end = acpi_table_bytes(table);
    for (size_t at = *offset == 0 ? STRUCTURES : *offset; at < end && end - at >= 4; at += length) {
        length = bytes_get(p + at + (is_dmar ? DMAR_LENGTH : IVRS_LENGTH), 2);
        if (length < 4 || length > end - at)
            return false;
        if (length < UNIT_BYTES || !(is_dmar ? dmar_unit : ivrs_unit)(p + at, &found))
            continue;
        *offset = at + length;
        *unit = found;
        return true;
    }
    return false;
}
