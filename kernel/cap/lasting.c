// SPDX-License-Identifier: MIT
/* lasting.c - see lasting.h. */
#include "cap/lasting.h"

#include <stddef.h>

#include "assert.h"
#include "cap/captable.h"
#include "cap/derive.h"
#include "mm/frame.h"
#include "object/endpoint.h"
#include "object/process.h"

#define GHOST_FLAGS (CAP_KERNEL | CAP_MINTED | CAP_GHOST | CAP_LASTING)

/* ---- the reserve ---- */

static uint64_t frames_for(uint32_t count)
{
    return ((uint64_t)count + 1 + CAPTABLE_PAGE_SLOTS - 1) / CAPTABLE_PAGE_SLOTS;
}

uint64_t lasting_bytes(const struct lasting *lasting)
{
    return lasting == NULL ? 0 : frames_for(lasting->count) * PAGE_BYTES;
}

[[gnu::cold]] mnos_status_t lasting_create(struct quota *quota, uint32_t count,
                                           struct lasting **lasting)
{
    uint64_t frames = frames_for(count);
    mnos_status_t status;
    paddr_t memory;

    *lasting = NULL;
    if (count == 0)
        return MNOS_OK;
    status = quota_charge_bytes(quota, frames * PAGE_BYTES);
    if (status != MNOS_OK)
        return status;
    memory = frame_alloc_group(frames, 1);
    if (memory == PADDR_NONE) {
        quota_return_bytes(quota, frames * PAGE_BYTES);
        return MNOS_ERR_MEMORY;
    }
    *lasting = phys_to_virt(memory);
    **lasting = (struct lasting){.count = count};
    return MNOS_OK;
}

[[gnu::cold]] void lasting_free(struct quota *quota, struct lasting *lasting)
{
    uint64_t bytes = lasting_bytes(lasting);

    if (lasting == NULL)
        return;
    frame_free_run(virt_to_phys(lasting), bytes / PAGE_BYTES);
    quota_return_bytes(quota, bytes);
}

static struct capability *take_locked(struct lasting *lasting)
{
    struct capability *slot;

    if (lasting == NULL || (lasting->free == NULL && lasting->touched == lasting->count))
        return NULL;
    slot = lasting->free;
    if (slot != NULL) {
        lasting->free = slot->next_free;
    } else {
        slot = (struct capability *)lasting + 1 + lasting->touched++;
        *slot = (struct capability){0};
    }
    lasting->minted++;
    return slot;
}

static void put_locked(struct lasting *lasting, struct capability *slot)
{
    slot->next_free = lasting->free;
    lasting->free = slot;
}

void lasting_told_locked(struct lasting *lasting, struct capability *slot)
{
    lasting->minted--;
    put_locked(lasting, slot);
}

void lasting_gone_locked(struct lasting *lasting, struct capability *slot)
{
    slot->next = 0;
    if (lasting->news == 0)
        lasting->gone_first = slot;
    else
        lasting->gone_last->next = cap_ref(slot);
    lasting->gone_last = slot;
    lasting->minted--;
    lasting->news++;
}

mnos_badge_t lasting_tell_locked(struct lasting *lasting)
{
    struct capability *slot = lasting->gone_first;
    mnos_badge_t badge = slot->badge;

    lasting->gone_first = cap_at(slot->next);
    lasting->news--;
    put_locked(lasting, slot);
    return badge;
}

/* ---- minting ---- */

/* The first capability to `object`, which all others were derived from; NULL: it has been deleted. Only it has the
 * depth 0. */
static struct capability *first_locked(const struct kobject *object)
{
    struct capability *first = cap_at(object->caps);

    return first == NULL || first->depth != 0 || first->type == MNOS_TYPE_NONE ? NULL : first;
}

/* A ghost, not in the tree yet, and a free slot for its child; with RESULT_OK. */
[[gnu::cold]] static result_t slots_take_locked(struct endpoint *endpoint, struct process *process,
                                                struct capability **ghost, struct capability **slot)
{
    result_t status;

    spin_lock(&endpoint->lock);
    *ghost = take_locked(endpoint->lasting);
    spin_unlock(&endpoint->lock);
    if (*ghost == NULL)
        return error_at(2, MNOS_ERR_QUOTA);
    status = result_of(captable_alloc(&process->captable, slot));
    if (status != RESULT_OK) {
        spin_lock(&endpoint->lock);
        lasting_told_locked(endpoint->lasting, *ghost);
        spin_unlock(&endpoint->lock);
    }
    return status;
}

[[gnu::cold]] result_t lasting_mint(struct process *process, const struct cap_view *source,
                                    mnos_cap_t *handle)
{
    struct endpoint *endpoint = endpoint_of(source->object);
    struct kobject *object = &endpoint->obj;
    struct capability *first, *ghost, *slot;
    result_t status;

    spin_lock(&object->derive);
    first = first_locked(object);
    status = result_of(
        cap_derivable_locked(source, UINT32_MAX)); /* it does not become a child of that */
    if (status == RESULT_OK && first == NULL)
        status = error_at(2, MNOS_ERR_STATE);
    if (status == RESULT_OK)
        status = slots_take_locked(endpoint, process, &ghost, &slot);
    if (status == RESULT_OK) {
        *handle = slot->key;
        cap_insert_locked(object, first, ghost, source, GHOST_FLAGS);
        cap_kill_locked(ghost); /* no handle ever names it */
        cap_insert_locked(object, ghost, slot, source, 0);
    }
    spin_unlock(&object->derive);
    return status;
}
