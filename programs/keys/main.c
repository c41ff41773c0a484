// SPDX-License-Identifier: MIT
/* main - keys: shows what the keys of a terminal send. See README.md. */
#include <stdarg.h>

#include "lib/base/printf.h"
#include "lib/client/stream.h"
#include "lib/client/stream_ring.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/syscall.h"

BOOTSTRAP_LAUNCHED;

#define EVENT_INPUT 1ull
#define EVENT_FRONT 2ull
#define EVENT_SIZE 4ull
#define EVENT_OUTPUT 8ull
#define BADGE_TERMINAL 1
#define RING_PAGES 1
#define TEXT_BYTES 128
#define END_KEY 'q'

enum { EXIT_ENDPOINT = 1, EXIT_TERMINAL = 2 };

static struct stream_ring ring;
static mnos_cap_t endpoint, terminal;

/* Until something has happened; when it was that the driver has ended, its next run has the rings. */
static mnos_status_t wait_for(uint64_t *events)
{
    struct message msg = {0};
    mnos_status_t status = ipc_receive(endpoint, &msg, MNOS_DEADLINE_NEVER);

    *events = 0;
    if (status != MNOS_OK)
        return status;
    if (msg.kind == MNOS_KIND_EVENTS)
        *events = msg.words[0];
    else if (msg.kind == MNOS_KIND_CLIENT_GONE)
        status = stream_ring_attach(&ring);
    return status;
}

/* Returns when the device has all of it; what else happens meanwhile stays in *seen. */
static mnos_status_t print(uint64_t *seen, const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list arguments;
    size_t length, at = 0, put;
    uint64_t events;
    mnos_status_t status = MNOS_OK;

    va_start(arguments, format);
    length = (size_t)mnos_vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length >= sizeof text)
        length = sizeof text - 1;
    while (status == MNOS_OK && (at < length || !stream_ring_is_sent(&ring))) {
        status = stream_ring_write(&ring, text + at, length - at, &put);
        at += status == MNOS_OK ? put : 0;
        if (status == MNOS_OK && !stream_ring_is_sent(&ring)) {
            status = wait_for(&events);
            *seen |= events;
        }
    }
    return status;
}

static mnos_status_t show_state(uint64_t *seen)
{
    struct stream_size size;
    mnos_status_t status = stream_size(terminal, 0, &size);

    if (status == MNOS_OK)
        status = print(seen, "%u columns, %u rows%s, %s\r\n", size.columns, size.rows,
                       (size.flags & STREAM_TOLD) != 0 ? "" : " (the terminal does not tell)",
                       (size.flags & STREAM_IN_FRONT) != 0 ? "in front" : "behind");
    return status;
}

static mnos_status_t show_byte(uint64_t *seen, uint8_t byte)
{
    if (byte > ' ' && byte < 0x7F)
        return print(seen, "%02x  %c\r\n", byte, byte);
    if (byte < ' ')
        return print(seen, "%02x  Ctrl-%c\r\n", byte, byte + '@');
    return print(seen, "%02x\r\n", byte);
}

/* All that has been typed; *end when the last key was among it. */
static mnos_status_t show_keys(uint64_t *seen, bool *end)
{
    uint8_t bytes[16];
    size_t count = 1;
    mnos_status_t status = MNOS_OK;

    while (status == MNOS_OK && count != 0 && !*end) {
        status = stream_ring_read(&ring, bytes, sizeof bytes, &count);
        if (status == MNOS_ERR_LOST)
            status = print(seen, "--  the line has lost something here\r\n");
        else if (status != MNOS_OK)
            return status;
        else
            for (size_t i = 0; status == MNOS_OK && i < count && !*end; i++) {
                status = show_byte(seen, bytes[i]);
                *end = bytes[i] == END_KEY;
            }
    }
    return status;
}

static mnos_status_t serve(void)
{
    uint64_t seen = 0; /* the first events come at once, when it has attached */
    bool end = false;
    mnos_status_t status = print(&seen, "keys: %c ends it\r\n", END_KEY);

    while (status == MNOS_OK && !end) {
        uint64_t events = seen;

        seen = 0;
        if (events == 0)
            status = wait_for(&events);
        if (status == MNOS_OK && (events & (EVENT_FRONT | EVENT_SIZE)) != 0)
            status = show_state(&seen);
        if (status == MNOS_OK)
            status = show_keys(&seen, &end);
    }
    return status;
}

int main(void)
{
    static const struct stream_attach record = {
        .events = {.input = EVENT_INPUT, .front = EVENT_FRONT, .size = EVENT_SIZE},
        .output = EVENT_OUTPUT};

    terminal = bootstrap_cap("terminal");
    if (sys_cap_create(MNOS_CREATE_ENDPOINT, 0, MNOS_RIGHTS_ALL, 0, 0, &endpoint) != MNOS_OK)
        return EXIT_ENDPOINT;
    if (stream_ring_open(&ring, terminal, endpoint, BADGE_TERMINAL, &record, RING_PAGES) !=
            MNOS_OK ||
        serve() != MNOS_OK)
        return EXIT_TERMINAL;
    return 0;
}
