// SPDX-License-Identifier: MIT
/*
 * test_virtio_net - the driver of virtio network cards between a stack's rings and a model of the device: an honest
 * one with more and less abilities, one that fails and is silent, one that lies; and a stack that lies.
 */
#include <stdlib.h>

#include "drivers/net/virtio_net/card.h"
#include "lib/client/frame_buffers.h"
#include "tests/models/virtio_net.h"

#define BUS 0x40000000ull
#define QUEUE_BYTES (1u << 18)
#define QUEUE_SIZE 64
#define STACK_BYTES (FRAME_MEMORY_PAGES * 4096ull)
#define ALL                                                                                        \
    (VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT | VIRTIO_F_EVENT_INDEX | VIRTIO_NET_F_MAC |            \
     VIRTIO_NET_F_CSUM | VIRTIO_NET_F_GUEST_CSUM | VIRTIO_NET_F_MRG_RXBUF | VIRTIO_NET_F_STATUS)

static const uint8_t mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
static struct virtio_net_model model;
static struct virtio_transport transport;
static struct dma_memory memory;
static struct card card;
static struct frame_port port;
static struct frame_buffers stack;
static uint8_t *ram; /* all that the device reaches: the queues, then the stack's */
static bool reset_fails;
static unsigned resets;
static uint64_t now_ns;

static mnos_status_t reset(void *)
{
    transport_reset(&transport);
    resets++;
    return reset_fails ? MNOS_ERR_DEVICE : MNOS_OK;
}

static void attach(void)
{
    frame_port_open(&port, ram + QUEUE_BYTES, BUS + QUEUE_BYTES, FRAME_MEMORY_PAGES, true);
    CHECK_EQ(card_start(&card), MNOS_OK);
    frame_buffers_begin(&stack, ram + QUEUE_BYTES);
    for (uint32_t i = 0; i < FRAME_RECEIVE_BUFFERS; i++)
        CHECK(frame_give(&stack, i));
    (void)frame_buffers_publish(&stack);
}

static void open_model(uint64_t features)
{
    free(ram);
    ram = aligned_alloc(4096, QUEUE_BYTES + STACK_BYTES);
    memset(ram, 0xA5, QUEUE_BYTES + STACK_BYTES);
    memset(&model, 0, sizeof model);
    memory = (struct dma_memory){.address = ram,
                                 .bytes = QUEUE_BYTES,
                                 .block_bytes = QUEUE_BYTES,
                                 .block_count = 1,
                                 .table = {BUS}};
    virtio_model_begin(&model.virtio, &transport, &memory, QUEUE_SIZE);
    model.virtio.memory_bytes = QUEUE_BYTES + STACK_BYTES;
    model.virtio.offered = features;
    net_model_config(&model, mac, VIRTIO_NET_S_LINK_UP, 1500);
    reset_fails = false;
    resets = 0;
    now_ns = 1000;
    memset(&port, 0, sizeof port);
    memset(&stack, 0, sizeof stack);
    card = (struct card){.transport = &transport, .port = &port, .reset = reset};
    transport_reset(&transport);
}

static void begin(uint64_t features)
{
    open_model(features);
    CHECK_EQ(card_open(&card, &memory), MNOS_OK);
    attach();
}

/* Until nothing happens any more. */
static void work(void)
{
    for (unsigned i = 0; i < 1000; i++) {
        bool again = card_work(&card, now_ns);

        (void)frame_port_publish(&port);
        again |= net_model_send(&model);
        if (!again && card_arm(&card))
            return;
    }
    CHECK(!"it comes to an end");
}

static void fill(uint8_t *bytes, size_t count, uint8_t pattern)
{
    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)(pattern + i * 7 + i / 256);
}

static void send_frame(uint32_t bytes, uint8_t pattern, uint32_t flags)
{
    uint32_t buffer;
    uint8_t *place = frame_send_buffer(&stack, &buffer);

    CHECK(place != NULL);
    fill(place, bytes, pattern);
    frame_send(&stack, buffer, bytes, flags);
    (void)frame_buffers_publish(&stack);
}

