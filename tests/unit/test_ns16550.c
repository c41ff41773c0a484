// SPDX-License-Identifier: MIT
/*
 * test_ns16550 - the serial driver against a model of the device and of its clients.
 */
#include "tests/unit/unit.h"

#include <string.h>

/* The kernel, in the same program, has a function of this name. */
#define ipc_reply model_ipc_reply

#include "lib/mnos/ipc.h"

/* There is no IPC buffer: what a message carries is in message_bytes. */
#define message_put model_message_put
#define message_get model_message_get
static void message_put(struct message *msg, uint32_t label, const void *bytes, size_t length);
static size_t message_get(const struct message *msg, void *out, size_t size);

#include "drivers/serial/ns16550/backlog.c"
#include "drivers/serial/ns16550/server.c"
#include "drivers/serial/ns16550/uart.c"
#include "tests/models/ns16550.h"

/* ---- IPC ---- */

static uint8_t message_bytes[MNOS_MESSAGE_MAX_BYTES];

static struct {
    uint64_t reply_id;
    uint32_t label;
    char bytes[MNOS_MESSAGE_MAX_BYTES + 1];
    size_t length;
} replies[64];
static unsigned reply_count;
static uint64_t dead_client_reply; /* an ipc_reply() to it fails */
static unsigned told;              /* how often listeners were told */
static unsigned caps_refused;

static void message_put(struct message *msg, uint32_t label, const void *bytes, size_t length)
{
    msg->label = label;
    msg->length = (uint32_t)length;
    if (length != 0)
        memcpy(message_bytes, bytes, length);
}

static size_t message_get(const struct message *msg, void *out, size_t size)
{
    size_t length = msg->length < size ? msg->length : size;

    memcpy(out, message_bytes, length);
    return length;
}

mnos_status_t ipc_reply(const struct message *msg)
{
    if (msg->reply_id == dead_client_reply)
        return MNOS_ERR_REPLY;
    replies[reply_count].reply_id = msg->reply_id;
    replies[reply_count].label = msg->label;
    replies[reply_count].length = msg->length;
    memcpy(replies[reply_count].bytes, message_bytes, msg->length);
    replies[reply_count].bytes[msg->length] = 0;
    reply_count++;
    return MNOS_OK;
}

void ipc_reply_status(uint64_t reply_id, mnos_status_t status)
{
    struct message msg = {.reply_id = reply_id, .label = status};

    if (reply_id != 0)
        (void)!ipc_reply(&msg);
}

static mnos_badge_t gone_clients[2]; /* what the kernel knows when it is asked */

bool ipc_client_is_gone(mnos_cap_t endpoint, mnos_badge_t gone, mnos_badge_t client)
{
    CHECK_EQ(endpoint, 55);
    if (gone != 0)
        return gone == client;
    return client != 0 && (client == gone_clients[0] || client == gone_clients[1]);
}

void message_refuse_caps(const struct message *msg)
{
    caps_refused += msg->cap_count;
}

mnos_status_t listener_accept(struct listener *listener, const struct message *msg)
{
    struct listen_request request;

    if (message_get(msg, &request, sizeof request) != sizeof request)
        return MNOS_ERR_SIZE;
    if (msg->cap_count == 0)
        return MNOS_ERR_ARGUMENT;
    *listener = (struct listener){.endpoint = 1, .events = request.events};
    told++;
    return MNOS_OK;
}

void listener_tell(const struct listener *listener)
{
    told += listener->endpoint != 0;
}

void listener_forget(struct listener *listener)
{
    *listener = (struct listener){0};
}

/* ---- Scenes ---- */

static struct uart uart;
static struct server server;
static unsigned edges_seen;

static void scene(bool has_fifo)
{
    device.has_fifo = has_fifo;
    CHECK_EQ(uart_init(&uart, 0x3F8), MNOS_OK);
    uart_hold(&uart, false); /* as when a client has come */
    uart_service(&uart);
    server.uart = &uart;
    server.endpoint = 55;
    edges_seen = device.edges;
}

/* The driver's loop: runs once for each edge. A lost edge shows as bytes that never move. */
static void interrupts(void)
{
    while (edges_seen != device.edges) {
        edges_seen = device.edges;
        uart_service(&uart);
        server_progress(&server);
    }
}

