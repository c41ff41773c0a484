// SPDX-License-Identifier: MIT
/* stream_size - how large the terminal is: it is asked, and answers as if it were typed. Host tests compile this file. */
#include "lib/server/stream_server_internal.h"

#include <stdatomic.h>

/*
 * For its size, and then, at the last column of the last row, for the cursor's place; the cursor goes back to where it
 * was. A terminal that answers anything answers the second question, and what some answer to the first is wrong: tmux
 * 3.3 swaps rows and columns. So the place counts, and the size when no place has come. ECMA-48, CUP and DSR; xterm,
 * "Control Sequences", CSI Ps t.
 */
static const char question[] = "\0337\033[18t\033[999;999H\033[6n\0338";

#define COLUMNS_MIN 20u /* a report of less is not believed */
#define ROWS_MIN 2u
#define SIZE_MAX_EACH 1000u

/* In one word, so that it is there wholly or not at all. */
#define SIZE(columns, rows, flags)                                                                 \
    ((uint64_t)(columns) | (uint64_t)(rows) << 16 | (uint64_t)(flags) << 32)

static uint64_t known_size(const struct stream_server *server)
{
    return atomic_load_explicit(&server->state->size, memory_order_relaxed);
}

static void reply_size(struct stream_server *server, mnos_badge_t client, uint64_t reply_id)
{
    uint64_t known = known_size(server);
    struct stream_size size = {STREAM_COLUMNS, STREAM_ROWS, 0, 0};
    struct message reply = {.reply_id = reply_id};

    if (known != 0)
        size = (struct stream_size){known & UINT16_MAX, known >> 16 & UINT16_MAX,
                                    (uint32_t)(known >> 32), 0};
    if (stream_server_in_front(server, client))
        size.flags |= STREAM_IN_FRONT;
    message_put(&reply, MNOS_OK, &size, sizeof size);
    (void)!ipc_reply(&reply); /* a client that is gone has no use for it */
}

static void set_size(struct stream_server *server, uint64_t size)
{
    bool changed = size != known_size(server);

    atomic_store_explicit(&server->state->size, size, memory_order_relaxed);
    for (unsigned i = 0; i < server->ask_count; i++)
        reply_size(server, server->asks[i].client, server->asks[i].reply_id);
    server->ask_count = 0;
    for (unsigned i = 0; changed && i < server->clients.used; i++)
        stream_client_tell(&server->clients.entries[i], server->clients.entries[i].events.size);
}

static bool is_believed(struct scan_answer answer)
{
    return answer.columns >= COLUMNS_MIN && answer.rows >= ROWS_MIN;
}

static void set_answer(struct stream_server *server, struct scan_answer answer)
{
    unsigned columns = answer.columns < SIZE_MAX_EACH ? answer.columns : SIZE_MAX_EACH;
    unsigned rows = answer.rows < SIZE_MAX_EACH ? answer.rows : SIZE_MAX_EACH;

    set_size(server, SIZE(columns, rows, STREAM_TOLD));
}

void stream_server_answered(struct stream_server *server, enum scan_found found,
                            struct scan_answer answer)
{
    if (!is_believed(answer))
        return;
    if (found == SCAN_SIZE && server->asked_until_ns != 0) {
        server->answer = answer; /* the other answer may come still */
        return;
    }
    if (found == SCAN_PLACE) {
        server->scan.expects = false;
        server->asked_until_ns = 0;
    }
    set_answer(server, answer);
}

void stream_server_set_size(struct stream_server *server, unsigned columns, unsigned rows)
{
    set_answer(server, (struct scan_answer){.columns = columns, .rows = rows});
}

/* One that has answered before and does not now, because it is slow, is as large as before. What it answers later counts
 * all the same. */
void stream_server_check_patience(struct stream_server *server)
{
    if (server->asked_until_ns == 0 || server->now_ns < server->asked_until_ns)
        return;
    server->asked_until_ns = 0;
    if (is_believed(server->answer))
        set_answer(server, server->answer);
    else
        set_size(server, known_size(server) != 0 ? known_size(server)
                                                 : SIZE(STREAM_COLUMNS, STREAM_ROWS, 0));
}

static void ask(struct stream_server *server)
{
    if (server->asked_until_ns != 0)
        return;
    server->scan.expects = true;
    server->question = question;
    server->answer = (struct scan_answer){0};
    server->asked_until_ns = server->now_ns + STREAM_PATIENCE_NS;
}

mnos_status_t stream_server_size(struct stream_server *server, const struct message *msg)
{
    struct stream_ask request;

    if (message_get(msg, &request, sizeof request) != sizeof request)
        return MNOS_ERR_SIZE;
    if ((request.flags & ~(uint32_t)(STREAM_ASK | STREAM_NOW)) != 0 || request.reserved != 0)
        return MNOS_ERR_ARGUMENT;
    if (request.flags == 0 && known_size(server) == 0) {
        if (server->ask_count == STREAM_ASKS_MAX)
            return MNOS_ERR_AGAIN;
        server->asks[server->ask_count++] = (struct pending_ask){msg->badge, msg->reply_id};
        ask(server);
        return MNOS_OK;
    }
    if ((request.flags & STREAM_ASK) != 0)
        ask(server);
    reply_size(server, msg->badge, msg->reply_id);
    return MNOS_OK;
}

void stream_server_forget_asks(struct stream_server *server, mnos_badge_t gone)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < server->ask_count; i++)
        if (!ipc_client_is_gone(server->endpoint, gone, server->asks[i].client))
            server->asks[kept++] = server->asks[i];
    server->ask_count = kept;
}
