// SPDX-License-Identifier: MIT
/* power.h - what the files of this driver share: ports by name, and the region of the ACPI tables. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/types.h"
#include "lib/driver/ports.h"
#include "lib/mnos/bootstrap.h"

/* ---- power_ports.c ---- */

/* Opens the ports of a capability by name; `first` and `count` say which they are. */
bool open_ports(struct bootstrap_name name, uint64_t *first, uint64_t *count);

struct tables {
    const uint8_t *region;
    size_t size; /* 0: they are not open */
};

/* False: the machine has none, or this driver was not given them. */
bool tables_open(struct tables *tables);
void tables_close(struct tables *tables);

/* ---- power_off.c ---- */

/* Returns only when it could not be done. */
mnos_status_t power_off(void);
