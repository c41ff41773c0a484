// SPDX-License-Identifier: MIT
/* loop - see loop.h. */
#include "lib/server/loop.h"

#include "lib/base/string.h"
#include "lib/server/alive.h"
#include "lib/server/state.h"

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

/* Whether the service has died of it before; then it is not carried out again. */
static __attribute__((noinline)) bool is_blamed(struct server_loop *loop,
                                                const struct message *message)
{
    if (!running_is_suspect(loop->running, message))
        return false;
    loop->blamed(loop->owner.context, message);
    return true;
}

/* A request of class I, where it is known what the service may die of. */
static inline __attribute__((always_inline)) mnos_status_t carry_out_noted(
    struct server_loop *loop, struct server_request *request,
    const struct server_operation *operation)
{
    struct running *running = loop->running;
    mnos_status_t status;

    if (__builtin_expect(running->suspect.deaths != 0, 0) && is_blamed(loop, request->message))
        return MNOS_ERR_LOST;
    running_begin(running, request->message);
    status = operation->handle(loop->owner.context, request);
    if (__builtin_expect(running->suspect.deaths != 0, 0))
        running_clear(running);
    running_end(running);
    return status;
}

static inline __attribute__((always_inline)) mnos_status_t carry_out(
    struct server_loop *loop, struct server_request *request,
    const struct server_operation *operation, bool once)
{
    uint32_t number = label_operation(request->message->label);
    mnos_status_t status = MNOS_OK;

    if (__builtin_expect(loop->admit != NULL, 0))
        status = loop->admit(loop->owner.context, number);
    if (__builtin_expect(status != MNOS_OK, 0))
        return status; /* nothing was touched */
    if (!once && loop->running != NULL)
        status = carry_out_noted(loop, request, operation);
    else
        status = operation->handle(loop->owner.context, request);
    if (loop->done != NULL && (status == MNOS_OK || request->touched != 0))
        loop->done(loop->owner.context, status == MNOS_OK ? number : 0, request);
    return status;
}

/* What is not simply answered: put aside, an error, without effect, or one that waited. */
static __attribute__((noinline)) void conclude(struct server_loop *loop,
                                               struct server_request *request,
                                               struct server_lane *lane, mnos_status_t status,
                                               uint64_t key)
{
    struct message *message = request->message;

    if (status == SERVER_PARKED) {
        if (server_put_aside(loop, request, key)) {
            if (request->progress[0] != 0)
                server_keep_progress(request);
            state_step();
            finish(message, MNOS_OK, true);
            return;
        }
        status = MNOS_ERR_AGAIN;
        request->had_no_effect = true;
    }
    finish(message, status, status == SERVER_ASIDE);
    if (lane != NULL && request->had_no_effect)
        lane_undone(lane);
    else if (lane != NULL && status != SERVER_ASIDE)
        lane_done(lane, message->label, message->words, message->length);
    state_step();
    if (request->parked != NULL)
        park_drop(loop->park, request->parked);
}

static uint64_t key_of(const struct server_loop *loop)
{
    return loop->waits_for == NULL ? 0 : *loop->waits_for;
}

/* While the handler waited its client may have asked again, or gone on in the lane. */
static struct server_lane *lane_after(struct server_lane *lane, uint32_t label,
                                      struct message *message)
{
    if (lane == NULL)
        return NULL;
    if (lane->sequence == label_sequence(label)) {
        message->reply_id = lane->reply_id;
        return lane;
    }
    message->reply_id = 0; /* whoever waited for it was told so */
    return NULL;
}

/* For a loop whose handlers may wait in their middle, of which there is one at a time. */
static __attribute__((noinline)) void run_alone(struct server_loop *loop,
                                                struct server_request *request,
                                                const struct server_operation *operation)
{
    struct message *message = request->message;
    struct server_lane *lane = request->lane;
    uint32_t label = message->label;
    mnos_status_t status;

    if (loop->busy && !operation->any_time) {
        loop->turn_due = true;
        /* A capability that it carries would be gone when it runs. */
        status = message->cap_count != 0 ? MNOS_ERR_AGAIN : SERVER_PARKED;
        conclude(loop, request, lane, status, PARK_TURN);
        return;
    }
    if (!loop->busy) /* the IPC buffer is others' as soon as it waits */
        (void)server_body(loop, request);
    status = carry_out(loop, request, operation, lane != NULL);
    if (loop->ran != NULL)
        loop->ran(loop->owner.context, request);
    request->lane = lane_after(lane, label, message);
    conclude(loop, request, request->lane, status, key_of(loop));
}

/* Runs the handler, and makes the message its reply, or nobody's. In each of its places: `once`, with request->lane, or
 * without one. */
