// SPDX-License-Identifier: MIT
/* test_ns16550_writes - the serial driver against a model of the device and of its clients: what is sent. */
#include "tests/models/ns16550.h"

static void write_a_lot(bool has_fifo)
{
    static char text[3 * MNOS_MESSAGE_MAX_BYTES];

    scene(has_fifo);
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + i % 23);
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQ(request(1, 100 + i, STREAM_WRITE, text + i * MNOS_MESSAGE_MAX_BYTES,
                         MNOS_MESSAGE_MAX_BYTES)
                     .reply_id,
                 0);
    CHECK_EQ(reply_count, 0);
    while (device.sent_count + device.tx_count < MNOS_MESSAGE_MAX_BYTES) {
        CHECK_EQ(reply_count, 0); /* the device does not have all of the first one yet */
        wire_send();
        interrupts();
    }
    CHECK_EQ(reply_count, 1);
    CHECK_EQ(replies[0].reply_id, 100);
    send_everything();
    CHECK_EQ(reply_count, 3);
    CHECK_EQ(replies[2].reply_id, 102);
    CHECK_EQ(device.sent_count, sizeof text);
    CHECK(memcmp(device.sent, text, sizeof text) == 0);
    CHECK_EQ(serial_line.uart.statistics.sent_bytes, sizeof text);
    CHECK_EQ(device.ier & IER_TRANSMIT_EMPTY, 0); /* U1: nothing to send, nothing to be told */
    CHECK(!serial_line.uart.sending);
}

TEST(ns16550, a_write_is_answered_when_the_device_has_its_last_byte)
{
    write_a_lot(true);
}

TEST(ns16550, writes_leave_byte_by_byte_without_fifo)
{
    write_a_lot(false);
}

TEST(ns16550, a_device_that_sends_at_once_does_not_interrupt_for_each_byte)
{
    static char text[MNOS_MESSAGE_MAX_BYTES];
    unsigned edges;

    device.instant = true;
    scene(true);
    edges = device.edges;
    request(1, 100, STREAM_WRITE, text, sizeof text);
    CHECK_EQ(reply_count, 1);
    CHECK_EQ(device.sent_count, sizeof text);
    CHECK_EQ(device.edges, edges);
}

TEST(ns16550, a_short_write_to_an_idle_line_needs_no_interrupt)
{
    scene(true);
    request(1, 100, STREAM_WRITE, "p", 1);
    wire_send();
    CHECK_EQ(device.edges, edges_seen);
    CHECK_EQ(device.sent_count, 1);
}

TEST(ns16550, a_dead_writer_waits_no_longer)
{
    static char text[MNOS_MESSAGE_MAX_BYTES];

    scene(true);
    for (unsigned i = 0; i < 4; i++)
        request(i == 3 ? 8 : 7, 100 + i, STREAM_WRITE, text, sizeof text);
    CHECK_EQ(driver.write_count, 4);
    client_gone(7);
    CHECK_EQ(driver.write_count, 1);
    send_everything();
    CHECK_EQ(reply_count, 1);
    CHECK_EQ(replies[0].reply_id, 103);
    CHECK(device.sent_count < 2 * sizeof text);
}

TEST(ns16550, sessions_that_write_without_end_leave_room_for_the_holder)
{
    static char text[MNOS_MESSAGE_MAX_BYTES];
    struct stream_front record = {STREAM_BEHIND, 0};
    mnos_badge_t child;
    unsigned taken = 0;

    scene(true);
    request(1, 40, STREAM_GIVE_FRONT, &record, sizeof record);
    child = exported;
    while (request(child, 100 + taken, STREAM_WRITE, text, sizeof text).label != MNOS_ERR_AGAIN)
        CHECK(++taken < STREAM_WRITES_MAX);
    CHECK_EQ(taken, STREAM_WRITES_OF_SESSIONS);
    CHECK_EQ(request(1, 200, STREAM_WRITE, "prompt", 6).reply_id, 0);
    CHECK_EQ(request(VISITOR, 201, STREAM_WRITE, "visitor", 7).reply_id, 0);
    CHECK_EQ(request(1, 202, STREAM_WRITE, "more", 4).label, MNOS_ERR_AGAIN);
    send_everything();
    CHECK_EQ(replies[reply_count - 1].reply_id, 201);
}

TEST(ns16550, of_more_dead_clients_than_were_reported_all_are_forgotten)
{
    static char text[MNOS_MESSAGE_MAX_BYTES];

    scene(true);
    for (unsigned i = 0; i < 4; i++)
        request(7 + i, 100 + i, STREAM_WRITE, text, sizeof text);
    request_read(8, 200, 10);
    request_read(9, 201, 10);
    gone_clients[0] = badge_of(8);
    gone_clients[1] = badge_of(10);
    client_gone(0);
    CHECK_EQ(driver.write_count, 2);
    CHECK_EQ(driver.read_count, 1);
    send_everything();
    CHECK_EQ(reply_count, 2);
    CHECK_EQ(replies[0].reply_id, 100);
    CHECK_EQ(replies[1].reply_id, 102);
}

TEST(ns16550, receiving_and_sending_at_once_lose_nothing)
{
    static char received[20000];
    size_t got = 0;
    unsigned seed = 3;

    scene(true);
    for (unsigned i = 0; i < 5000; i++) {
        char byte = (char)i;

        seed = seed * 1103515245 + 12345;
        if (seed >> 16 & 1)
            wire_send();
        wire_receive(&byte, 1, 0);
        if (seed >> 17 & 1)
            interrupts();
        if ((seed >> 18 & 3) == 0)
            request(1, 5, STREAM_WRITE, "0123456789", 10);
        request_read(1, 6, 100);
        for (unsigned r = 0; r < reply_count; r++) {
            if (replies[r].reply_id == 6) {
                memcpy(received + got, replies[r].bytes, replies[r].length);
                got += replies[r].length;
            }
        }
        reply_count = 0;
        driver.read_count = 0;
    }
    send_everything();
    CHECK_EQ(serial_line.uart.statistics.overruns, 0);
    CHECK_EQ(byte_queue_used(&serial_line.uart.received) + got, 5000);
    for (size_t i = 0; i < got; i++)
        CHECK_EQ(received[i], (char)i);
    CHECK_EQ(device.sent_count % 10, 0);
    CHECK_EQ(driver.write_count, 0);
}

TEST(ns16550, what_was_answered_is_sent_even_if_the_driver_dies)
{
    scene(true);
    request(1, 100, STREAM_WRITE, "0123456789abcdef", 16);
    CHECK_EQ(reply_count, 1);
    CHECK_EQ(device.sent_count, 0);
    new_driver();
    request(1, 101, STREAM_WRITE, "next", 4);
    CHECK_EQ(reply_count, 0); /* the device is still busy with the old driver's bytes */
    send_everything();
    CHECK_EQ(reply_count, 1);
    CHECK_STR_EQ(device.sent, "0123456789abcdefnext");
}
