// SPDX-License-Identifier: MIT
/*
 * state - see state.h. Only the order of stores matters, not what other cores see: a process that died has
 * made all of its stores up to some instruction.
 */
#include "lib/server/state.h"

#include "lib/base/string.h"

#define TRAILER_BYTES 16u

struct state *state_current;

struct trailer {
    uint64_t place;
    uint64_t bytes;
};

static uint64_t rounded(uint64_t bytes)
{
    return (bytes + 7) & ~7ull;
}

/* Damage by a stray store is to be noticed, nobody's malice. */
static uint64_t checksum(const struct state_header *header)
{
    uint64_t sum = 0x9E3779B97F4A7C15ull;

    sum = (sum ^ header->magic) * 0xFF51AFD7ED558CCDull;
    sum = (sum ^ (sum >> 29) ^ header->layout) * 0xC4CEB9FE1A85EC53ull;
    return (sum ^ (sum >> 32) ^ header->log_bytes) * 0xFF51AFD7ED558CCDull;
}

/* Whether there are bytes in the area that operations change: the header and the log are not. */
static bool area_holds(const struct state *state, unsigned area, uint64_t offset, uint64_t bytes)
{
    uint64_t size = state->areas[area].bytes;

    return bytes <= size && offset <= size - bytes &&
           (area != 0 || offset >= state_overhead(state->header->log_bytes));
}

/* Takes the last record back. False: it is none that state_put() made. */
static bool undo_last(struct state *state)
{
    uint32_t used = state->header->log_used;
    struct trailer trailer;
    uint64_t offset, area;

    if (used < TRAILER_BYTES || used % 8 != 0)
        return false;
    memcpy(&trailer, state->log + used - TRAILER_BYTES, sizeof trailer);
    used -= TRAILER_BYTES;
    offset = trailer.place & ((1ull << STATE_AREA_SHIFT) - 1);
    area = trailer.place >> STATE_AREA_SHIFT;
    if (area >= STATE_AREAS_MAX || trailer.bytes > used || rounded(trailer.bytes) > used ||
        !area_holds(state, (unsigned)area, offset, trailer.bytes))
        return false;
    used -= (uint32_t)rounded(trailer.bytes);
    memcpy(state->areas[area].base + offset, state->log + used, trailer.bytes);
    __atomic_store_n(&state->header->log_used, used, __ATOMIC_RELEASE);
    return true;
}

void state_undo_to(struct state *state, uint32_t mark)
{
    while (state->header->log_used > mark) {
        if (!undo_last(state))
            __builtin_trap();
        /* Each restored byte is there before the record of it is gone. */
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
    }
}

static bool is_whole(const struct state_header *header, uint64_t magic, uint32_t layout,
                     uint32_t log_bytes, uint64_t bytes)
{
    return header->magic == magic && header->layout == layout && header->log_bytes == log_bytes &&
           header->checksum == checksum(header) && header->log_used <= log_bytes &&
           header->bytes <= bytes && log_bytes <= bytes - sizeof *header &&
           (header->flags & STATE_READY) != 0;
}

static void make_new(struct state_header *header, uint64_t magic, uint32_t layout,
                     uint32_t log_bytes, uint64_t bytes)
{
    /* In this order: what is not READY is nothing, whatever else the header says. */
    __atomic_store_n(&header->flags, 0, __ATOMIC_RELEASE);
    __atomic_store_n(&header->log_used, 0, __ATOMIC_RELEASE);
    header->magic = magic;
    header->layout = layout;
    header->log_bytes = log_bytes;
    header->bytes = bytes;
    header->checksum = checksum(header);
}

/* How far something of STATE_INLINE_BYTES may begin. */
static uint64_t inline_end(uint64_t bytes)
{
    return bytes < STATE_INLINE_BYTES ? 0 : bytes - STATE_INLINE_BYTES;
}

static void set_content(struct state *state, uint64_t bytes, uint32_t log_bytes)
{
    uint64_t first = state_overhead(log_bytes);

    state->first = first;
    state->inline_ends[0] = bytes < first ? 0 : inline_end(bytes - first);
    state->log_bytes = log_bytes;
}

enum state_found state_open(struct state *state, void *base, uint64_t bytes, uint64_t magic,
                            uint32_t layout, uint32_t log_bytes, const struct state_area *areas)
{
    struct state_header *header = base;
    bool unfinished = (header->flags & STATE_READY) == 0;

    *state = (struct state){.header = header, .log = (uint8_t *)(header + 1)};
    set_content(state, bytes, log_bytes);
    for (unsigned i = 1; areas != NULL && i < STATE_AREAS_MAX; i++)
        state->areas[i] = areas[i];
    state->inline_ends[1] = inline_end(state->areas[1].bytes);
    state->areas[0] = (struct state_area){base, bytes};
    if (is_whole(header, magic, layout, log_bytes, bytes)) {
        while (header->log_used != 0 && undo_last(state))
            continue;
        if (header->log_used == 0)
            return STATE_WHOLE;
    }
    make_new(header, magic, layout, log_bytes, bytes);
    return unfinished ? STATE_NONE : STATE_FOREIGN;
}

void state_drop(struct state *state)
{
    __atomic_store_n(&state->header->flags, 0, __ATOMIC_RELEASE);
    /* What follows makes it anew, and must not be moved before the store. */
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    __atomic_store_n(&state->header->log_used, 0, __ATOMIC_RELEASE);
}

void state_ready(struct state *state)
{
    __atomic_store_n(&state->header->flags, STATE_READY, __ATOMIC_RELEASE);
}

void state_extend(struct state *state, unsigned area, uint64_t bytes)
{
    state->areas[area].bytes = bytes;
    if (area == 1)
        state->inline_ends[1] = inline_end(bytes);
    if (area == 0)
        set_content(state, bytes, state->header->log_bytes);
    if (area == 0)
        __atomic_store_n(&state->header->bytes, bytes, __ATOMIC_RELEASE);
}

static uint64_t place_of(const struct state *state, const uint8_t *address, uint64_t bytes)
{
    for (uint64_t i = 0; i < STATE_AREAS_MAX; i++) {
        const uint8_t *base = state->areas[i].base;

        if (base != NULL && address >= base &&
            area_holds(state, (unsigned)i, (uint64_t)(address - base), bytes))
            return i << STATE_AREA_SHIFT | (uint64_t)(address - base);
    }
    __builtin_trap();
}

void state_put_any(struct state *state, const void *address, size_t bytes)
{
    uint32_t used = state->header->log_used;
    struct trailer trailer = {place_of(state, address, bytes), bytes};

    if (bytes > state->header->log_bytes ||
        rounded(bytes) + TRAILER_BYTES > state->header->log_bytes - used)
        __builtin_trap();
    memcpy(state->log + used, address, bytes);
    used += (uint32_t)rounded(bytes);
    memcpy(state->log + used, &trailer, sizeof trailer);
    __atomic_store_n(&state->header->log_used, used + TRAILER_BYTES, __ATOMIC_RELEASE);
    /* What follows changes the bytes, and must not be moved before the store. */
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}