/* One frame of `bytes`, which may be in several parts. */
static void expect_frame(uint32_t bytes, uint8_t pattern, uint32_t parts, uint32_t flags)
{
    uint8_t want[NET_MODEL_BYTES];
    struct frame_part part;
    uint32_t at = 0;

    fill(want, bytes, pattern);
    for (uint32_t i = 0; i < parts; i++) {
        CHECK(frame_take(&stack, &part));
        CHECK_EQ(part.flags, (i + 1 < parts ? FRAME_MORE : 0u) | (i == 0 ? flags : 0u));
        CHECK(at + part.count <= bytes);
        CHECK(memcmp(part.bytes, want + at, part.count) == 0);
        at += part.count;
        CHECK(frame_give(&stack, part.buffer));
    }
    CHECK_EQ(at, bytes);
    (void)frame_buffers_publish(&stack);
}

TEST(virtio_net, frames_go_both_ways)
{
    uint8_t data[1514];

    begin(ALL);
    CHECK(memcmp(card.info.mac, mac, 6) == 0);
    CHECK_EQ(card.info.mtu, 1500);
    CHECK_EQ(card.info.can, FRAME_CAN_CHECKSUM);
    work();
    for (unsigned i = 0; i < 1000; i++) {
        uint32_t bytes = 60 + i % 1455;

        send_frame(bytes, (uint8_t)i, 0);
        fill(data, bytes, (uint8_t)(i + 1));
        CHECK(net_model_receive(&model, data, bytes, 4096));
        work();
        CHECK_EQ(model.sent_count, i + 1);
        CHECK_EQ(model.sent[i % NET_MODEL_FRAMES].bytes, bytes);
        CHECK_EQ(model.sent[i % NET_MODEL_FRAMES].header.flags, 0);
        expect_frame(bytes, (uint8_t)(i + 1), 1, 0);
    }
    CHECK_EQ(port.refused + stack.refused, 0);
    CHECK_EQ(resets, 1);
}

TEST(virtio_net, a_frame_in_several_buffers_stays_one)
{
    uint8_t data[3000];

    begin(ALL);
    work();
    fill(data, sizeof data, 9);
    CHECK(net_model_receive(&model, data, 3000, 1000));
    work();
    expect_frame(3000, 9, 4, 0);
}

TEST(virtio_net, a_device_without_abilities_works)
{
    uint8_t data[100];

    begin(VIRTIO_F_VERSION_1 | VIRTIO_NET_F_MAC);
    CHECK_EQ(card.info.can, 0);
    CHECK_EQ(card.info.link, 1);
    work();
    model.header_flags = VIRTIO_NET_HDR_F_DATA_VALID; /* it did not agree to say so */
    fill(data, 100, 3);
    CHECK(net_model_receive(&model, data, 100, 4096));
    send_frame(100, 4, 0);
    work();
    expect_frame(100, 3, 1, 0);
    CHECK_EQ(model.sent_count, 1);
}

