// SPDX-License-Identifier: MIT
/* derive.c - see derive.h. */
#include "cap/derive.h"

#include <stdatomic.h>
#include <stddef.h>

#include "arch/arch.h"
#include "assert.h"
#include "cap/captable.h"
#include "object/endpoint.h"
#include "object/interrupt.h"
#include "object/memory.h"
#include "object/process.h"
#include "sched/sched.h"

#define GENERATION_ONE (1ull << MNOS_HANDLE_INDEX_BITS)
/* Steps between two looks for something more urgent. */
#define PREEMPT_STEPS 32

/* ---- the tree; object->derive is held ---- */

static cap_ref_t *children_of(struct kobject *object, struct capability *parent)
{
    return parent == NULL ? &object->caps : &parent->child;
}

static void link_locked(struct kobject *object, struct capability *parent, struct capability *cap)
{
    cap_ref_t *head = children_of(object, parent);

    cap->parent = cap_ref(parent);
    cap->prev = 0;
    cap->next = *head;
    if (cap->next != 0)
        cap_at(cap->next)->prev = cap_ref(cap);
    *head = cap_ref(cap);
}

static void unlink_locked(struct kobject *object, struct capability *cap)
{
    if (cap->prev != 0)
        cap_at(cap->prev)->next = cap->next;
    else
        *children_of(object, cap_at(cap->parent)) = cap->next;
    if (cap->next != 0)
        cap_at(cap->next)->prev = cap->prev;
    cap->parent = 0;
    cap->next = 0;
    cap->prev = 0;
}

static bool under_revocation_locked(const struct kobject *object, const struct capability *cap)
{
    if (object->revoking == 0)
        return false;
    for (; cap != NULL; cap = cap_at(cap->parent)) /* at most CAP_DEPTH_MAX steps */
        if ((cap->flags & CAP_REVOKING) != 0)
            return true;
    return false;
}

/* ---- making ---- */

/* Makes the filled slot visible: the type last (C2). */
static void publish(struct capability *slot, uint8_t type)
{
    __atomic_store_n(&slot->type, type, __ATOMIC_RELEASE);
}

mnos_status_t cap_create_root(struct process *process, struct kobject *object, mnos_rights_t rights,
                              uint64_t first, uint64_t count, mnos_cap_t *handle)
{
    struct capability *slot;
    mnos_status_t status = captable_alloc(process, &slot);

    if (status != MNOS_OK)
        return status;
    spin_lock(&object->derive);
    slot->rights = (uint8_t)rights;
    slot->depth = 0;
    slot->flags = 0;
    slot->object = object;
    slot->first = first;
    slot->count = count;
    slot->child = 0;
    slot->waiters = NULL;
    link_locked(object, NULL, slot);
    *handle = slot->key;
    publish(slot, object->type);
    spin_unlock(&object->derive);
    return MNOS_OK;
}

/* Fills `slot` as a child of `parent`, unless that is no longer possible. */
static mnos_status_t derive_into(struct capability *slot, const struct cap_view *parent,
                                 const struct cap_recipe *recipe, uint8_t flags)
{
    struct kobject *object = parent->object;
    mnos_status_t status = MNOS_OK;

    spin_lock(&object->derive);
    if (!cap_alive(parent)) {
        status = MNOS_ERR_HANDLE;
    } else if (object->dying || parent->slot->depth >= CAP_DEPTH_MAX ||
               under_revocation_locked(object, parent->slot)) {
        status = MNOS_ERR_STATE;
    } else {
        slot->rights = (uint8_t)recipe->rights;
        slot->depth = (uint8_t)(parent->slot->depth + 1);
        slot->flags = flags;
        slot->object = object;
        slot->first = recipe->narrow ? recipe->first : parent->first;
        slot->count = recipe->narrow ? recipe->count : parent->count;
        if (recipe->group != NULL) {
            slot->badge = recipe->group->badge;
            slot->group = recipe->group;
        }
        if (object->type == MNOS_TYPE_ENDPOINT && slot->group != NULL)
            slot->group->cap_count++;
        slot->child = 0;
        slot->waiters = NULL;
        link_locked(object, parent->slot, slot);
        publish(slot, object->type);
    }
    spin_unlock(&object->derive);
    return status;
}

mnos_status_t cap_derive(struct process *process, const struct cap_view *parent,
                         const struct cap_recipe *recipe, mnos_cap_t *handle)
{
    struct capability *slot;
    mnos_status_t status = captable_alloc(process, &slot);
    uint64_t key;

    if (status != MNOS_OK)
        return status;
    key = slot->key;
    status = derive_into(slot, parent, recipe, 0);
    if (status != MNOS_OK) {
        slot->object = NULL;
        captable_free(process, slot);
        return status;
    }
    *handle = key;
    return MNOS_OK;
}

mnos_status_t cap_derive_kernel(struct capability *slot, const struct cap_view *parent)
{
    struct cap_recipe recipe = {.rights = parent->rights};

    assert(slot->object == NULL);
    slot->key += GENERATION_ONE;
    return derive_into(slot, parent, &recipe, CAP_KERNEL);
}

