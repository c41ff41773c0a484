// SPDX-License-Identifier: MIT
/* main - greeter: greets by name who connects to it. Its argument is the address to listen at. */
#include "greeter.h"
#include "lib/base/printf.h"
#include "lib/client/out.h"
#include "lib/client/socket.h"
#include "lib/format/net/ip.h"
#include "lib/mnos/bootstrap.h"

BOOTSTRAP_LAUNCHED;

#define CONNECTIONS 4u

enum { EXIT_FAILED = 1 };

static struct socket_session net;
static struct socket listener;

static struct connection {
    bool used;
    struct socket socket;
    char name[GREETER_NAME_BYTES];
    size_t length; /* of what has come of it */
} connections[CONNECTIONS];

/* As many as there is room for; others wait in the listener. */
static void accept_some(void)
{
    mnos_status_t error;

    for (uint32_t i = 0; i < CONNECTIONS; i++) {
        struct connection *at = &connections[i];

        if (at->used)
            continue;
        if ((socket_state(&listener, &error) & SOCKET_ACCEPTABLE) == 0 ||
            socket_accept_now(&listener, &at->socket) != MNOS_OK)
            return;
        at->used = true;
        at->length = 0;
    }
}

/* *whole: the line has come. False: it will not. */
static bool take_name(struct connection *at, bool *whole)
{
    mnos_status_t error;
    uint32_t state = socket_state(&at->socket, &error); /* older than the look at the bytes */
    size_t count;

    if (socket_receive(&at->socket, at->name + at->length, sizeof at->name - at->length, &count) !=
        MNOS_OK)
        return false;
    *whole = false;
    for (size_t i = 0; i < count && !*whole; i++)
        *whole = at->name[at->length++] == '\n';
    if (*whole)
        return true;
    return at->length < sizeof at->name && (state & (SOCKET_PEER_CLOSED | SOCKET_FAILED)) == 0;
}

/* True: it is over. */
static bool serve(struct connection *at)
{
    char greeting[GREETER_NAME_BYTES + sizeof "Hello, .\n"];
    bool whole;
    size_t sent;
    int length;

    if (!take_name(at, &whole))
        return true;
    if (!whole)
        return false;
    length =
        mnos_snprintf(greeting, sizeof greeting, "Hello, %.*s.\n", (int)at->length - 1, at->name);
    (void)!socket_send(&at->socket, greeting, (size_t)length, &sent);
    return true;
}

static mnos_status_t begin(mnos_cap_t given)
{
    const char *text = bootstrap_argument(1);
    uint32_t port = GREETER_PORT;
    struct ip_address address;
    mnos_status_t status = socket_session_open(&net, given, CONNECTIONS + 1);

    if (status == MNOS_OK && (text == NULL || !ip_read(&text, &address)))
        status = MNOS_ERR_ARGUMENT;
    if (status == MNOS_OK)
        status = socket_open(&net, SOCKET_TCP, &listener);
    if (status == MNOS_OK)
        status = socket_bind(&listener, address, &port);
    if (status == MNOS_OK)
        status = socket_listen(&listener, CONNECTIONS);
    return status;
}

int main(void)
{
    mnos_cap_t given = bootstrap_find("net");
    mnos_status_t status = given != 0 ? begin(given) : MNOS_ERR_HANDLE;

    while (status == MNOS_OK) {
        bool closed = false;

        accept_some();
        for (uint32_t i = 0; i < CONNECTIONS; i++) {
            if (!connections[i].used || !serve(&connections[i]))
                continue;
            (void)!socket_close(&connections[i].socket); /* what was sent goes on its way */
            connections[i].used = false;
            closed = true;
        }
        if (!closed) /* else somebody may wait for the place */
            status = socket_wait(&net, MNOS_DEADLINE_NEVER);
    }
    if (given == 0)
        out_print("greeter: the network was not given; try `with net=listen=loopback:7000`\n");
    else if (status == MNOS_ERR_DENIED)
        out_print("greeter: %s\n", socket_refusal_text(&net.refusal));
    else
        out_failed(status, "");
    out_flush();
    return EXIT_FAILED;
}
