// SPDX-License-Identifier: MIT
/* terminal - see terminal.h. */
#include "tests/guest/terminal.h"

#include "lib/mnos/memory.h"
#include "lib/mnos/time.h"
#include "lib/server/stream_bytes.h"
#include "lib/server/stream_server.h"

static struct stream_server server;
static struct byte_queue line;

static size_t send(void *, const uint8_t *bytes, size_t count)
{
    size_t sent = 0;

    while (sent < count && byte_queue_room(&line) != 0)
        byte_queue_put(&line, bytes[sent++]);
    return sent;
}

/* What was taken makes room, which is looked for with the next message: whoever takes sends one. */
static void taken(void *)
{
}

static void hold(void *, bool)
{
}

static const struct stream_device device = {
    .received = &line, .send = send, .taken = taken, .hold = hold};

uint64_t terminal_serve(uint64_t endpoint, uint64_t state, uint64_t fresh, uint64_t)
{
    struct message message = {0};
    void *address;

    if (guard_begin() != MNOS_OK || memory_map(state, 0, TERMINAL_STATE_PAGES,
                                               MNOS_MAP_READ | MNOS_MAP_WRITE, &address) != MNOS_OK)
        return 1;
    server.device = &device;
    server.endpoint = endpoint;
    server.holder = TERMINAL_HOLDER;
    server.state = address;
    server.now_ns = kinfo_time_ns();
    stream_server_begin(&server, fresh != 0, server.now_ns);
    for (;;) {
        mnos_status_t status;

        message.accept = STREAM_SERVER_ACCEPTS;
        status = ipc_reply_receive(endpoint, &message, stream_server_deadline(&server));
        server.now_ns = kinfo_time_ns();
        if (status != MNOS_OK && status != MNOS_ERR_DEADLINE)
            return status;
        if (status == MNOS_OK && message.kind != MNOS_KIND_EVENTS) {
            stream_server_handle(&server, &message);
            continue;
        }
        stream_server_progress(&server);
        message = (struct message){0};
    }
}
