// SPDX-License-Identifier: MIT
/* card - see card.h. What the device offers, and resets, are in setup.c. */
#include "drivers/net/virtio_net/internal.h"

#include "lib/base/string.h"

/* Frames of each direction that are moved before the others' turn. */
#define BATCH 64u
#define HEADER_BYTES ((uint32_t)sizeof(struct virtio_net_header))

/* ---- Flights ---- */

static struct card_flight *take_flight(struct card_way *way, uint16_t *number)
{
    struct card_flight *flight;

    if (way->free_first == CARD_NO_FLIGHT)
        return NULL;
    *number = way->free_first;
    flight = &way->flights[*number];
    way->free_first = flight->next;
    return flight;
}

static void give_flight(struct card_way *way, struct card_flight *flight)
{
    flight->count = 0;
    flight->next = way->free_first;
    way->free_first = (uint16_t)(flight - way->flights);
}

void card_free_flights(struct card_way *way)
{
    way->free_first = CARD_NO_FLIGHT;
    for (uint32_t i = way->queue.size; i-- != 0;)
        give_flight(way, &way->flights[i]);
}

/* ---- Receiving ---- */

/* The buffer of a flight into the queue, which has room: there are no more flights than places. */
static void post(struct card *card, uint16_t number)
{
    const struct frame_entry *entry = &card->receive.flights[number].entries[0];
    struct queue_segment segment = {
        .bus = frame_port_bus(card->port, entry), .bytes = entry->bytes, .device_writes = 1};

    (void)queue_add(&card->receive.queue, &segment, 1, number);
}

static void give_room(struct card *card)
{
    uint32_t count = 0;
    uint16_t number;

    while (queue_room(&card->receive.queue, 1) && card->receive.free_first != CARD_NO_FLIGHT) {
        struct frame_entry entry;
        struct card_flight *flight;

        if (!frame_port_take_free(card->port, &entry))
            break;
        flight = take_flight(&card->receive, &number);
        flight->entries[0] = entry;
        flight->count = 1;
        post(card, number);
        count++;
    }
    if (count != 0 && queue_publish(&card->receive.queue))
        transport_notify(&card->receive.bell);
}

void card_give_room_again(struct card *card)
{
    for (uint16_t i = 0; i < card->receive.queue.size; i++)
        if (card->receive.flights[i].count != 0)
            post(card, i);
    (void)queue_publish(&card->receive.queue);
}

/* What the header says about the frame that follows it. The buffer is the stack's, which may write there as the
 * device does: it is copied first. */
static bool read_header(struct card *card, const struct frame_entry *entry, uint32_t bytes,
                        uint32_t *flags)
{
    struct virtio_net_header header;

    if (bytes < HEADER_BYTES)
        return false;
    memcpy(&header, frame_port_at(card->port, entry), sizeof header);
    if (header.buffers == 0 || header.buffers > card->receive.queue.size)
        return false;
    card->more = header.buffers - 1;
    /* A checksum that is still to be filled in is of a frame that has not been on any wire. */
    if (header.flags & (VIRTIO_NET_HDR_F_DATA_VALID | VIRTIO_NET_HDR_F_NEEDS_CSUM) &&
        (card->transport->features & VIRTIO_NET_F_GUEST_CSUM) != 0)
        *flags |= FRAME_CHECKSUM_GOOD;
    return true;
}

/* A buffer that the device has filled with `bytes`. */
static bool receive_one(struct card *card, struct card_flight *flight, uint32_t bytes)
{
    struct frame_entry entry = flight->entries[0];
    uint32_t skip = 0;

    entry.flags = 0;
    if (card->more != 0) {
        card->more--;
    } else {
        if (!read_header(card, &entry, bytes, &entry.flags))
            return false;
        skip = HEADER_BYTES;
        card->frames_received++;
    }
    if (card->more != 0)
        entry.flags |= FRAME_MORE;
    entry.offset = (uint16_t)(entry.offset + skip);
    entry.bytes = (uint16_t)(bytes - skip);
    give_flight(&card->receive, flight);
    frame_port_received(card->port, &entry);
    return true;
}

/* False: the device breaks its queue. */
static bool receive(struct card *card, bool *again)
{
    enum queue_result result = QUEUE_NOTHING;
    uint64_t token;
    uint32_t bytes, count = 0;

    while (count < BATCH &&
           (result = queue_take(&card->receive.queue, &token, &bytes)) == QUEUE_TAKEN) {
        count++;
        if (!receive_one(card, &card->receive.flights[token], bytes))
            return false;
        card->resets = 0;
    }
    *again |= count == BATCH;
    return result != QUEUE_BROKEN;
}

