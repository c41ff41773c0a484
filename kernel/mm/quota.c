// SPDX-License-Identifier: MIT
/* quota.c - see quota.h. */
#include "mm/quota.h"

#include "mm/frame.h"

/* ---- moving limits ---- */

static uint64_t size_of(int64_t amount)
{
    return amount < 0 ? 0 - (uint64_t)amount : (uint64_t)amount;
}

static struct account *giver_of(struct account *parent, struct account *child, int64_t amount)
{
    return amount < 0 ? child : parent;
}

static mnos_status_t take(struct account *giver, enum mnos_quota_kind kind, uint64_t size)
{
    return size > giver->limit ? MNOS_ERR_ARGUMENT : quota_charge(giver, kind, size);
}

/* The child's limit goes up before it has more left, and down after it has less: left never passes it (Q1). */
static void give(struct account *parent, struct account *child, int64_t amount)
{
    child->limit += (uint64_t)amount;
    quota_return(amount < 0 ? parent : child, size_of(amount));
}

mnos_status_t quota_move(struct quota *parent, struct quota *child, int64_t frames, int64_t bytes,
                         enum mnos_quota_kind *failed)
{
    struct account *giver = giver_of(&parent->frames, &child->frames, frames);
    mnos_status_t status = take(giver, MNOS_QUOTA_FRAMES, size_of(frames));

    *failed = MNOS_QUOTA_FRAMES;
    if (status != MNOS_OK)
        return status;
    status = take(giver_of(&parent->bytes, &child->bytes, bytes), MNOS_QUOTA_BYTES, size_of(bytes));
    if (status != MNOS_OK) {
        *failed = MNOS_QUOTA_BYTES;
        quota_return(giver, size_of(frames));
        return status;
    }
    give(&parent->frames, &child->frames, frames);
    give(&parent->bytes, &child->bytes, bytes);
    return MNOS_OK;
}

/* ---- charged memory ---- */

mnos_status_t quota_frame_alloc(struct quota *quota, paddr_t *frame)
{
    mnos_status_t status = quota_charge_frames(quota, 1);
    paddr_t allocated;

    if (status != MNOS_OK)
        return status;
    allocated = frame_alloc_zeroed();
    if (allocated == PADDR_NONE) {
        quota_return_frames(quota, 1);
        return MNOS_ERR_MEMORY;
    }
    *frame = allocated;
    return MNOS_OK;
}

void quota_frame_free(struct quota *quota, paddr_t frame)
{
    frame_free_zeroing(frame);
    quota_return_frames(quota, 1);
}
