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
    struct process *owner = cap_owner(cap);
    bool in_table = (cap->flags & CAP_KERNEL) == 0;

    __atomic_store_n(&cap->object, NULL, __ATOMIC_RELEASE);
    if (in_table)
        captable_free(&owner->captable, cap);
}

/* Asserts C3-C6 for all capabilities to `object`. */
void cap_tree_check(struct kobject *object);
