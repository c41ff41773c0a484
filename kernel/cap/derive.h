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
#include "mm/aspace.h"
#include "object/process.h"

enum cap_progress {
    CAP_DONE,
    CAP_AGAIN, /* interrupted: put progress away and call again */
};

/* The first capability to a new object, in `process`'s table; all rights in `rights`. */
mnos_status_t cap_create_root(struct process *process, struct kobject *object, mnos_rights_t rights,
                              uint64_t first, uint64_t count, mnos_cap_t *handle);
/* A child of what `view` names, in `process`'s table, with the rights and the badge or range that are
 * in the view; `flags` is 0 or CAP_MINTED. Errors: MNOS_ERR_HANDLE (gone meanwhile), MNOS_ERR_STATE (under
 * revocation, or derived too deep), MNOS_ERR_QUOTA, MNOS_ERR_MEMORY. */
mnos_status_t cap_derive(struct process *process, const struct cap_view *view, unsigned flags,
                         mnos_cap_t *handle);
/* The same for one that the kernel itself holds, in `slot`, which must be zero or was emptied. */
mnos_status_t cap_derive_kernel(struct capability *slot, const struct cap_view *view);
/* Reads a kernel-held capability; false: it is empty. */
bool cap_read_kernel(const struct capability *slot, struct cap_view *view);

/* Deletes one capability; its children become children of its parent. One that was minted, and has children,
 * stays in its slot as a ghost, dead, until the last capability with the badge has gone. */
enum cap_progress cap_delete(const struct cap_view *cap, struct tlb_batch *batch);
/* Looks a handle up and deletes the capability, if nothing was derived from it and nothing hangs on it; false:
 * it names none of that kind. */
bool cap_delete_leaf(const struct captable *table, mnos_cap_t handle);
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

bool cap_under_revocation_locked(const struct capability *cap);

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

/* Whether something can be derived from `view` now. */
static inline mnos_status_t cap_derivable_locked(const struct cap_view *view)
{
    const struct kobject *object = view->object;
    const struct capability *parent = view->slot;

    if (__builtin_expect(!cap_alive(view), 0))
        return MNOS_ERR_HANDLE;
    if (__builtin_expect(object->dying || parent->depth >= CAP_DEPTH_MAX, 0))
        return MNOS_ERR_STATE;
    if (__builtin_expect(object->revoking != 0, 0) && cap_under_revocation_locked(parent))
        return MNOS_ERR_STATE;
    return MNOS_OK;
}

/* Fills `slot` as a child of what `view` names, unless that is no longer possible. */
static inline mnos_status_t cap_derive_into(struct capability *slot, const struct cap_view *view,
                                            unsigned flags)
{
    struct kobject *object = view->object;
    mnos_status_t status;

    spin_lock(&object->derive);
    status = cap_derivable_locked(view);
    if (__builtin_expect(status == MNOS_OK, 1))
        cap_insert_locked(object, view->slot, slot, view, flags);
    spin_unlock(&object->derive);
    return status;
}

static inline mnos_status_t cap_derive_inline(struct process *process, const struct cap_view *view,
                                              unsigned flags, mnos_cap_t *handle)
{
    struct capability *slot;
    mnos_status_t status = captable_alloc(&process->captable, &slot);

    if (status != MNOS_OK)
        return status;
    *handle = slot->key;
    status = cap_derive_into(slot, view, flags);
    if (__builtin_expect(status != MNOS_OK, 0))
        captable_free(&process->captable, slot);
    return status;
}

/* The object of the capability that `handle` names in `slot` at this moment; NULL: none. Its derivation lock may
 * be taken; who then finds the same key in the slot knows that it is alive and to this object. */
static inline struct kobject *cap_object_now(const struct capability *slot, mnos_cap_t handle)
{
    if (__atomic_load_n(&slot->key, __ATOMIC_ACQUIRE) != handle ||
        __atomic_load_n(&slot->type, __ATOMIC_ACQUIRE) == MNOS_TYPE_NONE)
        return NULL;
    return __atomic_load_n(&slot->object, __ATOMIC_RELAXED);
}

/* From what `from` names in the table of `process` to the same table, when there is nothing unusual about
 * it: a copy, or with a badge, a mint. False: nothing was done, and the long way will tell why. */
static inline bool cap_derive_fast(struct process *process, mnos_cap_t from, uint64_t rights,
                                   mnos_badge_t badge, uint64_t event_mask, mnos_cap_t *handle)
{
    struct capability *parent = captable_slot(&process->captable, from);
    struct kobject *object = cap_object_now(parent, from);
    struct capability *slot;
    bool possible;

    if (object == NULL || captable_alloc(&process->captable, &slot) != MNOS_OK)
        return false;
    spin_lock(&object->derive);
    possible = parent->key == from && (rights & ~(uint64_t)parent->rights) == 0 && !object->dying &&
               object->revoking == 0 && parent->depth < CAP_DEPTH_MAX &&
               (badge == 0 || (object->type == MNOS_TYPE_ENDPOINT && parent->badge == 0));
    if (__builtin_expect(possible, 1)) {
        const struct cap_view view = {.rights = (mnos_rights_t)rights,
                                      .first = badge == 0 ? parent->first : badge,
                                      .count = badge == 0 ? parent->count : event_mask};

        *handle = slot->key;
        cap_insert_locked(object, parent, slot, &view, badge == 0 ? 0 : CAP_MINTED);
    }
    spin_unlock(&object->derive);
    if (__builtin_expect(!possible, 0))
        captable_free(&process->captable, slot);
    return possible;
}
