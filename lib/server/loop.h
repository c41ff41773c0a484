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
 * class I_PARKS by ipc_reply() to the reply id that it has kept.
 */
#pragma once

#include "lib/mnos/ipc.h"
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
    bool had_no_effect;             /* set by a handler of class N: a repetition looks again */
};

typedef mnos_status_t server_handler(void *context, struct server_request *request);

struct server_operation {
    server_handler *handle;
    uint8_t class; /* enum server_class */
};

struct server_loop {
    mnos_cap_t endpoint;
    struct sessions *sessions;
    const struct server_operation *operations; /* LABEL_OPERATIONS of them */
    uint32_t open_session;                     /* the one that needs no session */
    struct session_owner owner;                /* its context is the handlers' too */
};

/* One message; it becomes the reply, with reply_id 0 when there is none to send now. */
void server_loop_handle(struct server_loop *loop, struct message *message);
/* Until receiving fails; returns why. `before` is called for each message. */
mnos_status_t server_loop_run(struct server_loop *loop, void (*before)(void *context));
/* The reply of a request of class N that was put aside; its lane's number is in its label. */
void server_answer(struct server_session *session, uint32_t lane, mnos_status_t status,
                   const uint64_t words[4], uint32_t length);