static inline __attribute__((always_inline)) void run(struct server_loop *loop,
                                                      struct server_request *request,
                                                      const struct server_operation *operation,
                                                      bool once, bool parked)
{
    mnos_status_t status;

    if (__builtin_expect(loop->waits_inside, 0)) {
        run_alone(loop, request, operation);
        return;
    }
    status = carry_out(loop, request, operation, once);

    if (__builtin_expect(status != MNOS_OK || request->had_no_effect || parked, 0)) {
        conclude(loop, request, request->lane, status, key_of(loop));
        return;
    }
    if (once)
        lane_done(request->lane, request->message->label, request->message->words,
                  request->message->length);
    state_step(); /* effect and record together, before the reply */
}

/* What has been done of it is in its lane, after a death of the service too. */
static inline void take_lane(struct server_request *request, struct server_lane *lane)
{
    request->lane = lane;
    if (__builtin_expect(lane->begun == 0, 1))
        return;
    request->resumed = true;
    memcpy(request->progress, lane->words, sizeof request->progress);
}

/* A handler of class N: exactly once for each sequence of the lane. */
static inline __attribute__((always_inline)) void run_once(struct server_loop *loop,
                                                           struct server_request *request,
                                                           const struct server_operation *operation)
{
    struct message *message = request->message;
    struct server_lane *lane = &request->session->lanes[label_lane(message->label)];
    enum lane_verdict verdict;
    uint64_t stale;

    verdict = lane_begin(lane, label_sequence(message->label), message->reply_id, &stale);
    if (stale != 0) {
        ipc_reply_status(stale, MNOS_ERR_CANCELLED);
        if (verdict == LANE_RUN)
            server_end_stale(loop, message->badge, label_lane(message->label));
    }
    if (__builtin_expect(verdict == LANE_RUN, 1)) {
        take_lane(request, lane);
        run(loop, request, operation, true, false);
    } else if (verdict == LANE_REFUSED) {
        message_put(message, MNOS_ERR_ARGUMENT, NULL, 0);
    } else if (verdict == LANE_JOINED) {
        finish(message, MNOS_OK, true);
    } else {
        message_put(message, lane->status, lane->words, lane->length);
    }
}

/* A message that somebody waits for the reply of. */
static inline __attribute__((always_inline)) void handle_request(struct server_loop *loop,
                                                                 struct message *message)
{
    uint32_t number = label_operation(message->label);
    const struct server_operation *operation = &loop->operations[number];
    struct server_request request;

    /* Sessions are named by capabilities to this very endpoint, which take no slot; others are
     * wanted by few. The handler finds the badge in the IPC buffer. */
    if (__builtin_expect(message->cap_count != 0, 0) && !operation->takes_capability)
        message_refuse_caps(message);
    /* By stores: the compiler would clear it by a string instruction. */
    request.message = message;
    request.session = session_of_last(loop->sessions, message->badge, &loop->last);
    request.had_no_effect = false;
    request.body = NULL;
    request.parked = NULL;
    request.lane = NULL;
    request.resumed = false;
    request.progress[0] = request.progress[1] = 0;
    request.holds = 0;
    request.touched = 0;
    if (operation->class == SERVER_CLASS_NONE) {
        message_put(message, MNOS_ERR_LABEL, NULL, 0);
    } else if ((request.session == NULL || request.session->lost) && number != loop->open_session) {
        message_put(message, MNOS_ERR_LOST, NULL, 0);
    } else if (server_is_once(operation)) {
        run_once(loop, &request, operation);
    } else {
        run(loop, &request, operation, false, false);
    }
}

/* Runs a request again; the message becomes the reply. */
static void run_again(struct server_loop *loop, struct parked *parked, struct message *message)
{
    struct server_session *session = session_of(loop->sessions, parked->message.badge);
    uint32_t label = parked->message.label;
    const struct server_operation *operation = &loop->operations[label_operation(label)];
    struct server_lane *lane = NULL;
    struct server_request request = {.message = message,
                                     .session = session,
                                     .parked = parked,
                                     .progress = {parked->progress[0], parked->progress[1]},
                                     .holds = parked->holds};

    *message = parked->message;
    /* Another one ended it. */
    if (session == NULL && label_operation(label) != loop->open_session) {
        park_drop(loop->park, parked);
        message->cap_count = 0;
        message_put(message, MNOS_ERR_LOST, NULL, 0);
        return;
    }
    if (server_is_once(operation)) {
        lane = &session->lanes[label_lane(label)];
        /* Whoever asked may have asked again meanwhile, and waits under another number. */
        message->reply_id = lane->reply_id;
    }
    if (lane != NULL && (lane->state != LANE_RUNNING || lane->sequence != label_sequence(label))) {
        message->reply_id = 0;
        park_drop(loop->park, parked);
        return;
    }
    if (lane != NULL) {
        take_lane(&request, lane);
        run(loop, &request, operation, true, true);
    } else {
        run(loop, &request, operation, false, true);
    }
}

