// SPDX-License-Identifier: MIT
/*
 * loop.h - the one loop of a service with sessions: receives, finds session and handler, keeps what class N
 * needs, answers, and forgets clients that are gone.
 *
 * The table of handlers is made from the protocol's .def:
 *
 *   static const struct server_operation operations[LABEL_OPERATIONS] = {
 *   #define REQUEST(label, name, class, request, reply, text) [label] = {handle_##name, SERVER_CLASS_##class},
 *   #include "protocols/file.def"
 *   #undef REQUEST
 *   };
 *
 * A handler reads the request with message_get() before it does anything that uses the IPC buffer, and makes
 * request->message the reply by message_put(); or it returns an error, which is answered without content.
 * With SERVER_ASIDE nothing is answered now: a handler of class N_PARKS answers later by server_answer(), one of
 * class I_PARKS by ipc_reply() to the reply id that it has kept. With SERVER_PARKED the loop keeps the request and
 * runs it again when what it waits for has come (park.h); such a handler takes what is longer than the registers
 * by server_body().
 */
#pragma once

#include "lib/mnos/ipc.h"
#include "lib/server/park.h"
#include "lib/server/running.h"
#include "lib/server/session.h"

enum server_class {
    SERVER_CLASS_NONE, /* there is no such request */
    SERVER_CLASS_I,
    SERVER_CLASS_N,
    SERVER_CLASS_I_PARKS,
    SERVER_CLASS_N_PARKS,
};

/* Returned by a handler, and no status: the reply was put aside. */
#define SERVER_ASIDE ((mnos_status_t)0xFFFFFFFF)

struct server_request {
    struct message *message;
    struct server_session *session; /* NULL only in the handler that opens sessions */
    const void *body;               /* server_body()'s own */
    struct parked *parked;          /* it waited already; NULL: it runs for the first time */
    struct server_lane *lane;       /* of class N; NULL: of class I */
    uint64_t progress[2];           /* kept from run to run while it is parked; 0 at first */
    bool had_no_effect;             /* set by a handler of class N: a repetition looks again */
    bool resumed; /* a part of it has been done, in this run of the service or before: `progress` */
    uint32_t touched; /* an object that it changes, for `done`; 0: none, or told otherwise */
    uint32_t holds;   /* the object that others wait for as long as it is parked */
};

typedef mnos_status_t server_handler(void *context, struct server_request *request);

struct server_operation {
    server_handler *handle;
    uint8_t class; /* enum server_class */
    /* It takes a capability that is no session of this service's, and deletes it if it has no use for it. */
    bool takes_capability;
    /* It is answered also while another handler waits in its middle: it leaves sessions and what they have as they
     * are. */
    bool any_time;
};

/* Exactly once for each sequence of a lane. */
static inline bool server_is_once(const struct server_operation *operation)
{
    return operation->class == SERVER_CLASS_N || operation->class == SERVER_CLASS_N_PARKS;
}

struct server_loop {
    mnos_cap_t endpoint;
    struct sessions *sessions;
    const struct server_operation *operations; /* LABEL_OPERATIONS of them */
    uint32_t open_session;                     /* the one that needs no session */
    struct session_owner owner;                /* its context is the handlers' too */
    struct server_session *last;               /* that asked; NULL: none. The loop's own */

    struct running *running; /* of class I, in memory that outlives the process; NULL: not kept */
    /* With `running`: a request is not carried out, since the service has died of it. */
    void (*blamed)(void *context, const struct message *message);

    /* ---- Only where something waits: NULL otherwise ---- */