static struct message request(mnos_badge_t client, uint64_t reply_id, uint32_t label,
                              const void *bytes, size_t length)
{
    struct message msg = {.badge = client, .reply_id = reply_id};

    message_put(&msg, label, bytes, length);
    server_handle(&server, &msg);
    interrupts();
    return msg;
}

static struct message request_read(mnos_badge_t client, uint64_t reply_id, uint64_t max_bytes)
{
    struct serial_read read = {max_bytes};

    return request(client, reply_id, SERIAL_READ, &read, sizeof read);
}

static void send_everything(void)
{
    for (unsigned i = 0; i < 40000 && (device.tx_count != 0 || edges_seen != device.edges); i++) {
        wire_send();
        interrupts();
    }
}

TEST(ns16550, finds_the_device_and_sets_the_line_up)
{
    scene(true);
    CHECK_EQ(device.divisor, 1);
    CHECK_EQ(device.lcr, LCR_8_BITS);
    CHECK_EQ(device.mcr, MCR_DTR | MCR_RTS | MCR_OUT2);
    CHECK_EQ(uart.statistics.fifo_bytes, 16);
    CHECK_EQ(device.ier, IER_RECEIVED | IER_LINE_STATUS);
}

TEST(ns16550, a_device_without_fifo_and_an_absent_one_are_told_apart)
{
    scene(false);
    CHECK_EQ(uart.statistics.fifo_bytes, 1);
    device.absent = true;
    CHECK_EQ(uart_init(&uart, 0x3F8), MNOS_ERR_DEVICE);
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
    for (unsigned i = 0; i < SERVER_READS_MAX; i++)
        CHECK_EQ(request_read(1, 100 + i, 1).reply_id, 0);
    CHECK_EQ(request_read(1, 200, 1).label, MNOS_ERR_AGAIN);
    CHECK_EQ(request_read(1, 200, 0).label, MNOS_ERR_ARGUMENT);
    CHECK_EQ(request(1, 200, SERIAL_READ, "abc", 3).label, MNOS_ERR_SIZE);
    CHECK_EQ(request(1, 200, SERIAL_WRITE, NULL, 0).label, MNOS_ERR_ARGUMENT);
    CHECK_EQ(request(1, 200, 999, NULL, 0).label, MNOS_ERR_LABEL);
    request_read(1, 0, 1); /* by ipc_send: ignored */
    CHECK_EQ(server.read_count, SERVER_READS_MAX);
    CHECK_EQ(reply_count, 0);
}