/* No request: an end of clients, or what nobody waits for. */
static void handle_other(struct server_loop *loop, struct message *message)
{
    if (message->kind == MNOS_KIND_CLIENT_GONE) {
        if (loop->busy)
            loop->gone_due = true;
        else
            server_forget_clients(loop, message->badge);
        if (loop->gone != NULL)
            loop->gone(loop->owner.context, message->badge);
        state_step();
        finish(message, MNOS_OK, true);
    } else {
        message_refuse_caps(message); /* could not be answered, so it is no request */
        message->cap_count = 0;
    }
}

/* MNOS_KIND_MESSAGE is 0. */
static inline bool is_request(const struct message *message)
{
    return __builtin_expect((message->info & MESSAGE_KIND_MASK) == 0 && message->reply_id != 0, 1);
}

void server_loop_handle(struct server_loop *loop, struct message *message)
{
    if (is_request(message))
        handle_request(loop, message);
    else
        handle_other(loop, message);
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

/* Answers a request that does not wait for the next message's receiving. */
static void answer_now(struct message *message)
{
    if (message->reply_id != 0 || message->cap_count != 0)
        reply_now(message);
}

void server_loop_go_on(struct server_loop *loop)
{
    struct parked *parked;

    /* Ends: a request that ran is ready again only by something that came from outside, or because another one
     * ended, of which there are PARK_ENTRIES at most. */
    while (loop->park != NULL && (parked = park_next(loop->park)) != NULL) {
        struct message message = {0};

        run_again(loop, parked, &message);
        answer_now(&message);
    }
}

static void take_events(struct server_loop *loop, struct message *message)
{
    alive_answer(message);
    if (loop->events != NULL)
        loop->events(loop->owner.context, message->words[0]);
    *message = (struct message){0};
}

mnos_status_t server_loop_meanwhile(struct server_loop *loop, uint64_t deadline_ns)
{
    struct message message = {.accept = 1};
    mnos_status_t status = ipc_receive(loop->endpoint, &message, deadline_ns);

    if (status == MNOS_ERR_DEADLINE)
        message = (struct message){.kind = MNOS_KIND_EVENTS};
    else if (status != MNOS_OK)
        return status;
    loop->busy = true;
    if (message.kind == MNOS_KIND_EVENTS)
        take_events(loop, &message);
    else
        server_loop_handle(loop, &message);
    answer_now(&message);
    loop->busy = false;
    return MNOS_OK;
}

/* Nothing waits in its middle any more: what was put off is done, or may be. */
static void do_what_is_due(struct server_loop *loop)
{
    if (loop->gone_due)
        server_forget_clients(loop, 0);
    loop->gone_due = false;
    if (loop->turn_due)
        park_wake(loop->park, PARK_TURN);
    loop->turn_due = false;
}

/* Whether a request that was put aside can go on. */
static inline bool is_anything_ready(const struct server_loop *loop)
{
    return loop->park != NULL && loop->park->ready_count != 0;
}

/* What is to be done between two messages; one that was answered meanwhile is none any more. */
static __attribute__((noinline)) void do_between(struct server_loop *loop, struct message *message)
{
    do {
        if (loop->waits_inside)
            do_what_is_due(loop);
        if (is_anything_ready(loop)) {
            answer_now(message);
            server_loop_go_on(loop);
        }
        if (loop->round != NULL)
            loop->round(loop->owner.context);
        if (loop->waits_inside)
            do_what_is_due(loop);
        /* Ends: a round makes requests ready for what came from outside. */
    } while (is_anything_ready(loop));
}

static inline __attribute__((always_inline)) void one_round(struct server_loop *loop,
                                                            struct message *message)
{
    if (is_request(message))
        handle_request(loop, message);
    else if (message->kind == MNOS_KIND_EVENTS)
        take_events(loop, message);
    else
        handle_other(loop, message);
    if (__builtin_expect(message->cap_count != 0, 0))
        reply_now(message);
    if (__builtin_expect(loop->waits_inside || is_anything_ready(loop), 0)) {
        do_between(loop, message);
        return;
    }
    if (loop->round != NULL)
        loop->round(loop->owner.context);
    if (__builtin_expect(is_anything_ready(loop), 0))
        do_between(loop, message);
}

mnos_status_t server_loop_run(struct server_loop *loop, void (*before)(void *context))
{
    struct message message = {0};

    for (;;) {
        uint64_t deadline_ns = loop->deadline_ns == NULL ? MNOS_DEADLINE_NEVER
                                                         : loop->deadline_ns(loop->owner.context);
        mnos_status_t status;

        if (__builtin_expect(loop->tell == 0, 1)) {
            /* One capability: of a session, as its badge. */
            status = ipc_reply_receive_accepting(loop->endpoint, &message, 1, deadline_ns);
        } else {
            message.accept = 1;
            status = server_loop_tell_and_receive(loop, &message, deadline_ns);
        }
        if (status == MNOS_ERR_DEADLINE)
            message = (struct message){.kind = MNOS_KIND_EVENTS}; /* none but the time */
        else if (status != MNOS_OK)
            return status;
        if (before != NULL)
            before(loop->owner.context);
        one_round(loop, &message);
    }
}
