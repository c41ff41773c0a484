// SPDX-License-Identifier: MIT
/*
 * captable.h - the capability table of one process: handles to slots.
 *
 * Two levels: a root array of pages of 64 slots, which becomes one of twice the size when it is full. The larger one is
 * made when the table begins to use the second half of its root, and filled by and by, so that no capability is
 * the one that waits for all of it. Slots and root are charged
 * to the process, the root when the first page of slots is made. Lookup takes no lock: a masked index, a
 * load, one compare of the key.
 *
 * K1  root entries without a page point to one shared page of empty slots, so lookup needs no test
 * K2  root_mask is published after the root it belongs to; old roots, which other cores may still be
 *     reading, are kept until the table is destroyed (together they are smaller than the present one)
 * K3  free slots are linked from `free`; used + free = 64 * pages - 1 (slot 0 is never used)
 * K4  the first `next_filled` entries of `next_root` are as they will be: those of the root, then empty ones. All of
 *     them are when the root is full, since each page of its second half fills more than four
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "abi/types.h"
#include "assert.h"
#include "cap/capability.h"
#include "mm/quota.h"
#include "base/spinlock.h"
#include "object/result.h"

#define CAPTABLE_PAGE_SLOTS 64
#define CAPTABLE_DOUBLINGS 9 /* from 512 pages of slots to 2^24 slots */

struct captable {
    struct capability **root;
    uint32_t root_mask; /* entries - 1 */
    struct capability **old_roots[CAPTABLE_DOUBLINGS];

    struct spinlock lock; /* rank LOCK_CAPTABLE, guards all below */
    uint32_t page_count;
    uint32_t next_filled;
    struct capability **next_root; /* of twice the size; NULL: the first half is enough so far */
    uint32_t used;
    struct capability *free; /* NULL: no free slot */
};

/* Of a zeroed table; takes no memory before the first capability. */
void captable_init(struct captable *table);
/* Frees some of the pages, which must hold no used slot, or a root; true: nothing is left. Else to be called again. */
bool captable_destroy(struct captable *table, struct quota *quota);

/* What it takes of its process's quota. */
uint64_t captable_bytes(const struct captable *table);

/* A free slot, its key the handle that it will have, its type NONE; NULL: there is none just now. */
static inline struct capability *captable_take(struct captable *table)
{
    struct capability *slot;

    spin_lock(&table->lock);
    slot = table->free;
    if (__builtin_expect(slot != NULL, 1)) {
        table->free = slot->next_free;
        table->used++;
    }
    spin_unlock(&table->lock);
    return slot;
}

/* The same; grows the table. MNOS_ERR_QUOTA, MNOS_ERR_MEMORY. */
mnos_status_t captable_alloc(struct captable *table, struct capability **slot);

/* Takes back a slot that is in no tree; its type is NONE, its object NULL, and its old key dead. */
static inline void captable_free(struct captable *table, struct capability *slot)
{
    assert(slot->type == MNOS_TYPE_NONE && slot->object == NULL);
    spin_lock(&table->lock);
    slot->next_free = table->free;
    table->free = slot;
    table->used--;
    spin_unlock(&table->lock);
}

/* The slot with this index, or that a handle may name; an empty one when there is none. */
static inline struct capability *captable_slot(const struct captable *table, uint64_t index)
{
    uint32_t mask = __atomic_load_n(&table->root_mask, __ATOMIC_ACQUIRE);
    struct capability **root = __atomic_load_n(&table->root, __ATOMIC_ACQUIRE);

    /* Masked, not compared: a mispredicted branch cannot read outside the table. An index beyond the
     * root lands on some slot, whose key then differs. */
    return &root[(index / CAPTABLE_PAGE_SLOTS) & mask][index % CAPTABLE_PAGE_SLOTS];
}
/* A capability that no handle names. */
extern struct capability cap_nothing;
/* Indices are below this. */
static inline uint32_t captable_end(const struct captable *table)
{
    return __atomic_load_n(&table->page_count, __ATOMIC_RELAXED) * CAPTABLE_PAGE_SLOTS;
}

/*
 * Looks `handle` up. Errors: MNOS_ERR_HANDLE, MNOS_ERR_TYPE (with the type that it has), MNOS_ERR_RIGHTS (with the
 * missing rights). MNOS_TYPE_NONE accepts any type.
 */
result_t cap_lookup(const struct captable *table, mnos_cap_t handle, enum mnos_cap_type type,
                    mnos_rights_t rights, struct cap_view *view);
