// SPDX-License-Identifier: MIT
/*
 * stream_session - who asks, and who is in front: protocols/stream.def, GIVE_FRONT and TAKE_FRONT; who listens. Host tests
 * compile this file.
 */
#include "lib/server/stream_server_internal.h"

#include <stdatomic.h>

#include "lib/server/export.h"

/* The number of a service is in the badges that the manager makes: services/init/grants.h. */
#define BADGE_SERVICE_MASK 0xFFFFull

mnos_badge_t stream_server_who(const struct stream_server *server, mnos_badge_t badge)
{
    if ((badge & FRONT_BADGE_MADE) != 0)
        return badge;
    if (server->holder != 0 && (badge & BADGE_SERVICE_MASK) == server->holder)
        return FRONT_HOLDER;
    return STREAM_VISITOR;
}

static uint32_t number_of(mnos_badge_t session)
{
    return (session & FRONT_BADGE_MADE) != 0 ? session >> STREAM_NUMBER_SHIFT & STREAM_NUMBER_MAX
                                             : 0;
}

uint32_t stream_server_number(const struct stream_server *server, const struct message *msg)
{
    struct stream_front request;
    bool gives = msg->label == STREAM_GIVE_FRONT, takes = msg->label == STREAM_TAKE_FRONT;

    if (stream_server_who(server, msg->badge) != FRONT_HOLDER)
        return number_of(msg->badge);
    if ((gives || takes) && msg->cap_count != 0)
        return number_of(message_cap_badge(msg, 0));
    return gives && message_get(msg, &request, sizeof request) == sizeof request ? request.terminal
                                                                                 : 0;
}

bool stream_server_in_front(const struct stream_server *server, mnos_badge_t badge)
{
    return stream_server_who(server, badge) == front_now(&server->state->front);
}

struct stream_client *stream_server_front_client(struct stream_server *server)
{
    struct stream_client *entries = server->clients.entries;

    for (unsigned i = 0; i < server->clients.used; i++)
        if (entries[i].badge != 0 && stream_server_in_front(server, entries[i].badge))
            return &entries[i];
    return NULL;
}

bool stream_server_tell(struct stream_server *server, mnos_badge_t who,
                        enum stream_server_news news)
{
    bool any = false;

    for (unsigned i = 0; i < server->clients.used; i++) {
        const struct stream_client *client = &server->clients.entries[i];
        uint64_t events = news == NEWS_FRONT ? client->events.front : client->events.interrupt;

        if (client->badge == 0 || stream_server_who(server, client->badge) != who)
            continue;
        stream_client_tell(client, events);
        any = true;
    }
    return any;
}

/* What ended sessions have given. */
static void drop_ended(struct stream_server *server)
{
    for (unsigned i = 0; i < server->clients.used; i++) {
        struct stream_client *client = &server->clients.entries[i];
        mnos_badge_t who = stream_server_who(server, client->badge);

        if (client->badge != 0 && who != STREAM_VISITOR && !front_knows(&server->state->front, who))
            stream_client_forget(client);
    }
}

void stream_server_front_changed(struct stream_server *server, mnos_badge_t before)
{
    mnos_badge_t now = front_now(&server->state->front);

    stream_server_end_reads(server);
    drop_ended(server);
    if (now == before)
        return;
    server->told = false;
    (void)stream_server_tell(server, before, NEWS_FRONT);
    (void)stream_server_tell(server, now, NEWS_FRONT);
    stream_server_look_again(server);
}

/* The session whose capability came with the request, which the asker has made. */
static mnos_status_t session_of(const struct stream_server *server, const struct message *msg,
                                mnos_badge_t who, mnos_badge_t *session)
{
    mnos_badge_t badge = message_cap_badge(msg, 0);

    message_refuse_caps(msg);
    if (msg->cap_count != 1 || (badge & FRONT_BADGE_MADE) == 0)
        return MNOS_ERR_ARGUMENT;
    *session = badge;
    if (!front_knows(&server->state->front, badge))
        return MNOS_ERR_LOST;
    return front_giver(&server->state->front, badge) == who ? MNOS_OK : MNOS_ERR_DENIED;
}

/* A session that the asker has made before comes in front again. */
static mnos_status_t give_again(struct stream_server *server, const struct message *msg,
                                mnos_badge_t who, uint32_t flags)
{
    struct front *front = &server->state->front;
    mnos_badge_t session, before = front_now(front);
    mnos_status_t status = session_of(server, msg, who, &session);

    if (status == MNOS_ERR_LOST || (flags & STREAM_BEHIND) != 0)
        return MNOS_ERR_ARGUMENT;
    if (status != MNOS_OK)
        return status;
    front_set_flags(front, session, flags);
    front_put(front, session);
    stream_server_front_changed(server, before);
    ipc_reply_status(msg->reply_id, MNOS_OK);
    return MNOS_OK;
}

static mnos_status_t give_new(struct stream_server *server, struct message *msg, mnos_badge_t who,
                              uint32_t flags)
{
    struct front *front = &server->state->front;
    mnos_badge_t session, before = front_now(front);
    mnos_status_t status = front_make(front, who, flags & ~(uint32_t)STREAM_BEHIND, &session);

    if (status != MNOS_OK)
        return status;
    if ((flags & STREAM_BEHIND) == 0)
        front_put(front, session);
    status = server_export_with(server->endpoint, msg, session, STREAM_EVENT_LOOK);
    if (status != MNOS_OK) {
        front_put(front, before);
        front_end(front, session);
        return status;
    }
    stream_server_front_changed(server, before);
    return MNOS_OK;
}

