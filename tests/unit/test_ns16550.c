// SPDX-License-Identifier: MIT
/* test_ns16550 - the serial driver against a model of the device and of its clients: what is received. */
#include "tests/models/ns16550.h"

TEST(ns16550, finds_the_device_and_sets_the_line_up)
{
    scene(true);
    CHECK_EQ(device.divisor, 1);
    CHECK_EQ(device.lcr, LCR_8_BITS);
    CHECK_EQ(device.mcr, MCR_DTR | MCR_RTS | MCR_OUT2);
    CHECK_EQ(serial_line.uart.statistics.fifo_bytes, 16);
    CHECK_EQ(device.ier, IER_RECEIVED | IER_LINE_STATUS);
}

TEST(ns16550, a_device_without_fifo_and_an_absent_one_are_told_apart)
{
    scene(false);
    CHECK_EQ(serial_line.uart.statistics.fifo_bytes, 1);
    device.absent = true;
    CHECK_EQ(uart_init(&serial_line.uart, 0x3F8), MNOS_ERR_DEVICE);
}

TEST(ns16550, a_read_is_answered_when_a_byte_arrives)
{
    scene(true);
    request_read(1, 100, 10);
    CHECK_EQ(reply_count, 0);
    wire_receive("hi", 2, 0);
    interrupts();
    CHECK_EQ(reply_count, 1);
    CHECK_EQ(replies[0].reply_id, 100);
    CHECK_STR_EQ(replies[0].bytes, "hi");
}

TEST(ns16550, bytes_wait_for_a_reader_who_takes_at_most_what_it_asked_for)
{
    scene(true);
    wire_receive("abcdef", 6, 0);
    interrupts();
    request_read(1, 100, 4);
    CHECK_STR_EQ(replies[0].bytes, "abcd");
    request_read(1, 101, UINT64_MAX);
    CHECK_STR_EQ(replies[1].bytes, "ef");
}

TEST(ns16550, reads_are_answered_in_order)
{
    scene(true);
    request_read(1, 100, 1);
    request_read(2, 200, 10);
    wire_receive("abc", 3, 0);
    interrupts();
    CHECK_EQ(replies[0].reply_id, 100);
    CHECK_STR_EQ(replies[0].bytes, "a");
    CHECK_EQ(replies[1].reply_id, 200);
    CHECK_STR_EQ(replies[1].bytes, "bc");
}

TEST(ns16550, too_many_and_malformed_requests_are_refused)
{
    scene(true);
    for (unsigned i = 0; i < STREAM_READS_MAX; i++)
        CHECK_EQ(request_read(1, 100 + i, 1).reply_id, 0);
    CHECK_EQ(request_read(1, 200, 1).label, MNOS_ERR_AGAIN);
    CHECK_EQ(request_read(1, 200, 0).label, MNOS_ERR_ARGUMENT);
    CHECK_EQ(request(1, 200, STREAM_READ, "abc", 3).label, MNOS_ERR_SIZE);
    CHECK_EQ(request(1, 200, STREAM_WRITE, NULL, 0).label, MNOS_ERR_ARGUMENT);
    CHECK_EQ(request(1, 200, 999, NULL, 0).label, MNOS_ERR_LABEL);
    request_read(1, 0, 1); /* by ipc_send: ignored */
    CHECK_EQ(driver.read_count, STREAM_READS_MAX);
    CHECK_EQ(reply_count, 0);
}

TEST(ns16550, a_dead_clients_requests_are_dropped)
{
    scene(true);
    request_read(1, 100, 10);
    request_read(2, 200, 10);
    request_read(1, 101, 10);
    client_gone(1);
    wire_receive("x", 1, 0);
    interrupts();
    CHECK_EQ(reply_count, 1);
    CHECK_EQ(replies[0].reply_id, 200);
    CHECK_EQ(driver.read_count, 0);
}

TEST(ns16550, bytes_for_a_reader_that_died_unnoticed_go_to_the_next)
{
    scene(true);
    request_read(1, 100, 10);
    request_read(2, 200, 10);
    dead_client_reply = 100;
    wire_receive("kept", 4, 0);
    interrupts();
    CHECK_EQ(reply_count, 1);
    CHECK_EQ(replies[0].reply_id, 200);
    CHECK_STR_EQ(replies[0].bytes, "kept");
}

