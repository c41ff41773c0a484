// SPDX-License-Identifier: MIT
/*
 * frame.h - the allocator of 4 KiB frames: one bit a frame up to the highest usable address, scanned
 * a 64-bit word at a time, with a cache of single frames per core above it.
 *
 * Who pays for a frame is not decided here: object/quota.h. No function blocks.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "mm/addr.h"

/* Highest address limit for "anywhere". */
#define FRAME_LIMIT_NONE UINT64_MAX
#define FRAME_LIMIT_4G (1ull << 32)

/* A frame with undefined contents, or PADDR_NONE when RAM is spent. */
paddr_t frame_alloc(void);
/* The same, filled with zeros. */
paddr_t frame_alloc_zeroed(void);
void frame_free(paddr_t frame);
/* For frames that frame_alloc_zeroed() gave out: zeroes it now, when this core keeps it for the next one
 * that is to be zero. Each core keeps a few. */
void frame_free_zeroing(paddr_t frame);

/* `count` contiguous frames, the first aligned to `align` frames (a power of two), all below `limit`
 * (an address); undefined contents. PADDR_NONE when there is no such run. */
paddr_t frame_alloc_run(uint64_t count, uint64_t align, paddr_t limit);
void frame_free_run(paddr_t first, uint64_t count);

uint64_t frame_count_total(void); /* RAM the allocator manages, used or free */
uint64_t frame_count_free(void);  /* including those in the cores' caches */

/* True when any of [first, first + count) frames is RAM known to the memory map (usable, reclaimable or
 * kernel): such an address must never be given out as device memory. */
bool frame_overlaps_ram(paddr_t first, uint64_t count);

/* Builds the bitmap from boot_info, in usable RAM; panics when there is none. Until
 * frame_use_direct_map() memory is reached through the loader's page tables. */
void frame_init(void);
void frame_use_direct_map(void);
/* Makes the loader's memory usable: once no core runs on its page tables or stacks and nothing of
 * what it told is read there any more. */
void frame_reclaim_boot_memory(void);