TEST(virtio_net, checksums_are_the_cards_where_it_can)
{
    uint8_t data[100];

    begin(ALL);
    work();
    send_frame(100, 1, FRAME_CHECKSUM_NEEDED | FRAME_CHECKSUM(34, 16));
    model.header_flags = VIRTIO_NET_HDR_F_DATA_VALID;
    fill(data, 100, 2);
    CHECK(net_model_receive(&model, data, 100, 4096));
    work();
    CHECK_EQ(model.sent[0].header.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
    CHECK_EQ(model.sent[0].header.checksum_start, 34);
    CHECK_EQ(model.sent[0].header.checksum_offset, 16);
    expect_frame(100, 2, 1, FRAME_CHECKSUM_GOOD);
    /* One that would be put behind the end, and one from a card that cannot. */
    send_frame(100, 1, FRAME_CHECKSUM_NEEDED | FRAME_CHECKSUM(90, 10));
    work();
    CHECK_EQ(model.sent_count, 1);
    begin(ALL & ~VIRTIO_NET_F_CSUM);
    send_frame(100, 1, FRAME_CHECKSUM_NEEDED | FRAME_CHECKSUM(34, 16));
    work();
    CHECK_EQ(model.sent_count, 0);
    CHECK_EQ(card.frames_dropped, 1);
}

TEST(virtio_net, a_full_device_is_waited_for)
{
    begin(ALL);
    model.silent = true;
    for (unsigned i = 0; i < FRAME_SEND_BUFFERS; i++)
        send_frame(60, (uint8_t)i, 0);
    work();
    CHECK_EQ(model.sent_count, 0);
    model.silent = false;
    work();
    CHECK_EQ(model.sent_count, FRAME_SEND_BUFFERS);
    for (unsigned i = 0; i < FRAME_SEND_BUFFERS; i++)
        send_frame(60, (uint8_t)i, 0); /* all came back */
}

TEST(virtio_net, a_silent_device_is_reset_and_then_given_up)
{
    uint8_t data[60];

    begin(ALL);
    model.silent = true;
    send_frame(60, 1, 0);
    work();
    CHECK_EQ(card_deadline(&card), now_ns + CARD_SILENCE_NS);
    now_ns += CARD_SILENCE_NS;
    work();
    CHECK_EQ(resets, 2);
    fill(data, 60, 5);
    CHECK(net_model_receive(&model, data, 60, 4096)); /* it has its room again */
    work();
    expect_frame(60, 5, 1, 0);
    for (unsigned i = 0; i < 1 + CARD_RESETS_MAX; i++) {
        send_frame(60, 1, 0);
        work();
        now_ns += CARD_SILENCE_NS;
        work();
    }
    CHECK(card.failed && !card.works);
    CHECK_EQ(card_deadline(&card), MNOS_DEADLINE_NEVER);
    CHECK_EQ(atomic_load(&port.rings->link), 0);
    CHECK_EQ(card_start(&card), MNOS_ERR_DEVICE);
}

TEST(virtio_net, the_link_is_told)
{
    begin(ALL);
    work();
    (void)frame_buffers_sleep(&stack, false);
    net_model_config(&model, mac, 0, 1500);
    card_interrupt(&card);
    (void)card_work(&card, now_ns);
    CHECK(frame_port_publish(&port));
    CHECK_EQ(atomic_load(&port.rings->link), 0);
}

TEST(virtio_net, a_device_that_wants_it_is_reset)
{
    begin(ALL);
    work();
    model.virtio.needs_reset = true;
    card_interrupt(&card);
    work();
    CHECK_EQ(resets, 2);
    CHECK(card.works);
    reset_fails = true;
    model.virtio.needs_reset = true;
    card_interrupt(&card);
    work();
    CHECK(card.failed);
}

TEST(virtio_net, a_device_that_lies_is_reset)
{
    uint8_t data[60] = {0};
    struct frame_part part;

    for (unsigned lie = 0; lie < 3; lie++) {
        begin(ALL);
        work();
        model.lie_buffers = lie == 0 ? UINT16_MAX : 0;
        model.lie_bytes = lie == 1 ? 5 : lie == 2 ? 1u << 20 : 0;
        CHECK(net_model_receive(&model, data, 60, 4096));
        work();
        CHECK_EQ(resets, 2);
        CHECK(!frame_take(&stack, &part));
        CHECK(card.works);
    }
    /* Nobody's address, a group's, and a packet size that IP does not know. */
    for (unsigned lie = 0; lie < 3; lie++) {
        uint8_t bad[6] = {lie == 0 ? 0x53 : 0, 0, 0, 0, 0, lie == 1};

        open_model(ALL | VIRTIO_NET_F_MTU);
        net_model_config(&model, lie == 1 ? mac : bad, 1, lie == 1 ? 67 : 1500);
        CHECK_EQ(card_open(&card, &memory), MNOS_ERR_FORMAT);
    }
}

/* What the stack writes, raw. */
static void put_raw(struct frame_ring *ring, struct frame_entry entry)
{
    uint32_t written = atomic_load(&ring->written);

    ring->entries[written % FRAME_ENTRIES] = entry;
    atomic_store(&ring->written, written + 1);
}

TEST(virtio_net, entries_that_cannot_be_come_back)
{
    static const struct frame_entry bad[] = {
        {.page = 0, .bytes = 60},                                     /* the rings */
        {.page = FRAME_MEMORY_PAGES, .bytes = 60},                    /* outside */
        {.page = UINT32_MAX, .bytes = 60},                            /* far outside */
        {.page = FRAME_RING_PAGES, .offset = 4090, .bytes = 60},      /* over the end of its page */
        {.page = FRAME_RING_PAGES, .offset = 4096, .bytes = 1},       /* behind it */
        {.page = FRAME_RING_PAGES, .bytes = 0},                       /* nothing */
        {.page = FRAME_RING_PAGES, .bytes = 13},                      /* no frame */
        {.page = FRAME_RING_PAGES, .bytes = 4000},                    /* too long for one */
        {.page = FRAME_RING_PAGES, .bytes = 60, .flags = FRAME_MORE}, /* without an end */
    };
    const unsigned count = sizeof bad / sizeof bad[0];

    begin(ALL);
    work();
    for (unsigned i = 0; i < count; i++) {
        put_raw(&port.rings->send, bad[i]);
        work();
    }
    CHECK_EQ(model.sent_count, 0);
    CHECK_EQ(atomic_load(&port.rings->sent.written), count);
    for (unsigned i = 0; i < count; i++)
        CHECK_EQ(port.rings->sent.entries[i].flags, FRAME_FAILED);
    for (unsigned i = 0; i < 6; i++)
        put_raw(&port.rings->free, bad[i]);
    CHECK_EQ(port.refused, count);
    /* Those behind what the stack gave at first are looked at when the device has room for them. */
    for (unsigned i = 0; i < FRAME_RECEIVE_BUFFERS; i++) {
        uint8_t data[60] = {0};
        struct frame_part part;

        CHECK(net_model_receive(&model, data, 60, 4096));
        work();
        CHECK(frame_take(&stack, &part));
    }
    work();
    CHECK_EQ(port.refused, count + 6);
    CHECK(!frame_port_broken(&port));
}

TEST(virtio_net, indexes_that_cannot_be_break_the_rings)
{
    for (unsigned which = 0; which < 4; which++) {
        begin(ALL);
        work();
        atomic_store(which == 0   ? &port.rings->free.written
                     : which == 1 ? &port.rings->received.taken
                     : which == 2 ? &port.rings->send.written
                                  : &port.rings->sent.taken,
                     0x40000000);
        work();
        if (which != 0) /* nothing is asked of `free` while the device has all the room it takes */
            CHECK(frame_port_broken(&port) || which == 1);
        CHECK_EQ(model.sent_count, 0);
    }
}

TEST(virtio_net, a_stack_that_takes_nothing_loses_its_own_frames_only)
{
    uint8_t data[60] = {0};
    unsigned received = 0;

    begin(ALL);
    for (unsigned i = 0; i < 2 * FRAME_ENTRIES; i++) {
        put_raw(&port.rings->free, (struct frame_entry){.page = FRAME_RING_PAGES,
                                                        .bytes = FRAME_BUFFER_BYTES,
                                                        .cookie = 0});
        work();
        received += net_model_receive(&model, data, 60, 4096);
        if (atomic_load(&port.rings->free.written) - atomic_load(&port.rings->free.taken) >=
            FRAME_ENTRIES)
            break;
    }
    work();
    CHECK(received <= FRAME_ENTRIES);
    CHECK_EQ(atomic_load(&port.rings->received.written), received);
}

TEST(virtio_net, a_driver_that_lies_is_not_believed)
{
    struct frame_part part;

    begin(ALL);
    work();
    /* A buffer that the driver has not, one of another kind, and bytes outside of it. */
    put_raw(&stack.rings->received, (struct frame_entry){.cookie = FRAME_BUFFERS});
    put_raw(&stack.rings->received,
            (struct frame_entry){.page = FRAME_RING_PAGES + FRAME_RECEIVE_BUFFERS / 2,
                                 .cookie = FRAME_RECEIVE_BUFFERS});
    put_raw(&stack.rings->received,
            (struct frame_entry){.page = FRAME_RING_PAGES, .offset = 100, .bytes = 2000});
    put_raw(&stack.rings->received, (struct frame_entry){.page = FRAME_RING_PAGES, .bytes = 100});
    put_raw(&stack.rings->received, (struct frame_entry){.page = FRAME_RING_PAGES, .bytes = 100});
    CHECK(frame_take(&stack, &part)); /* the fourth; the fifth names it twice */
    CHECK_EQ(part.buffer, 0);
    CHECK(!frame_take(&stack, &part));
    CHECK_EQ(stack.refused, 4);
    atomic_store(&stack.rings->received.written, 0x1000000);
    CHECK(!frame_take(&stack, &part));
    CHECK(frame_buffers_broken(&stack));
}

/* The other side may write as fast as they are refused, so that a call would have no end. */
TEST(virtio_net, entries_that_cannot_be_are_refused_a_few_at_a_time)
{
    const struct frame_entry bad = {.page = 0, .bytes = 60, .cookie = UINT32_MAX};
    struct frame_entry entries[FRAME_SEGMENTS_MAX];
    struct frame_part part;
    uint32_t buffer;

    begin(ALL);
    for (unsigned i = 0; i < FRAME_ENTRIES; i++)
        put_raw(&stack.rings->received, bad);
    CHECK(!frame_take(&stack, &part));
    CHECK_EQ(stack.refused, 64);
    CHECK(!frame_buffers_sleep(&stack, false));
    for (unsigned i = 0; i < FRAME_ENTRIES; i++)
        put_raw(&stack.rings->sent, bad);
    for (unsigned i = 0; i < FRAME_SEND_BUFFERS; i++)
        (void)frame_send_buffer(&stack, &buffer);
    CHECK(frame_send_buffer(&stack, &buffer) == NULL);
    CHECK_EQ(stack.refused, 64 + FRAME_SEND_BUFFERS);

    begin(ALL);
    for (unsigned i = 0; i < FRAME_ENTRIES; i++)
        put_raw(&port.rings->send, bad);
    CHECK_EQ(frame_port_look_send(&port, entries), 0);
    CHECK_EQ(port.refused, 64);
    CHECK(!frame_port_sleep(&port, false, true));

    begin(ALL);
    while (frame_port_take_free(&port, entries))
        frame_port_received(&port, entries);
    for (unsigned i = 0; i < FRAME_RECEIVE_BUFFERS; i++)
        put_raw(&port.rings->free, bad);
    CHECK(!frame_port_take_free(&port, entries));
    CHECK_EQ(port.refused, 64);
    CHECK(!frame_port_sleep(&port, true, false));
    /* None is passed over for ever. */
    work();
    CHECK_EQ(port.refused, FRAME_RECEIVE_BUFFERS);
}

TEST(virtio_net, who_waits_is_told_and_nobody_else)
{
    uint8_t data[60] = {0};
    struct frame_part part;
    uint32_t buffer;

    begin(ALL);
    work(); /* ends asleep, with room for all that the stack gave */
    CHECK(frame_send_buffer(&stack, &buffer) != NULL);
    frame_send(&stack, buffer, 60, 0);
    CHECK(frame_buffers_publish(&stack));
    CHECK(frame_send_buffer(&stack, &buffer) != NULL);
    frame_send(&stack, buffer, 60, 0);
    CHECK(!frame_buffers_publish(&stack)); /* it is awake */
    CHECK(net_model_receive(&model, data, 60, 4096));
    (void)card_work(&card, now_ns);
    CHECK(!frame_port_publish(&port));          /* the stack looks by itself */
    CHECK(!frame_buffers_sleep(&stack, false)); /* and finds it */
    CHECK(frame_take(&stack, &part));
    CHECK(frame_buffers_sleep(&stack, false));
    CHECK(net_model_receive(&model, data, 60, 4096));
    (void)card_work(&card, now_ns);
    CHECK(frame_port_publish(&port));
}
