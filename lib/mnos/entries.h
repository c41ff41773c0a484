// SPDX-License-Identifier: MIT
/*
 * entries.h - a ring of records of 16 bytes from one producer to one consumer through shared memory, without locks or
 * system calls. Waking the other side is left to the caller. A stream of bytes is ring.h.
 *
 * The peer may be hostile: it can write anything anywhere in the shared memory at any time. So each side keeps its
 * own index in private memory, reads the peer's once per question and checks it, and copies a record before it looks
 * at it. A peer whose index cannot be has `broken` the ring: from then on it has neither room nor records.
 *
 * E1  0 <= written - taken <= size, for honest sides
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct entry {
    uint64_t words[2];
};

/* One side's private part. */
struct entries {
    _Atomic uint32_t *written,
        *taken;          /* shared; they count records since the ring was zeroed, modulo 2^32 */
    struct entry *slots; /* shared */
    uint32_t size;       /* of them, a power of two */
    uint32_t own;        /* this side's index */
    bool broken;
};

/* For either side of a new, zeroed ring. */
void entries_init(struct entries *ring, _Atomic uint32_t *written, _Atomic uint32_t *taken,
                  void *slots, uint32_t size);

/* ---- Producer ---- */

/* How many records can be put; what was put and not yet published counts. */
uint32_t entries_room(struct entries *ring);
/* Puts one, for which there is room. */
void entries_put(struct entries *ring, const void *record);
/* The consumer sees all that was put. */
void entries_publish(struct entries *ring);

/* ---- Consumer ---- */

/* How many records are there. */
uint32_t entries_ready(struct entries *ring);
/* A private copy of the record so many behind the next one; it is there. */
void entries_look(const struct entries *ring, uint32_t ahead, void *record);
/* The producer may use the places of so many records again. */
void entries_drop(struct entries *ring, uint32_t count);
