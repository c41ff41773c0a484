// SPDX-License-Identifier: MIT
/*
 * queue.h - one virtqueue, split or (VIRTIO_F_PACKED) packed, with indirect descriptors, seen by the driver. Knows memory
 * only: who tells the device of it is transport.h, and a test plays the device in the same memory.
 *
 * A request is one chain of segments under a token of the caller's. With indirect descriptors it
 * takes one slot of the ring, whatever its segments; without, one for each.
 *
 * Q1  What the driver believes is in this structure, never in the memory that the device can write:
 *     which slots are free, which token a slot has, how many bytes the device may have written.
 * Q2  A slot is free, or it is in flight: from queue_add() until queue_take() has given its token.
 * Q3  taken <= published <= added, as counts modulo 2^16, and at most `size` lie between the first
 *     and the last.
 * Q4  Packed: between the places where the next is taken and added lie the slots in flight.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/driver/dma.h"
#include "lib/driver/virtio/registers.h"

#define QUEUE_SIZE_MAX 256u
#define QUEUE_SEGMENTS_MAX 136u /* of one request: 128 pages, a header, a status, and to spare */

struct queue_segment {
    uint64_t bus;
    uint32_t bytes;
    uint32_t device_writes; /* 0 or 1; those that it reads come first */
};

struct queue_slot {
    uint64_t token;
    uint32_t writable; /* bytes that the device may write */
    uint16_t next;     /* free slots; of a chain without indirect descriptors */
    uint16_t length;   /* slots of the chain; 0: it does not begin one in flight */
};

struct virtio_queue {
    uint16_t size;     /* slots: a power of two */
    uint16_t segments; /* at most, of one request */
    bool packed, indirect, event_index;
    bool broken; /* the device said what cannot be; it stays so until queue_begin() */
    uint16_t free_first, free_count;
    uint16_t added, published, taken;
    /* Packed: places in the ring and their wrap counters; what is added and not published, of which the first
     * descriptor's flags are held back. */
    uint16_t add_at, take_at, held_at, held_flags, unpublished;
    bool add_wrap, take_wrap;

    volatile struct virtio_descriptor *descriptors;
    volatile struct virtio_available *available;
    volatile struct virtio_used *used;
    volatile struct virtio_descriptor *tables; /* `segments` for each slot; NULL without indirect */
    /* Packed: `descriptors` is the ring, and the events lie where `available` and `used` begin. */
    uint64_t descriptors_bus, available_bus, used_bus, tables_bus;
    struct queue_slot slots[QUEUE_SIZE_MAX];
};

/* Bytes of DMA memory, aligned to 4096, that a queue takes. */
uint64_t queue_bytes(uint16_t size, uint16_t segments, bool indirect);

/* An empty queue in memory taken from `memory`, which asks for no interrupt before queue_arm(). False: a size or number
 * of segments out of range, or no room. `features` are those that were agreed on. */
bool queue_create(struct virtio_queue *queue, struct dma_memory *memory, uint16_t size,
                  uint16_t segments, uint64_t features);

/* Makes it empty again in the same memory, after the device was reset; whatever was in flight is
 * not any more. */
void queue_begin(struct virtio_queue *queue);

/* Whether a request of so many segments can be added. */
bool queue_room(const struct virtio_queue *queue, uint32_t count);

/* Adds a request; the device does not see it before queue_publish(). False: no room, or no
 * segments. */
bool queue_add(struct virtio_queue *queue, const struct queue_segment *segments, uint32_t count,
               uint64_t token);

/* Shows the device all that was added. True: it wants to be told (transport_notify()). */
bool queue_publish(struct virtio_queue *queue);

enum queue_result { QUEUE_NOTHING, QUEUE_TAKEN, QUEUE_BROKEN };

/* The next request that the device is done with. *bytes is what it says to have written, at most
 * what it may. QUEUE_BROKEN: it named one that is not in flight, or said more than can be: reset
 * it. */
enum queue_result queue_take(struct virtio_queue *queue, uint64_t *token, uint32_t *bytes);

/* Asks for an interrupt when more is done. True: something is done already: take it, then ask
 * again. */
bool queue_arm(struct virtio_queue *queue);
/* Asks for none. */
void queue_disarm(struct virtio_queue *queue);

/* Requests in flight or added. */
uint32_t queue_in_flight(const struct virtio_queue *queue);

/* Q1 to Q4; NULL or which does not hold. */
const char *queue_check(const struct virtio_queue *queue);
