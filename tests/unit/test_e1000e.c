// SPDX-License-Identifier: MIT
/*
 * test_e1000e - the driver of Intel 82574 network controllers and its device: an honest one, one that is silent or stays in its
 * reset, one that lies; and a stack whose buffers are too small.
 */
#include <stdlib.h>

#include "drivers/net/e1000e/card.h"
#include "tests/models/e1000e.h"
#include "tests/unit/net_frames_scene.h"

#define BUS 0x1240000000ull /* above 4 GiB: both halves of an address count */
#define RING_BYTES 8192u
#define STACK_BYTES (FRAME_MEMORY_PAGES * 4096ull)

static struct e1000e_model model;
static struct dma_memory memory;
static struct e1000e card;
static uint8_t *ram; /* all that the device reaches: the rings, then the stack's */
static uint64_t time_ns;

static uint64_t now(void *)
{
    return time_ns;
}

static void pause_for(void *, uint64_t ns)
{
    time_ns += ns;
}

static void attach(void)
{
    frame_port_open(&port, ram + RING_BYTES, BUS + RING_BYTES, FRAME_MEMORY_PAGES, &card.info);
    CHECK_EQ(e1000e_start(&card), MNOS_OK);
    stack_begin();
}

static void open_model(void)
{
    struct mmio_model window = model.window;

    free(ram);
    ram = aligned_alloc(4096, RING_BYTES + STACK_BYTES);
    memset(ram, 0xA5, RING_BYTES + STACK_BYTES);
    memset(&model, 0, sizeof model);
    model.window = window; /* it is in the list of models */
    memcpy(model.mac, mac, sizeof mac);
    model.link = true;
    memory = (struct dma_memory){.address = ram,
                                 .bytes = RING_BYTES,
                                 .block_bytes = RING_BYTES,
                                 .block_count = 1,
                                 .table = {BUS}};
    e1000e_model_begin(&model, &memory, RING_BYTES + STACK_BYTES);
    model.values[E1000E_RDT / 4] = 77; /* what firmware has left */
    time_ns = 1000;
    memset(&port, 0, sizeof port);
    memset(&stack, 0, sizeof stack);
    card = (struct e1000e){
        .registers = &model.registers, .port = &port, .now_ns = now, .pause = pause_for};
}

static void begin(void)
{
    open_model();
    CHECK_EQ(e1000e_open(&card, &memory), MNOS_OK);
    attach();
}

/* Until nothing happens any more. */
static void work(void)
{
    for (unsigned i = 0; i < 1000; i++) {
        bool again = e1000e_work(&card);

        (void)frame_port_publish(&port);
        again |= e1000e_model_send(&model);
        if (!again && e1000e_arm(&card))
            return;
    }
    CHECK(!"it comes to an end");
}

static void come(uint32_t bytes, uint8_t pattern)
{
    uint8_t data[1522];

    fill(data, bytes, pattern);
    CHECK(e1000e_model_receive(&model, data, bytes));
}

static void expect_frame(uint32_t bytes, uint8_t pattern, uint32_t flags)
{
    uint8_t want[1522];
    struct frame_part part;

    fill(want, bytes, pattern);
    CHECK(frame_take(&stack, &part));
    CHECK_EQ(part.flags, flags);
    CHECK_EQ(part.count, bytes);
    CHECK(memcmp(part.bytes, want, bytes) == 0);
    CHECK_EQ((uintptr_t)part.bytes % 4, 2); /* what is behind the Ethernet header is aligned */
    CHECK(frame_give(&stack, part.buffer));
    (void)frame_buffers_publish(&stack);
}

TEST(e1000e, frames_go_both_ways)
{
    begin();
    CHECK(memcmp(card.info.mac, mac, 6) == 0);
    CHECK_EQ(card.info.mtu, 1500);
    CHECK_EQ(card.info.can, 0);
    CHECK_EQ(card.info.link, 1);
    work();
    for (unsigned i = 0; i < 1000; i++) { /* around the rings */
        uint32_t bytes = 60 + i % 1455;

        send_frame(bytes, (uint8_t)i, 0);
        come(bytes, (uint8_t)(i + 1));
        work();
        CHECK_EQ(model.sent_count, i + 1);
        CHECK_EQ(model.sent[i % E1000E_MODEL_FRAMES].bytes, bytes);
        expect_frame(bytes, (uint8_t)(i + 1), 0);
    }
    come(1522, 3);
    work();
    expect_frame(1522, 3, 0);
    CHECK_EQ(port.refused + stack.refused, 0);
    CHECK_EQ(card.frames_sent, 1000);
    CHECK_EQ(card.frames_received, 1001);
    CHECK_EQ(model.resets, 2); /* as it was opened, and attached */
}

