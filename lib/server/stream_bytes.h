// SPDX-License-Identifier: MIT
/*
 * stream_bytes.h - a queue of received bytes inside one thread, with marks where some were lost on the way.
 * (Between two threads: lib/mnos/ring.h.)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/types.h"

#define BYTE_QUEUE_ITEMS 8192u /* a power of two */
#define BYTE_QUEUE_MARK 0x100u /* an item that is no byte: here something is missing */

/* Indexes count all items ever; their difference is what is inside. taken <= ready <= put: those from `ready` on
 * are not looked at yet (stream_scan.h), and nobody's to take. */
struct byte_queue {
    uint32_t put;
    uint32_t ready;
    uint32_t taken;
    uint16_t items[BYTE_QUEUE_ITEMS];
};

static inline size_t byte_queue_used(const struct byte_queue *queue)
{
    return queue->put - queue->taken;
}

/* What may be taken. */
static inline size_t byte_queue_ready(const struct byte_queue *queue)
{
    return queue->ready - queue->taken;
}

static inline size_t byte_queue_room(const struct byte_queue *queue)
{
    return BYTE_QUEUE_ITEMS - byte_queue_used(queue);
}

/* The caller has checked that there is room, or something in it. */
static inline void byte_queue_put(struct byte_queue *queue, uint16_t item)
{
    queue->items[queue->put++ % BYTE_QUEUE_ITEMS] = item;
}

/* One mark says as much as two. */
static inline void byte_queue_mark(struct byte_queue *queue)
{
    if (byte_queue_used(queue) == 0 ||
        queue->items[(queue->put - 1) % BYTE_QUEUE_ITEMS] != BYTE_QUEUE_MARK)
        byte_queue_put(queue, BYTE_QUEUE_MARK);
}

static inline bool byte_queue_at_mark(const struct byte_queue *queue)
{
    return byte_queue_ready(queue) != 0 &&
           queue->items[queue->taken % BYTE_QUEUE_ITEMS] == BYTE_QUEUE_MARK;
}

static inline uint16_t byte_queue_take(struct byte_queue *queue)
{
    return queue->items[queue->taken++ % BYTE_QUEUE_ITEMS];
}

/* Takes what comes first and is ready: MNOS_OK and *count bytes, at most `max`, up to the next mark; or MNOS_ERR_LOST, a
 * mark. */
static inline mnos_status_t byte_queue_receive(struct byte_queue *queue, uint8_t *bytes, size_t max,
                                               size_t *count)
{
    size_t taken = 0;

    if (byte_queue_at_mark(queue)) {
        (void)byte_queue_take(queue);
        *count = 0;
        return MNOS_ERR_LOST;
    }
    while (taken < max && byte_queue_ready(queue) != 0 && !byte_queue_at_mark(queue))
        bytes[taken++] = (uint8_t)byte_queue_take(queue);
    *count = taken;
    return MNOS_OK;
}

/* Undoes the last byte_queue_receive(), or the last `count` bytes of it, before anything else happens. */
static inline void byte_queue_give_back(struct byte_queue *queue, mnos_status_t received,
                                        size_t count)
{
    queue->taken -= received == MNOS_ERR_LOST ? 1 : (uint32_t)count;
}

static inline void byte_queue_drop_ready(struct byte_queue *queue)
{
    queue->taken = queue->ready;
}
