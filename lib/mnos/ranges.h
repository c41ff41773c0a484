// SPDX-License-Identifier: MIT
/*
 * ranges.h - hands out ranges of page numbers, first fit, from a bounded table of free ranges.
 *
 * Pure bookkeeping without locks or memory of its own: memory.c uses it for addresses.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define RANGES_MAX 128

struct range {
    uint64_t first;
    uint64_t count;
};

/* R1  free[0..free_count) is sorted and no two ranges touch or overlap. */
struct ranges {
    struct range free[RANGES_MAX];
    uint32_t free_count;
};

void ranges_init(struct ranges *ranges, uint64_t first, uint64_t count);

/* False when no free range is large enough. */
bool ranges_take(struct ranges *ranges, uint64_t count, uint64_t *first);

/* What was taken, whole or in part. When the table is full the range stays unused for ever, which
 * costs addresses only. */
void ranges_give(struct ranges *ranges, uint64_t first, uint64_t count);