/* ---- Sending ---- */

static void end_send(struct card *card, struct card_flight *flight, uint32_t flags)
{
    for (uint32_t i = 0; i < flight->count; i++)
        frame_port_sent(card->port, &flight->entries[i], flags);
    give_flight(&card->send, flight);
}

void card_lose_sending(struct card *card)
{
    for (uint32_t i = 0; i < card->send.queue.size; i++)
        if (card->send.flights[i].count != 0)
            end_send(card, &card->send.flights[i], FRAME_FAILED);
}

static bool take_sent(struct card *card, uint64_t now_ns)
{
    enum queue_result result;
    uint64_t token;
    uint32_t bytes;

    /* No more than were given, or the queue is broken: this ends. */
    while ((result = queue_take(&card->send.queue, &token, &bytes)) == QUEUE_TAKEN) {
        end_send(card, &card->send.flights[token], 0);
        card->frames_sent++;
        card->resets = 0;
        card->since_ns = now_ns;
    }
    return result != QUEUE_BROKEN;
}

static void put_header(struct card *card, uint16_t number, uint32_t flags)
{
    struct virtio_net_header header = {.gso_type = VIRTIO_NET_HDR_GSO_NONE};

    if ((flags & FRAME_CHECKSUM_NEEDED) != 0) {
        header.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
        header.checksum_start = (uint16_t)FRAME_CHECKSUM_START(flags);
        header.checksum_offset = (uint16_t)FRAME_CHECKSUM_FIELD(flags);
    }
    card->headers[number] = header;
}

static void submit(struct card *card, const struct frame_entry *entries, uint32_t count)
{
    struct queue_segment segments[1 + FRAME_SEGMENTS_MAX];
    uint16_t number = 0;
    struct card_flight *flight = take_flight(&card->send, &number);

    memcpy(flight->entries, entries, count * sizeof *entries);
    flight->count = (uint16_t)count;
    put_header(card, number, entries[0].flags);
    segments[0] =
        (struct queue_segment){.bus = card->headers_bus + number * sizeof(struct virtio_net_header),
                               .bytes = HEADER_BYTES};
    for (uint32_t i = 0; i < count; i++)
        segments[1 + i] = (struct queue_segment){.bus = frame_port_bus(card->port, &entries[i]),
                                                 .bytes = entries[i].bytes};
    (void)queue_add(&card->send.queue, segments, 1 + count, number); /* there is room */
}

static void send(struct card *card, uint64_t now_ns, bool *again)
{
    struct frame_entry entries[FRAME_SEGMENTS_MAX];
    bool idle = queue_in_flight(&card->send.queue) == 0;
    uint32_t frames = 0, count;

    while (frames < BATCH && (count = frame_port_look_send(card->port, entries)) != 0) {
        if (card->send.free_first == CARD_NO_FLIGHT || !queue_room(&card->send.queue, 1 + count))
            break; /* the device has as much as it takes: its interrupt goes on */
        frame_port_take_send(card->port, count);
        submit(card, entries, count);
        frames++;
    }
    *again |= frames == BATCH;
    if (frames == 0)
        return;
    if (idle)
        card->since_ns = now_ns;
    if (queue_publish(&card->send.queue))
        transport_notify(&card->send.bell);
}

/* ---- Both ---- */

void card_interrupt(struct card *card)
{
    card->look = true;
}

uint64_t card_deadline(const struct card *card)
{
    return !card->works || queue_in_flight(&card->send.queue) == 0
               ? MNOS_DEADLINE_NEVER
               : card->since_ns + CARD_SILENCE_NS;
}

bool card_work(struct card *card, uint64_t now_ns)
{
    bool again = false;

    if (!card->works)
        return false;
    if (!receive(card, &again) || !take_sent(card, now_ns) || now_ns >= card_deadline(card) ||
        (card->look && !again && !card_look(card))) {
        card_reset(card, now_ns);
        return card->works;
    }
    give_room(card);
    send(card, now_ns, &again);
    return again;
}

bool card_arm(struct card *card)
{
    bool hungry, nothing;

    if (!card->works)
        return true;
    hungry = queue_room(&card->receive.queue, 1);
    nothing = !queue_arm(&card->receive.queue);
    nothing &= !queue_arm(&card->send.queue);
    /* What is to be sent waits for the device when its queue is full. */
    return frame_port_sleep(card->port, hungry,
                            queue_room(&card->send.queue, 1 + FRAME_SEGMENTS_MAX)) &&
           nothing;
}