TEST(e1000e, a_frame_in_several_parts_is_one)
{
    struct frame_entry entry = {.page = FRAME_RING_PAGES, .flags = FRAME_MORE, .bytes = 20};
    uint8_t want[60];

    begin();
    work();
    for (uint32_t i = 0; i < 3; i++) {
        entry.offset = (uint16_t)(100 * i);
        entry.flags = i < 2 ? FRAME_MORE : 0;
        entry.cookie = FRAME_RECEIVE_BUFFERS + i;
        fill(ram + RING_BYTES + entry.page * 4096 + entry.offset, 20, (uint8_t)i);
        fill(want + 20 * i, 20, (uint8_t)i);
        entries_put(&stack.send, &entry);
    }
    entries_publish(&stack.send);
    work();
    CHECK_EQ(model.sent_count, 1);
    CHECK_EQ(model.sent[0].bytes, 60);
    CHECK(memcmp(model.sent[0].data, want, 60) == 0);
    CHECK_EQ(card.frames_sent, 1);
}

TEST(e1000e, checksums_are_the_devices_where_it_says_so)
{
    static const struct {
        uint64_t said;
        uint32_t flags;
    } cases[] = {
        {E1000E_RECEIVED_TCP_UDP | E1000E_RECEIVED_IP, FRAME_CHECKSUM_GOOD},
        {E1000E_RECEIVED_TCP_UDP, 0},
        {E1000E_RECEIVED_IP, 0},
        {E1000E_RECEIVED_TCP_UDP | E1000E_RECEIVED_IP | E1000E_RECEIVED_NOT_CHECKED, 0},
        {E1000E_RECEIVED_TCP_UDP | E1000E_RECEIVED_IP | 1ull << 45, 0},
        {E1000E_RECEIVED_TCP_UDP | E1000E_RECEIVED_IP | 1ull << 46, 0},
    };

    begin();
    work();
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        model.answer_set = cases[i].said;
        come(100, (uint8_t)i);
        work();
        expect_frame(100, (uint8_t)i, cases[i].flags);
    }
    /* It fills in none. */
    send_frame(100, 1, FRAME_CHECKSUM_NEEDED | FRAME_CHECKSUM(34, 16));
    work();
    CHECK_EQ(model.sent_count, 0);
    CHECK_EQ(port.refused, 1);
}

TEST(e1000e, a_full_device_is_waited_for)
{
    begin();
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
    work();
    for (unsigned i = 0; i < E1000E_RING - 1; i++) /* all its room */
        come(60, (uint8_t)i);
    CHECK(!e1000e_model_receive(&model, mac, sizeof mac));
    work();
    for (unsigned i = 0; i < E1000E_RING - 1; i++)
        expect_frame(60, (uint8_t)i, 0);
}

TEST(e1000e, a_silent_device_is_reset_and_then_given_up)
{
    begin();
    model.silent = true;
    send_frame(60, 1, 0);
    work();
    CHECK_EQ(e1000e_deadline(&card), time_ns + E1000E_SILENCE_NS);
    time_ns += E1000E_SILENCE_NS;
    work();
    CHECK_EQ(model.resets, 3);
    come(60, 5); /* it has its room again */
    work();
    expect_frame(60, 5, 0);
    for (unsigned i = 0; i < 1 + E1000E_RESETS_MAX; i++) {
        send_frame(60, 1, 0);
        work();
        time_ns += E1000E_SILENCE_NS;
        work();
    }
    CHECK(card.failed && !card.works);
    CHECK_EQ(e1000e_deadline(&card), MNOS_DEADLINE_NEVER);
    CHECK_EQ(atomic_load(&port.rings->link), 0);
    CHECK_EQ(e1000e_start(&card), MNOS_ERR_DEVICE);
}

TEST(e1000e, a_device_that_lies_is_reset_and_keeps_nothing)
{
    struct frame_part part;

    for (unsigned lie = 0; lie < 3; lie++) {
        begin();
        work();
        come(60, 9); /* before it, one that is true */
        model.answer_cleared = lie == 0 ? E1000E_RECEIVED_END : lie == 1 ? 0xFFFF : 0;
        model.lie_bytes = lie == 2 ? E1000E_ROOM + 1 : 0;
        come(60, 8);
        work();
        expect_frame(60, 9, 0);
        CHECK(!frame_take(&stack, &part));
        CHECK_EQ(model.resets, 3);
        model.answer_cleared = model.lie_bytes = 0;
        come(60, 7);
        work();
        expect_frame(60, 7, 0);
    }
    /* A frame that the wire has damaged is dropped, and its buffer is the stack's. */
    begin();
    work();
    model.answer_set = 1ull << 47;
    come(60, 1);
    work();
    CHECK(frame_take(&stack, &part));
    CHECK_EQ(part.flags, FRAME_FAILED);
    CHECK_EQ(model.resets, 2);
}

TEST(e1000e, a_device_that_stays_in_its_reset_is_given_up)
{
    open_model();
    model.stuck = true;
    CHECK_EQ(e1000e_open(&card, &memory), MNOS_ERR_DEVICE);
    open_model();
    model.no_address = true;
    CHECK_EQ(e1000e_open(&card, &memory), MNOS_ERR_FORMAT);
    open_model();
    model.mac[0] |= 1;
    CHECK_EQ(e1000e_open(&card, &memory), MNOS_ERR_FORMAT);
    open_model();
    memory.bytes = 4096;
    CHECK_EQ(e1000e_open(&card, &memory), MNOS_ERR_MEMORY);
    begin();
    work();
    model.stuck = true;
    e1000e_stop(&card);
    CHECK(card.failed);
    /* One that comes back as another is not the one that the stack knows. */
    begin();
    work();
    model.mac[5]++;
    e1000e_stop(&card);
    CHECK_EQ(e1000e_start(&card), MNOS_ERR_DEVICE);
}