bool cap_read_kernel(const struct capability *slot, struct cap_view *view)
{
    uint64_t key = __atomic_load_n(&slot->key, __ATOMIC_ACQUIRE);
    uint8_t type = __atomic_load_n(&slot->type, __ATOMIC_ACQUIRE);

    view->slot = (struct capability *)slot;
    view->key = key;
    view->object = slot->object;
    view->rights = slot->rights;
    view->badge = slot->badge;
    view->group = slot->group;
    atomic_signal_fence(memory_order_seq_cst);
    return type != MNOS_TYPE_NONE && __atomic_load_n(&slot->key, __ATOMIC_ACQUIRE) == key;
}

/* ---- removing ---- */

static void kill_locked(struct capability *cap)
{
    if (cap->type == MNOS_TYPE_NONE)
        return;
    /* In this order: who finds the new key finds no type. */
    __atomic_store_n(&cap->type, MNOS_TYPE_NONE, __ATOMIC_RELEASE);
    __atomic_store_n(&cap->key, cap->key + GENERATION_ONE, __ATOMIC_RELEASE);
}

/* Undoes one thing that hangs on `cap`; false: there is nothing. */
static bool drain_one_locked(struct kobject *object, struct capability *cap,
                             struct tlb_batch *batch, struct interrupt_line **unbound)
{
    switch (object->type) {
    case MNOS_TYPE_ENDPOINT: return endpoint_wake_waiter((struct endpoint *)object, cap);
    case MNOS_TYPE_MEMORY: return memory_unmap_one((struct memory *)object, cap, batch);
    case MNOS_TYPE_INTERRUPT:
        *unbound = interrupt_unbind_locked(cap);
        return false; /* a capability binds one line at most */
    default: return false;
    }
}

/* Undoes what hangs on `cap`, some of it; true when nothing is left. `key` and `alive` tell which life of
 * the slot is meant: another core may have finished with it, and the slot be in use again. */
static bool drain(struct kobject *object, struct capability *cap, uint64_t key, bool alive,
                  struct tlb_batch *batch)
{
    bool more = true;

    for (unsigned steps = 0; more && steps < PREEMPT_STEPS; steps++) {
        struct interrupt_line *unbound = NULL;

        spin_lock(&object->derive);
        more = cap->object == object && cap->key == key && (cap->type != MNOS_TYPE_NONE) == alive &&
               drain_one_locked(object, cap, batch, &unbound);
        spin_unlock(&object->derive);
        if (unbound != NULL)
            interrupt_drop_listeners(unbound);
    }
    return !more;
}

/* Takes a dead, drained `cap` with no children out of the tree and frees its slot, if that has not
 * been done: `key` is its dead key. */
static void unlink_and_free(struct kobject *object, struct capability *cap, uint64_t key)
{
    struct process *owner = cap_owner(cap);
    struct badge_group *gone = NULL;
    bool unreferenced;
    bool kernel;

    spin_lock(&object->derive);
    if (cap->object != object || cap->type != MNOS_TYPE_NONE || cap->key != key ||
        cap->child != 0) {
        spin_unlock(&object->derive);
        return; /* another core was faster */
    }
    unlink_locked(object, cap);
    if ((cap->flags & CAP_REVOKING) != 0)
        object->revoking--;
    if (object->type == MNOS_TYPE_ENDPOINT && cap->group != NULL && --cap->group->cap_count == 0)
        gone = cap->group;
    kernel = (cap->flags & CAP_KERNEL) != 0;
    cap->flags = 0;
    cap->object = NULL;
    if (gone != NULL && !object->dying)
        endpoint_badge_gone((struct endpoint *)object, gone);
    unreferenced = object->caps == 0;
    spin_unlock(&object->derive);
    if (!kernel)
        captable_free(owner, cap);
    if (unreferenced)
        kobject_unreferenced(object);
}

/* Removes `cap`, which has no children. CAP_AGAIN: drained in part; it stays dead in the tree. */
static enum cap_progress remove_leaf(struct kobject *object, struct capability *cap,
                                     uint64_t dead_key, struct tlb_batch *batch)
{
    while (!drain(object, cap, dead_key, false, batch))
        if (tlb_batch_preempt_point(batch))
            return CAP_AGAIN;
    unlink_and_free(object, cap, dead_key);
    return CAP_DONE;
}

/* Kills the first leaf below `node` (below the object itself for NULL); NULL: there is none. */
static struct capability *kill_leaf(struct kobject *object, struct capability *node,
                                    uint64_t *dead_key)
{
    cap_ref_t ref = *children_of(object, node);
    struct capability *leaf = NULL;

    while (ref != 0) {
        leaf = cap_at(ref);
        ref = leaf->child;
    }
    if (leaf != NULL) {
        kill_locked(leaf);
        *dead_key = leaf->key;
    }
    return leaf;
}

