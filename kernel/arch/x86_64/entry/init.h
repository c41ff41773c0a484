// SPDX-License-Identifier: MIT
/* init.h - what kmain calls to bring the machine up, in this order. Boot core only. */
#pragma once

#include <stddef.h>

/* First of all: exceptions are caught. */
void arch_early_init(void);
/* Phase 4. Needs memory management and the boot information. Detects and enables processor features,
 * gives the boot core its kernel stack, decides on page-table isolation; reads the ACPI tables; sets up
 * local APIC, I/O APICs and timer. Interrupt lines stay masked. */
void arch_machine_init(void);
/* Phase 4, after sched_init(): starts the other cores and waits until they are in the scheduler. */
void arch_start_cores(void);
/* smp_entry.S: where the loader sends a parked core. */
extern const char smp_entry[];
