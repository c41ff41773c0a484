// SPDX-License-Identifier: MIT
/*
 * quota.h - who pays: frames and kernel bytes that a process may use, carved out of its creator's.
 *
 * Counters are atomic, so no lock is needed and none is taken. The kernel's own account is NULL: it
 * is not limited.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/types.h"
#include "mm/addr.h"

struct slab_cache;

/* Q1  used <= limit for both kinds, at every instant. */
struct quota {
    _Atomic uint64_t frames_used;
    _Atomic uint64_t bytes_used;
    uint64_t frames_limit; /* constant after creation */
    uint64_t bytes_limit;
};

/* MNOS_ERR_QUOTA when the limit would be passed; then nothing is charged. */
mnos_status_t quota_charge_frames(struct quota *quota, uint64_t count);
mnos_status_t quota_charge_bytes(struct quota *quota, uint64_t bytes);
void quota_return_frames(struct quota *quota, uint64_t count);
void quota_return_bytes(struct quota *quota, uint64_t bytes);

/* One charged frame, zeroed; MNOS_ERR_QUOTA or MNOS_ERR_MEMORY. */
mnos_status_t quota_frame_alloc(struct quota *quota, paddr_t *frame);
void quota_frame_free(struct quota *quota, paddr_t frame);

/* One charged object of a slab cache, zeroed; MNOS_ERR_QUOTA or MNOS_ERR_MEMORY. */
mnos_status_t quota_slab_alloc(struct quota *quota, struct slab_cache *cache, void **object);
void quota_slab_free(struct quota *quota, struct slab_cache *cache, void *object);
