// SPDX-License-Identifier: MIT
/*
 * block_queue.h - the driver's half of a block ring (protocols/block.h): copies out what a client has
 * submitted, checks it, and writes results. The client is hostile: it may write anything anywhere in
 * the ring at any time. Each shared value is read once; this half's own indexes are private.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "protocols/block.h"

struct block_queue {
    struct block_ring *ring;
    uint32_t next, done; /* submissions that were looked at; completions that were written */
    uint32_t flying;     /* taken and not completed */
    bool broken;         /* the client broke the rules of the indexes: nothing more is taken */
};

/* What the checks go by. */
struct block_limits {
    uint32_t sector_bytes;
    uint32_t flags;  /* enum block_flag of the disk */
    uint32_t rights; /* of the session */
    uint32_t pages;  /* of data, attached */
    uint64_t first;  /* sector of the disk that is the session's first */
    uint64_t sectors;
};

/* Begins with what is outstanding (B2, B7). MNOS_ERR_FORMAT: the indexes contradict each other. */
mnos_status_t block_queue_adopt(struct block_queue *queue, struct block_ring *ring);
/* A private copy of the next entry, when there is one, fewer than BLOCK_FLIGHTS_MAX fly, and there
 * will be room for its result. */
bool block_queue_take(struct block_queue *queue, struct block_submission *entry);
/* B4. `sector` becomes the disk's. */
mnos_status_t block_queue_check(const struct block_limits *limits, struct block_submission *entry);
/* The result of one that was taken; it is visible when this returns. */
void block_queue_complete(struct block_queue *queue, uint32_t id, mnos_status_t status,
                          uint64_t sector);
