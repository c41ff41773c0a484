// SPDX-License-Identifier: MIT
/*
 * acpi_iommu.h - where the registers of the machine's IOMMUs are, which translate the addresses that devices
 * use: Intel's from the DMAR table, AMD's from the IVRS table. As acpi.h reads tables.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct acpi_iommu {
    uint64_t address; /* physical, of its registers */
    uint64_t bytes;
};

/* The next unit that the table lists from *offset on, which is 0 for the first; *offset moves on. False: there is
 * none, or it is no valid DMAR or IVRS table. */
bool acpi_iommu_next(const void *table, size_t size, size_t *offset, struct acpi_iommu *unit);
