// SPDX-License-Identifier: MIT
/* peer - the other side of loopback: one connection to each port, taken anew when it ends. */
#include "bench/traffic/traffic.h"

#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"

#define SOCKETS 8u

static struct socket_session session;
static uint8_t bytes[CHUNK];

struct side {
    struct socket listener, socket;
    bool connected;
    uint64_t came;
};

static mnos_status_t listen_at(struct side *side, uint32_t port)
{
    mnos_status_t status = socket_open(&session, SOCKET_TCP, &side->listener);

    if (status == MNOS_OK)
        status = socket_bind(&side->listener, LOOPBACK, &port);
    return status == MNOS_OK ? socket_listen(&side->listener, 4) : status;
}

static void accept_next(struct side *side)
{
    struct socket next;

    if (socket_accept_now(&side->listener, &next) != MNOS_OK)
        return;
    if (side->connected)
        (void)!socket_close(&side->socket);
    side->socket = next;
    side->connected = true;
    side->came = 0;
}

static void echo(struct side *side)
{
    size_t count, put;

    while (socket_receive(&side->socket, bytes, sizeof bytes, &count) == MNOS_OK && count != 0)
        (void)!socket_send(&side->socket, bytes, count, &put);
}

static void sink(struct side *side)
{
    size_t count, put;

    while (socket_receive(&side->socket, bytes, sizeof bytes, &count) == MNOS_OK && count != 0) {
        side->came += count;
        if (side->came % STREAM_BYTES == 0)
            (void)!socket_send(&side->socket, bytes, 1, &put);
    }
}

static void echo_datagrams(struct socket *socket)
{
    struct ip_address address;
    uint32_t port;
    size_t count;

    while (socket_receive_from(socket, &address, &port, bytes, SOCKET_DATAGRAM_MAX, &count) ==
           MNOS_OK)
        (void)!socket_send_to(socket, address, port, bytes, count);
}

int peer_run(void)
{
    static struct side echoes, sinks;
    static struct socket datagrams;
    uint32_t port = PEER_ECHO;
    mnos_status_t status = socket_session_open(&session, bootstrap_cap("net"), SOCKETS);

    session.rings_late = true;
    if (status == MNOS_OK)
        status = listen_at(&echoes, PEER_ECHO);
    if (status == MNOS_OK)
        status = listen_at(&sinks, PEER_SINK);
    if (status == MNOS_OK)
        status = socket_open(&session, SOCKET_UDP, &datagrams);
    if (status == MNOS_OK)
        status = socket_bind(&datagrams, LOOPBACK, &port);
    while (status == MNOS_OK) {
        if (socket_has_news(&datagrams))
            echo_datagrams(&datagrams);
        if (echoes.connected && socket_has_news(&echoes.socket))
            echo(&echoes);
        if (sinks.connected && socket_has_news(&sinks.socket))
            sink(&sinks);
        if (socket_has_news(&echoes.listener))
            accept_next(&echoes);
        if (socket_has_news(&sinks.listener))
            accept_next(&sinks);
        status = socket_wait(&session, MNOS_DEADLINE_NEVER);
    }
    return log_failure(status, "answer", 1);
}
