// SPDX-License-Identifier: MIT
/* loop - see loop.h. */
#include "lib/server/loop.h"

#include "lib/base/string.h"

static void forget_clients(struct server_loop *loop, mnos_badge_t gone)
{
    struct server_session *session = session_of(loop->sessions, gone);

    if (session != NULL)
        session_gone(loop->sessions, session, &loop->owner);
    /* Badge 0 stands for several. What a session is kept for below it goes with the last of these.
     */
    for (uint32_t i = 1; gone == 0 && i <= loop->sessions->session_count; i++) {
        session = session_at(loop->sessions, i);
        if (session->badge != 0 && !session->gone &&
            ipc_client_is_gone(loop->endpoint, 0, session->badge))
            session_gone(loop->sessions, session, &loop->owner);
    }
}

/* Makes the message the reply of a handler that returned `status`. */
static void finish(struct message *message, mnos_status_t status, bool aside)
{
    if (aside) {
        message->reply_id = 0;
        message->cap_count = 0;
    } else if (status != MNOS_OK) {
        message_put(message, status, NULL, 0);
    }
}

/* A handler of class N: exactly once for each sequence of the lane. */
static void run_once(struct server_loop *loop, const struct server_operation *operation,
                     struct server_request *request)
{
    struct message *message = request->message;
    struct server_lane *lane = &request->session->lanes[label_lane(message->label)];
    enum lane_verdict verdict;
    mnos_status_t status;
    uint64_t stale;

    verdict = lane_begin(lane, label_sequence(message->label), message->reply_id, &stale);
    ipc_reply_status(stale, MNOS_ERR_CANCELLED);
    if (verdict == LANE_REFUSED) {
        message_put(message, MNOS_ERR_ARGUMENT, NULL, 0);
    } else if (verdict == LANE_JOINED) {
        finish(message, MNOS_OK, true);
    } else if (verdict == LANE_REPLAY) {
        message_put(message, lane->status, lane->words, lane->length);
    } else {
        status = operation->handle(loop->owner.context, request);
        finish(message, status, status == SERVER_ASIDE);
        if (request->had_no_effect)
            lane_undone(lane);
        else if (status != SERVER_ASIDE)
            lane_done(lane, message->label, message->words, message->length);
    }
}

static void handle_request(struct server_loop *loop, struct message *message)
{
    uint32_t number = label_operation(message->label);
    const struct server_operation *operation = &loop->operations[number];
    struct server_request request = {.message = message,
                                     .session = session_of(loop->sessions, message->badge)};

    if (operation->class == SERVER_CLASS_NONE) {
        message_put(message, MNOS_ERR_LABEL, NULL, 0);
    } else if (request.session == NULL && number != loop->open_session) {
        message_put(message, MNOS_ERR_LOST, NULL, 0);
    } else if (operation->class == SERVER_CLASS_N || operation->class == SERVER_CLASS_N_PARKS) {
        run_once(loop, operation, &request);
    } else {
        mnos_status_t status = operation->handle(loop->owner.context, &request);

        finish(message, status, status == SERVER_ASIDE);
    }
}

void server_loop_handle(struct server_loop *loop, struct message *message)
{
    if (message->kind == MNOS_KIND_CLIENT_GONE) {
        forget_clients(loop, message->badge);
        finish(message, MNOS_OK, true);
    } else if (message->kind != MNOS_KIND_MESSAGE || message->reply_id == 0) {
        message_refuse_caps(message); /* could not be answered, so it is no request */
        message->cap_count = 0;
    } else {
        /* Sessions are named by capabilities to this very endpoint, which take no slot; others are
         * not wanted. The handler finds the badge in the IPC buffer. */
        message_refuse_caps(message);
        handle_request(loop, message);
    }
}

/* A capability may not be deliverable through the client's fault, which must not end the loop: it
 * may accept none, or have no room. It is told, if it still waits. */
static void reply_now(struct message *message)
{
    mnos_status_t status = ipc_reply(message);

    if (status != MNOS_OK)
        ipc_reply_status(message->reply_id, status);
    *message = (struct message){0};
}

mnos_status_t server_loop_run(struct server_loop *loop, void (*before)(void *context))
{
    struct message message = {0};

    for (;;) {
        mnos_status_t status;

        message.accept = 1; /* of a session, as its badge */
        status = ipc_reply_receive(loop->endpoint, &message, MNOS_DEADLINE_NEVER);
        if (status != MNOS_OK)
            return status;
        before(loop->owner.context);
        server_loop_handle(loop, &message);
        if (message.cap_count != 0)
            reply_now(&message);
    }
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
