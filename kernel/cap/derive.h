// SPDX-License-Identifier: MIT
/*
 * derive.h - the derivation tree: making, deleting and revoking capabilities.
 *
 * Removing a capability goes in steps, each complete in itself, so that it can be interrupted and
 * continued by anyone, and so that two cores can do it at once:
 *
 *   kill    under object->derive: the key changes, the type becomes NONE; no handle names it any more
 *   drain   what hangs on it goes, piece by piece: waiting threads wake with MNOS_ERR_REVOKED,
 *           mappings are undone, the interrupt line is unbound
 *   take out  under object->derive: out of the tree; who does so frees the slot
 *
 * The caller finishes with cap_removal_finish(), which flushes TLBs and waits until no core is still
 * using what it looked up before.
 */
#pragma once

#include <stdbool.h>

#include "cap/capability.h"
#include "object/process.h"
#include "object/types.h"
#include "vm/aspace.h"

enum cap_progress {
    CAP_DONE,
    CAP_AGAIN, /* interrupted: put progress away and call again */
};

/* The first capability to a new object, in `process`'s table; all rights in `rights`. */
mnos_status_t cap_create_root(struct process *process, struct kobject *object, mnos_rights_t rights,
                              uint64_t first, uint64_t count, mnos_cap_t *handle);
/* The same in `slot`, which captable_alloc() gave, or captable_free() gets back: for objects that take long to be
 * undone when there is no room for their capability. */
mnos_cap_t cap_create_root_in(struct capability *slot, struct kobject *object);
/* A child of what `view` names, in `process`'s table, with the rights and the badge or range that are
 * in the view; `flags` is 0 or CAP_MINTED. Errors: MNOS_ERR_HANDLE (gone meanwhile), MNOS_ERR_STATE (under
 * revocation, or derived too deep), MNOS_ERR_QUOTA, MNOS_ERR_MEMORY. */
mnos_status_t cap_derive(struct process *process, const struct cap_view *view, unsigned flags,
                         mnos_cap_t *handle);
/* The same for what one process gives another: at most CAP_DEPTH_GIVEN_MAX deep. */
mnos_status_t cap_give(struct process *process, const struct cap_view *view, mnos_cap_t *handle);
/* The same as cap_derive() for one that the kernel itself holds, in `slot`, which must be zero or was emptied. */
mnos_status_t cap_derive_kernel(struct capability *slot, const struct cap_view *view);

/* Whether something at most `depth_max` deep can be derived from `view` now: MNOS_ERR_HANDLE, MNOS_ERR_STATE. Under the
 * derivation lock. */
mnos_status_t cap_derivable_locked(const struct cap_view *view, unsigned depth_max);

/* Deletes one capability; its children become children of its parent. One that was minted, and has children,
 * stays in its slot as a ghost, dead, until the last capability with the badge has gone. */
enum cap_progress cap_delete(const struct cap_view *cap, struct tlb_batch *batch);
/* Removes everything derived from it. */
enum cap_progress cap_revoke(const struct cap_view *cap, struct tlb_batch *batch);
/* Empties a slot of a table that is being destroyed, whatever it is in the middle of. With it go the
 * badges that were minted with it, and all that carries them. */
enum cap_progress cap_slot_clear(struct capability *slot, struct tlb_batch *batch);
/* Removes every capability to `object`, for good. */
enum cap_progress cap_destroy_all(struct kobject *object, struct tlb_batch *batch);
/* Empties a kernel-held slot. No preemption point. */
void cap_delete_kernel(struct capability *slot);
/* Takes back a capability that was derived a moment ago and that nobody has been told of. No preemption
 * point. */
void cap_undo(const struct cap_view *cap);
/* After any of the above, also when interrupted. Hold no lock. */
void cap_removal_finish(struct tlb_batch *batch);

