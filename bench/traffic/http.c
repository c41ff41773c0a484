// SPDX-License-Identifier: MIT
/* http - the web server over loopback: a page of 1 KiB, on a connection for each request, and on one for all. */
#include "bench/traffic/traffic.h"

#include "lib/base/string.h"

#define PORT 80u
#define ROUNDS 100u
#define BATCHES 9u
#define BODY_BYTES 1024u

static char answer[8192];

/* Reads up to the last byte of the body. */
static bool receive_answer(struct socket *socket)
{
    size_t have = 0, whole = 0;

    while (whole == 0 || have < whole) {
        size_t got = receive_some(socket, answer + have, sizeof answer - 1 - have);

        if (got == 0)
            return worked(MNOS_ERR_PEER, "receive an answer");
        have += got;
        for (size_t i = 3; whole == 0 && i < have; i++)
            if (answer[i] == '\n' && memcmp(answer + i - 3, "\r\n\r\n", 4) == 0)
                whole = i + 1 + BODY_BYTES;
    }
    return have == whole && strncmp(answer, "HTTP/1.1 200 ", 13) == 0 &&
           worked(MNOS_OK, "receive an answer");
}

static bool ask(struct socket *socket, const char *text)
{
    return send_all(socket, text, strlen(text)) &&
           (receive_answer(socket) || worked(MNOS_ERR_FORMAT, "understand an answer"));
}

static uint64_t connections(void *context)
{
    uint64_t begin = busy_now();
    struct socket socket;

    for (unsigned i = 0; i < ROUNDS; i++) {
        if (!connect_to(context, LOOPBACK, PORT, &socket) ||
            !ask(&socket, "GET /page HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
            break;
        (void)!socket_close(&socket);
    }
    return busy_now() - begin;
}

static uint64_t requests(void *context)
{
    uint64_t begin = busy_now();

    for (unsigned i = 0; i < ROUNDS; i++)
        if (!ask(context,
                 "GET /page HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n"))
            break;
    return busy_now() - begin;
}

void measure_http(struct socket_session *session)
{
    struct socket socket;

    measure("http-request", BATCHES, ROUNDS, connections, session);
    if (!is_wanted("http-keepalive") || !connect_to(session, LOOPBACK, PORT, &socket))
        return;
    (void)requests(&socket);
    measure("http-keepalive", BATCHES, ROUNDS, requests, &socket);
    (void)!socket_close(&socket);
}
