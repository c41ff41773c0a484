// SPDX-License-Identifier: MIT
/*
 * acpi - reads from the ACPI tables what starting processors and masking interrupts needs.
 *
 * Responsible for: RSDP, RSDT or XSDT, and MADT entries of types 0, 1 and 9. Firmware tables are
 * not trusted to be well formed. Left to others: every other table, and MMIO.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BOOT_MAX_CPUS 256
#define BOOT_MAX_IOAPICS 16

struct boot_madt {
    unsigned cpu_count, ioapic_count;
    struct {
        uint32_t uid, lapic_id;
    } cpus[BOOT_MAX_CPUS];
    uint32_t ioapics[BOOT_MAX_IOAPICS]; /* physical addresses */
};

/* True if these 20 bytes are an RSDP: signature and checksum of the first version. */
bool boot_rsdp_valid(const uint8_t *rsdp);

/* Sum of the bytes, modulo 256: 0 for a sound table. */
uint8_t boot_checksum(const uint8_t *bytes, size_t size);

/* Finds the MADT through the RSDP. Tables above `limit` are out of reach. NULL: there is none. */
const uint8_t *boot_acpi_find_madt(uint64_t rsdp, uint64_t limit);

/* Lists enabled processors and the I/O APICs of a MADT of `size` bytes. */
void boot_madt_parse(struct boot_madt *out, const uint8_t *madt, size_t size);
