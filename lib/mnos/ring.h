// SPDX-License-Identifier: MIT
/*
 * ring.h - a stream of bytes from one producer to one consumer through shared memory, without
 * locks or system calls. Waking the other side is left to ipc_notify, when an operation says so.
 *
 * The peer may be hostile: it can write anything anywhere in the shared memory at any time. So each
 * side keeps its own index and the size in private memory, reads the peer's index once per
 * operation and checks it. A peer that breaks the rules gets MNOS_ERR_FORMAT reported and garbles
 * nothing but the bytes of the stream itself.
 *
 * R1  0 <= written - taken <= capacity, for honest sides
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/types.h"

/* The shared part. The two indexes count bytes since the start and are on cache lines of their
 * own, because each has one writer. Zeroed memory is an empty ring. */
struct ring_shared {
    _Alignas(64) _Atomic uint64_t written; /* by the producer */
    _Alignas(64) _Atomic uint64_t taken;   /* by the consumer */
    _Alignas(64) uint8_t data[];
};

/* One side's private part. */
struct ring {
    struct ring_shared *shared;
    uint64_t capacity; /* bytes, a power of two */
    uint64_t own;      /* this side's index */
};

/* The largest capacity that fits into `size_bytes` of shared memory, or 0. */
uint64_t ring_capacity(size_t size_bytes);

/* For either side of a new, zeroed ring. */
void ring_init(struct ring *ring, void *memory, uint64_t capacity);

/* Producer: puts as many bytes as there is room for and says how many in *put. */
mnos_status_t ring_put(struct ring *ring, const void *bytes, size_t count, size_t *put);

/* Consumer: takes at most `count` bytes. */
mnos_status_t ring_take(struct ring *ring, void *bytes, size_t count, size_t *taken);

/* Consumer: as ring_take(), but they stay in the ring, until ring_drop() takes as many or fewer out. */
mnos_status_t ring_peek(const struct ring *ring, void *bytes, size_t count, size_t *found);
void ring_drop(struct ring *ring, size_t count);

/* Producer: puts bytes `skip` bytes behind those that the consumer sees, where the caller knows that there is room (ring_room());
 * ring_publish() shows so many of what was put that way. */
mnos_status_t ring_room(const struct ring *ring, size_t *room);
void ring_put_behind(struct ring *ring, size_t skip, const void *bytes, size_t count);
void ring_publish(struct ring *ring, size_t count);

/* For either side of a ring whose earlier process on that side has ended: goes on where that one was. */
void ring_resume_producer(struct ring *ring, void *memory, uint64_t capacity);
void ring_resume_consumer(struct ring *ring, void *memory, uint64_t capacity);