TEST(ns16550, errors_of_the_line_are_counted)
{
    scene(true);
    wire_receive("a", 1, 0);
    wire_receive("", 1, LSR_BREAK | LSR_FRAMING); /* a break is a zero byte that nobody sent */
    wire_receive("b", 1, 0);
    interrupts();
    CHECK_STR_EQ(got(STREAM_POLL, 10), "ab");
    CHECK_EQ(serial_line.uart.statistics.breaks, 1);
    wire_receive("c", 1, LSR_PARITY);
    wire_receive("d", 1, 0);
    wire_receive("e", 1, LSR_FRAMING);
    interrupts();
    CHECK_EQ(serial_line.uart.statistics.parity_errors, 1);
    CHECK_EQ(serial_line.uart.statistics.framing_errors, 2);
    CHECK_STR_EQ(got(STREAM_READ, 10), "LOST");
    CHECK_STR_EQ(got(STREAM_READ, 10), "d");
    CHECK_STR_EQ(got(STREAM_READ, 10), "LOST");
    CHECK_STR_EQ(got(STREAM_POLL, 10), "");
}

TEST(ns16550, an_overrun_is_reported_where_bytes_are_missing)
{
    scene(true);
    wire_receive("0123456789abcdefXYZ", 19, 0); /* three more than the FIFO holds */
    interrupts();
    wire_receive("next", 4, 0);
    interrupts();
    CHECK_EQ(serial_line.uart.statistics.overruns, 1);
    CHECK_STR_EQ(got(STREAM_READ, 100), "0123456789abcde");
    CHECK_STR_EQ(got(STREAM_READ, 100),
                 "LOST"); /* one byte may have been read between loss and report */
    CHECK_STR_EQ(got(STREAM_READ, 100), "f");
    CHECK_STR_EQ(got(STREAM_READ, 100), "LOST");
    CHECK_STR_EQ(got(STREAM_READ, 100), "next");
}

TEST(ns16550, an_overrun_without_fifo_is_reported_on_both_sides)
{
    scene(false);
    wire_receive("ab", 2, 0);
    interrupts();
    CHECK_STR_EQ(got(STREAM_READ, 100), "LOST");
    CHECK_STR_EQ(got(STREAM_READ, 100), "a");
    CHECK_STR_EQ(got(STREAM_READ, 100), "LOST");
}

/* Bytes are numbered, the line loses some whenever it can: between two bytes that do not follow
 * each other there must be a report. */
TEST(ns16550, no_loss_goes_unreported)
{
    unsigned seed = 11, next = 0, expected = 0, losses = 0;

    scene(true);
    for (unsigned i = 0; i < 20000; i++) {
        const char *bytes;

        seed = seed * 1103515245 + 12345;
        for (unsigned n = seed >> 16 & 15; n != 0; n--) {
            char byte = (char)(1 + next++ % 251);

            wire_receive(&byte, 1, 0);
        }
        if ((seed >> 20 & 7) == 0)
            uart_hold(&serial_line.uart, (seed >> 23 & 1) != 0);
        if (seed >> 24 & 1)
            interrupts();
        if (seed >> 25 & 1)
            continue;
        bytes = got(STREAM_POLL, seed >> 26 & 31 ? 7 : 4000);
        if (strcmp(bytes, "LOST") == 0) {
            losses++;
            expected = 0;
        }
        for (; *bytes != 0 && strcmp(bytes, "LOST") != 0; bytes++) {
            unsigned value = (uint8_t)*bytes;

            CHECK(expected == 0 || value == expected);
            expected = 1 + value % 251;
        }
    }
    CHECK(losses > 10);
    CHECK(byte_queue_room(&serial_line.uart.received) <= BYTE_QUEUE_ITEMS);
}

/* The sender heeds the device: it sends only what the FIFO has room for, as a virtual machine
 * does. */
static size_t feed(const char *bytes, size_t count)
{
    size_t room = fifo_depth() - device.rx_count;

    if (count > room)
        count = room;
    wire_receive(bytes, count, 0);
    return count;
}

TEST(ns16550, what_nobody_reads_stays_in_the_device)
{
    static char paste[30000], seen[sizeof paste];
    size_t sent = 0, read = 0;

    scene(true);
    for (size_t i = 0; i < sizeof paste; i++)
        paste[i] = (char)('!' + i % 89);
    for (unsigned i = 0; i < 2000; i++) {
        sent += feed(paste + sent, sizeof paste - sent);
        interrupts();
        CHECK(serial_line.uart.stopped ||
              device.rx_count == 0); /* nothing is forgotten in the device */
        if (byte_queue_used(&serial_line.uart.received) <= USED_ASK_TO_STOP)
            CHECK(device.mcr & MCR_RTS);
    }
    CHECK(serial_line.uart.stopped && sent < sizeof paste);
    CHECK_EQ(device.ier & IER_RECEIVED, 0); /* U3 */
    CHECK_EQ(device.mcr & MCR_RTS, 0);
    CHECK_EQ(serial_line.uart.statistics.stops, 1);
    while (read < sizeof paste) {
        const char *bytes = got(STREAM_POLL, 1000);

        memcpy(seen + read, bytes, strlen(bytes));
        read += strlen(bytes);
        interrupts();
        for (unsigned i = 0; i < 20; i++) {
            sent += feed(paste + sent, sizeof paste - sent);
            interrupts();
        }
    }
    CHECK(memcmp(seen, paste, sizeof paste) == 0);
    CHECK(device.mcr & MCR_RTS);
    CHECK_EQ(serial_line.uart.statistics.overruns, 0);
}

