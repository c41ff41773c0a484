// SPDX-License-Identifier: MIT
/* memory_map.h - the loader's memory map, brought into the shape that bootinfo.h promises. */
#pragma once

#include <stdbool.h>

#include "lib/format/limine.h"
#include "mm/addr.h"

/* Fills boot_info.ranges; says which memory is not used, and panics when what is in use does not fit. */
void memory_map_read(const struct limine_memory_map *map);

/* True when any of [base, base + bytes) is RAM that the map lists. */
bool memory_map_overlaps(paddr_t base, uint64_t bytes);

/* Makes [base, base + bytes), grown to whole frames, memory in use, whatever the map says of it. False:
 * it is not RAM. */
bool memory_map_claim(paddr_t base, uint64_t bytes);
