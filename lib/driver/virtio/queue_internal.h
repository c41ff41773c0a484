// SPDX-License-Identifier: MIT
/* queue_internal.h - what both kinds of ring share: slots, and the packed ring's part of each operation. */
#pragma once

#include "lib/driver/virtio/queue.h"

static inline uint16_t queue_slot_take(struct virtio_queue *queue)
{
    uint16_t slot = queue->free_first;

    queue->free_first = queue->slots[slot].next;
    queue->free_count--;
    return slot;
}

/* Whether an event that is to be told when the count passes `event` comes between `old` and `now`.
 * Virtio 1.1, section 2.6.7.1: all modulo 2^16. */
static inline bool queue_passes(uint16_t event, uint16_t now, uint16_t old)
{
    return (uint16_t)(now - event - 1) < (uint16_t)(now - old);
}

void queue_chain_free(struct virtio_queue *queue, uint16_t first);
enum queue_result queue_break(struct virtio_queue *queue);

/* ---- queue_packed.c ---- */

void packed_begin(struct virtio_queue *queue);
/* The slot of the request. There is room. */
uint16_t packed_add(struct virtio_queue *queue, const struct queue_segment *segments,
                    uint32_t count);
bool packed_publish(struct virtio_queue *queue);
enum queue_result packed_take(struct virtio_queue *queue, uint64_t *token, uint32_t *bytes);
bool packed_arm(struct virtio_queue *queue);
void packed_disarm(struct virtio_queue *queue);
/* Q4 of queue.h. */
bool packed_is_sound(const struct virtio_queue *queue, uint32_t in_chains);
