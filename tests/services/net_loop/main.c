// SPDX-License-Identifier: MIT
/*
 * main - a program for tests: the machine to itself. It tries what its limits do not allow, speaks to itself by TCP and
 * UDP over loopback, and to the echo of tests/services/net_echo over the machine's own address, and says what came of it.
 */
#include "lib/base/string.h"
#include "lib/client/socket.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"

#define SOCKETS 8u
#define LOOPBACK 0x7F000001u
#define OWN 0x0A00020Fu
#define GATEWAY 0x0A000202u
#define PART_BYTES 16384u
#define FLOOD 5000u
#define ANSWER_NS 60000000000ull

static struct socket_session session;
static uint8_t sent[PART_BYTES], got[PART_BYTES];

static void say(const char *what, mnos_status_t status)
{
    log_line("%s: %u (%s)", what, (unsigned)status,
             status == MNOS_ERR_DENIED ? socket_refusal_text(&session.refusal) : "-");
}

static void try_bind(const char *what, enum socket_protocol type, uint32_t address, uint32_t port)
{
    struct socket socket;
    mnos_status_t status = socket_open(&session, type, &socket);

    if (status == MNOS_OK)
        status = socket_bind(&socket, address, &port);
    say(what, status);
    (void)!socket_close(&socket);
}

/* From `own`; 0: from anywhere. */
static void try_connect(const char *what, enum socket_protocol type, uint32_t own, uint32_t address,
                        uint32_t port)
{
    struct socket socket;
    uint32_t own_port = 7000;
    mnos_status_t status = socket_open(&session, type, &socket);

    if (status == MNOS_OK && own != 0)
        status = socket_bind(&socket, own, &own_port);
    if (status == MNOS_OK)
        status = socket_connect(&socket, address, port);
    say(what, status);
    (void)!socket_close(&socket);
}

static void try_limits(void)
{
    try_bind("bind", SOCKET_TCP, LOOPBACK, 7000);
    try_bind("bind port", SOCKET_TCP, LOOPBACK, 7999);
    try_bind("bind udp", SOCKET_UDP, LOOPBACK, 7001);
    try_bind("bind all", SOCKET_TCP, 0, 7000);
    try_bind("bind 127.0.0.2", SOCKET_TCP, LOOPBACK + 1, 7000);
    try_connect("connect port", SOCKET_TCP, 0, LOOPBACK, 7999);
    try_connect("connect udp", SOCKET_UDP, 0, LOOPBACK, 7001);
    try_connect("connect nobody", SOCKET_TCP, 0, LOOPBACK, 7001);
    try_connect("connect 127.0.0.2", SOCKET_TCP, 0, LOOPBACK + 1, 7000);
    try_connect("connect the echo", SOCKET_TCP, 0, LOOPBACK, 7);
    try_connect("connect own port", SOCKET_TCP, 0, OWN, 8);
    try_connect("connect own udp", SOCKET_UDP, 0, OWN, 7);
    try_connect("connect out of loopback", SOCKET_TCP, LOOPBACK, GATEWAY, 9);
    try_connect("connect out of loopback by udp", SOCKET_UDP, LOOPBACK, GATEWAY, 9);
}

/* ---- Bytes ---- */

static mnos_status_t wait_for_news(void)
{
    uint64_t numbers;

    return socket_wait(&session, deadline_after_ns(ANSWER_NS), &numbers);
}

/* `total` bytes from one socket to the other, all of them compared. */
static mnos_status_t pass(struct socket *from, struct socket *to, uint64_t total)
{
    uint64_t put = 0, taken = 0;

    while (taken < total) {
        size_t count, part = total - put < PART_BYTES ? (size_t)(total - put) : PART_BYTES;
        mnos_status_t status = MNOS_OK;
        bool moved;

        for (size_t i = 0; i < part; i++)
            sent[i] = (uint8_t)((put + i) * 7 >> 3);
        status = socket_send(from, sent, part, &count);
        put += count;
        moved = count != 0;
        if (status == MNOS_OK)
            status = socket_receive(to, got, PART_BYTES, &count);
        for (size_t i = 0; status == MNOS_OK && i < count; i++)
            if (got[i] != (uint8_t)((taken + i) * 7 >> 3))
                status = MNOS_ERR_FORMAT;
        taken += count;
        moved |= count != 0;
        if (status == MNOS_OK && !moved)
            status = wait_for_news();
        if (status != MNOS_OK)
            return status;
    }
    return MNOS_OK;
}

