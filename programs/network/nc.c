// SPDX-License-Identifier: MIT
/*
 * nc - the command that connects the terminal to a peer by TCP, or to the first that comes: what is typed goes there line by
 * line, and what comes is shown. Ctrl-D on an empty line ends what is sent; when the peer has ended, so does it.
 */
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/client/out.h"
#include "lib/client/stream.h"
#include "lib/format/net/ip.h"
#include "lib/format/net/ipv4.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/time.h"
#include "programs/network/network.h"

#define SOCKETS 2u /* a listener, and what came to it */
#define BADGE_TERMINAL (SOCKET_OWN_BADGES + 1ull)
#define EVENT_INPUT (SOCKET_OWN_EVENT << 1)
#define LINE_BYTES 1024u
#define KEYS 16u
#define PART_BYTES 4096u
#define KEY_END 4 /* Ctrl-D */
#define KEY_BACKSPACE 8
#define KEY_DELETE 127

static struct socket_session net;
static struct socket listener, peer;
static mnos_cap_t terminal;

/* What is typed and not sent: the first `ready` bytes are lines that were ended. */
static struct {
    char bytes[LINE_BYTES];
    size_t count, ready;
    bool is_over;   /* nothing more will be typed */
    bool told_peer; /* so the peer knows */
} line;

/* ---- The terminal ---- */

/* One character less, of which UTF-8 has several bytes. */
static void erase(void)
{
    if (line.count == line.ready)
        return;
    while (line.count > line.ready + 1 &&
           ((unsigned char)line.bytes[line.count - 1] & 0xC0) == 0x80)
        line.count--;
    line.count--;
    out_write("\b \b", 3);
}

static void take_key(char key)
{
    if (line.is_over)
        return;
    if (key == KEY_END) {
        line.is_over = line.count == line.ready;
    } else if (key == KEY_BACKSPACE || key == KEY_DELETE) {
        erase();
    } else if (key == '\r' || key == '\n') {
        line.bytes[line.count++] = '\n';
        line.ready = line.count;
        out_print("\n");
    } else if ((unsigned char)key >= ' ' && line.count < LINE_BYTES - 1) {
        line.bytes[line.count++] = key;
        out_write(&key, 1);
    }
}

/* How many keys there is room for. The end of a line has always a place, so that a line that is too long can be ended. */
static size_t room_for_keys(void)
{
    size_t room = LINE_BYTES - 1 - line.count;

    return room > KEYS ? KEYS : line.ready == 0 ? 1 : 0;
}

/* All that was typed, as far as there is room; the rest waits in the terminal. False: the terminal is no more. */
static bool take_keys(void)
{
    char keys[KEYS];
    size_t count = 1;
    mnos_status_t status = MNOS_OK;

    while (status == MNOS_OK && count != 0 && room_for_keys() != 0) {
        status = stream_poll(terminal, keys, room_for_keys(), &count);
        for (size_t i = 0; status == MNOS_OK && i < count; i++)
            take_key(keys[i]);
    }
    /* Behind, nobody types; what the line has lost is for who types to see. */
    return status == MNOS_OK || status == MNOS_ERR_AGAIN || status == MNOS_ERR_LOST;
}

static bool listen_to_terminal(void)
{
    static const struct stream_events events = {.input = EVENT_INPUT};

    return stream_listen(terminal, net.endpoint, BADGE_TERMINAL, &events) == MNOS_OK;
}

/* ---- The connection ---- */

static bool send_lines(void)
{
    size_t sent = 0;
    mnos_status_t status = MNOS_OK;

    if (line.ready != 0)
        status = socket_send(&peer, line.bytes, line.ready, &sent);
    if (status == MNOS_OK && sent != 0) {
        memmove(line.bytes, line.bytes + sent, line.count - sent);
        line.count -= sent;
        line.ready -= sent;
    }
    if (status == MNOS_OK && line.is_over && line.ready == 0 && !line.told_peer) {
        status = socket_shutdown(&peer);
        line.told_peer = true;
    }
    return status == MNOS_OK;
}

