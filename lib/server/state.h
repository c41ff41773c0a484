// SPDX-License-Identifier: MIT
/*
 * state.h - state of a service that outlives its process: a region of kind "state" (docs/manifest.md), and an
 * undo log, so that after a death at any moment each change has been made wholly or not at all.
 *
 * An operation has two parts. The first may wait, and stores nothing: it looks up, and sees to it that all
 * that the second needs is there. The second waits for nobody and cannot fail. Only it changes the state:
 *
 *   state_put(&state, &inode->links, sizeof inode->links);    the old bytes go to the log
 *   inode->links--;
 *   ...
 *   state_done(&state);                                       the end: one store
 *
 * A run that finds the log in use restores the old bytes, the last first.
 *
 * Plain memory, no system calls: host tests use it as it is. Where the memory comes from is
 * lib/client/region.h's business.
 *
 * U1  log_used counts whole records; what lies behind it in the log means nothing.
 * U2  A byte of the state is changed only when a record that log_used counts holds the old one; bytes that
 *     nothing refers to yet (a page just taken from a free list) need none.
 * U3  The library stores log_used after the record, and takes it back, while undoing, after the bytes.
 *     A death between two stores therefore repeats at most what it has restored already.
 * U4  Nothing is parked, and no request is received, while log_used is not 0 (state_is_clean()).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocols/region.h"

#define STATE_AREAS_MAX 4u /* the region of the state is area 0 */

struct state_area {
    uint8_t *base;
    uint64_t bytes;
};

struct state {
    struct state_header *header;
    uint8_t *log;
    /* What begins so far in the content, or in area 1, is noted without a call. Tests that look at each record set
     * both to 0: then all of them are made by state_put_any(). */
    uint64_t inline_ends[2];
    uint64_t first; /* offset of the content, behind the log */
    uint32_t log_bytes;
    struct state_area areas[STATE_AREAS_MAX];
};

enum state_found {
    STATE_NONE,  /* nothing yet, or what was begun and never finished */
    STATE_WHOLE, /* what a run of this layout left, every operation undone that was not finished */
    STATE_FOREIGN, /* of another layout, or damaged: as STATE_NONE, but something was there */
};

/*
 * Takes `bytes` of memory at `base` into use: header, log of `log_bytes` (a multiple of 8), then the
 * service's own, at state_content(). Unless STATE_WHOLE is returned the header is a new one, and the service
 * makes its content anew and ends with state_ready(). `areas` are further memory that operations change, with
 * the same numbers in each run; area 0 is left free for the region itself.
 */
enum state_found state_open(struct state *state, void *base, uint64_t bytes, uint64_t magic,
                            uint32_t layout, uint32_t log_bytes, const struct state_area *areas);
/* What was found is of no use to the service: until state_ready() the region holds nothing, also for a run that finds it
 * half made anew. */
void state_drop(struct state *state);
/* What is in the region is whole from now on. */
void state_ready(struct state *state);
/* The region, or an area, has become larger at its end. */
void state_extend(struct state *state, unsigned area, uint64_t bytes);

/*
 * What a run may use of what it finds, by how often the service has died in a row, within 10 s of each other and without
 * an order: it may be the state that it dies of. docs/manifest.md.
 */
enum state_trust {
    STATE_TRUST_ALL,  /* it has not, or once */
    STATE_TRUST_OPEN, /* twice: what clients have open, and what they were answered */
    STATE_TRUST_NONE, /* three times and more */
};

/* After a death that was ordered the state is as good as it was. */
static inline bool state_was_ordered(const struct state *state)
{
    return state->header->deaths == 0 || state->header->ordered != 0;
}

static inline enum state_trust state_trust(const struct state *state)
{
    if (state_was_ordered(state) || state->header->deaths == 1)
        return STATE_TRUST_ALL;
    return state->header->deaths == 2 ? STATE_TRUST_OPEN : STATE_TRUST_NONE;
}

static inline void *state_content(const struct state *state)
{
    return state->log + state->header->log_bytes;
}

