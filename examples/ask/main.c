// SPDX-License-Identifier: MIT
/* main - ask ADDRESS NAME: has itself greeted by the greeter at that address. */
#include "../greeter/greeter.h"
#include "lib/base/string.h"
#include "lib/client/out.h"
#include "lib/client/socket.h"
#include "lib/format/net/ip.h"
#include "lib/mnos/bootstrap.h"

BOOTSTRAP_LAUNCHED;

enum { EXIT_DONE = 0, EXIT_FAILED = 1 };

static struct socket_session net;
static struct socket greeter;

static mnos_status_t send_name(const char *name)
{
    size_t sent;
    mnos_status_t status = socket_send(&greeter, name, strlen(name), &sent);

    return status == MNOS_OK ? socket_send(&greeter, "\n", 1, &sent) : status;
}

/* The line that comes, without its end. */
static mnos_status_t receive(char *text, size_t size)
{
    size_t length = 0, count;

    for (;;) {
        mnos_status_t error = MNOS_OK;
        uint32_t state = socket_state(&greeter, &error); /* older than the look at the bytes */
        mnos_status_t status = socket_receive(&greeter, text + length, size - 1 - length, &count);

        if (status != MNOS_OK)
            return status;
        for (size_t end = length + count; length < end; length++)
            if (text[length] == '\n') {
                text[length] = 0;
                return MNOS_OK;
            }
        if ((state & SOCKET_FAILED) != 0)
            return error;
        if ((state & SOCKET_PEER_CLOSED) != 0 || length == size - 1)
            return MNOS_ERR_FORMAT;
        status = socket_wait(&net, MNOS_DEADLINE_NEVER);
        if (status != MNOS_OK)
            return status;
    }
}

static mnos_status_t ask(mnos_cap_t given, char *greeting, size_t size)
{
    const char *text = bootstrap_argument(1), *name = bootstrap_argument(2);
    struct ip_address address;
    mnos_status_t status = socket_session_open(&net, given, 1);

    if (status == MNOS_OK && (name == NULL || !ip_read(&text, &address)))
        status = MNOS_ERR_ARGUMENT;
    if (status == MNOS_OK)
        status = socket_open(&net, SOCKET_TCP, &greeter);
    if (status == MNOS_OK)
        status = socket_connect(&greeter, address, GREETER_PORT);
    if (status == MNOS_OK)
        status = send_name(name);
    return status == MNOS_OK ? receive(greeting, size) : status;
}

int main(void)
{
    char greeting[GREETER_NAME_BYTES + 32];
    mnos_cap_t given = bootstrap_find("net");
    mnos_status_t status = given != 0 ? ask(given, greeting, sizeof greeting) : MNOS_ERR_HANDLE;

    if (status == MNOS_OK) {
        out_name(greeting);
        out_print("\n");
    } else if (given == 0) {
        out_print("ask: the network was not given; try `with net=connect=loopback:7000`\n");
    } else if (status == MNOS_ERR_DENIED) {
        out_print("ask: %s\n", socket_refusal_text(&net.refusal));
    } else {
        out_failed(status, "");
    }
    out_flush();
    return status == MNOS_OK ? EXIT_DONE : EXIT_FAILED;
}