    struct park *park;
    const uint64_t *waits_for; /* of the request that returned SERVER_PARKED last */
    uint8_t *body;             /* MNOS_MESSAGE_MAX_BYTES for server_body() */
    /* Asked before each handler; an error is the answer. */
    mnos_status_t (*admit)(void *context, uint32_t operation);
    /* After each handler that returned MNOS_OK, whose reply the message is then; and, with operation 0, after one that
     * waits or fails and has said what it touched. */
    void (*done)(void *context, uint32_t operation, const struct server_request *request);
    void (*events)(void *context, uint64_t events);
    void (*gone)(void *context, mnos_badge_t badge); /* a badge that may not be a session's */
    uint64_t (*deadline_ns)(void *context);          /* until when to wait for a message */
    void (*round)(void *context); /* after each message or event, and at the deadline */
    /* Set by `round`: events that are set as the loop begins to wait, in the same system call. 0: none. */
    mnos_cap_t tell;
    uint64_t tell_events;
    /* Handlers may call server_loop_meanwhile(): what a request carries is copied before its handler runs. */
    bool waits_inside;
    /* With `waits_inside`, after each handler, whatever it returned, and before the reply; NULL: nothing. */
    void (*ran)(void *context, const struct server_request *request);
    bool busy;     /* a handler, or `round`, waits: the loop is inside of it */
    bool gone_due; /* clients have gone meanwhile, */
    bool turn_due; /* and requests were put aside */
};

/* One message; it becomes the reply, with reply_id 0 when there is none to send now. */
void server_loop_handle(struct server_loop *loop, struct message *message);
/* Sets what `tell` says at once: the capability is about to go, or another is to be told. */
void server_loop_tell(struct server_loop *loop);
/* For the loop: answers the last request, or tells, and waits for the next message. */
mnos_status_t server_loop_tell_and_receive(struct server_loop *loop, struct message *message,
                                           uint64_t deadline_ns);
/* Until receiving fails; returns why. `before`, when it is not NULL, is called for each message. */
mnos_status_t server_loop_run(struct server_loop *loop, void (*before)(void *context));
/* For a handler, or `round`, that has to wait in its middle, from code that cannot be left and run again: receives
 * one message, or returns at the deadline. Events are handed on, and requests that are not `any_time` put aside
 * until the handler has ended; those that carry a capability, or find no room, are answered ERR_AGAIN. Clients that
 * go meanwhile are forgotten after that, so no session ends under the handler. Returns what receiving returned;
 * MNOS_ERR_DEADLINE is none. */
mnos_status_t server_loop_meanwhile(struct server_loop *loop, uint64_t deadline_ns);
/* The reply of a request of class N that was put aside; its lane's number is in its label. */
void server_answer(struct server_session *session, uint32_t lane, mnos_status_t status,
                   const uint64_t words[4], uint32_t length);
/* What was done so far stays, and so does the progress that says how much it is: the request goes on from there also
 * when the service dies and the client sends it again. For a handler that changes something in parts. */
void server_keep_progress(struct server_request *request);
/* All bytes of a request, as many as its message says, in memory that stays until the reply is made. */
const void *server_long_body(struct server_loop *loop, struct server_request *request);
static inline const void *server_body(struct server_loop *loop, struct server_request *request)
{
    if (request->parked == NULL && request->message->length <= sizeof request->message->words)
        return request->message->words;
    return server_long_body(loop, request);
}
/* Runs all requests that are ready to go on, and answers those that end. */
void server_loop_go_on(struct server_loop *loop);
/* What the badge's requests wait for is of no use any more: they end, with MNOS_ERR_LOST if
 * there is still somebody who waits for an answer. But for the one that runs, which may be who asks for it. */
void server_forget_parked(struct server_loop *loop, mnos_badge_t badge, bool is_there);
/* For the loop: keeps a request to run it again when `key` comes; false: it cannot be, and is answered. */
bool server_put_aside(struct server_loop *loop, struct server_request *request, uint64_t key);
/* For the loop: the lane went on without the request that waits in it. One that is in its middle ends by itself. */
void server_end_stale(struct server_loop *loop, mnos_badge_t badge, uint32_t lane);
/* Clients that are gone lose their sessions and what waits; badge 0 stands for any number of them. For the loop. */
void server_forget_clients(struct server_loop *loop, mnos_badge_t gone);
