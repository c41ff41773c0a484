// SPDX-License-Identifier: MIT
/* bytes.h - a queue of bytes inside one thread. (Between two: lib/libmnos/ring.h.) */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BYTE_QUEUE_BYTES 8192u /* a power of two */

/* Indexes count all bytes ever; their difference is what is inside. */
struct byte_queue {
    uint32_t put;
    uint32_t taken;
    uint8_t data[BYTE_QUEUE_BYTES];
};

static inline size_t byte_queue_used(const struct byte_queue *queue)
{
    return queue->put - queue->taken;
}

static inline size_t byte_queue_room(const struct byte_queue *queue)
{
    return BYTE_QUEUE_BYTES - byte_queue_used(queue);
}

/* The caller has checked that there is room, or something in it. */
static inline void byte_queue_put(struct byte_queue *queue, uint8_t byte)
{
    queue->data[queue->put++ % BYTE_QUEUE_BYTES] = byte;
}

static inline uint8_t byte_queue_take(struct byte_queue *queue)
{
    return queue->data[queue->taken++ % BYTE_QUEUE_BYTES];
}
