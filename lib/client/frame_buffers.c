// SPDX-License-Identifier: MIT
/* frame_buffers - see frame_buffers.h. Host tests compile this file as it is. */
#include "lib/client/frame_buffers.h"

#include "lib/base/string.h"

#define PAGE_BYTES 4096u
#define BUFFERS_OF_PAGE (PAGE_BYTES / FRAME_BUFFER_BYTES)
/* Entries that cannot be, of which one call passes over no more: a driver may write others as fast. */
#define REFUSED_MAX 64u
/* A full fence: the store before is visible before what is loaded after. */
#define FENCE() atomic_thread_fence(memory_order_seq_cst)

static uint32_t page_of(uint32_t buffer)
{
    return FRAME_RING_PAGES + buffer / BUFFERS_OF_PAGE;
}

static uint32_t offset_of(uint32_t buffer)
{
    return buffer % BUFFERS_OF_PAGE * FRAME_BUFFER_BYTES;
}

static uint8_t *address_of(const struct frame_buffers *buffers, uint32_t buffer)
{
    return buffers->address + (uint64_t)page_of(buffer) * PAGE_BYTES + offset_of(buffer);
}

static void open_ring(struct entries *ring, struct frame_ring *shared)
{
    entries_init(ring, &shared->written, &shared->taken, shared->entries, FRAME_ENTRIES);
}

void frame_buffers_begin(struct frame_buffers *buffers, void *memory)
{
    struct frame_rings *rings = memory;

    buffers->address = memory;
    buffers->rings = rings;
    open_ring(&buffers->free, &rings->free);
    open_ring(&buffers->received, &rings->received);
    open_ring(&buffers->send, &rings->send);
    open_ring(&buffers->sent, &rings->sent);
    memset(buffers->owner, FRAME_STACKS, sizeof buffers->owner);
    buffers->unused_count = FRAME_SEND_BUFFERS;
    for (uint32_t i = 0; i < FRAME_SEND_BUFFERS; i++)
        buffers->unused[i] = (uint16_t)(FRAME_BUFFERS - 1 - i);
    buffers->given = buffers->wrote = false;
}

bool frame_buffers_broken(const struct frame_buffers *buffers)
{
    return buffers->free.broken || buffers->received.broken || buffers->send.broken ||
           buffers->sent.broken;
}

/* ---- Frames to come ---- */

bool frame_give(struct frame_buffers *buffers, uint32_t buffer)
{
    struct frame_entry entry = {.page = page_of(buffer),
                                .offset = (uint16_t)(offset_of(buffer) + FRAME_PADDING),
                                .bytes = FRAME_BUFFER_BYTES - FRAME_PADDING,
                                .cookie = buffer};

    if (buffers->owner[buffer] != FRAME_STACKS || entries_room(&buffers->free) == 0)
        return false;
    buffers->owner[buffer] = FRAME_DRIVERS;
    entries_put(&buffers->free, &entry);
    buffers->given = true;
    return true;
}

/* W1: the driver has it, and names bytes of it. */
static bool is_given(const struct frame_buffers *buffers, const struct frame_entry *entry,
                     uint32_t first, uint32_t end)
{
    uint32_t offset;

    if (entry->cookie < first || entry->cookie >= end ||
        buffers->owner[entry->cookie] != FRAME_DRIVERS || entry->page != page_of(entry->cookie))
        return false;
    offset = offset_of(entry->cookie);
    return entry->offset >= offset && entry->offset - offset <= FRAME_BUFFER_BYTES &&
           entry->bytes <= FRAME_BUFFER_BYTES - (entry->offset - offset);
}

