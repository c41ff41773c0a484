// SPDX-License-Identifier: MIT
/*
 * quota.h - who pays: frames and kernel bytes that a process may use, carved out of its creator's.
 *
 * Counters are atomic, so no lock is needed and none is taken. The kernel's own account is NULL: it
 * is not limited.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/types.h"
#include "assert.h"
#include "mm/addr.h"
#include "mm/slab.h"

/* Q1  used <= limit for both kinds, at every instant. */
struct quota {
    _Atomic uint64_t frames_used;
    _Atomic uint64_t bytes_used;
    uint64_t frames_limit; /* constant after creation */
    uint64_t bytes_limit;
};

static inline mnos_status_t quota_charge(_Atomic uint64_t *used, uint64_t limit, uint64_t amount)
{
    uint64_t old = atomic_load_explicit(used, memory_order_relaxed);

    do {
        if (amount > limit - old)
            return MNOS_ERR_QUOTA;
    } while (!atomic_compare_exchange_weak_explicit(used, &old, old + amount, memory_order_relaxed,
                                                    memory_order_relaxed));
    return MNOS_OK;
}

static inline void quota_return(_Atomic uint64_t *used, uint64_t amount)
{
    assert(atomic_load_explicit(used, memory_order_relaxed) >= amount);
    atomic_fetch_sub_explicit(used, amount, memory_order_relaxed);
}

/* MNOS_ERR_QUOTA when the limit would be passed; then nothing is charged. */
static inline mnos_status_t quota_charge_frames(struct quota *quota, uint64_t count)
{
    return quota == NULL ? MNOS_OK : quota_charge(&quota->frames_used, quota->frames_limit, count);
}

static inline mnos_status_t quota_charge_bytes(struct quota *quota, uint64_t bytes)
{
    return quota == NULL ? MNOS_OK : quota_charge(&quota->bytes_used, quota->bytes_limit, bytes);
}

static inline void quota_return_frames(struct quota *quota, uint64_t count)
{
    if (quota != NULL)
        quota_return(&quota->frames_used, count);
}

static inline void quota_return_bytes(struct quota *quota, uint64_t bytes)
{
    if (quota != NULL)
        quota_return(&quota->bytes_used, bytes);
}

/* One charged frame, zeroed; MNOS_ERR_QUOTA or MNOS_ERR_MEMORY. */
mnos_status_t quota_frame_alloc(struct quota *quota, paddr_t *frame);
void quota_frame_free(struct quota *quota, paddr_t frame);

/* One charged object of a slab cache, contents undefined; MNOS_ERR_QUOTA or MNOS_ERR_MEMORY. */
static inline mnos_status_t quota_slab_take(struct quota *quota, struct slab_cache *cache,
                                            void **object)
{
    mnos_status_t status = quota_charge_bytes(quota, cache->object_bytes);

    if (status != MNOS_OK)
        return status;
    *object = slab_take(cache);
    if (*object != NULL)
        return MNOS_OK;
    quota_return_bytes(quota, cache->object_bytes);
    return MNOS_ERR_MEMORY;
}

/* The same, zeroed. */
static inline mnos_status_t quota_slab_alloc(struct quota *quota, struct slab_cache *cache,
                                             void **object)
{
    mnos_status_t status = quota_slab_take(quota, cache, object);

    if (status == MNOS_OK)
        memset(*object, 0, cache->object_bytes);
    return status;
}

static inline void quota_slab_free(struct quota *quota, struct slab_cache *cache, void *object)
{
    slab_free(cache, object);
    quota_return_bytes(quota, cache->object_bytes);
}
