// SPDX-License-Identifier: MIT
/*
 * block_ring.h - the client's half of a block ring (protocols/block.h): entries in, results out. It
 * keeps nothing but copies of its own indexes, so a client that was started again over the same
 * memory goes on where its predecessor stopped, between whatever two stores that was.
 *
 * The driver may be faulty: what it writes is checked against the client's own entries, and a
 * result for something that is not outstanding is passed over.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "protocols/block.h"

struct block_ring_client {
    struct block_ring *ring;
    uint32_t submitted, completed, taken; /* as in the ring, where only this side writes them */
    uint32_t outstanding;
    uint64_t duplicates; /* results that were passed over */
};

/* What came out: the entry as it was submitted, and its result. */
struct block_result {
    uint64_t user, sector;
    uint32_t id, page, bytes;
    uint16_t offset;
    uint8_t op;
    mnos_status_t status;
    uint64_t bad_sector;
};

/* Zeroed memory, or what a predecessor left. MNOS_ERR_FORMAT: neither. */
mnos_status_t block_ring_open(struct block_ring_client *client, struct block_ring *ring);
/* Puts an entry at the end; nobody sees it before block_ring_publish(). Its `id` is filled in.
 * MNOS_ERR_AGAIN: the ring is full. */
mnos_status_t block_ring_put(struct block_ring_client *client, struct block_submission *entry);
/* True when there was something new: the driver is to be told. */
bool block_ring_publish(struct block_ring_client *client);
/* The next result; the entry is finished when this returns. MNOS_ERR_END: none now. */
mnos_status_t block_ring_take(struct block_ring_client *client, struct block_result *result);
/* Finishes one that is outstanding without the driver, which must not be attached.
 * MNOS_ERR_END: there is none. */
mnos_status_t block_ring_give_up(struct block_ring_client *client, struct block_result *result);
/* The outstanding entry at or after index *at, for a client that was started again; *at moves behind
 * it. Begin with `completed`. False: no further one. What the client's notes say is under way and is
 * not among these is sent again, when the ring has room. */
bool block_ring_outstanding(const struct block_ring_client *client, uint32_t *at,
                            struct block_result *entry);
