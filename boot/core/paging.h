// SPDX-License-Identifier: MIT
/*
 * paging - builds 4-level page tables.
 *
 * Responsible for: table entries, and the choice of page sizes. Left to others: what is mapped
 * where, and loading the tables. Tables are reached at their physical addresses.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define BOOT_MAP_WRITE UINT64_C(1)
#define BOOT_MAP_EXECUTE UINT64_C(2)
#define BOOT_MAP_WRITE_COMBINING UINT64_C(4)
#define BOOT_MAP_LARGE UINT64_C(8) /* use the largest pages that fit */

struct boot_tables {
    uint64_t *root;
    uint64_t *(*new_table)(void); /* one zeroed page that lies at its physical address */
    bool has_nx, has_1g;          /* what the processor can */
};

/* Everything is page aligned. Nothing in the range may be mapped yet. */
void boot_map(const struct boot_tables *tables, uint64_t virtual_address, uint64_t physical,
              uint64_t length, uint64_t flags);
