// SPDX-License-Identifier: MIT
/* derive.c - see derive.h. */
#include "cap/derive.h"

#include <stdatomic.h>
#include <stddef.h>

#include "arch/arch.h"
#include "assert.h"
#include "cap/badge.h"
#include "cap/captable.h"
#include "object/endpoint.h"
#include "object/process.h"
#include "sched/sched.h"

/* Steps between two looks for something more urgent: capabilities, and things that hang on one, which may be
 * 128 pages each. */
#define PREEMPT_STEPS 28
#define DRAIN_STEPS 4

/* ---- making ---- */

static bool under_revocation_locked(const struct capability *cap)
{
    for (; cap != NULL; cap = cap_at(cap->parent)) /* at most CAP_DEPTH_MAX steps */
        if ((cap->flags & CAP_REVOKING) != 0)
            return true;
    return false;
}

mnos_status_t cap_derivable_locked(const struct cap_view *view, unsigned depth_max)
{
    const struct kobject *object = view->object;
    const struct capability *parent = view->slot;

    if (!cap_alive(view))
        return MNOS_ERR_HANDLE;
    if (object->dying || parent->depth >= depth_max ||
        (object->revoking != 0 && under_revocation_locked(parent)))
        return MNOS_ERR_STATE;
    return MNOS_OK;
}

/* Makes a child of what `view` names (if nothing, the root of the tree) in `slot`, or if that is NULL in a
 * slot of `process`, unless that is no longer possible. */
static mnos_status_t make(struct process *process, struct capability *slot,
                          const struct cap_view *view, unsigned flags, unsigned depth_max,
                          mnos_cap_t *handle)
{
    struct kobject *object = view->object;
    mnos_status_t status = MNOS_OK;

    spin_lock(&object->derive);
    if (view->slot != NULL)
        status = cap_derivable_locked(view, depth_max);
    if (status == MNOS_OK && slot == NULL)
        status = captable_alloc(&process->captable, &slot);
    if (status == MNOS_OK) {
        *handle = slot->key;
        cap_insert_locked(object, view->slot, slot, view, flags);
    }
    spin_unlock(&object->derive);
    return status;
}

mnos_status_t cap_create_root(struct process *process, struct kobject *object, mnos_rights_t rights,
                              uint64_t first, uint64_t count, mnos_cap_t *handle)
{
    const struct cap_view view = {
        .object = object, .rights = rights, .first = first, .count = count};

    return make(process, NULL, &view, 0, 0, handle);
}

mnos_cap_t cap_create_root_in(struct capability *slot, struct kobject *object)
{
    const struct cap_view view = {.object = object, .rights = MNOS_RIGHTS_ALL};
    mnos_cap_t handle;

    (void)make(NULL, slot, &view, 0, 0, &handle); /* a root is always derivable */
    return handle;
}

mnos_status_t cap_derive(struct process *process, const struct cap_view *view, unsigned flags,
                         mnos_cap_t *handle)
{
    return make(process, NULL, view, flags, CAP_DEPTH_MAX, handle);
}

mnos_status_t cap_give(struct process *process, const struct cap_view *view, mnos_cap_t *handle)
{
    return make(process, NULL, view, 0, CAP_DEPTH_GIVEN_MAX, handle);
}

mnos_status_t cap_derive_kernel(struct capability *slot, const struct cap_view *view)
{
    mnos_cap_t handle;

    assert(slot->object == NULL);
    slot->key += GENERATION_ONE;
    return make(NULL, slot, view, CAP_KERNEL, CAP_DEPTH_MAX, &handle);
}

/* ---- removing ---- */

/* Undoes what hangs on `cap`, some of it; true when nothing is left. `key` and `alive` tell which life of
 * the slot is meant: another core may have finished with it, and the slot be in use again. */
static bool drain(struct kobject *object, struct capability *cap, uint64_t key, bool alive,
                  struct tlb_batch *batch)
{
    const struct object_type *type = object_type(object);
    bool more = type->drain_locked != NULL;

    for (unsigned steps = 0; more && steps < DRAIN_STEPS; steps++) {
        void *rest = NULL;

        spin_lock(&object->derive);
        more = cap->object == object && cap->key == key && (cap->type != MNOS_TYPE_NONE) == alive &&
               type->drain_locked(object, cap, batch, &rest);
        spin_unlock(&object->derive);
        if (rest != NULL)
            type->after_drain(rest);
    }
    return !more;
}

/* Takes a leaf out of the tree about which something has to be told. */
[[gnu::cold, gnu::noinline]] static void take_out_flagged_locked(struct kobject *object,
                                                                 struct capability *cap)
{
    if ((cap->flags & CAP_CURSOR) != 0)
        badge_cursor_move_locked(object, cap_next_in_order(cap, false));
    cap_unlink_locked(object, cap_at(cap->parent), cap);
    if ((cap->flags & CAP_REVOKING) != 0)
        object->revoking--;
    if ((cap->flags & CAP_MINTED) != 0 && !object->dying && object->caps != 0)
        endpoint_badge_gone(endpoint_of(object), cap);
    cap_slot_free(cap);
}