static enum cap_progress remove_below(struct kobject *object, struct capability *node, uint64_t key,
                                      struct tlb_batch *batch)
{
    struct capability *leaf;
    uint64_t dead_key;

    for (unsigned steps = 1;; steps++) {
        spin_lock(&object->derive);
        leaf = NULL;
        if (node == NULL || node->key == key)
            leaf = kill_leaf(object, node, &dead_key);
        spin_unlock(&object->derive);
        if (leaf == NULL)
            return CAP_DONE;
        if (remove_leaf(object, leaf, dead_key, batch) == CAP_AGAIN)
            return CAP_AGAIN;
        if (steps % PREEMPT_STEPS == 0 && tlb_batch_preempt_point(batch))
            return CAP_AGAIN;
    }
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

/* Gives up to PREEMPT_STEPS children to the parent; true when none is left and `slot` was killed. */
static bool hand_up_children_locked(struct kobject *object, struct capability *slot)
{
    struct capability *child;

    for (unsigned steps = 0; slot->child != 0; steps++) {
        if (steps == PREEMPT_STEPS)
            return false;
        child = cap_at(slot->child);
        unlink_locked(object, child);
        link_locked(object, cap_at(slot->parent), child);
    }
    kill_locked(slot);
    return true;
}

enum cap_progress cap_remove_dead(struct capability *slot, struct tlb_batch *batch)
{
    struct kobject *object = slot->object;
    uint64_t dead_key = slot->key;

    if (object == NULL || slot->type != MNOS_TYPE_NONE)
        return CAP_DONE;
    return remove_leaf(object, slot, dead_key, batch);
}

/* The steps of a deletion; `preempt_point` says whether something more urgent came. */
static enum cap_progress remove_one(const struct cap_view *cap, struct tlb_batch *batch,
                                    bool (*preempt_point)(struct tlb_batch *))
{
    struct kobject *object = cap->object;
    struct capability *slot = cap->slot;
    uint64_t dead_key;
    bool killed;

    /* Most of the draining while the handle still names it, so that the call can be restarted. */
    while (!drain(object, slot, cap->key, true, batch))
        if (preempt_point(batch))
            return CAP_AGAIN;
    for (;;) {
        spin_lock(&object->derive);
        if (slot->key != cap->key) {
            spin_unlock(&object->derive);
            return CAP_DONE; /* revoked meanwhile: gone is gone */
        }
        killed = hand_up_children_locked(object, slot);
        dead_key = slot->key;
        spin_unlock(&object->derive);
        if (killed)
            break;
        if (preempt_point(batch))
            return CAP_AGAIN;
    }
    while (!drain(object, slot, dead_key, false,
                  batch)) /* what came in between: at most what was in flight */
        arch_relax();
    unlink_and_free(object, slot, dead_key);
    return CAP_DONE;
}

enum cap_progress cap_delete(const struct cap_view *cap, struct tlb_batch *batch)
{
    /* A revocation that was not finished, because who did it has died, is finished first. */
    if ((cap->slot->flags & CAP_REVOKING) != 0 &&
        remove_below(cap->object, cap->slot, cap->key, batch) == CAP_AGAIN)
        return CAP_AGAIN;
    return remove_one(cap, batch, tlb_batch_preempt_point);
}

static bool never(struct tlb_batch *batch)
{
    (void)batch;
    return false;
}

void cap_undo(const struct cap_view *cap)
{
    struct tlb_batch batch = {0};

    (void)remove_one(cap, &batch, never);
    tlb_batch_defer(&batch); /* a thread that guessed the handle may have mapped through it */
}

void cap_delete_kernel(struct capability *slot)
{
    struct kobject *object;
    struct cap_view view;

    /* Nothing waits or maps through it, and it has no children. When another core has killed it and not
     * unlinked it yet, that is done here. */
    while ((object = __atomic_load_n(&slot->object, __ATOMIC_ACQUIRE)) != NULL) {
        if (cap_read_kernel(slot, &view))
            cap_undo(&view);
        else
            unlink_and_free(object, slot, slot->key);
    }
}

void cap_removal_finish(struct tlb_batch *batch)
{
    tlb_batch_finish(batch);
    if (!sched_single_core())
        sched_quiesce();
}

/* ---- checking ---- */

static void check_locked(const struct kobject *object, const struct capability *parent)
{
    cap_ref_t ref = parent == NULL ? object->caps : parent->child;
    cap_ref_t previous = 0;

    while (ref != 0) {
        const struct capability *cap = cap_at(ref);

        assert(cap->object == object && cap->prev == previous); /* C5 */
        assert(cap->parent == cap_ref(parent));
        assert(parent == NULL || (cap->rights & ~parent->rights) == 0); /* C3 */
        assert(parent == NULL || cap->depth > parent->depth);           /* C4 */
        check_locked(object, cap);
        previous = ref;
        ref = cap->next;
    }
    (void)previous;
}

void cap_tree_check(struct kobject *object)
{
    spin_lock(&object->derive);
    check_locked(object, NULL);
    spin_unlock(&object->derive);
}
