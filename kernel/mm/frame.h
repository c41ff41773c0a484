// SPDX-License-Identifier: MIT
/*
 * frame.h - the allocator of 4 KiB frames: one bit a frame up to the highest usable address, scanned
 * a 64-bit word at a time, with a cache of single frames per core above it.
 *
 * Who pays for a frame is not decided here: mm/quota.h. No function blocks.
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
/* Zeroes one for later, if this core keeps fewer than `count`, at most FRAME_ZEROED; true: it did. For whoever needs
 * several in one step: zeroing is most of what that takes. */
#define FRAME_ZEROED 16u
bool frame_zero_ahead(uint32_t count);

/* What a step of a long allocation takes at most, so that it is short. */
#define FRAME_STEP 512u
/* Where to look: frame numbers. */
struct frame_range {
    uint64_t from, end;
};
/* The parts of RAM below `limit` in the order to look at them, each by its number: from where the last search ended, and
 * then all of it, above 4 GiB and below. False: there are no more. */
#define FRAME_PARTS 4u
bool frame_part(unsigned number, paddr_t limit, struct frame_range *range);
/* Takes `count` contiguous frames, at most FRAME_STEP, the first aligned to `align` frames, out of the range. Looks at a
 * bounded part of it; PADDR_NONE: none is there, and range->from is where to go on, or range->end. */
paddr_t frame_claim_run(struct frame_range *range, uint64_t count, uint64_t align);
/* Takes the first free frames of the range, as many as lie together there, and at most *count and FRAME_STEP: *count
 * tells. PADDR_NONE: none is free. */
paddr_t frame_claim_next(struct frame_range *range, uint64_t *count);

/* `count` contiguous frames, at most FRAME_STEP, the first aligned to `align` frames (a power of two), for the kernel
 * itself; undefined contents. Looks at a bounded part of RAM, each time another; PADDR_NONE when none is there. */
paddr_t frame_alloc_group(uint64_t count, uint64_t align);
/* Whether what failed on this core did so because frame_alloc_group() has not seen all of RAM: to be done again. *looks
 * counts how often it was. */
bool frame_worth_another_look(uint32_t *looks);

/* For the boot, when RAM is in large pieces: looks at all of it. `count` contiguous frames, the first aligned to
 * `align` frames (a power of two), all below `limit` (an address); undefined contents. PADDR_NONE when there is no
 * such run. */
paddr_t frame_alloc_run(uint64_t count, uint64_t align, paddr_t limit);
void frame_free_run(paddr_t first, uint64_t count);

uint64_t frame_count_total(void); /* RAM the allocator manages, used or free */
uint64_t frame_count_free(void);  /* including those in the cores' caches */

struct boot_range;
/* Usable, reclaimable or the kernel. */
bool frame_is_ram(const struct boot_range *range);
/* How many frames of RAM there are; returns the number of the one behind the last that can be given out. */
uint64_t frame_map_count(uint64_t *total);
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
