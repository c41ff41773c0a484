// SPDX-License-Identifier: MIT
/*
 * memory.h - a Memory object: a fixed number of pages of RAM, device memory, or I/O ports.
 *
 * RAM from sys_mem_alloc is charged to the process that asked and freed with the object; RAM that the
 * kernel exports (log, statistics, initial RAM disk) and device memory are never freed. A capability
 * names a range of the object.
 *
 * M1  the extents cover page_count pages, in order, without gaps
 * M2  frames of an object that owns them belong to no other object
 */
#pragma once

#include <stdbool.h>

#include "abi/memory.h"
#include "assert.h"
#include "cap/capability.h"
#include "mm/aspace.h"
#include "object/kobject.h"

struct extent {
    uint64_t first_page; /* within the object */
    paddr_t frame;
};

struct memory {
    struct kobject obj;
    uint8_t flavour;     /* enum mnos_memory_flavour; constant */
    bool owns_frames;    /* constant */
    bool watched;        /* mapping it has effects: the event trace, and all but RAM; constant */
    bool for_dma;        /* a holder may know where it is; constant */
    bool read_only;      /* cannot be mapped writable whatever the rights; constant */
    uint64_t page_count; /* ports: ports; constant */
    /* One extent when contiguous; else a table of them in frames of its own. Constant once made. */
    struct extent single;
    struct extent *extents; /* &single, or the table */
    uint32_t extent_count;
    uint32_t table_frames;

    struct spinlock mappings_lock; /* rank LOCK_MAPPINGS; guards the list `mappings` of every
                                      capability to this object */
};

/* Allocates frames for an object charged to `process`, contents undefined; no capability yet. */
mnos_status_t memory_create(struct process *process, uint64_t page_count, unsigned alloc_flags,
                            struct memory **memory);
/* An object over memory that exists: device, ports, or what the kernel exports. */
mnos_status_t memory_create_fixed(enum mnos_memory_flavour flavour, paddr_t frame,
                                  uint64_t page_count, bool read_only, struct memory **memory);
/* Zeroes pages from *progress on; true when all are zero. */
bool memory_zero(struct memory *memory, uint64_t *progress);
/* Frees object and frames. No capability, no mapping, no TLB entry refers to it. */
void memory_free(struct memory *memory);

/* The page is inside the object. */
paddr_t memory_frame_of_table(const struct memory *memory, uint64_t page, uint64_t *run);
/* Frame of page `page`, and how many pages from it on are contiguous: none, beyond the object. */
static inline paddr_t memory_frame(const struct memory *memory, uint64_t page, uint64_t *run)
{
    if (page >= memory->page_count) {
        *run = 0;
        return PADDR_NONE;
    }
    if (memory->extents != &memory->single)
        return memory_frame_of_table(memory, page, run);
    *run = memory->page_count - page;
    return memory->single.frame + page * PAGE_BYTES;
}

/* Undoes one mapping (ports: opening) made through `cap`, or a part of it; false: none is left. The
 * derivation lock is held. */
bool memory_unmap_one(struct memory *memory, struct capability *cap, struct tlb_batch *batch);

void memory_caches_create(void);
