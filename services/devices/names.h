// SPDX-License-Identifier: MIT
/* names.h - what people call a device, by the table that tools/mkpcinames.py makes of Debian's
 * pci.ids. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "protocols/device.h"

#define NAMES_MAGIC 0x53454D414E494350ull /* "PCINAMES" */

struct names {
    const uint8_t *bytes; /* NULL: there is no table, and nothing has a name */
    size_t size;
};

/* False: these bytes are no such table. */
bool names_open(struct names *names, const void *bytes, size_t size);

/* Vendor and device, or vendor and class, or the class; what does not fit is left out. Empty: not
 * known. */
void names_find(const struct names *names, const struct device_ids *ids, char *out, size_t size);
