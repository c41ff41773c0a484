// SPDX-License-Identifier: MIT
/*
 * fadt.h - the reset register, from the Fixed ACPI Description Table.
 *
 * ACPI specification, "Fixed ACPI Description Table (FADT)" and "Generic Address Structure (GAS)".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fadt_space { FADT_SPACE_MEMORY = 0, FADT_SPACE_PORTS = 1, FADT_SPACE_PCI = 2 };

struct fadt_reset {
    uint8_t space; /* enum fadt_space */
    uint64_t address;
    uint8_t value;
};

/* The first valid table with this signature in a region of ACPI tables; NULL: there is none. */
const uint8_t *table_find(const uint8_t *region, size_t size, const char *signature);

/* Finds a valid FADT in a region of ACPI tables. False: there is none, or it has no reset
 * register. Nothing in the region is trusted. */
bool fadt_find_reset(const uint8_t *region, size_t size, struct fadt_reset *reset);