TEST(e1000e, the_link_is_told)
{
    begin();
    work();
    (void)frame_buffers_sleep(&stack, false);
    model.link = false;
    e1000e_interrupt(&card);
    (void)e1000e_work(&card);
    CHECK(frame_port_publish(&port));
    CHECK_EQ(atomic_load(&port.rings->link), 0);
    model.link = true;
    e1000e_interrupt(&card);
    (void)e1000e_work(&card);
    CHECK_EQ(atomic_load(&port.rings->link), 1);
}

TEST(e1000e, a_message_that_was_sent_masks_the_next_until_all_is_done)
{
    const uint32_t frames = E1000E_CAUSE_RECEIVE | E1000E_CAUSE_SEND;

    begin();
    work();
    CHECK_EQ(model.values[E1000E_EIAC / 4], frames);
    CHECK_EQ(model.values[E1000E_IMS / 4], frames | E1000E_CAUSE_OTHER | E1000E_CAUSE_LINK);
    come(60, 1);
    model.values[E1000E_IMS / 4] &= ~frames; /* as the device does when it sends its message */
    e1000e_interrupt(&card);
    (void)e1000e_work(&card);
    CHECK_EQ(model.values[E1000E_IMS / 4] & frames, 0);
    come(60, 2); /* while they are off */
    CHECK(!e1000e_arm(&card));
    CHECK_EQ(model.values[E1000E_IMS / 4] & frames, frames);
    work();
    expect_frame(60, 1, 0);
    expect_frame(60, 2, 0);
}

TEST(e1000e, a_buffer_that_is_too_small_comes_back)
{
    struct frame_entry entry = {.page = FRAME_RING_PAGES, .bytes = E1000E_ROOM - 1};
    struct frame_entry back;

    open_model();
    CHECK_EQ(e1000e_open(&card, &memory), MNOS_OK);
    frame_port_open(&port, ram + RING_BYTES, BUS + RING_BYTES, FRAME_MEMORY_PAGES, &card.info);
    CHECK_EQ(e1000e_start(&card), MNOS_OK);
    frame_buffers_begin(&stack, ram + RING_BYTES);
    entries_put(&stack.free, &entry);
    entries_publish(&stack.free);
    work();
    CHECK_EQ(entries_ready(&stack.received), 1);
    entries_look(&stack.received, 0, &back);
    CHECK_EQ(back.flags, FRAME_FAILED);
    CHECK_EQ(back.bytes, 0);
    CHECK_EQ(card.receive.count, 0);
    CHECK_EQ(port.held, 0);
}

static uint64_t state;

static uint64_t pick(uint64_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 20) % below;
}

/* Somebody writes eight bytes of his choice: half of them are what descriptors or indexes could be. */
static void scribble(uint8_t *place, uint64_t bytes)
{
    uint64_t value = pick(2) ? pick(1ull << 40) << 20 | pick(1u << 20)
                             : pick(2048) | pick(256) << 32 | pick(2) << 40;

    memcpy(place + pick(bytes / 8) * 8, &value, 8);
}

static void step(void)
{
    uint32_t bytes = FRAME_BYTES_MIN + (uint32_t)pick(1400), buffer;
    struct frame_part part;

    switch (pick(8)) {
    case 0: scribble(ram, RING_BYTES); break;
    case 1: scribble(ram + RING_BYTES, FRAME_RING_PAGES * 4096); break;
    case 2:
        while (frame_take(&stack, &part))
            (void)frame_give(&stack, part.buffer);
        (void)frame_buffers_publish(&stack);
        break;
    case 3:
        if (frame_send_buffer(&stack, &buffer) != NULL)
            frame_send(&stack, buffer, bytes, 0);
        (void)frame_buffers_publish(&stack);
        break;
    case 4: time_ns += pick(3) ? pick(1000000) : E1000E_SILENCE_NS; break;
    case 5: model.link = pick(2), e1000e_interrupt(&card); break;
    default: break;
    }
    (void)e1000e_work(&card);
    (void)frame_port_publish(&port);
    (void)e1000e_arm(&card);
}

TEST(e1000e, a_device_and_a_stack_that_write_anything_anywhere_break_nothing)
{
    unsigned failures = 0, begun = 0;

    state = 88172645463325252ull;
    for (unsigned i = 0; i < 60000; i++) {
        if (i == 0 || card.failed || frame_port_broken(&port) || pick(2000) == 0) {
            failures += card.failed;
            begun++;
            begin();
        }
        step();
        CHECK(card.receive.count < E1000E_RING && card.send.count < E1000E_RING);
        CHECK(card.failed || port.held == card.receive.count); /* E1 */
        CHECK(card.failed || port.sending == card.send.count);
    }
    CHECK(begun > 20);
    CHECK(failures != 0);
}
