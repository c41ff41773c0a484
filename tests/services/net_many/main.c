// SPDX-License-Identifier: MIT
/*
 * main - a program for tests: sends back what comes to port 7 by TCP, on as many connections as it may have, and looks at
 * those alone on which something has come. When `net` loses its sessions it ends, and begins anew.
 */
#include "lib/client/socket.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/status.h"

#define ECHO_PORT 7u
#define BACKLOG 64u
#define STEP 100u /* connections between two lines of the log */
#define PART_BYTES 4096u

static struct socket_session session;
static struct socket listener;
static struct socket sockets[SOCKETS_OF_SESSION]; /* by number */
static bool used[SOCKETS_OF_SESSION];
static uint32_t count;

/* Until nothing moves any more; false: it is over. */
static bool echo(struct socket *socket)
{
    static uint8_t bytes[PART_BYTES];
    size_t found, room, sent;
    mnos_status_t error;

    for (;;) {
        uint32_t state = socket_state(socket, &error); /* older than the look at the ring */

        room = socket_room(socket);
        if (socket_peek(socket, bytes, room < PART_BYTES ? room : PART_BYTES, &found) != MNOS_OK ||
            (state & SOCKET_FAILED) != 0)
            return false;
        if (found == 0)
            return room == 0 || (state & SOCKET_PEER_CLOSED) == 0;
        if (socket_send(socket, bytes, found, &sent) != MNOS_OK)
            return false;
        socket_drop(socket, sent);
    }
}

static void serve(uint32_t number)
{
    if (!used[number] || echo(&sockets[number]))
        return;
    (void)!socket_close(&sockets[number]);
    used[number] = false;
    count--;
}

static void accept_all(void)
{
    mnos_status_t error, status = MNOS_OK;
    struct socket socket;

    while ((socket_state(&listener, &error) & SOCKET_ACCEPTABLE) != 0) {
        status = socket_accept_now(&listener, &socket);
        if (status != MNOS_OK)
            break;
        sockets[socket.number] = socket;
        used[socket.number] = true;
        count++;
        if (count % STEP == 0)
            log_line("many: %u connections", count);
        serve(socket.number);
    }
    if (status != MNOS_OK && status != MNOS_ERR_AGAIN)
        log_line("many: %u connections, then %s", count, status_text(status));
}

static mnos_status_t begin(void)
{
    uint32_t port = ECHO_PORT;
    struct socket_limits limits;
    mnos_status_t status = socket_session_open(&session, bootstrap_cap("net"), 0);

    if (status == MNOS_OK)
        status = socket_limits(&session, &limits);
    if (status == MNOS_OK)
        status = socket_session_open(&session, bootstrap_cap("net"), limits.sockets);
    if (status == MNOS_OK)
        status = socket_open(&session, SOCKET_TCP, &listener);
    if (status == MNOS_OK)
        status = socket_bind(&listener, IP_V4(0), &port);
    if (status == MNOS_OK)
        status = socket_listen(&listener, BACKLOG);
    return status;
}

int main(void)
{
    mnos_status_t status = begin();
    uint32_t number;

    if (status == MNOS_OK)
        log_line("many: listening");
    while (status == MNOS_OK) {
        accept_all();
        while (socket_next_news(&session, &number))
            serve(number);
        status = socket_wait(&session, MNOS_DEADLINE_NEVER);
    }
    log_line("many: %s", status_text(status));
    return 1;
}
