// SPDX-License-Identifier: MIT
/* main - see traffic.h. */
#include "bench/traffic/traffic.h"

#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"

#define SOCKETS 8u

/* ---- What all metrics share ---- */

bool send_all(struct socket *socket, const void *bytes, size_t count)
{
    const uint8_t *from = bytes;
    mnos_status_t status = MNOS_OK;
    size_t put;

    while (status == MNOS_OK && count != 0) {
        status = socket_send(socket, from, count, &put);
        from += put;
        count -= put;
        if (status == MNOS_OK && count != 0)
            status = socket_wait(socket->session, MNOS_DEADLINE_NEVER);
    }
    return worked(status, "send");
}

size_t receive_some(struct socket *socket, void *bytes, size_t count)
{
    for (;;) {
        mnos_status_t error;
        uint32_t state = socket_state(socket, &error);
        size_t got = 0;

        if (socket_receive(socket, bytes, count, &got) != MNOS_OK || got != 0 ||
            (state & (SOCKET_FAILED | SOCKET_PEER_CLOSED)) != 0)
            return got;
        if (socket_wait(socket->session, MNOS_DEADLINE_NEVER) != MNOS_OK)
            return 0;
    }
}

bool receive_all(struct socket *socket, void *bytes, size_t count)
{
    uint8_t *to = bytes;

    while (count != 0) {
        size_t got = receive_some(socket, to, count);

        if (got == 0)
            return worked(MNOS_ERR_PEER, "receive");
        to += got;
        count -= got;
    }
    return true;
}

bool connect_to(struct socket_session *session, struct ip_address address, uint32_t port,
                struct socket *socket)
{
    return worked(socket_open(session, SOCKET_TCP, socket), "open a socket") &&
           worked(socket_connect(socket, address, port), "connect");
}

int main(void)
{
    static struct socket_session session;

    if (bootstrap_has_argument("peer"))
        return peer_run();
    if (bootstrap_has_argument("first"))
        return first_run();
    if (busy_begin() &&
        worked(socket_session_open(&session, bootstrap_cap("net"), SOCKETS), "begin")) {
        session.rings_late = true;
        measure_loopback(&session);
        measure_http(&session);
        measure_card(&session);
    }
    return has_failed();
}
