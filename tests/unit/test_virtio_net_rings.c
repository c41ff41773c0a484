// SPDX-License-Identifier: MIT
/* test_virtio_net_rings - the rings between the driver and the stack, where the other side writes what cannot be. */
#include "tests/unit/virtio_net_scene.h"

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
