// SPDX-License-Identifier: MIT
/* sleep_fuzz.h - the readers of lib/format/acpi_sleep.h on bytes that nobody would write. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Makes a FADT and a DSDT of `data`, whose headers and checksums are right, and reads them. */
void sleep_fuzz(const uint8_t *data, size_t size);
