// SPDX-License-Identifier: MIT
/* quota.c - see quota.h. */
#include "object/quota.h"

#include <stdatomic.h>
#include <stddef.h>

#include "assert.h"
#include "mm/frame.h"
#include "mm/slab.h"

static mnos_status_t charge(_Atomic uint64_t *used, uint64_t limit, uint64_t amount)
{
    uint64_t old = atomic_load_explicit(used, memory_order_relaxed);

    do {
        if (amount > limit - old)
            return MNOS_ERR_QUOTA;
    } while (!atomic_compare_exchange_weak_explicit(used, &old, old + amount, memory_order_relaxed,
                                                    memory_order_relaxed));
    return MNOS_OK;
}

static void give_back(_Atomic uint64_t *used, uint64_t amount)
{
    uint64_t old = atomic_fetch_sub_explicit(used, amount, memory_order_relaxed);

    assert(old >= amount);
    (void)old;
}

mnos_status_t quota_charge_frames(struct quota *quota, uint64_t count)
{
    if (quota == NULL)
        return MNOS_OK;
    return charge(&quota->frames_used, quota->frames_limit, count);
}

mnos_status_t quota_charge_bytes(struct quota *quota, uint64_t bytes)
{
    if (quota == NULL)
        return MNOS_OK;
    return charge(&quota->bytes_used, quota->bytes_limit, bytes);
}

void quota_return_frames(struct quota *quota, uint64_t count)
{
    if (quota != NULL)
        give_back(&quota->frames_used, count);
}

void quota_return_bytes(struct quota *quota, uint64_t bytes)
{
    if (quota != NULL)
        give_back(&quota->bytes_used, bytes);
}

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
    frame_free(frame);
    quota_return_frames(quota, 1);
}

mnos_status_t quota_slab_alloc(struct quota *quota, struct slab_cache *cache, void **object)
{
    mnos_status_t status = quota_charge_bytes(quota, slab_object_bytes(cache));
    void *allocated;

    if (status != MNOS_OK)
        return status;
    allocated = slab_alloc(cache);
    if (allocated == NULL) {
        quota_return_bytes(quota, slab_object_bytes(cache));
        return MNOS_ERR_MEMORY;
    }
    *object = allocated;
    return MNOS_OK;
}

void quota_slab_free(struct quota *quota, struct slab_cache *cache, void *object)
{
    slab_free(cache, object);
    quota_return_bytes(quota, slab_object_bytes(cache));
}
