// SPDX-License-Identifier: MIT
/* acpi.h - the ACPI tables the kernel reads: where interrupts go and which clocks there are. */
#pragma once

#include "lib/format/acpi.h"
#include "mm/addr.h"

/* Reads what the RSDP leads to, 0: there is none; without a MADT the MP table. What is missing, damaged
 * or of no machine is reported and left out. */
void acpi_init(paddr_t rsdp);
extern struct acpi_tables acpi_info;
