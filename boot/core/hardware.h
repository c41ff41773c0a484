// SPDX-License-Identifier: MIT
/*
 * hardware - devices that must be in a known state when the kernel starts, and the clock.
 *
 * Responsible for: interrupt controllers, PAT, the real-time clock.
 */
#pragma once

#include <stdint.h>

#include "lib/format/madt.h"

#define BOOT_MSR_PAT 0x277

/* Masks both 8259s, and the entries of the I/O APICs that deliver to processors. */
void boot_mask_interrupts(const struct madt_info *madt);

/* Loads the PAT that the protocol fixes, if the processor has one. */
void boot_load_pat(void);

/* Seconds since 1970 of a date in the Gregorian calendar, UTC. */
int64_t boot_unix_time(unsigned year, unsigned month, unsigned day, unsigned second_of_day);

/* The time of the PC's real-time clock; 0 if it has none. */
int64_t boot_rtc_time(void);
