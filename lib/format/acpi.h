// SPDX-License-Identifier: MIT
/*
 * acpi.h - reading ACPI tables out of memory that the firmware wrote. The loader and the kernel use this
 * reader, so that one set of rules decides what a machine has:
 *
 *   - A table counts when all of it exists and can be reached, its length is between a header's and
 *     1 MiB, and its checksum is right.
 *   - The XSDT is read first. When it is missing or damaged, or leads to no MADT that lists an enabled
 *     processor, the tables of the RSDT are read as well.
 *   - Of several tables of one kind the first valid one counts; of several MADTs the first that lists
 *     an enabled processor.
 *   - Within a table the first of repeated entries counts: a processor, an I/O APIC, a line.
 *   - Addresses of 0 mean "none" and are passed over.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/format/acpi_iommu.h"
#include "lib/format/madt.h"
#include "lib/format/physical.h"

enum {
    ACPI_HEADER_BYTES = 36,
    ACPI_IOMMUS_MAX = 32,
    ACPI_TABLES_MAX = 512, /* of those that one root lists; the largest servers have about 200 */
};

struct acpi_tables {
    struct madt_info madt; /* empty: there is no valid MADT */
    uint64_t hpet;         /* physical address of its registers; 0: none */
    uint16_t pm_timer;     /* I/O port; 0: none */
    bool pm_timer_32_bit;  /* else 24 */
    struct acpi_iommu iommus[ACPI_IOMMUS_MAX];
    uint32_t iommu_count;
    /* From the first byte of the lowest table to the end of the highest; both 0: no tables. */
    uint64_t tables_first, tables_end;
    uint32_t ignored; /* tables that are listed and do not count */
};

enum acpi_result {
    ACPI_READ,
    ACPI_NO_RSDP, /* there is no valid one at that address */
    ACPI_NO_ROOT, /* neither XSDT nor RSDT is valid */
};

/* Reads what the RSDP at `rsdp` leads to. The number of steps is bounded whatever the tables say. */
enum acpi_result acpi_read(const struct physical_memory *memory, uint64_t rsdp,
                           struct acpi_tables *out);

/* ---- the parts, each of which reads `size` bytes at most ---- */

/* Addresses of the two tables of tables; 0: there is none. */
struct acpi_roots {
    uint64_t xsdt, rsdt;
};

/* False: no valid RSDP there. */
bool acpi_rsdp_parse(const void *rsdp, size_t size, struct acpi_roots *roots);
/* Length field of the header at `table`, of which ACPI_HEADER_BYTES can be read; 0: out of range. */
size_t acpi_table_bytes(const void *header);
/* True when `table` has this signature, the length it says fits, and the checksum is right. */
bool acpi_table_valid(const void *table, size_t size, const char *signature);
/* Physical address of the registers, below `end`; 0: not a valid HPET table, or not in memory. */
uint64_t acpi_hpet_address(const void *table, size_t size, uint64_t end);
/* I/O port of the power management timer; 0: not a valid FADT, or it has none in I/O space. */
uint16_t acpi_pm_timer_port(const void *table, size_t size, bool *is_32_bit);
