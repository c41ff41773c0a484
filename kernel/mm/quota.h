// SPDX-License-Identifier: MIT
/*
 * quota.h - who pays: frames and kernel bytes that a process may use, carved out of its parent's.
 *
 * An account keeps what is left of each kind, in one atomic word, so that charging needs no lock: a charge that
 * the word covers is within the limit, whatever the limit is made at the same moment. The limit only tells what
 * the account amounts to. The kernel's own account is NULL: it is not limited.
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

/*
 * Q1  what is left and what is charged together are the limit, but for an amount that is being moved, which is
 *     in neither account. So no charge passes a limit, and moving neither makes nor loses anything
 *
 * `left` may be charged and returned by anyone; the limits change under the lock of the process whose account
 * this is, and not any more once its end has begun.
 */
struct account {
    _Atomic uint64_t left;
    _Atomic uint64_t limit;
};

struct quota {
    struct account frames, bytes;
};

/* MNOS_ERR_QUOTA as it travels in the kernel: with the kind of account that was short in bits that no status of the ABI has.
 * result_told() makes a detail of it for the program. */
#define QUOTA_KIND_SHIFT 8
#define QUOTA_KINDS 3u /* all of them */
#define QUOTA_SPENT(kind) ((mnos_status_t)(MNOS_ERR_QUOTA | (kind) << QUOTA_KIND_SHIFT))

static inline void quota_init(struct quota *quota, uint64_t frames, uint64_t bytes)
{
    quota->frames.left = quota->frames.limit = frames;
    quota->bytes.left = quota->bytes.limit = bytes;
}

/* QUOTA_SPENT(kind) when the limit would be passed; then nothing is charged. */
static inline mnos_status_t quota_charge(struct account *account, enum mnos_quota_kind kind,
                                         uint64_t amount)
{
    uint64_t left = atomic_load_explicit(&account->left, memory_order_relaxed);

    do {
        if (amount > left)
            return QUOTA_SPENT(kind);
    } while (!atomic_compare_exchange_weak_explicit(&account->left, &left, left - amount,
                                                    memory_order_relaxed, memory_order_relaxed));
    return MNOS_OK;
}

static inline void quota_return(struct account *account, uint64_t amount)
{
    atomic_fetch_add_explicit(&account->left, amount, memory_order_relaxed);
}

/* What is charged, while the limit cannot change. */
static inline uint64_t quota_used(const struct account *account)
{
    uint64_t left = account->left;

    assert(left <= account->limit); /* else more has been returned than was charged */
    return account->limit - left;
}

static inline mnos_status_t quota_charge_frames(struct quota *quota, uint64_t count)
{
    return quota == NULL ? MNOS_OK : quota_charge(&quota->frames, MNOS_QUOTA_FRAMES, count);
}

static inline mnos_status_t quota_charge_bytes(struct quota *quota, uint64_t bytes)
{
    return quota == NULL ? MNOS_OK : quota_charge(&quota->bytes, MNOS_QUOTA_BYTES, bytes);
}

static inline void quota_return_frames(struct quota *quota, uint64_t count)
{
    if (quota != NULL)
        quota_return(&quota->frames, count);
}

static inline void quota_return_bytes(struct quota *quota, uint64_t bytes)
{
    if (quota != NULL)
        quota_return(&quota->bytes, bytes);
}

/*
 * Moves limits from `parent` to `child`, whose limits are part of what `parent` has charged; negative amounts go back.
 * Both kinds are moved or neither. QUOTA_SPENT: who would give has less than that left; MNOS_ERR_ARGUMENT: its
 * limit is less than that. *failed: of which kind. The lock of the child's process is held.
 */
mnos_status_t quota_move(struct quota *parent, struct quota *child, int64_t frames, int64_t bytes,
                         enum mnos_quota_kind *failed);

/* One charged frame, zeroed; QUOTA_SPENT or MNOS_ERR_MEMORY. */
mnos_status_t quota_frame_alloc(struct quota *quota, paddr_t *frame);
void quota_frame_free(struct quota *quota, paddr_t frame);

/* One charged object of a slab cache, contents undefined; QUOTA_SPENT or MNOS_ERR_MEMORY. */
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
