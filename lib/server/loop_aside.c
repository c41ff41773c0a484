// SPDX-License-Identifier: MIT
/* loop_aside - requests that are put aside, what handlers use of the loop, and the end of clients: see loop.h. */
#include "lib/server/loop.h"

#include "lib/base/string.h"
#include "lib/server/state.h"

bool server_put_aside(struct server_loop *loop, struct server_request *request, uint64_t key)
{
    struct parked *parked = request->parked;
    uint32_t account = request->session == NULL ? 0 : request->session->account;

    if (parked == NULL) {
        parked = loop->park == NULL ? NULL : park_put(loop->park, account);
        if (parked == NULL)
            return false;
        parked->message = *request->message;
        if (request->message->length <= sizeof request->message->words)
            memcpy(parked->text, request->message->words, request->message->length);
        else if (request->body != NULL)
            memcpy(parked->text, request->body, request->message->length);
        else /* the loop's own place may be in use by a handler that waits */
            (void)message_get(request->message, parked->text, request->message->length);
    }
    memcpy(parked->progress, request->progress, sizeof parked->progress);
    parked->holds = request->holds;
    park_wait(loop->park, parked, key);
    return true;
}

void server_end_stale(struct server_loop *loop, mnos_badge_t badge, uint32_t lane)
{
    for (uint32_t i = 0; loop->park != NULL && i < PARK_ENTRIES; i++) {
        struct parked *at = &loop->park->entries[i];

        if (at->used && !at->running && at->message.badge == badge &&
            label_lane(at->message.label) == lane &&
            server_is_once(&loop->operations[label_operation(at->message.label)]))
            park_drop(loop->park, at);
    }
}

const void *server_long_body(struct server_loop *loop, struct server_request *request)
{
    if (request->body == NULL && request->parked != NULL) {
        request->body = request->parked->text;
    } else if (request->body == NULL) {
        (void)message_get(request->message, loop->body, request->message->length);
        request->body = loop->body;
    }
    return request->body;
}

void server_keep_progress(struct server_request *request)
{
    struct server_lane *lane = request->lane;

    /* The client may have gone on in the lane while the handler waited: then it is another request's. */
    if (lane != NULL && lane->sequence == label_sequence(request->message->label)) {
        state_note(lane, sizeof *lane);
        memcpy(lane->words, request->progress, sizeof request->progress);
        lane->begun = 1;
    }
    state_step();
}

void server_answer(struct server_session *session, uint32_t lane, mnos_status_t status,
                   const uint64_t words[4], uint32_t length)
{
    struct server_lane *record = &session->lanes[lane];
    struct message message = {.reply_id = record->reply_id};

    message_put(&message, status, words, length);
    lane_done(record, status, words, length);
    if (message.reply_id != 0)
        (void)!ipc_reply(&message); /* a client that is gone has no use for it */
}

/* ---- The end of clients ---- */

/* Under which number the client waits: it may have asked again. */
static uint64_t reply_id_of(const struct server_loop *loop, const struct parked *parked)
{
    const struct message *message = &parked->message;
    const struct server_session *session = session_of(loop->sessions, message->badge);
    const struct server_lane *lane;

    if (session == NULL || !server_is_once(&loop->operations[label_operation(message->label)]))
        return message->reply_id;
    lane = &session->lanes[label_lane(message->label)];
    /* One that the lane went on without was told so. */
    return lane->state == LANE_RUNNING && lane->sequence == label_sequence(message->label)
               ? lane->reply_id
               : 0;
}

void server_forget_parked(struct server_loop *loop, mnos_badge_t badge, bool is_there)
{
    for (uint32_t i = 0; loop->park != NULL && i < PARK_ENTRIES; i++) {
        struct parked *at = &loop->park->entries[i];

        if (!at->used || at->running || at->message.badge != badge)
            continue;
        if (is_there)
            ipc_reply_status(reply_id_of(loop, at), MNOS_ERR_LOST);
        park_drop(loop->park, at);
    }
}

void server_forget_clients(struct server_loop *loop, mnos_badge_t gone)
{
    struct server_session *session = session_of(loop->sessions, gone);

    if (session != NULL) {
        server_forget_parked(loop, gone, false);
        session_gone(loop->sessions, session, &loop->owner);
    }
    /* Badge 0 stands for several. What a session is kept for below it goes with the last of these. */
    for (uint32_t i = 1; gone == 0 && i <= loop->sessions->session_count; i++) {
        session = session_at(loop->sessions, i);
        if (session->badge != 0 && !session->gone &&
            ipc_client_is_gone(loop->endpoint, 0, session->badge)) {
            server_forget_parked(loop, session->badge, false);
            session_gone(loop->sessions, session, &loop->owner);
        }
    }
}
