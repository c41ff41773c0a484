// SPDX-License-Identifier: MIT
/*
 * test_virtio_net - the driver of virtio network cards and its device: an honest one with more and less abilities, one
 * that fails and is silent, one that lies.
 */
#include "tests/unit/virtio_net_scene.h"

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
    CHECK_EQ(port.refused, 1);
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
