// SPDX-License-Identifier: MIT
/* acpi.h - the ACPI tables the kernel reads: where interrupts go and which clocks there are. */
#pragma once

#include <stdint.h>

#include "lib/format/acpi.h"
#include "mm/addr.h"

struct acpi_info {
    struct madt_info madt; /* when there is no valid MADT: no I/O APICs, no overrides */
    paddr_t hpet;          /* registers; 0: none */
    uint16_t pm_timer;     /* I/O port; 0: none */
    bool pm_timer_32_bit;  /* else 24 */
    /* From the first byte of the lowest table to the end of the highest; both 0: no tables. */
    paddr_t tables_first, tables_end;
};

/* Reads the tables that the RSDP leads to; what is missing or damaged is reported and left out. */
void acpi_init(paddr_t rsdp);
extern struct acpi_info acpi_info;