bool frame_take(struct frame_buffers *buffers, struct frame_part *part)
{
    for (uint32_t i = 0; i < REFUSED_MAX && entries_ready(&buffers->received) != 0; i++) {
        struct frame_entry entry;

        entries_look(&buffers->received, 0, &entry);
        entries_drop(&buffers->received, 1);
        if (!is_given(buffers, &entry, 0, FRAME_RECEIVE_BUFFERS)) {
            buffers->refused++;
            continue;
        }
        buffers->owner[entry.cookie] = FRAME_STACKS;
        *part = (struct frame_part){.buffer = entry.cookie,
                                    .bytes = buffers->address + (uint64_t)entry.page * PAGE_BYTES +
                                             entry.offset,
                                    .count = entry.bytes,
                                    .flags = entry.flags};
        return true;
    }
    return false;
}

/* ---- Frames to send ---- */

static void take_sent(struct frame_buffers *buffers)
{
    /* W1: no more of them are the driver's. */
    for (uint32_t i = 0; i < FRAME_SEND_BUFFERS && entries_ready(&buffers->sent) != 0; i++) {
        struct frame_entry entry;

        entries_look(&buffers->sent, 0, &entry);
        entries_drop(&buffers->sent, 1);
        if (is_given(buffers, &entry, FRAME_RECEIVE_BUFFERS, FRAME_BUFFERS)) {
            buffers->owner[entry.cookie] = FRAME_STACKS;
            buffers->unused[buffers->unused_count++] = (uint16_t)entry.cookie;
        } else {
            buffers->refused++;
        }
    }
}

uint8_t *frame_send_buffer(struct frame_buffers *buffers, uint32_t *buffer)
{
    if (buffers->unused_count == 0)
        take_sent(buffers);
    if (buffers->unused_count == 0)
        return NULL;
    *buffer = buffers->unused[--buffers->unused_count];
    return address_of(buffers, *buffer) + FRAME_PADDING;
}

void frame_send(struct frame_buffers *buffers, uint32_t buffer, uint32_t bytes, uint32_t flags)
{
    struct frame_entry entry = {.page = page_of(buffer),
                                .offset = (uint16_t)(offset_of(buffer) + FRAME_PADDING),
                                .bytes = (uint16_t)bytes,
                                .flags = flags,
                                .cookie = buffer};

    if (entries_room(&buffers->send) == 0) { /* only of a driver that breaks its rules */
        frame_unsend(buffers, buffer);
        return;
    }
    buffers->owner[buffer] = FRAME_DRIVERS;
    entries_put(&buffers->send, &entry);
    buffers->wrote = true;
}

void frame_unsend(struct frame_buffers *buffers, uint32_t buffer)
{
    buffers->unused[buffers->unused_count++] = (uint16_t)buffer;
}

/* ---- Waiting, F3 ---- */

bool frame_buffers_publish(struct frame_buffers *buffers)
{
    uint32_t news =
        (buffers->given ? FRAME_WAITS_FREE : 0u) | (buffers->wrote ? FRAME_WAITS_SEND : 0u);

    if (news == 0)
        return false;
    entries_publish(&buffers->free);
    entries_publish(&buffers->send);
    buffers->given = buffers->wrote = false;
    FENCE();
    if ((atomic_load_explicit(&buffers->rings->driver_waits, memory_order_relaxed) & news) == 0)
        return false;
    return atomic_exchange_explicit(&buffers->rings->driver_waits, 0, memory_order_relaxed) != 0;
}

bool frame_buffers_wait(const struct frame_buffers *buffers)
{
    return atomic_load_explicit(&buffers->rings->stack_waits, memory_order_relaxed) != 0;
}

bool frame_buffers_sleep(struct frame_buffers *buffers, bool starved)
{
    uint32_t waits = FRAME_WAITS_RECEIVED | FRAME_WAITS_LINK | (starved ? FRAME_WAITS_SENT : 0u);

    atomic_store_explicit(&buffers->rings->stack_waits, waits, memory_order_relaxed);
    FENCE();
    return entries_ready(&buffers->received) == 0 &&
           !(starved && entries_ready(&buffers->sent) != 0);
}
