// SPDX-License-Identifier: MIT
/* card - see card.h. Resets, and what the device begins with, are in setup.c. */
#include "drivers/net/e1000e/internal.h"

/* Frames of each direction that are moved before the others' turn. */
#define BATCH 64u
#define DEVICE_MOST (E1000E_RING - 1)

static uint32_t place_of(const struct e1000e_way *way, uint32_t number)
{
    return (way->first + number) % E1000E_RING;
}

static void drop_first(struct e1000e_way *way)
{
    way->first = place_of(way, 1);
    way->count--;
}

/* What the device has written of a descriptor: read once. What it wrote before is read after. */
static uint64_t answer_of(const uint64_t *word)
{
    uint64_t answer = *(const volatile uint64_t *)word;

    dma_read_barrier();
    return answer;
}

/* ---- Receiving ---- */

static void post(struct e1000e *card, uint32_t place)
{
    card->receive_ring[place] = (struct e1000e_receive){
        .address = frame_port_bus(card->port, &card->receive.entries[place])};
}

static void publish_room(struct e1000e *card)
{
    dma_write_barrier();
    mmio_write32(card->registers, E1000E_RDT, place_of(&card->receive, card->receive.count));
}

static void give_room(struct e1000e *card)
{
    struct frame_entry entry;
    bool any = false;

    while (card->receive.count < DEVICE_MOST && frame_port_take_free(card->port, &entry)) {
        uint32_t place = place_of(&card->receive, card->receive.count);

        if (entry.bytes < E1000E_ROOM) { /* the device knows no size of a single buffer */
            entry.bytes = 0;
            entry.flags = FRAME_FAILED;
            frame_port_received(card->port, &entry);
            continue;
        }
        card->receive.entries[place] = entry;
        card->receive.count++;
        post(card, place);
        any = true;
    }
    if (any)
        publish_room(card);
}

void e1000e_give_room_again(struct e1000e *card)
{
    for (uint32_t i = 0; i < card->receive.count; i++)
        post(card, place_of(&card->receive, i));
    publish_room(card);
}

static bool is_checked(uint64_t answer)
{
    return (answer & (E1000E_RECEIVED_TCP_UDP | E1000E_RECEIVED_IP)) ==
               (E1000E_RECEIVED_TCP_UDP | E1000E_RECEIVED_IP) &&
           (answer & (E1000E_RECEIVED_NOT_CHECKED | E1000E_RECEIVED_WRONG_SUM)) == 0;
}

/* False: the device says what cannot be. */
static bool receive_one(struct e1000e *card, uint64_t answer)
{
    struct frame_entry entry = card->receive.entries[card->receive.first];
    uint32_t bytes = E1000E_RECEIVED_LENGTH(answer);

    if ((answer & E1000E_RECEIVED_END) == 0 || bytes == 0 || bytes > E1000E_ROOM)
        return false;
    entry.flags = is_checked(answer) ? FRAME_CHECKSUM_GOOD : 0;
    entry.bytes = (uint16_t)bytes;
    if ((answer & E1000E_RECEIVED_WRONG) != 0) {
        entry.bytes = 0;
        entry.flags = FRAME_FAILED;
    }
    card->frames_received++;
    drop_first(&card->receive);
    frame_port_received(card->port, &entry);
    return true;
}

static bool receive(struct e1000e *card, bool *again)
{
    uint32_t count = 0;

    while (count < BATCH && card->receive.count != 0) {
        uint64_t answer = answer_of(&card->receive_ring[card->receive.first].answer);

        if ((answer & E1000E_RECEIVED_DONE) == 0)
            break;
        if (!receive_one(card, answer))
            return false;
        card->resets = 0;
        count++;
    }
    *again |= count == BATCH;
    return true;
}

/* ---- Sending ---- */

static void end_send(struct e1000e *card, uint32_t flags)
{
    const struct frame_entry *entry = &card->send.entries[card->send.first];

    card->frames_sent += flags == 0 && (entry->flags & FRAME_MORE) == 0;
    frame_port_sent(card->port, entry, flags);
    drop_first(&card->send);
}

void e1000e_lose_sending(struct e1000e *card)
{
    while (card->send.count != 0)
        end_send(card, FRAME_FAILED);
}

static void take_sent(struct e1000e *card, uint64_t now_ns)
{
    while (card->send.count != 0 &&
           (answer_of(&card->send_ring[card->send.first].command) & E1000E_SEND_DONE) != 0) {
        end_send(card, 0);
        card->resets = 0;
        card->since_ns = now_ns;
    }
}

static void submit(struct e1000e *card, const struct frame_entry *entries, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t place = place_of(&card->send, card->send.count);
        uint64_t last = i + 1 == count ? E1000E_SEND_END : 0;

        card->send.entries[place] = entries[i];
        card->send_ring[place] = (struct e1000e_send){
            .address = frame_port_bus(card->port, &entries[i]),
            .command = entries[i].bytes | E1000E_SEND_INSERT_SUM | E1000E_SEND_REPORT | last};
        card->send.count++;
    }
}

static void send(struct e1000e *card, uint64_t now_ns, bool *again)
{
    struct frame_entry entries[FRAME_SEGMENTS_MAX];
    bool idle = card->send.count == 0;
    uint32_t frames = 0, count;

    while (frames < BATCH && (count = frame_port_look_send(card->port, entries)) != 0) {
        if (card->send.count + count > DEVICE_MOST)
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
    dma_write_barrier();
    mmio_write32(card->registers, E1000E_TDT, place_of(&card->send, card->send.count));
}

/* ---- Both ---- */

void e1000e_interrupt(struct e1000e *card)
{
    card->look = card->masked = true;
}

uint64_t e1000e_deadline(const struct e1000e *card)
{
    return !card->works || card->send.count == 0 ? MNOS_DEADLINE_NEVER
                                                 : card->since_ns + E1000E_SILENCE_NS;
}

bool e1000e_work(struct e1000e *card)
{
    uint64_t now_ns;
    bool again = false;

    if (!card->works)
        return false;
    now_ns = card->now_ns(card->context);
    take_sent(card, now_ns);
    if (!receive(card, &again) || now_ns >= e1000e_deadline(card)) {
        e1000e_reset(card);
        return card->works;
    }
    if (card->look && !again)
        e1000e_look(card);
    give_room(card);
    send(card, now_ns, &again);
    return again;
}

bool e1000e_arm(struct e1000e *card)
{
    bool nothing;

    if (!card->works)
        return true;
    if (card->masked)
        e1000e_unmask(card);
    /* What comes from here on sets the event. */
    nothing =
        card->receive.count == 0 ||
        (answer_of(&card->receive_ring[card->receive.first].answer) & E1000E_RECEIVED_DONE) == 0;
    nothing &= card->send.count == 0 ||
               (answer_of(&card->send_ring[card->send.first].command) & E1000E_SEND_DONE) == 0;
    return frame_port_sleep(card->port, card->receive.count < DEVICE_MOST,
                            card->send.count + FRAME_SEGMENTS_MAX <= DEVICE_MOST) &&
           nothing;
}
