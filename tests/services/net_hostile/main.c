// SPDX-License-Identifier: MIT
/*
 * main - a program for tests: a client of `net` that breaks every rule it can: indexes that cannot be, datagrams that
 * are none, requests of any label, size and content, more of everything than it may have; and ends with all of it open.
 * Its argument is the port of the host that it may connect to; with "windows" it takes as many windows as it gets; with
 * "linger" it opens and closes sessions in turn, whose connections to 10.0.2.77:9 never get rid of what they send.
 */
#include "lib/base/string.h"
#include "lib/client/service.h"
#include "lib/client/socket.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/status.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"

#define HOST IP_V4(0x0A000202)
#define DEAF IP_V4(0x0A00024D)
#define BROADCAST IP_V4(0x0A0002FF)
#define SOCKETS 8u
#define MESSAGES 3000u
#define ANSWER_NS 3000000000ull
#define MANY 100u

static struct socket_session session;
static uint64_t seed = 88172645463325252ull;
static uint32_t host_port;

static uint64_t draw(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static void ring(void)
{
    atomic_store(&session.windows[0].page->bell, UINT64_MAX);
    (void)!sys_ipc_notify(session.service, SOCKET_EVENT_BELL);
}

/* Until the service has seen it, and says that the socket has failed. */
static bool fails(const struct socket *socket, mnos_status_t wanted)
{
    uint64_t end = deadline_after_ns(ANSWER_NS);
    mnos_status_t error;

    while ((socket_state(socket, &error) & SOCKET_FAILED) == 0)
        if (kinfo_time_ns() > end)
            return false;
    return error == wanted;
}

static bool connected(struct socket *socket)
{
    mnos_status_t status = socket_open(&session, SOCKET_TCP, socket);

    if (status == MNOS_OK)
        status = socket_connect(socket, HOST, host_port);
    if (status != MNOS_OK)
        log_error(status, "connect");
    return status == MNOS_OK;
}

/* Each index of a connection's rings, ahead and behind. */
static unsigned break_rings(void)
{
    static const uint64_t wrong[] = {UINT64_MAX, 1ull << 63, SOCKET_RING_BYTES + 1, 1u << 20};
    unsigned broken = 0;

    for (unsigned i = 0; i < 8; i++) {
        struct socket socket;

        if (!connected(&socket))
            break;
        if (i % 2 == 0)
            atomic_store(&socket.send.shared->written, wrong[i / 2]);
        else
            atomic_store(&socket.receive.shared->taken, wrong[i / 2]);
        ring();
        broken += fails(&socket, MNOS_ERR_FORMAT);
        (void)!socket_close(&socket);
    }
    return broken;
}

static unsigned break_datagrams(void)
{
    static const struct socket_datagram wrong[] = {
        {.bytes = UINT32_MAX, .address = HOST, .port = 9},
        {.bytes = SOCKET_DATAGRAM_MAX + 1, .address = HOST, .port = 9},
        {.bytes = 100, .address = HOST, .port = 9}, /* and nothing behind it */
        {.bytes = 0, .address = HOST, .port = 65536},
    };
    unsigned broken = 0;

    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct socket socket;
        size_t put;

        if (socket_open(&session, SOCKET_UDP, &socket) != MNOS_OK ||
            ring_put(&socket.send, &wrong[i], sizeof wrong[i], &put) != MNOS_OK)
            break;
        ring();
        broken += fails(&socket, MNOS_ERR_FORMAT);
        (void)!socket_close(&socket);
    }
    return broken;
}

/* To where the socket is connected, which is nowhere, and to all of the network; the test looks for it on the wire. */
static void send_to_nobody(void)
{
    static const char text[] = "nobody hears this";
    struct socket socket;

    if (socket_open(&session, SOCKET_UDP, &socket) != MNOS_OK)
        return;
    (void)!socket_send_to(&socket, IP_NONE, 0, text, sizeof text);
    (void)!socket_send_to(&socket, BROADCAST, 9, text, sizeof text);
    (void)!socket_send_to(&socket, HOST, 9, "but this", sizeof "but this");
    (void)!socket_close(&socket);
}

static unsigned open_many(struct socket_session *in)
{
    struct socket socket;
    unsigned count = 0;

    while (count < MANY && socket_open(in, SOCKET_TCP, &socket) == MNOS_OK)
        count++;
    return count; /* and they stay */
}

/* A session below this one, which has all its sockets, is no way to more of them. */
static unsigned open_below(void)
{
    static struct socket_session child;
    struct socket_limits limits;
    mnos_cap_t below;

    if (socket_limits(&session, &limits) != MNOS_OK ||
        socket_narrow(&session, &limits, &below) != MNOS_OK)
        return MANY;
    if (socket_session_open(&child, below, SOCKETS + 1) != MNOS_ERR_DENIED ||
        socket_session_open(&child, below, SOCKETS) != MNOS_OK)
        return MANY;
    return open_many(&child);
}

static unsigned narrow_many(void)
{
    struct socket_limits limits;
    mnos_cap_t below;
    unsigned count = 0;

    if (socket_limits(&session, &limits) != MNOS_OK)
        return 0;
    while (count < MANY && socket_narrow(&session, &limits, &below) == MNOS_OK)
        count++;
    return count;
}