/* *over: nothing more will come. False: it broke. */
static bool show_received(bool *over)
{
    mnos_status_t error;
    uint32_t state = socket_state(&peer, &error); /* older than the look into the ring */
    char bytes[PART_BYTES];
    size_t count;

    for (;;) {
        if (socket_receive(&peer, bytes, sizeof bytes, &count) != MNOS_OK)
            return false;
        if (count == 0)
            break;
        network_show(bytes, count);
    }
    *over = (state & SOCKET_PEER_CLOSED) != 0;
    return *over || (state & SOCKET_FAILED) == 0;
}

static bool talk(void)
{
    bool good = listen_to_terminal(), over = false;

    while (good && !over) {
        good = take_keys() && send_lines() && show_received(&over);
        out_flush();
        if (!good || over)
            break;
        good = socket_wait(&net, MNOS_DEADLINE_NEVER) == MNOS_OK;
        if (good &&
            net.others_gone) /* the driver of the terminal, whose next run has the session */
            good = listen_to_terminal();
        net.others_gone = false;
        net.other_events = 0;
    }
    if (!good)
        out_print("nc: the connection broke\n");
    return good;
}

/* ---- Beginning ---- */

/* At all addresses of one family. */
static bool wait_for_peer(struct ip_address any, uint32_t port)
{
    char address[IP_TEXT_BYTES];
    mnos_status_t status = socket_open(&net, SOCKET_TCP, &listener);

    if (status == MNOS_OK)
        status = socket_bind(&listener, any, &port);
    if (status == MNOS_OK)
        status = socket_listen(&listener, 1);
    if (status == MNOS_OK) {
        out_print("nc: listens at port %u\n", port);
        out_flush();
        status = socket_accept(&listener, &peer);
    }
    if (status == MNOS_OK) {
        out_print("nc: %s, port %u\n", ip_text(address, peer.address), peer.port);
        (void)!socket_close(&listener); /* one is enough */
    } else if (status == MNOS_ERR_EXISTS) {
        out_print("nc: another program listens at port %u\n", port);
    } else {
        network_failed(&net, status, "listen");
    }
    return status == MNOS_OK;
}

static bool connect_to(uint32_t port)
{
    mnos_status_t status = MNOS_ERR_NOT_FOUND;
    const char *text, *why;

    for (uint32_t i = 3; status != MNOS_OK && (text = bootstrap_argument(i)) != NULL; i++) {
        struct ip_address address;

        status =
            ip_read(&text, &address) ? socket_open(&net, SOCKET_TCP, &peer) : MNOS_ERR_ARGUMENT;
        if (status != MNOS_OK)
            continue;
        status = socket_connect(&peer, address, port);
        if (status != MNOS_OK)
            (void)!socket_close(&peer);
    }
    why = network_connect_text(status);
    if (why != NULL)
        out_print("nc %s: %s\n", bootstrap_argument(1), why);
    else if (status != MNOS_OK)
        network_failed(&net, status, bootstrap_argument(1));
    return status == MNOS_OK;
}

/* nc HOST|-l|-l6 PORT ADDRESS..., "net" */
bool network_nc(void)
{
    const char *host = bootstrap_argument(1), *text = bootstrap_argument(2);
    uint32_t port;
    bool good;

    if (text == NULL || !ipv4_read_number(&text, UINT16_MAX, &port) || *text != 0)
        return false; /* nobody calls it so */
    terminal = bootstrap_find("terminal");
    if (!network_open(&net, SOCKETS))
        return false;
    if (strcmp(host, "-l") == 0 || strcmp(host, "-l6") == 0)
        good = wait_for_peer(host[2] == 0 ? IP_V4(0) : IP_NONE, port);
    else
        good = connect_to(port);
    if (!good || !talk())
        return false;
    (void)!socket_close(&peer); /* what was sent goes on its way */
    return true;
}
