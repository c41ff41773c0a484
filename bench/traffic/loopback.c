// SPDX-License-Identifier: MIT
/* loopback - messages and bytes between two programs of this machine. */
#include "bench/traffic/traffic.h"

#define ROUNDS 200u
#define BATCHES 9u

static uint8_t bytes[CHUNK];

static uint64_t tcp_rounds(void *context)
{
    uint64_t begin = busy_now();

    for (unsigned i = 0; i < ROUNDS; i++)
        if (!send_all(context, bytes, MESSAGE_BYTES) || !receive_all(context, bytes, MESSAGE_BYTES))
            break;
    return busy_now() - begin;
}

static uint64_t udp_rounds(void *context)
{
    struct socket *socket = context;
    uint64_t begin = busy_now();
    struct ip_address address;
    uint32_t port;
    size_t count;

    for (unsigned i = 0; i < ROUNDS; i++) {
        mnos_status_t status = socket_send_to(socket, IP_NONE, 0, bytes, MESSAGE_BYTES);

        while (status == MNOS_OK &&
               (status = socket_receive_from(socket, &address, &port, bytes, sizeof bytes,
                                             &count)) == MNOS_ERR_AGAIN)
            status = socket_wait(socket->session, MNOS_DEADLINE_NEVER);
        if (!worked(status, "exchange a datagram"))
            break;
    }
    return busy_now() - begin;
}

static uint64_t stream(void *context)
{
    uint64_t begin = busy_now();

    for (uint64_t sent = 0; sent < STREAM_BYTES; sent += CHUNK)
        if (!send_all(context, bytes, CHUNK))
            break;
    (void)receive_all(context, bytes, 1);
    return busy_now() - begin;
}

static void on_connection(struct socket_session *session, const char *name, uint32_t port,
                          uint64_t operations, batch_function *batch)
{
    struct socket socket;

    if (!is_wanted(name) || !connect_to(session, LOOPBACK, port, &socket))
        return;
    (void)batch(&socket); /* slow start, and first touches */
    measure(name, BATCHES, operations, batch, &socket);
    (void)!socket_close(&socket);
}

void measure_loopback(struct socket_session *session)
{
    struct socket socket;

    on_connection(session, "tcp-loopback-64", PEER_ECHO, ROUNDS, tcp_rounds);
    on_connection(session, "tcp-loopback-per-kib", PEER_SINK, STREAM_BYTES / KIB, stream);
    if (!is_wanted("udp-loopback-64") ||
        !worked(socket_open(session, SOCKET_UDP, &socket), "open a socket") ||
        !worked(socket_connect(&socket, LOOPBACK, PEER_ECHO), "connect"))
        return;
    (void)udp_rounds(&socket);
    measure("udp-loopback-64", BATCHES, ROUNDS, udp_rounds, &socket);
    (void)!socket_close(&socket);
}
