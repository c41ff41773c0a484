// SPDX-License-Identifier: MIT
/*
 * main - a program for tests: the machine to itself. It tries what its limits do not allow, speaks to itself by TCP and
 * UDP over loopback, and to the echo of tests/services/net_echo over the machine's own address, and says what came of it.
 * With the argument "stream" it sends itself bytes both ways on one connection of loopback, and counts what came whole.
 */
#include "lib/base/string.h"
#include "lib/client/socket.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"

#define SOCKETS 8u
#define LOOPBACK IP_V4(0x7F000001)
#define LOOPBACK_2 IP_V4(0x7F000002)
#define ANYWHERE IP_V4(0)
#define OWN IP_V4(0x0A00020F)
#define GATEWAY IP_V4(0x0A000202)
#define LOOPBACK6 ((struct ip_address){0, 1})
#define ELSEWHERE6 ((struct ip_address){0x20010DB800000000, 1})
#define PART_BYTES 16384u
#define FLOOD 5000u
#define MIB (1024u * 1024)
#define ANSWER_NS 60000000000ull

static struct socket_session session;
static struct ip_address here; /* where it speaks to itself */
static uint8_t sent[PART_BYTES], got[PART_BYTES];

static void say(const char *what, mnos_status_t status)
{
    log_line("%s: %u (%s)", what, (unsigned)status,
             status == MNOS_ERR_DENIED ? socket_refusal_text(&session.refusal) : "-");
}

static void try_bind(const char *what, enum socket_protocol type, struct ip_address address,
                     uint32_t port)
{
    struct socket socket;
    mnos_status_t status = socket_open(&session, type, &socket);

    if (status == MNOS_OK)
        status = socket_bind(&socket, address, &port);
    say(what, status);
    (void)!socket_close(&socket);
}

/* From `own`, if that is an address. */
static void try_connect(const char *what, enum socket_protocol type, struct ip_address own,
                        struct ip_address address, uint32_t port)
{
    struct socket socket;
    uint32_t own_port = 7000;
    mnos_status_t status = socket_open(&session, type, &socket);

    if (status == MNOS_OK && !ip_is_any(own))
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
    try_bind("bind all", SOCKET_TCP, ANYWHERE, 7000);
    try_bind("bind 127.0.0.2", SOCKET_TCP, LOOPBACK_2, 7000);
    try_connect("connect port", SOCKET_TCP, ANYWHERE, LOOPBACK, 7999);
    try_connect("connect udp", SOCKET_UDP, ANYWHERE, LOOPBACK, 7001);
    try_connect("connect nobody", SOCKET_TCP, ANYWHERE, LOOPBACK, 7001);
    try_connect("connect 127.0.0.2", SOCKET_TCP, ANYWHERE, LOOPBACK_2, 7000);
    try_connect("connect the echo", SOCKET_TCP, ANYWHERE, LOOPBACK, 7);
    try_connect("connect own port", SOCKET_TCP, ANYWHERE, OWN, 8);
    try_connect("connect own udp", SOCKET_UDP, ANYWHERE, OWN, 7);
    try_connect("connect out of loopback", SOCKET_TCP, LOOPBACK, GATEWAY, 9);
    try_connect("connect out of loopback by udp", SOCKET_UDP, LOOPBACK, GATEWAY, 9);
    try_bind("bind 6", SOCKET_TCP, LOOPBACK6, 7000);
    try_bind("bind all 6", SOCKET_TCP, IP_NONE, 7000);
    try_connect("connect 6 elsewhere", SOCKET_TCP, ANYWHERE, ELSEWHERE6, 7000);
    try_connect("connect across", SOCKET_TCP, LOOPBACK, LOOPBACK6, 7000);
    try_connect("connect across by udp", SOCKET_UDP, LOOPBACK, LOOPBACK6, 7000);
}

/* ---- Bytes ---- */

static mnos_status_t wait_for_news(void)
{

    return socket_wait(&session, deadline_after_ns(ANSWER_NS));
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

/* A connection from this program to itself. */
static mnos_status_t connect_tcp(struct socket *listener, struct socket *client,
                                 struct socket *server)
{
    uint32_t port = 7000;
    mnos_status_t status = socket_open(&session, SOCKET_TCP, listener);

    if (status == MNOS_OK)
        status = socket_bind(listener, here, &port);
    if (status == MNOS_OK)
        status = socket_listen(listener, 4);
    if (status == MNOS_OK)
        status = socket_open(&session, SOCKET_TCP, client);
    if (status == MNOS_OK)
        status = socket_connect(client, here, port);
    return status == MNOS_OK ? socket_accept(listener, server) : status;
}

static mnos_status_t speak_tcp(void)
{
    static const uint64_t sizes[] = {1, 64, 10923, 10924, 10925, 32768, 300000};
    struct socket listener, client, server;
    mnos_status_t status = connect_tcp(&listener, &client, &server);

    for (unsigned i = 0; status == MNOS_OK && i < sizeof sizes / sizeof sizes[0]; i++) {
        status = pass(&client, &server, sizes[i]);
        if (status == MNOS_OK)
            status = pass(&server, &client, sizes[i]);
    }
    if (status == MNOS_OK && !ip_equal(server.address, here))
        status = MNOS_ERR_FORMAT;
    (void)!socket_close(&client);
    (void)!socket_close(&server);
    (void)!socket_close(&listener);
    return status;
}

/* Without an end. */
static void stream(void)
{
    struct socket listener, client, server;
    mnos_status_t status = connect_tcp(&listener, &client, &server);

    for (unsigned count = 1; status == MNOS_OK; count++) {
        status = pass(&client, &server, MIB);
        if (status == MNOS_OK)
            status = pass(&server, &client, MIB);
        if (status == MNOS_OK)
            log_line("stream: %u MiB", count);
    }
    log_error(status, "stream");
    sleep_until(MNOS_DEADLINE_NEVER);
}

/* A datagram to the socket `to`, which is bound to loopback's `port`, and its answer. */
static mnos_status_t exchange(struct socket *from, struct socket *to, uint32_t port, size_t count)
{
    struct ip_address address;
    uint32_t back;
    size_t found = 0;
    mnos_status_t status = socket_send_to(from, here, port, sent, count);

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
    return status == MNOS_OK && (found != count || !ip_equal(address, here) || back != port)
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
        status = socket_bind(&answers, here, &port);
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
    here = bootstrap_has_argument("v6") ? LOOPBACK6 : LOOPBACK;
    if (bootstrap_has_argument("stream"))
        stream();
    say("bell", sys_ipc_notify(session.service, SOCKET_EVENT_BELL));
    try_limits();
    here = LOOPBACK6;
    say("tcp 6", speak_tcp());
    say("udp 6", speak_udp());
    here = LOOPBACK;
    say("tcp", speak_tcp());
    say("udp", speak_udp());
    say("flood", flood_udp());
    say("own", speak_own());
    socket_session_close(&session);
    return 0;
}