TEST(ns16550, a_hold_empties_the_driver_and_leaves_the_rest_in_the_device)
{
    scene(true);
    wire_receive("typed ahead", 11, 0);
    interrupts();
    CHECK_STR_EQ(got(STREAM_HOLD, 100), "typed ahead");
    wire_receive("more", 4, 0);
    interrupts();
    CHECK_STR_EQ(got(STREAM_HOLD, 100), "");
    CHECK_EQ(device.rx_count, 4);
    CHECK_EQ(device.scratch, SCRATCH_EMPTY);
    request_read(2, 200, 100); /* reading ends it */
    CHECK_STR_EQ(replies[0].bytes, "more");
    got(STREAM_HOLD, 100);
    client_gone(1); /* and so does the end of the client */
    CHECK(!serial_line.uart.stopped);
    CHECK(device.mcr & MCR_RTS);
}

static bool brings;

static bool on_its_way(void *)
{
    return brings;
}

static void ask_hold(uint64_t reply_id)
{
    struct stream_read record = {100};

    reply_count = 0;
    CHECK_EQ(request(1, reply_id, STREAM_HOLD, &record, sizeof record).reply_id, 0);
}

TEST(ns16550, a_hold_that_finds_nothing_waits_for_what_is_on_its_way)
{
    scene(true);
    serial_line.device.on_its_way = on_its_way;
    brings = true;
    ask_hold(300);
    CHECK_EQ(reply_count, 0);
    byte_queue_put(driver.device->received, 'k'); /* it comes */
    stream_server_progress(&driver);
    CHECK_EQ(reply_count, 1);
    CHECK_EQ(replies[0].reply_id, 300);
    CHECK_STR_EQ(replies[0].bytes, "k");
    ask_hold(301);
    stream_server_progress(&driver);
    CHECK_EQ(reply_count, 0);
    brings = false; /* and now nothing did */
    stream_server_progress(&driver);
    CHECK_EQ(reply_count, 1);
    CHECK_EQ(replies[0].reply_id, 301);
    CHECK_EQ(replies[0].length, 0);
    CHECK_STR_EQ(got(STREAM_HOLD, 100), "");
    brings = true; /* who brings it waits for a driver that never answers */
    ask_hold(303);
    CHECK_EQ(stream_server_deadline(&driver), driver.now_ns + STREAM_HOLD_NS);
    driver.now_ns += STREAM_HOLD_NS - 1;
    stream_server_progress(&driver);
    CHECK_EQ(reply_count, 0);
    driver.now_ns++;
    stream_server_progress(&driver);
    CHECK_EQ(reply_count, 1);
    CHECK_EQ(replies[0].length, 0);
    CHECK_EQ(stream_server_deadline(&driver), MNOS_DEADLINE_NEVER);
    driver.scan.expects = true; /* what may begin an answer of a terminal is not left behind */
    ask_hold(304);
    byte_queue_put(driver.device->received, 0x1B);
    brings = false;
    stream_server_progress(&driver);
    CHECK_EQ(reply_count, 1);
    CHECK_STR_EQ(replies[0].bytes, "\33");
    brings = true; /* a client that ends meanwhile has no use for an answer */
    ask_hold(302);
    client_gone(1);
    brings = false;
    stream_server_progress(&driver);
    CHECK_EQ(reply_count, 0);
    CHECK(!serial_line.uart.stopped);
}

TEST(ns16550, before_a_client_has_come_bytes_stay_in_the_device)
{
    scene(true);
    CHECK_EQ(uart_init(&serial_line.uart, 0x3F8), MNOS_OK); /* a new run */
    uart_service(&serial_line.uart);
    wire_receive("early", 5, 0);
    interrupts();
    CHECK_EQ(device.rx_count, 5);
    CHECK_EQ(device.mcr & MCR_RTS, 0);
    CHECK_EQ(request(1, 100, STREAM_WRITE, "x", 1).reply_id, 0);
    CHECK_EQ(device.rx_count, 5);
    CHECK_EQ(request_listen(3, 3), MNOS_OK);
    CHECK_EQ(device.rx_count, 0);
    CHECK_EQ(told, 2);
    CHECK_STR_EQ(got(STREAM_POLL, 100), "early");
}

