// SPDX-License-Identifier: MIT
/*
 * mptable.h - the MP table, by which machines without ACPI list their processors and interrupt
 * controllers: Intel MultiProcessor Specification 1.4, "MP Configuration Table".
 *
 * Its default configurations, which have no table, are those of boards for the 80486 and the Pentium;
 * no machine with a 64-bit processor is one, and they are not read.
 */
#pragma once

#include <stdbool.h>

#include "lib/format/madt.h"
#include "lib/format/physical.h"

/* Searches the places where a BIOS leaves its pointer. A processor has no number but its APIC's, which
 * stands for the ACPI one. False: there is no valid table; then *info is empty. */
bool mptable_read(const struct physical_memory *memory, struct madt_info *info);