static mnos_status_t speak_tcp(void)
{
    static const uint64_t sizes[] = {1, 64, 10923, 10924, 10925, 32768, 300000};
    struct socket listener, client, server;
    uint32_t port = 7000;
    mnos_status_t status = socket_open(&session, SOCKET_TCP, &listener);

    if (status == MNOS_OK)
        status = socket_bind(&listener, LOOPBACK, &port);
    if (status == MNOS_OK)
        status = socket_listen(&listener, 4);
    if (status == MNOS_OK)
        status = socket_open(&session, SOCKET_TCP, &client);
    if (status == MNOS_OK)
        status = socket_connect(&client, LOOPBACK, port);
    if (status == MNOS_OK)
        status = socket_accept(&listener, &server);
    for (unsigned i = 0; status == MNOS_OK && i < sizeof sizes / sizeof sizes[0]; i++) {
        status = pass(&client, &server, sizes[i]);
        if (status == MNOS_OK)
            status = pass(&server, &client, sizes[i]);
    }
    if (status == MNOS_OK && server.address != LOOPBACK)
        status = MNOS_ERR_FORMAT;
    (void)!socket_close(&client);
    (void)!socket_close(&server);
    (void)!socket_close(&listener);
    return status;
}

/* A datagram to the socket `to`, which is bound to loopback's `port`, and its answer. */
static mnos_status_t exchange(struct socket *from, struct socket *to, uint32_t port, size_t count)
{
    uint32_t address, back;
    size_t found = 0;
    mnos_status_t status = socket_send_to(from, LOOPBACK, port, sent, count);

    while (status == MNOS_OK && (status = socket_receive_from(to, &address, &back, got, sizeof got,
                                                              &found)) == MNOS_ERR_AGAIN)
        status = wait_for_news();
    if (status == MNOS_OK && (found != count || memcmp(got, sent, count) != 0))
        return MNOS_ERR_FORMAT;
    if (status == MNOS_OK)
        status = socket_send_to(to, address, back, sent, count);
    while (status == MNOS_OK &&
           (status = socket_receive_from(from, &address, &back, got, sizeof got, &found)) ==
               MNOS_ERR_AGAIN)
        status = wait_for_news();
    return status == MNOS_OK && (found != count || address != LOOPBACK || back != port)
               ? MNOS_ERR_FORMAT
               : status;
}

static mnos_status_t speak_udp(void)
{
    static const size_t sizes[] = {1, 8, 64, SOCKET_DATAGRAM_MAX};
    struct socket asks, answers;
    uint32_t port = 7000;
    mnos_status_t status = socket_open(&session, SOCKET_UDP, &asks);

    if (status == MNOS_OK)
        status = socket_open(&session, SOCKET_UDP, &answers);
    if (status == MNOS_OK)
        status = socket_bind(&answers, LOOPBACK, &port);
    for (unsigned i = 0; status == MNOS_OK && i < sizeof sizes / sizeof sizes[0]; i++)
        status = exchange(&asks, &answers, port, sizes[i]);
    (void)!socket_close(&asks);
    (void)!socket_close(&answers);
    return status;
}

/* More datagrams than a ring has room for, as fast as they go, to a port at which nobody is: who finds no room is told
 * when there is some, and by nothing else. */
static mnos_status_t flood_udp(void)
{
    struct socket socket;
    mnos_status_t status = socket_open(&session, SOCKET_UDP, &socket);

    for (unsigned i = 0; status == MNOS_OK && i < FLOOD; i++) {
        size_t count = 1 + i * 97 % SOCKET_DATAGRAM_MAX;

        while ((status = socket_send_to(&socket, LOOPBACK, 7000, sent, count)) == MNOS_ERR_AGAIN) {
            status = wait_for_news();
            if (status != MNOS_OK)
                break;
        }
    }
    (void)!socket_close(&socket);
    return status;
}

/* The echo listens at all addresses that leave the machine, and this is one of them. */
static mnos_status_t speak_own(void)
{
    struct socket socket;
    mnos_status_t status = socket_open(&session, SOCKET_TCP, &socket);

    if (status == MNOS_OK)
        status = socket_connect(&socket, OWN, 7);
    if (status == MNOS_OK)
        status = pass(&socket, &socket, 200000);
    (void)!socket_close(&socket);
    return status;
}

int main(void)
{
    mnos_status_t status = socket_session_open(&session, bootstrap_cap("net"), SOCKETS);

    if (status != MNOS_OK)
        return log_failure(status, "begin with the network", 1);
    say("bell", sys_ipc_notify(session.service, SOCKET_EVENT_BELL));
    try_limits();
    say("tcp", speak_tcp());
    say("udp", speak_udp());
    say("flood", flood_udp());
    say("own", speak_own());
    socket_session_close(&session);
    return 0;
}