/* Takes a dead `cap`, on which nothing hangs and which has no children, out of the tree, and with its
 * last child a ghost above it. Returns the nearest ancestor that is left. */
static inline struct capability *take_out_locked(struct kobject *object, struct capability *cap)
{
    struct capability *parent;

    for (;; cap = parent) {
        parent = cap_at(cap->parent);
        if (__builtin_expect(cap->flags != 0, 0)) {
            take_out_flagged_locked(object, cap);
        } else {
            cap_unlink_locked(object, parent, cap);
            cap_slot_free(cap);
        }
        if (parent == NULL || __builtin_expect((parent->flags & CAP_GHOST) == 0, 1) ||
            parent->child != 0)
            return parent;
    }
}

static void unlock(struct kobject *object)
{
    bool garbage = object->caps == 0 && kobject_is_garbage_locked(object);

    spin_unlock(&object->derive);
    if (garbage)
        kobject_unreferenced(object);
}

void cap_take_out_last(struct kobject *object, struct capability *cap)
{
    (void)take_out_locked(object, cap);
    unlock(object);
}

/* The end of a dead, drained `cap`, if it has not come yet: `key` is its dead key. Only the children of one
 * that was minted stay, and it with them. */
static void bury(struct kobject *object, struct capability *cap, uint64_t key)
{
    spin_lock(&object->derive);
    if (cap->object == object && cap->type == MNOS_TYPE_NONE && cap->key == key) {
        if (cap->child == 0)
            (void)take_out_locked(object, cap);
        else
            cap->flags |= CAP_GHOST;
    }
    unlock(object);
}

/* Removes up to PREEMPT_STEPS leaves below `top` (of the whole tree for NULL); true: none is left. A leaf on
 * which something hangs is killed, and the first one met is left to the caller, as *stuck. */
static bool sweep_locked(struct kobject *object, struct capability *top, struct capability **stuck)
{
    struct capability *at = top;

    if (top != NULL)
        top->flags &=
            (uint8_t)~CAP_GHOST; /* it does not go with its last child: its owner buries it */
    for (unsigned steps = 0; steps < PREEMPT_STEPS; steps++) {
        for (cap_ref_t ref; (ref = *cap_children_of(object, at)) != 0;)
            at = cap_at(ref);
        if (at == top)
            return true;
        if (__builtin_expect(at->type == MNOS_TYPE_NONE, 0) ? at->waiters != NULL
                                                            : !cap_kill_free_locked(object, at)) {
            if (at->type != MNOS_TYPE_NONE)
                cap_kill_locked(at);
            if (steps == 0) /* else it has its turn after a look */
                *stuck = at;
            return false;
        }
        at = take_out_locked(object, at);
    }
    return *cap_children_of(object, top) == 0;
}

/* Removes some of what is below `top`, as long as that has this key; true: nothing is left. */
static bool remove_some(struct kobject *object, struct capability *top, uint64_t key,
                        struct tlb_batch *batch)
{
    struct capability *stuck = NULL;
    uint64_t dead_key = 0;
    bool done;

    spin_lock(&object->derive);
    done = (top != NULL && (top->key != key || top->object != object)) ||
           sweep_locked(object, top, &stuck);
    if (stuck != NULL)
        dead_key = stuck->key;
    spin_unlock(&object->derive);
    if (stuck != NULL)
        (void)drain(object, stuck, dead_key, false, batch);
    return done;
}

static enum cap_progress remove_below(struct kobject *object, struct capability *top, uint64_t key,
                                      struct tlb_batch *batch)
{
    while (!remove_some(object, top, key, batch))
        if (tlb_batch_preempt_point(batch))
            return CAP_AGAIN;
    return CAP_DONE;
}

enum cap_progress cap_revoke(const struct cap_view *cap, struct tlb_batch *batch)
{
    struct kobject *object = cap->object;
    struct capability *slot = cap->slot;
    uint64_t key = cap->key;
    enum cap_progress progress;

    spin_lock(&object->derive);
    if (slot->key == key && (slot->flags & CAP_REVOKING) == 0) {
        slot->flags |= CAP_REVOKING;
        object->revoking++;
    }
    spin_unlock(&object->derive);

    progress = remove_below(object, slot, key, batch);
    if (progress == CAP_AGAIN)
        return progress;

    spin_lock(&object->derive);
    if (slot->key == key && (slot->flags & CAP_REVOKING) != 0 && slot->child == 0) {
        slot->flags &= (uint8_t)~CAP_REVOKING;
        object->revoking--;
    }
    spin_unlock(&object->derive);
    return CAP_DONE;
}

enum cap_progress cap_destroy_all(struct kobject *object, struct tlb_batch *batch)
{
    spin_lock(&object->derive);
    object->dying = true;
    spin_unlock(&object->derive);
    return remove_below(object, NULL, 0, batch);
}