TEST(ns16550, a_listener_does_not_end_the_hold_of_another_client)
{
    scene(true);
    got(STREAM_HOLD, 100); /* of client 1 */
    CHECK_EQ(request_listen(3, 3), MNOS_OK);
    CHECK(serial_line.uart.stopped);
}

TEST(ns16550, listeners_are_told_when_bytes_begin_to_wait)
{
    struct stream_events events = {.input = INPUT_EVENT};

    scene(true);
    CHECK_EQ(request(4, 301, STREAM_LISTEN, &events, sizeof events).label, MNOS_ERR_ARGUMENT);
    CHECK_EQ(request_listen(1, 3), MNOS_OK);
    CHECK_EQ(told, 1);
    wire_receive("a", 1, 0);
    interrupts();
    wire_receive("b", 1, 0);
    interrupts();
    CHECK_EQ(told, 2);
    got(STREAM_POLL, 1);
    wire_receive("c", 1, 0);
    interrupts();
    CHECK_EQ(told, 2); /* "b" waits still */
    CHECK_STR_EQ(got(STREAM_POLL, 10), "bc");
    wire_receive("d", 1, 0);
    interrupts();
    CHECK_EQ(told, 3);
    got(STREAM_POLL, 10);
    client_gone(1);
    wire_receive("e", 1, 0);
    interrupts();
    CHECK_EQ(told, 3);
}

TEST(ns16550, capabilities_that_nobody_asked_for_are_refused_and_listeners_are_bounded)
{
    scene(true);
    for (unsigned i = 0; i <= STREAM_CLIENTS_MAX; i++)
        CHECK_EQ(request_listen(1 + i, 1), i < STREAM_CLIENTS_MAX ? MNOS_OK : MNOS_ERR_AGAIN);
    CHECK_EQ(caps_held, STREAM_CLIENTS_MAX);
    request_caps(1, SERIAL_STATISTICS, NULL, 0, 2, 1);
    CHECK_EQ(caps_held, STREAM_CLIENTS_MAX);
    CHECK_EQ(request_listen(1, 1), MNOS_OK); /* in the place of its own */
    CHECK_EQ(caps_held, STREAM_CLIENTS_MAX);
}

TEST(ns16550, what_a_dead_driver_held_is_reported_by_the_next)
{
    scene(true);
    wire_receive("held", 4, 0);
    interrupts();
    wire_receive("in the device", 13, 0);
    new_driver();
    CHECK_STR_EQ(got(STREAM_READ, 100), "LOST");
    CHECK_STR_EQ(got(STREAM_READ, 100), "in the device");
    new_driver(); /* this one held nothing */
    CHECK_STR_EQ(got(STREAM_POLL, 100), "");
    wire_receive("given", 5, 0);
    interrupts();
    dead_client_reply = 50;
    request_read(1, 50, 100); /* to nobody: it is held still */
    new_driver();
    CHECK_STR_EQ(got(STREAM_READ, 100), "LOST");
}

TEST(ns16550, what_the_device_received_while_no_driver_ran_is_read_from_the_next)
{
    unsigned divisor_writes;

    scene(true);
    divisor_writes = device.divisor_writes;
    wire_receive("typed ahead", 11, 0);
    new_driver();
    CHECK_EQ(device.divisor_writes, divisor_writes); /* a byte may be on the wire */
    request_read(1, 100, 100);
    CHECK_EQ(reply_count, 1);
    CHECK_STR_EQ(replies[0].bytes, "typed ahead");
}

TEST(ns16550, a_poll_is_answered_at_once_and_loses_nothing)
{
    struct stream_read read = {4};

    scene(true);
    CHECK_EQ(request(1, 100, STREAM_POLL, &read, sizeof read).reply_id, 0);
    CHECK_EQ(reply_count, 1);
    CHECK_EQ(replies[0].length, 0);
    wire_receive("abcdef", 6, 0);
    interrupts();
    request(1, 101, STREAM_POLL, &read, sizeof read);
    CHECK_STR_EQ(replies[1].bytes, "abcd");
    dead_client_reply = 102;
    request(1, 102, STREAM_POLL, &read, sizeof read);
    request_read(2, 200, 10);
    CHECK_STR_EQ(replies[2].bytes, "ef");
    CHECK_EQ(request(1, 103, STREAM_POLL, "abc", 3).label, MNOS_ERR_SIZE);
}

TEST(ns16550, statistics_are_the_reply)
{
    struct serial_statistics *statistics = (void *)message_bytes;
    struct message msg;

    scene(true);
    wire_receive("abc", 3, 0);
    interrupts();
    msg = request(1, 100, SERIAL_STATISTICS, NULL, 0);
    CHECK_EQ(msg.reply_id, 100);
    CHECK_EQ(msg.length, sizeof *statistics);
    CHECK_EQ(statistics->received_bytes, 3);
}
