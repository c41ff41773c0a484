// SPDX-License-Identifier: MIT
/*
 * memory.h - a Memory object: a fixed number of pages of RAM, device memory, or I/O ports.
 *
 * RAM from sys_mem_alloc is charged to the process that asked and freed with the object; RAM that the
 * kernel exports (log, statistics, initial RAM disk) and device memory are never freed. A capability
 * names a range of the object.
 *
 * M1  the extents cover the first `frames` pages, in order, without gaps; once the object has been made, that is all
 * M2  frames of an object that owns them belong to no other object
 */
#pragma once

#include <stdbool.h>

#include "abi/memory.h"
#include "assert.h"
#include "cap/capability.h"
#include "lib/base/list.h"
#include "vm/aspace.h"
#include "mm/frame.h"
#include "object/kobject.h"

struct extent {
    uint64_t first_page; /* within the object */
    paddr_t frame;
};

struct memory {
    struct kobject obj;  /* payer: who pays for the frames */
    uint8_t flavour;     /* enum mnos_memory_flavour; constant */
    bool owns_frames;    /* constant */
    bool watched;        /* mapping it has effects: the event trace, and all but RAM; constant */
    uint8_t alloc_flags; /* enum mnos_alloc_flags; constant */
    bool for_dma;        /* a holder may know where it is; constant */
    bool read_only;      /* cannot be mapped writable whatever the rights; constant */
    uint64_t page_count; /* ports: ports; constant */
    /* One extent, or a table of them: a frame of addresses of frames that hold extents. Constant once made. */
    struct extent single;
    struct extent **table; /* NULL: `single` is all */
    uint32_t extent_count;
    uint32_t table_frames; /* with that of the addresses; charged as bytes */
    uint64_t frames; /* that it has: grows while they are allocated, falls while they are freed */

    struct spinlock mappings_lock; /* rank LOCK_MAPPINGS; guards the list `mappings` of every
                                      capability to this object */
};

/* How far the search for an object's frames is; all zero at the beginning. */
struct memory_search {
    uint8_t begun;            /* the range is one: else the next part of RAM is to be looked at */
    uint8_t part;             /* of RAM: frame_part() */
    uint8_t size;             /* how long the runs are that are looked for, by number */
    bool blocked;             /* contiguous: what has been taken is not enough, and given back */
    struct frame_range range; /* of frames still to be looked at */
};

/* An object charged to `process`, without frames yet and without a capability. */
mnos_status_t memory_create(struct process *process, uint64_t page_count, unsigned alloc_flags,
                            struct memory **memory);
/* Allocates some of its frames, contents undefined. True: it has all, or *status says why it cannot have them:
 * MNOS_ERR_MEMORY, MNOS_ERR_QUOTA. */
bool memory_fill(struct memory *memory, struct memory_search *search, mnos_status_t *status);
/* An object over memory that exists: device, ports, or what the kernel exports. */
mnos_status_t memory_create_fixed(enum mnos_memory_flavour flavour, paddr_t frame,
                                  uint64_t page_count, bool read_only, struct memory **memory);
/* Zeroes pages from *progress on; true when all are zero. */
bool memory_zero(struct memory *memory, uint64_t *progress);
/* Frees some of its frames, from the last on; true: it has none any more. Nothing refers to them. */
bool memory_empty(struct memory *memory);
static inline struct memory *memory_of(const struct kobject *object)
{
    assert(object->type == MNOS_TYPE_MEMORY);
    return container_of(object, struct memory, obj);
}

/* One of `extent_count`. */
struct extent *memory_extent(const struct memory *memory, uint32_t index);
/* The page is inside the object. */
paddr_t memory_frame_of_table(const struct memory *memory, uint64_t page, uint64_t *run);
/* Frame of page `page`, and how many pages from it on are contiguous: none, beyond the object. */
static inline paddr_t memory_frame(const struct memory *memory, uint64_t page, uint64_t *run)
{
    if (page >= memory->page_count) {
        *run = 0;
        return PADDR_NONE;
    }
    if (memory->table != NULL)
        return memory_frame_of_table(memory, page, run);
    *run = memory->page_count - page;
    return memory->single.frame + page * PAGE_BYTES;
}

/* Its row in types.c. What hangs on a capability are the mappings (ports: openings) made through it: draining undoes
 * one, or a part of it. Freeing goes in steps, frames first; no capability, no mapping, no TLB entry refers to it. */
bool memory_drain_locked(struct kobject *object, struct capability *cap, struct tlb_batch *batch,
                         void **rest);
bool memory_free(struct kobject *object);
void memory_describe(const struct cap_view *view, bool is_holder, struct mnos_cap_info *info);

void memory_caches_create(void);