mnos_status_t stream_server_give_front(struct stream_server *server, struct message *msg)
{
    const struct front *front = &server->state->front;
    mnos_badge_t who = stream_server_who(server, msg->badge);
    struct stream_front request;
    mnos_status_t status = MNOS_OK;

    if (message_get(msg, &request, sizeof request) != sizeof request)
        status = MNOS_ERR_SIZE;
    else if ((request.flags & ~(uint32_t)(STREAM_BEHIND | STREAM_INTERRUPTS)) != 0 ||
             (request.terminal != 0 && request.terminal != server->number))
        status = MNOS_ERR_ARGUMENT;
    else if (who == STREAM_VISITOR)
        status = MNOS_ERR_DENIED;
    else if ((request.flags & STREAM_BEHIND) == 0 && !front_is_below(front, front_now(front), who))
        status = MNOS_ERR_AGAIN;
    if (status != MNOS_OK) {
        message_refuse_caps(msg);
        return status;
    }
    status = msg->cap_count != 0 ? give_again(server, msg, who, request.flags)
                                 : give_new(server, msg, who, request.flags);
    return status;
}

/* Ends a session and all below it. */
static mnos_status_t end_session(struct stream_server *server, const struct message *msg,
                                 mnos_badge_t who)
{
    struct front *front = &server->state->front;
    mnos_badge_t session, before = front_now(front);
    mnos_status_t status = session_of(server, msg, who, &session);

    if (status == MNOS_ERR_LOST)
        return MNOS_OK; /* it has ended already */
    if (status != MNOS_OK)
        return status;
    front_end(front, session);
    stream_server_front_changed(server, before);
    return MNOS_OK;
}

mnos_status_t stream_server_take_front(struct stream_server *server, const struct message *msg)
{
    struct front *front = &server->state->front;
    mnos_badge_t who = stream_server_who(server, msg->badge), before = front_now(front);

    if (msg->length != 0) {
        message_refuse_caps(msg);
        return MNOS_ERR_SIZE;
    }
    if (msg->cap_count != 0)
        return end_session(server, msg, who);
    if (!front_is_below(front, before, who))
        return MNOS_ERR_AGAIN;
    front_put(front, who);
    stream_server_front_changed(server, before);
    return MNOS_OK;
}

/* The holder listens, or who is in front: what arrives is wanted. */
static void show_interest(struct stream_server *server, mnos_badge_t badge)
{
    if (server->held_by == 0 &&
        (stream_server_in_front(server, badge) || stream_server_who(server, badge) == FRONT_HOLDER))
        server->device->hold(server->device->context, false);
}

mnos_status_t stream_server_listen(struct stream_server *server, const struct message *msg)
{
    struct stream_client *client;
    mnos_status_t status = msg->label == STREAM_LISTEN
                               ? stream_client_listen(&server->clients, msg, &client)
                               : stream_client_attach(&server->clients, msg, &client);

    if (status != MNOS_OK)
        return status;
    show_interest(server, msg->badge);
    if (server->interrupt_waits && stream_server_who(server, msg->badge) == server->interrupted)
        server->interrupt_waits = !stream_server_tell(server, server->interrupted, NEWS_INTERRUPT);
    return MNOS_OK;
}

void stream_server_holder_asks(struct stream_server *server, mnos_badge_t badge)
{
    struct front *front = &server->state->front;
    mnos_badge_t before = front_now(front);
    mnos_badge_t last = atomic_load_explicit(&server->state->holder_run, memory_order_relaxed);

    if (stream_server_who(server, badge) != FRONT_HOLDER || badge == last)
        return;
    atomic_store_explicit(&server->state->holder_run, badge, memory_order_relaxed);
    if (last == 0)
        return;
    /* What a run has put in front it cannot take back any more. */
    front_put(front, FRONT_HOLDER);
    stream_server_front_changed(server, before);
}

static void forget_ended(struct stream_server *server, mnos_badge_t gone)
{
    struct front *front = &server->state->front;
    mnos_badge_t session,
        run = atomic_load_explicit(&server->state->holder_run, memory_order_relaxed);
    unsigned at = 0;

    while ((session = front_next(front, &at)) != 0)
        if (ipc_client_is_gone(server->endpoint, gone, session))
            front_end(front, session);
    if (ipc_client_is_gone(server->endpoint, gone, run)) {
        atomic_store_explicit(&server->state->holder_run, 0, memory_order_relaxed);
        front_put(front, FRONT_HOLDER);
    }
}

void stream_server_forget_sessions(struct stream_server *server, mnos_badge_t gone)
{
    mnos_badge_t before = front_now(&server->state->front);

    for (unsigned i = 0; i < server->clients.used; i++) {
        struct stream_client *client = &server->clients.entries[i];

        if (ipc_client_is_gone(server->endpoint, gone, client->badge))
            stream_client_forget(client);
    }
    forget_ended(server, gone);
    stream_server_front_changed(server, before);
}

void stream_server_begin(struct stream_server *server, bool fresh, mnos_badge_t first_badge)
{
    struct stream_server_state *state = server->state;

    front_open(&state->front, fresh,
               first_badge | (mnos_badge_t)server->number << STREAM_NUMBER_SHIFT);
    if (fresh) {
        atomic_store_explicit(&state->holder_run, 0, memory_order_relaxed);
        atomic_store_explicit(&state->size, 0, memory_order_relaxed);
    }
    forget_ended(server, 0);
}