/* Gives back the slot of a capability that is dead and in no tree. */
static inline void cap_slot_free(struct capability *cap)
{
    paddr_t owner = (paddr_t)cap->owner << 6;
    bool in_table = (cap->flags & CAP_KERNEL) == 0;

    __atomic_store_n(&cap->object, NULL, __ATOMIC_RELEASE);
    if (in_table)
        captable_free(&((struct process *)phys_to_virt(owner))->captable, cap);
}

/* ---- inline, for the system calls whose cost counts; object->derive is held in what ends in _locked ---- */

static inline cap_ref_t *cap_children_of(struct kobject *object, struct capability *parent)
{
    return parent == NULL ? &object->caps : &parent->child;
}

static inline void cap_link_locked(struct kobject *object, struct capability *parent,
                                   struct capability *cap)
{
    cap_ref_t *head = cap_children_of(object, parent);

    cap->parent = cap_ref(parent);
    cap->prev = 0;
    cap->next = *head;
    if (cap->next != 0)
        cap_at(cap->next)->prev = cap_ref(cap);
    *head = cap_ref(cap);
}

/* Puts `cap` among its siblings in front of `next`, a child of `parent`. */
static inline void cap_link_before_locked(struct kobject *object, struct capability *parent,
                                          struct capability *next, struct capability *cap)
{
    cap->parent = cap_ref(parent);
    cap->prev = next->prev;
    cap->next = cap_ref(next);
    next->prev = cap_ref(cap);
    if (cap->prev != 0)
        cap_at(cap->prev)->next = cap_ref(cap);
    else
        *cap_children_of(object, parent) = cap_ref(cap);
}

/* The one after `cap` when a tree is gone through with each parent before its children; `below` says whether
 * that may be a child of it. NULL: it was the last. At most CAP_DEPTH_MAX steps. */
static inline struct capability *cap_next_in_order(const struct capability *cap, bool below)
{
    if (below && cap->child != 0)
        return cap_at(cap->child);
    while (cap != NULL && cap->next == 0)
        cap = cap_at(cap->parent);
    return cap == NULL ? NULL : cap_at(cap->next);
}

/* Fills the free `slot` with what `view` says and makes it visible: the type last (C2). */
static inline void cap_insert_locked(struct kobject *object, struct capability *parent,
                                     struct capability *slot, const struct cap_view *view,
                                     unsigned flags)
{
    slot->rights = (uint8_t)view->rights;
    slot->depth = parent == NULL ? 0 : (uint8_t)(parent->depth + 1);
    slot->flags = (uint8_t)flags;
    slot->object = object;
    slot->first = view->first;
    slot->count = view->count;
    slot->child = 0;
    slot->waiters = NULL;
    cap_link_locked(object, parent, slot);
    __atomic_store_n(&slot->type, object->type, __ATOMIC_RELEASE);
}

/* The object that what `handle` names in `slot` is to at this moment; NULL: none. Its derivation lock may be
 * taken; cap_is_locked() then tells whether it still names that. */
static inline struct kobject *cap_object_now(const struct capability *slot, mnos_cap_t handle)
{
    if (__atomic_load_n(&slot->key, __ATOMIC_ACQUIRE) != handle)
        return NULL;
    return __atomic_load_n(&slot->object, __ATOMIC_RELAXED);
}

static inline bool cap_is_locked(const struct capability *slot, mnos_cap_t handle)
{
    return slot->key == handle && slot->type != MNOS_TYPE_NONE;
}

/* What cap_derive_fast() is to make: a copy, or with a badge, a mint. */
struct cap_wish {
    const struct kobject *not_to; /* capabilities to this are not for it */
    uint8_t depth_max;            /* of the new one */
    mnos_rights_t needs;          /* of what is derived from */
    uint64_t rights;              /* of the new one, unless it gets `all_rights` */
    bool all_rights;
    mnos_badge_t badge;
    uint64_t event_mask;
};

/* Derives from what `from` names in `table` to a slot of `to`, when there is nothing unusual about it. False:
 * nothing was done, and the long way will tell why. */
