// SPDX-License-Identifier: MIT
/* main - the commands about the network, one program: the first word says which. See README.md. */
#include "lib/base/string.h"
#include "lib/client/out.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/utf8.h"
#include "programs/network/network.h"

BOOTSTRAP_LAUNCHED;

static const struct {
    const char *name;
    bool (*run)(void);
} commands[] = {
    {"resolve", network_resolve}, {"fetch", network_fetch},     {"netstat", network_netstat},
    {"nc", network_nc},           {"capture", network_capture},
};

void network_failed(const struct socket_session *session, mnos_status_t status, const char *what)
{
    if (status == MNOS_ERR_DENIED)
        out_print("%s %s: not allowed: %s\n", bootstrap_argument(0), what,
                  socket_refusal_text(&session->refusal));
    else if (status == MNOS_ERR_LOST)
        out_print("%s %s: the service of the network was started again, and has forgotten this\n",
                  bootstrap_argument(0), what);
    else
        out_failed(status, what);
}

static void show_code(uint32_t code)
{
    char text[UTF8_BYTES_MAX];

    if (code == '\n' || code == '\t' || utf8_is_text(code))
        out_write(text, utf8_encode(code, text));
    else if (code < ' ' && code != '\r')
        out_print("^%c", (char)(code + '@'));
    else if (code != '\r')
        out_write("?", 1);
}

void network_show(const char *bytes, size_t count)
{
    static struct utf8_decoder decoder; /* a piece may end in the middle of a code point */
    uint32_t code;

    for (size_t i = 0; i < count; i++) {
        enum utf8_step step = utf8_feed(&decoder, (uint8_t)bytes[i], &code);

        if (step == UTF8_BAD_BEFORE) {
            show_code(UTF8_REPLACEMENT);
            step = utf8_feed(&decoder, (uint8_t)bytes[i], &code);
        }
        if (step == UTF8_DONE)
            show_code(code);
        else if (step == UTF8_BAD)
            show_code(UTF8_REPLACEMENT);
    }
}

const char *network_connect_text(mnos_status_t status)
{
    switch (status) {
    case MNOS_ERR_PEER: return "the connection is refused";
    case MNOS_ERR_DEADLINE: return "nobody answers";
    case MNOS_ERR_NOT_FOUND: return "no interface leads there";
    case MNOS_ERR_LOST: return "the service of the network was started again";
    default: return NULL;
    }
}

bool network_open(struct socket_session *session, uint32_t sockets)
{
    mnos_status_t status;

    if (bootstrap_find("net") == 0) {
        out_print("%s: it was called without \"net\"\n", bootstrap_argument(0));
        return false;
    }
    status = socket_session_open(session, bootstrap_find("net"), sockets);
    if (status != MNOS_OK)
        network_failed(session, status, "net");
    return status == MNOS_OK;
}

int main(void)
{
    const char *name = bootstrap_argument(0);
    int code = NETWORK_EXIT_CALL;

    if (name == NULL)
        return code;
    for (unsigned i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(commands[i].name, name) == 0)
            code = commands[i].run() ? NETWORK_EXIT_DONE : NETWORK_EXIT_FAILED;
    }
    if (code == NETWORK_EXIT_CALL)
        out_print("%s: there is no such command\n", name);
    out_flush();
    return code;
}