/* Bytes of the header and the log. */
static inline uint64_t state_overhead(uint32_t log_bytes)
{
    return sizeof(struct state_header) + log_bytes;
}

/* How much room in the log a state_put() of so many bytes takes. A record, so that the log can be read from its end:
 *
 *   old bytes, filled up to 8 | place: area in bits 56 to 63, offset in it below | number of bytes
 */
#define STATE_RECORD_BYTES(bytes) (((bytes) + 7) / 8 * 8 + 16)
#define STATE_AREA_SHIFT 56u
#define STATE_INLINE_BYTES 64u

/* state_put() for any size and area. */
void state_put_any(struct state *state, const void *address, size_t bytes);

/* Adds a record of small things to a log that has room. */
static inline __attribute__((always_inline)) void state_record(struct state *state, uint64_t place,
                                                               const void *address, size_t bytes)
{
    uint32_t used = state->header->log_used;
    uint64_t *record = (uint64_t *)(state->log + used);

    __builtin_memcpy(record, address, bytes);
    record[(bytes + 7) / 8] = place;
    record[(bytes + 7) / 8 + 1] = bytes;
    __atomic_store_n(&state->header->log_used, used + (uint32_t)STATE_RECORD_BYTES(bytes),
                     __ATOMIC_RELEASE);
    /* What follows changes the bytes, and must not be moved before the store. */
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/* Whether an operation that takes so many bytes of the log, records included, has room. */
static inline bool state_has_room(const struct state *state, uint32_t bytes)
{
    return bytes <= state->log_bytes - state->header->log_used;
}

/* Before bytes are changed: remembers them. `address` lies in one of the areas and the log has room, which
 * is the service's to know; else the process ends with a fault, and the next run undoes. */
static inline __attribute__((always_inline)) void state_put(struct state *state,
                                                            const void *address, size_t bytes)
{
    uint64_t offset = (uint64_t)((const uint8_t *)address - state->areas[0].base);

    /* Small things of a known size, in the region itself: nearly all. */
    if (__builtin_constant_p(bytes <= STATE_INLINE_BYTES) && bytes <= STATE_INLINE_BYTES &&
        offset - state->first < state->inline_ends[0] &&
        state_has_room(state, STATE_RECORD_BYTES(bytes)))
        state_record(state, offset, address, bytes);
    else
        state_put_any(state, address, bytes);
}

/* The same for what is in area 1 nearly always. */
static inline __attribute__((always_inline)) void state_put_other(struct state *state,
                                                                  const void *address, size_t bytes)
{
    uint64_t offset = (uint64_t)((const uint8_t *)address - state->areas[1].base);

    if (__builtin_constant_p(bytes <= STATE_INLINE_BYTES) && bytes <= STATE_INLINE_BYTES &&
        offset < state->inline_ends[1] && state_has_room(state, STATE_RECORD_BYTES(bytes)))
        state_record(state, 1ull << STATE_AREA_SHIFT | offset, address, bytes);
    else
        state_put_any(state, address, bytes);
}

/* The operation has happened. */
static inline void state_done(struct state *state)
{
    __atomic_store_n(&state->header->log_used, 0, __ATOMIC_RELEASE);
}

/*
 * The state of this process, for code that can also run without any, on the host or in a service whose memory
 * ends with it: then nothing is noted. What is noted must lie in the areas.
 */
extern struct state *state_current;

static inline void state_note(const void *address, size_t bytes)
{
    if (state_current != NULL)
        state_put(state_current, address, bytes);
}

#define STATE_SET(place, value) (state_note(&(place), sizeof(place)), (place) = (value))

/* What was changed so far has happened, wholly; a death from now on does not take it back. */
static inline void state_step(void)
{
    if (state_current != NULL)
        state_done(state_current);
}

/* Where the log ends now; state_undo_to() takes back what was changed since. For the part of an operation that cannot
 * be finished after all, while what came before it stays. */
static inline uint32_t state_mark(const struct state *state)
{
    return state->header->log_used;
}

void state_undo_to(struct state *state, uint32_t mark);

static inline bool state_is_clean(const struct state *state)
{
    return state->header->log_used == 0;
}