[[gnu::always_inline]] static inline bool cap_derive_fast(const struct captable *table,
                                                          mnos_cap_t from,
                                                          const struct cap_wish *wish,
                                                          struct captable *to, mnos_cap_t *handle)
{
    struct capability *parent = captable_slot(table, from);
    struct kobject *object = cap_object_now(parent, from);
    struct capability *slot = NULL;
    uint64_t rights;

    if (object == NULL || object == wish->not_to)
        return false;
    spin_lock(&object->derive);
    rights = wish->all_rights ? parent->rights : wish->rights;
    if (cap_is_locked(parent, from) && ((rights | wish->needs) & ~(uint64_t)parent->rights) == 0 &&
        !object->dying && object->revoking == 0 && parent->depth < wish->depth_max &&
        (wish->badge == 0 || (object->type == MNOS_TYPE_ENDPOINT && parent->badge == 0)))
        slot = captable_take(to);
    if (slot != NULL) {
        const struct cap_view view = {.rights = (mnos_rights_t)rights,
                                      .first = wish->badge == 0 ? parent->first : wish->badge,
                                      .count = wish->badge == 0 ? parent->count : wish->event_mask};

        *handle = slot->key;
        cap_insert_locked(object, parent, slot, &view, wish->badge == 0 ? 0 : CAP_MINTED);
    }
    spin_unlock(&object->derive);
    return slot != NULL;
}

static inline void cap_unlink_locked(struct kobject *object, struct capability *parent,
                                     const struct capability *cap)
{
    if (cap->prev != 0)
        cap_at(cap->prev)->next = cap->next;
    else
        *cap_children_of(object, parent) = cap->next;
    if (cap->next != 0)
        cap_at(cap->next)->prev = cap->prev;
}

static inline void cap_kill_locked(struct capability *cap)
{
    /* In this order: who finds the new key finds no type. */
    __atomic_store_n(&cap->type, MNOS_TYPE_NONE, __ATOMIC_RELEASE);
    __atomic_store_n(&cap->key, cap->key + GENERATION_ONE, __ATOMIC_RELEASE);
}

/* Kills `cap`, which is alive, unless something hangs on it; true: it did so. Under the lock of who would
 * hang something there, so that afterwards nobody does. */
static inline bool cap_kill_free_locked(struct kobject *object, struct capability *cap)
{
    struct spinlock *guard = object_guard(object);
    bool is_free;

    if (guard != NULL)
        spin_lock(guard);
    is_free = cap->waiters == NULL; /* or mappings, or binding */
    if (__builtin_expect(is_free, 1))
        cap_kill_locked(cap);
    if (guard != NULL)
        spin_unlock(guard);
    return is_free;
}

/* cap_take_out() of one that may be the last of something. */
[[gnu::cold]] void cap_take_out_last(struct kobject *object, struct capability *cap);

/* Takes a dead `cap`, on which nothing hangs and which has no children, out of the tree; and unlocks. */
static inline void cap_take_out(struct kobject *object, struct capability *cap)
{
    struct capability *parent = cap_at(cap->parent);

    if (__builtin_expect(cap->flags != 0 || parent == NULL || (parent->flags & CAP_GHOST) != 0,
                         0)) {
        cap_take_out_last(object, cap);
        return;
    }
    cap_unlink_locked(object, parent, cap);
    cap_slot_free(cap);
    spin_unlock(&object->derive);
}

/* Looks a handle up and deletes the capability, if nothing was derived from it and nothing hangs on it; false:
 * it names none of that kind. */
static inline bool cap_delete_leaf(const struct captable *table, mnos_cap_t handle)
{
    struct capability *cap = captable_slot(table, handle);
    struct kobject *object = cap_object_now(cap, handle);

    if (__builtin_expect(object == NULL, 0))
        return false;
    spin_lock(&object->derive);
    if (__builtin_expect(!cap_is_locked(cap, handle) || cap->child != 0 ||
                             !cap_kill_free_locked(object, cap),
                         0)) {
        spin_unlock(&object->derive);
        return false;
    }
    cap_take_out(object, cap);
    return true;
}