TEST(ns16550, a_dead_clients_requests_are_dropped)
{
    struct message gone = {.kind = MNOS_KIND_CLIENT_GONE, .badge = 1};

    scene(true);
    request_read(1, 100, 10);
    request_read(2, 200, 10);
    request_read(1, 101, 10);
    server_handle(&server, &gone);
    wire_receive("x", 1, 0);
    interrupts();
    CHECK_EQ(reply_count, 1);
    CHECK_EQ(replies[0].reply_id, 200);
    CHECK_EQ(server.read_count, 0);
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

static void write_a_lot(bool has_fifo)
{
    static char text[3 * MNOS_MESSAGE_MAX_BYTES];

    scene(has_fifo);
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + i % 23);
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQ(request(1, 100 + i, SERIAL_WRITE, text + i * MNOS_MESSAGE_MAX_BYTES,
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
    CHECK_EQ(uart.statistics.sent_bytes, sizeof text);
    CHECK_EQ(device.ier & IER_TRANSMIT_EMPTY, 0); /* U1: nothing to send, nothing to be told */
    CHECK(!uart.sending);
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
    request(1, 100, SERIAL_WRITE, text, sizeof text);
    CHECK_EQ(reply_count, 1);
    CHECK_EQ(device.sent_count, sizeof text);
    CHECK_EQ(device.edges, edges);
}

TEST(ns16550, a_short_write_to_an_idle_line_needs_no_interrupt)
{
    scene(true);
    request(1, 100, SERIAL_WRITE, "p", 1);
    wire_send();
    CHECK_EQ(device.edges, edges_seen);
    CHECK_EQ(device.sent_count, 1);
}

TEST(ns16550, a_dead_writer_waits_no_longer)
{
    static char text[MNOS_MESSAGE_MAX_BYTES];
    struct message gone = {.kind = MNOS_KIND_CLIENT_GONE, .badge = 7};

    scene(true);
    for (unsigned i = 0; i < 4; i++)
        request(i == 3 ? 8 : 7, 100 + i, SERIAL_WRITE, text, sizeof text);
    CHECK_EQ(server.write_count, 4);
    server_handle(&server, &gone);
    CHECK_EQ(server.write_count, 1);
    send_everything();
    CHECK_EQ(reply_count, 1);
    CHECK_EQ(replies[0].reply_id, 103);
    CHECK(device.sent_count < 2 * sizeof text);
}

TEST(ns16550, of_more_dead_clients_than_were_reported_all_are_forgotten)
{
    static char text[MNOS_MESSAGE_MAX_BYTES];
    struct message gone = {.kind = MNOS_KIND_CLIENT_GONE, .badge = 0};

    scene(true);
    for (unsigned i = 0; i < 4; i++)
        request(7 + i, 100 + i, SERIAL_WRITE, text, sizeof text);
    request_read(8, 200, 10);
    request_read(9, 201, 10);
    gone_clients[0] = 8;
    gone_clients[1] = 10;
    server_handle(&server, &gone);
    CHECK_EQ(server.write_count, 2);
    CHECK_EQ(server.read_count, 1);
    send_everything();
    CHECK_EQ(reply_count, 2);
    CHECK_EQ(replies[0].reply_id, 100);
    CHECK_EQ(replies[1].reply_id, 102);
}

/* What the next read, poll or hold gets: the bytes, or "LOST". */
static const char *got(uint32_t label, uint64_t max_bytes)
{
    struct serial_read read = {max_bytes};

    request(1, 900, label, &read, sizeof read);
    CHECK(reply_count != 0);
    reply_count--;
    return replies[reply_count].label == MNOS_ERR_LOST ? "LOST" : replies[reply_count].bytes;
}

TEST(ns16550, errors_of_the_line_are_counted)
{
    scene(true);
    wire_receive("a", 1, 0);
    wire_receive("", 1, LSR_BREAK | LSR_FRAMING); /* a break is a zero byte that nobody sent */
    wire_receive("b", 1, 0);
    interrupts();
    CHECK_STR_EQ(got(SERIAL_POLL, 10), "ab");
    CHECK_EQ(uart.statistics.breaks, 1);
    wire_receive("c", 1, LSR_PARITY);
    wire_receive("d", 1, 0);
    wire_receive("e", 1, LSR_FRAMING);
    interrupts();
    CHECK_EQ(uart.statistics.parity_errors, 1);
    CHECK_EQ(uart.statistics.framing_errors, 2);
    CHECK_STR_EQ(got(SERIAL_READ, 10), "LOST");
    CHECK_STR_EQ(got(SERIAL_READ, 10), "d");
    CHECK_STR_EQ(got(SERIAL_READ, 10), "LOST");
    CHECK_STR_EQ(got(SERIAL_POLL, 10), "");
}

TEST(ns16550, an_overrun_is_reported_where_bytes_are_missing)
{
    scene(true);
    wire_receive("0123456789abcdefXYZ", 19, 0); /* three more than the FIFO holds */
    interrupts();
    wire_receive("next", 4, 0);
    interrupts();
    CHECK_EQ(uart.statistics.overruns, 1);
    CHECK_STR_EQ(got(SERIAL_READ, 100), "0123456789abcde");
    CHECK_STR_EQ(got(SERIAL_READ, 100),
                 "LOST"); /* one byte may have been read between loss and report */
    CHECK_STR_EQ(got(SERIAL_READ, 100), "f");
    CHECK_STR_EQ(got(SERIAL_READ, 100), "LOST");
    CHECK_STR_EQ(got(SERIAL_READ, 100), "next");
}

TEST(ns16550, an_overrun_without_fifo_is_reported_on_both_sides)
{
    scene(false);
    wire_receive("ab", 2, 0);
    interrupts();
    CHECK_STR_EQ(got(SERIAL_READ, 100), "LOST");
    CHECK_STR_EQ(got(SERIAL_READ, 100), "a");
    CHECK_STR_EQ(got(SERIAL_READ, 100), "LOST");
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
            uart_hold(&uart, (seed >> 23 & 1) != 0);
        if (seed >> 24 & 1)
            interrupts();
        if (seed >> 25 & 1)
            continue;
        bytes = got(SERIAL_POLL, seed >> 26 & 31 ? 7 : 4000);
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
    CHECK(byte_queue_room(&uart.received) <= BYTE_QUEUE_ITEMS);
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
        CHECK(uart.stopped || device.rx_count == 0); /* nothing is forgotten in the device */
        if (byte_queue_used(&uart.received) <= USED_ASK_TO_STOP)
            CHECK(device.mcr & MCR_RTS);
    }
    CHECK(uart.stopped && sent < sizeof paste);
    CHECK_EQ(device.ier & IER_RECEIVED, 0); /* U3 */
    CHECK_EQ(device.mcr & MCR_RTS, 0);
    CHECK_EQ(uart.statistics.stops, 1);
    while (read < sizeof paste) {
        const char *bytes = got(SERIAL_POLL, 1000);

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
    CHECK_EQ(uart.statistics.overruns, 0);
}

TEST(ns16550, a_hold_empties_the_driver_and_leaves_the_rest_in_the_device)
{
    struct message gone = {.kind = MNOS_KIND_CLIENT_GONE, .badge = 1};

    scene(true);
    wire_receive("typed ahead", 11, 0);
    interrupts();
    CHECK_STR_EQ(got(SERIAL_HOLD, 100), "typed ahead");
    wire_receive("more", 4, 0);
    interrupts();
    CHECK_STR_EQ(got(SERIAL_HOLD, 100), "");
    CHECK_EQ(device.rx_count, 4);
    CHECK_EQ(device.scratch, SCRATCH_EMPTY);
    request_read(2, 200, 100); /* reading ends it */
    CHECK_STR_EQ(replies[0].bytes, "more");
    got(SERIAL_HOLD, 100);
    server_handle(&server, &gone); /* and so does the end of the client */
    CHECK(!uart.stopped);
    CHECK(device.mcr & MCR_RTS);
}

TEST(ns16550, before_a_client_has_come_bytes_stay_in_the_device)
{
    struct listen_request events = {4};
    struct message msg = {.badge = 3, .reply_id = 300, .cap_count = 1};

    scene(true);
    CHECK_EQ(uart_init(&uart, 0x3F8), MNOS_OK); /* a new run */
    uart_service(&uart);
    wire_receive("early", 5, 0);
    interrupts();
    CHECK_EQ(device.rx_count, 5);
    CHECK_EQ(device.mcr & MCR_RTS, 0);
    CHECK_EQ(request(1, 100, SERIAL_WRITE, "x", 1).reply_id, 0);
    CHECK_EQ(device.rx_count, 5);
    message_put(&msg, SERIAL_LISTEN, &events, sizeof events);
    server_handle(&server, &msg);
    interrupts();
    CHECK_EQ(device.rx_count, 0);
    CHECK_EQ(told, 2);
    CHECK_STR_EQ(got(SERIAL_POLL, 100), "early");
}

TEST(ns16550, a_listener_does_not_end_the_hold_of_another_client)
{
    struct listen_request events = {4};
    struct message msg = {.badge = 3, .reply_id = 300, .cap_count = 1};

    scene(true);
    got(SERIAL_HOLD, 100); /* of client 1 */
    message_put(&msg, SERIAL_LISTEN, &events, sizeof events);
    server_handle(&server, &msg);
    CHECK(uart.stopped);
}

TEST(ns16550, listeners_are_told_when_bytes_begin_to_wait)
{
    struct listen_request events = {4};
    struct message msg = {.badge = 3, .reply_id = 300, .cap_count = 1},
                   gone = {.kind = MNOS_KIND_CLIENT_GONE, .badge = 3};

    scene(true);
    CHECK_EQ(request(4, 301, SERIAL_LISTEN, &events, sizeof events).label, MNOS_ERR_ARGUMENT);
    message_put(&msg, SERIAL_LISTEN, &events, sizeof events);
    server_handle(&server, &msg);
    CHECK_EQ(msg.label, MNOS_OK);
    CHECK_EQ(told, 1);
    wire_receive("a", 1, 0);
    interrupts();
    wire_receive("b", 1, 0);
    interrupts();
    CHECK_EQ(told, 2);
    got(SERIAL_POLL, 1);
    wire_receive("c", 1, 0);
    interrupts();
    CHECK_EQ(told, 2); /* "b" waits still */
    CHECK_STR_EQ(got(SERIAL_POLL, 10), "bc");
    wire_receive("d", 1, 0);
    interrupts();
    CHECK_EQ(told, 3);
    got(SERIAL_POLL, 10);
    server_handle(&server, &gone);
    wire_receive("e", 1, 0);
    interrupts();
    CHECK_EQ(told, 3);
}

TEST(ns16550, capabilities_that_nobody_asked_for_are_refused_and_listeners_are_bounded)
{
    struct listen_request events = {4};

    scene(true);
    for (unsigned i = 0; i <= SERVER_LISTENERS_MAX; i++) {
        struct message msg = {.badge = 1 + i, .reply_id = 300, .cap_count = 1};

        message_put(&msg, SERIAL_LISTEN, &events, sizeof events);
        server_handle(&server, &msg);
        CHECK_EQ(msg.label, i < SERVER_LISTENERS_MAX ? MNOS_OK : MNOS_ERR_AGAIN);
    }
    CHECK_EQ(caps_refused, 1);
    for (unsigned i = 0; i < 2; i++) {
        struct message msg = {.badge = 1, .reply_id = i, .cap_count = 2};

        message_put(&msg, SERIAL_STATISTICS, NULL, 0);
        server_handle(&server, &msg);
        CHECK_EQ(caps_refused, 3 + 2 * i);
    }
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
            request(1, 5, SERIAL_WRITE, "0123456789", 10);
        request_read(1, 6, 100);
        for (unsigned r = 0; r < reply_count; r++) {
            if (replies[r].reply_id == 6) {
                memcpy(received + got, replies[r].bytes, replies[r].length);
                got += replies[r].length;
            }
        }
        reply_count = 0;
        server.read_count = 0;
    }
    send_everything();
    CHECK_EQ(uart.statistics.overruns, 0);
    CHECK_EQ(byte_queue_used(&uart.received) + got, 5000);
    for (size_t i = 0; i < got; i++)
        CHECK_EQ(received[i], (char)i);
    CHECK_EQ(device.sent_count % 10, 0);
    CHECK_EQ(server.write_count, 0);
}

/* The driver's memory is gone, the device is as it was. */
static void new_driver(void)
{
    memset(&uart, 0, sizeof uart);
    memset(&server, 0, sizeof server);
    reply_count = 0;
    scene(device.has_fifo);
    server_progress(&server);
}

TEST(ns16550, what_was_answered_is_sent_even_if_the_driver_dies)
{
    scene(true);
    request(1, 100, SERIAL_WRITE, "0123456789abcdef", 16);
    CHECK_EQ(reply_count, 1);
    CHECK_EQ(device.sent_count, 0);
    new_driver();
    request(1, 101, SERIAL_WRITE, "next", 4);
    CHECK_EQ(reply_count, 0); /* the device is still busy with the old driver's bytes */
    send_everything();
    CHECK_EQ(reply_count, 1);
    CHECK_STR_EQ(device.sent, "0123456789abcdefnext");
}

TEST(ns16550, what_a_dead_driver_held_is_reported_by_the_next)
{
    scene(true);
    wire_receive("held", 4, 0);
    interrupts();
    wire_receive("in the device", 13, 0);
    new_driver();
    CHECK_STR_EQ(got(SERIAL_READ, 100), "LOST");
    CHECK_STR_EQ(got(SERIAL_READ, 100), "in the device");
    new_driver(); /* this one held nothing */
    CHECK_STR_EQ(got(SERIAL_POLL, 100), "");
    wire_receive("given", 5, 0);
    interrupts();
    dead_client_reply = 50;
    request_read(1, 50, 100); /* to nobody: it is held still */
    new_driver();
    CHECK_STR_EQ(got(SERIAL_READ, 100), "LOST");
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
    struct serial_read read = {4};

    scene(true);
    CHECK_EQ(request(1, 100, SERIAL_POLL, &read, sizeof read).reply_id, 0);
    CHECK_EQ(reply_count, 1);
    CHECK_EQ(replies[0].length, 0);
    wire_receive("abcdef", 6, 0);
    interrupts();
    request(1, 101, SERIAL_POLL, &read, sizeof read);
    CHECK_STR_EQ(replies[1].bytes, "abcd");
    dead_client_reply = 102;
    request(1, 102, SERIAL_POLL, &read, sizeof read);
    request_read(2, 200, 10);
    CHECK_STR_EQ(replies[2].bytes, "ef");
    CHECK_EQ(request(1, 103, SERIAL_POLL, "abc", 3).label, MNOS_ERR_SIZE);
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