/* ---- one of them ---- */

/* Gives up to PREEMPT_STEPS children to the parent; true when none is left. Each goes in front of `slot`, so
 * that all of them, and what is below them, keep their order: a search that has passed some meets the rest. */
static bool hand_up_children_locked(struct kobject *object, struct capability *slot)
{
    struct capability *parent = cap_at(slot->parent);

    for (unsigned steps = 0; slot->child != 0 && steps < PREEMPT_STEPS; steps++) {
        struct capability *child = cap_at(slot->child);

        cap_unlink_locked(object, slot, child);
        cap_link_before_locked(object, parent, slot, child);
        if ((slot->flags & CAP_CURSOR) != 0)
            badge_cursor_move_locked(object, child);
    }
    return slot->child == 0;
}

/* Kills `cap`, with what was derived from it out of the way; sets its dead key. False: to be called again.
 * What carries a badge that was minted with it stays below it. */
static bool kill_parent(const struct cap_view *cap, uint64_t *dead_key)
{
    struct kobject *object = cap->object;
    struct capability *slot = cap->slot;
    bool killed = true;

    spin_lock(&object->derive);
    if (slot->key == cap->key) { /* else it was revoked meanwhile: gone is gone */
        killed = (slot->flags & CAP_MINTED) != 0 || hand_up_children_locked(object, slot);
        if (killed)
            cap_kill_locked(slot);
        *dead_key = slot->key;
    }
    spin_unlock(&object->derive);
    return killed;
}

enum cap_progress cap_delete(const struct cap_view *cap, struct tlb_batch *batch)
{
    uint64_t dead_key = 0;

    /* A revocation that was not finished, because who did it has died, is finished first. */
    if ((cap->slot->flags & CAP_REVOKING) != 0 &&
        remove_below(cap->object, cap->slot, cap->key, batch) == CAP_AGAIN)
        return CAP_AGAIN;
    /* Most of the draining while the handle still names it, so that the call can be restarted. */
    while (!drain(cap->object, cap->slot, cap->key, true, batch))
        if (tlb_batch_preempt_point(batch))
            return CAP_AGAIN;
    while (!kill_parent(cap, &dead_key))
        if (tlb_batch_preempt_point(batch))
            return CAP_AGAIN;
    while (!drain(cap->object, cap->slot, dead_key, false, batch))
        arch_relax(); /* what came in between: at most what was in flight */
    bury(cap->object, cap->slot, dead_key);
    return CAP_DONE;
}

void cap_undo(const struct cap_view *cap)
{
    struct kobject *object = cap->object;
    struct capability *slot = cap->slot;
    struct tlb_batch batch = {0};
    uint64_t dead_key;
    bool alive;

    spin_lock(&object->derive);
    alive = slot->key == cap->key;
    if (alive)
        cap_kill_locked(slot);
    dead_key = slot->key;
    spin_unlock(&object->derive);
    if (!alive)
        return;
    /* A thread that guessed the handle may have derived from it, or mapped through it, just now. */
    while (!remove_some(object, slot, dead_key, &batch) ||
           !drain(object, slot, dead_key, false, &batch))
        arch_relax();
    bury(object, slot, dead_key);
    tlb_batch_defer(&batch);
}

enum cap_progress cap_slot_clear(struct capability *slot, struct tlb_batch *batch)
{
    struct kobject *object;

    while ((object = __atomic_load_n(&slot->object, __ATOMIC_ACQUIRE)) != NULL) {
        struct cap_view view = {.slot = slot, .key = slot->key, .object = object};
        enum cap_progress progress = CAP_DONE;

        if (cap_delete_leaf(&cap_owner(slot)->captable, view.key))
            continue;
        if ((slot->flags & CAP_MINTED) != 0 && object->payer == cap_owner(slot))
            progress = cap_destroy_all(object, batch); /* nobody needs to be told */
        else if ((slot->flags & CAP_MINTED) != 0)
            progress = remove_below(object, slot, view.key, batch);
        if (progress == CAP_DONE && slot->type != MNOS_TYPE_NONE)
            progress = cap_delete(&view, batch);
        if (progress == CAP_AGAIN)
            return progress;
        while (!drain(object, slot, view.key, false, batch))
            if (tlb_batch_preempt_point(batch))
                return CAP_AGAIN;
        bury(object, slot, view.key);
    }
    return CAP_DONE;
}

void cap_delete_kernel(struct capability *slot)
{
    struct kobject *object;
    struct cap_view view;

    /* Nothing waits or maps through it, and it has no children. When another core has killed it and not
     * taken it out yet, that is done here. */
    while ((object = __atomic_load_n(&slot->object, __ATOMIC_ACQUIRE)) != NULL) {
        if (cap_read(slot, &view))
            cap_undo(&view);
        else
            bury(object, slot, slot->key);
    }
}

void cap_removal_finish(struct tlb_batch *batch)
{
    tlb_batch_finish_all(batch);
    if (!sched_single_core())
        sched_quiesce();
}
