// SPDX-License-Identifier: MIT
/*
 * mcfg.h - the ACPI table that says where configuration space lies in memory (ECAM): "PCI Firmware
 * Specification" 3.3, section 4.1.2. A bus takes 1 MiB there, a device 32 KiB, a function 4 KiB.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MCFG_BUS_BYTES 0x100000ull

struct mcfg_segment {
    uint64_t address; /* of bus 0, which may not be among those below */
    uint16_t number;
    uint8_t first_bus, last_bus;
};

/* The first valid MCFG among the bytes of a region that holds ACPI tables; NULL: there is none. It
 * is looked for by signature and checksum, because the root pointer usually lies outside the
 * region. */
const uint8_t *mcfg_find(const uint8_t *region, size_t size, size_t *bytes);

/* Segment number `index` that can be used: its space exists below `end` and its buses are in
 * order. */
bool mcfg_segment(const uint8_t *table, size_t bytes, unsigned index, uint64_t end,
                  struct mcfg_segment *segment);
