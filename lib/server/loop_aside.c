// SPDX-License-Identifier: MIT
/* loop_aside - what handlers use of the loop: see loop.h. */
#include "lib/server/loop.h"

#include "lib/base/string.h"
#include "lib/server/state.h"

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

    if (lane != NULL) {
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
