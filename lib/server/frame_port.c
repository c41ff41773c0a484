// SPDX-License-Identifier: MIT
/* frame_port - see frame_port.h. Host tests compile this file as it is. */
#include "lib/server/frame_port.h"

#include "lib/base/string.h"

#define PAGE_BYTES 4096u
/* Entries that cannot be, of which one call answers no more: a stack may write others as fast. */
#define REFUSED_MAX 64u
/* A full fence: the store before is visible before what is loaded after. */
#define FENCE() atomic_thread_fence(memory_order_seq_cst)

static void open_ring(struct entries *ring, struct frame_ring *shared)
{
    atomic_store_explicit(&shared->written, 0, memory_order_relaxed);
    atomic_store_explicit(&shared->taken, 0, memory_order_relaxed);
    entries_init(ring, &shared->written, &shared->taken, shared->entries, FRAME_ENTRIES);
}

void frame_port_open(struct frame_port *port, void *memory, uint64_t bus, uint32_t pages,
                     const struct frame_info *info)
{
    struct frame_rings *rings = memory;

    *port = (struct frame_port){.address = memory,
                                .bus = bus,
                                .pages = pages,
                                .can = info->can,
                                .rings = rings,
                                .refused = port->refused};
    open_ring(&port->free, &rings->free);
    open_ring(&port->received, &rings->received);
    open_ring(&port->send, &rings->send);
    open_ring(&port->sent, &rings->sent);
    atomic_store_explicit(&rings->driver_waits, 0, memory_order_relaxed);
    atomic_store_explicit(&rings->stack_waits, 0, memory_order_relaxed);
    atomic_store_explicit(&rings->link, info->link, memory_order_release);
}

bool frame_port_broken(const struct frame_port *port)
{
    return port->free.broken || port->received.broken || port->send.broken || port->sent.broken;
}

static bool is_inside(const struct frame_port *port, const struct frame_entry *entry)
{
    return entry->page >= FRAME_RING_PAGES && entry->page < port->pages && entry->bytes != 0 &&
           entry->offset < PAGE_BYTES && entry->bytes <= PAGE_BYTES - entry->offset;
}

/* ---- Room for frames, and frames ---- */

/* An entry that is no room comes back with no bytes: the stack has its buffer again. */
static void refuse_free(struct frame_port *port, struct frame_entry *entry)
{
    port->refused++;
    port->held++;
    entry->bytes = 0;
    entry->flags = FRAME_FAILED;
    frame_port_received(port, entry);
}

bool frame_port_take_free(struct frame_port *port, struct frame_entry *entry)
{
    uint32_t refused = 0;

    /* P1: what is put into `received` and what will be is never more than its room. */
    while (refused++ < REFUSED_MAX && port->held < entries_room(&port->received) &&
           entries_ready(&port->free) != 0) {
        entries_look(&port->free, 0, entry);
        entries_drop(&port->free, 1);
        if (is_inside(port, entry) && entry->bytes > FRAME_HEADER_ROOM) {
            port->held++;
            return true;
        }
        refuse_free(port, entry);
    }
    return false;
}

void frame_port_received(struct frame_port *port, const struct frame_entry *entry)
{
    port->held--;
    entries_put(&port->received, entry);
    port->news |= FRAME_WAITS_RECEIVED;
}

/* ---- Frames to send ---- */

/* The entries of the next frame, up to the one without FRAME_MORE; 0: they do not end where they should. */
static uint32_t gather(const struct frame_port *port, uint32_t ready, struct frame_entry *entries)
{
    uint32_t max = ready < FRAME_SEGMENTS_MAX ? ready : FRAME_SEGMENTS_MAX;

    for (uint32_t i = 0; i < max; i++) {
        entries_look(&port->send, i, &entries[i]);
        if ((entries[i].flags & FRAME_MORE) == 0)
            return i + 1;
    }
    return 0;
}

static bool is_frame(const struct frame_port *port, const struct frame_entry *entries,
                     uint32_t count)
{
    uint32_t bytes = 0, flags = entries[0].flags;

    for (uint32_t i = 0; i < count; i++) {
        if (!is_inside(port, &entries[i]))
            return false;
        bytes += entries[i].bytes;
    }
    if ((flags & FRAME_CHECKSUM_NEEDED) != 0 &&
        ((port->can & FRAME_CAN_CHECKSUM) == 0 ||
         FRAME_CHECKSUM_START(flags) + FRAME_CHECKSUM_FIELD(flags) + 2 > bytes))
        return false;
    return bytes >= FRAME_BYTES_MIN && bytes <= FRAME_BYTES_MAX;
}

static void refuse_send(struct frame_port *port, uint32_t count)
{
    struct frame_entry entry;

    for (uint32_t i = 0; i < count; i++) {
        entries_look(&port->send, i, &entry);
        port->sending++;
        port->refused++;
        frame_port_sent(port, &entry, FRAME_FAILED);
    }
    entries_drop(&port->send, count);
}

uint32_t frame_port_look_send(struct frame_port *port, struct frame_entry *entries)
{
    for (uint32_t refused = 0; refused < REFUSED_MAX; refused++) {
        uint32_t ready = entries_ready(&port->send), room = entries_room(&port->sent);
        uint32_t count;

        if (ready == 0 || room <= port->sending)
            return 0;
        room -= port->sending; /* P2 */
        count = gather(port, ready, entries);
        if (count != 0 && count > room)
            return 0; /* there will be */
        if (count != 0 && is_frame(port, entries, count))
            return count;
        if (count == 0) /* one by one: the end may be further on */
            count = 1;
        refuse_send(port, count);
    }
    return 0; /* frame_port_sleep() sees that there are more */
}

void frame_port_take_send(struct frame_port *port, uint32_t count)
{
    port->sending += count;
    entries_drop(&port->send, count);
}

void frame_port_sent(struct frame_port *port, const struct frame_entry *entry, uint32_t flags)
{
    struct frame_entry answer = *entry;

    answer.flags = flags;
    port->sending--;
    entries_put(&port->sent, &answer);
    port->news |= FRAME_WAITS_SENT;
}

void frame_port_link(struct frame_port *port, bool link)
{
    if (port->address == NULL)
        return;
    atomic_store_explicit(&port->rings->link, link, memory_order_release);
    port->news |= FRAME_WAITS_LINK;
}

/* ---- Waiting, F3 ---- */

bool frame_port_publish(struct frame_port *port)
{
    uint32_t waits;

    if (port->news == 0)
        return false;
    entries_publish(&port->received);
    entries_publish(&port->sent);
    FENCE();
    waits = atomic_load_explicit(&port->rings->stack_waits, memory_order_relaxed);
    if ((waits & port->news) == 0) {
        port->news = 0;
        return false;
    }
    port->news = 0;
    return atomic_exchange_explicit(&port->rings->stack_waits, 0, memory_order_relaxed) != 0;
}

bool frame_port_sleep(struct frame_port *port, bool hungry, bool idle)
{
    struct frame_entry entries[FRAME_SEGMENTS_MAX];

    atomic_store_explicit(&port->rings->driver_waits,
                          (hungry ? FRAME_WAITS_FREE : 0u) | (idle ? FRAME_WAITS_SEND : 0u),
                          memory_order_relaxed);
    FENCE();
    if ((idle && frame_port_look_send(port, entries) != 0) || port->news != 0)
        return false; /* looking may have refused something, which is told first */
    return !hungry || port->held >= entries_room(&port->received) ||
           entries_ready(&port->free) == 0;
}