/* Any label, size and content; those that wait are not sent, since nobody would end the wait. */
static void send_anything(void)
{
    uint8_t bytes[512];

    for (unsigned i = 0; i < MESSAGES; i++) {
        struct message message = {.accept = 1};
        uint32_t label = (uint32_t)draw() & 63;

        if (label == SOCKET_CONNECT || label == SOCKET_ACCEPT || label == SOCKET_PING ||
            label == SOCKET_TIME_SERVERS || label == SOCKET_CAPTURED)
            continue;
        for (unsigned k = 0; k < sizeof bytes; k++)
            bytes[k] = (uint8_t)(draw() % 4 == 0 ? draw() : 0);
        message_put(&message, label | (uint32_t)draw() << 8, bytes,
                    i % 3 == 0 ? draw() % sizeof bytes : 8 * (draw() % 5));
        if (ipc_call(session.service, &message, MNOS_DEADLINE_NEVER) == MNOS_OK)
            message_refuse_caps(&message);
        if (label == SOCKET_OPEN_SESSION)
            break;
    }
}

/* Everything in the page that both sides write. */
static void scribble(void)
{
    for (unsigned i = 0; i < sizeof *session.windows[0].page; i++)
        ((volatile uint8_t *)session.windows[0].page)[i] = (uint8_t)draw();
    ring();
}

/* As many sockets as a session may have, each with a byte on its way; then the session ends. */
static mnos_status_t linger_once(const struct socket_limits *limits, unsigned *count)
{
    static struct socket_session child;
    mnos_cap_t below;
    mnos_status_t status = socket_narrow(&session, limits, &below);

    if (status != MNOS_OK)
        return status;
    status = socket_session_open(&child, below, SOCKETS);
    for (unsigned i = 0; status == MNOS_OK && i < SOCKETS; i++) {
        struct socket socket;
        size_t sent;

        status = socket_open(&child, SOCKET_TCP, &socket);
        if (status == MNOS_OK)
            status = socket_connect(&socket, DEAF, 9);
        if (status == MNOS_OK)
            status = socket_send(&socket, "x", 1, &sent);
        *count += status == MNOS_OK;
    }
    socket_session_close(&child);
    (void)!sys_cap_delete(below);
    return status;
}

static int linger(void)
{
    struct socket_limits limits;
    unsigned count = 0;
    mnos_status_t status = socket_limits(&session, &limits);

    while (status == MNOS_OK && count < 2 * MANY)
        status = linger_once(&limits, &count);
    log_line("%u linger, then %s", count, status_text(status));
    return status != MNOS_ERR_QUOTA;
}

/* Windows of one socket each, as many as a session gets. */
static unsigned ask_windows(mnos_cap_t service, mnos_cap_t endpoint)
{
    struct socket_window wanted = {.sockets = 1, .events = SOCKET_OWN_EVENT};
    mnos_status_t status = MNOS_OK;

    while (status == MNOS_OK) {
        struct message message = {.accept = 1};

        message_put(&message, SOCKET_WINDOW, &wanted, sizeof wanted);
        message_add_cap(&message, endpoint, MNOS_RIGHT_WRITE);
        status = service_call(service, &message);
        if (status == MNOS_OK)
            message_refuse_caps(&message);
        wanted.index += status == MNOS_OK;
    }
    return wanted.index;
}

/* In as many sessions as it gets. */
static int take_windows(void)
{
    static struct socket_session child;
    struct socket_limits limits;
    mnos_cap_t below, endpoint;
    unsigned count = 0;
    mnos_status_t status = socket_limits(&session, &limits);

    if (status == MNOS_OK)
        status = sys_cap_create(MNOS_CREATE_ENDPOINT, 0, MNOS_RIGHTS_ALL, 0, 0, &endpoint);
    for (unsigned i = 0; status == MNOS_OK && i < MANY; i++) {
        status = socket_narrow(&session, &limits, &below);
        if (status == MNOS_OK)
            status = socket_session_open(&child, below, 0);
        if (status == MNOS_OK)
            count += ask_windows(below, endpoint);
    }
    log_line("%u windows, then %s", count, status_text(status));
    return status != MNOS_ERR_QUOTA;
}

int main(void)
{
    const char *text = bootstrap_arguments();
    unsigned rings, datagrams, sockets, below;

    while (*text >= '0' && *text <= '9')
        host_port = host_port * 10 + (uint32_t)(*text++ - '0');
    seed ^= kinfo_time_ns();
    if (socket_session_open(&session, bootstrap_cap("net"), SOCKETS) != MNOS_OK)
        return 1;
    if (bootstrap_has_argument("linger"))
        return linger();
    if (bootstrap_has_argument("windows"))
        return take_windows();
    rings = break_rings();
    datagrams = break_datagrams();
    send_to_nobody();
    sockets = open_many(&session);
    below = open_below();
    log_line("%u rings and %u datagrams, %u sockets and %u below, %u sessions", rings, datagrams,
             sockets, below, narrow_many());
    scribble();
    send_anything();
    scribble();
    return 0;
}
