// SPDX-License-Identifier: MIT
/* server - requests of protocols/socket.def that are not about a socket: see net.h. */
#include "lib/base/string.h"
#include "lib/client/manager.h"
#include "lib/mnos/syscall.h"
#include "lib/server/export.h"
#include "services/net/capture.h"
#include "services/net/server.h"

/* ---- Sessions ---- */

/* What the manifest gives the service behind a badge that the manager made. */
static const struct socket_limits *limits_of_badge(mnos_badge_t badge)
{
    struct manager_service service;
    uint64_t index = manager_index_of(badge);
    const struct net_limits_record *record;

    if (index == 0 || manager_entry(index, &service) != MNOS_OK)
        return NULL;
    record = service_limits_of(&the_net.given, service.name);
    return record != NULL ? &record->limits : NULL;
}

HANDLER(OPEN_SESSION)
{
    mnos_badge_t badge = request->message->badge;
    const struct socket_limits *limits;

    if (request->session != NULL) {
        server_forget_parked(&the_net.loop, badge, true);
        session_begin_anew(the_net.loop.sessions, request->session, &the_net.loop.owner);
        capture_end(number_of(request));
        return answer(request, NULL, 0);
    }
    if ((badge & SESSION_EXPORTED) != 0)
        return MNOS_ERR_LOST;
    limits = limits_of_badge(badge);
    if (limits == NULL)
        return MNOS_ERR_DENIED;
    request->session = session_make(the_net.loop.sessions, badge, NULL, 0, 0);
    if (request->session == NULL)
        return MNOS_ERR_QUOTA;
    *limits_of(request) = *limits;
    return answer(request, NULL, 0);
}

HANDLER(NARROW)
{
    struct sessions *sessions = the_net.loop.sessions;
    mnos_badge_t badge = sessions->next_badge;
    struct server_session *made;
    struct socket_refusal refusal;
    struct socket_limits wanted;
    mnos_status_t status = record_of(request, &wanted, sizeof wanted);

    if (status != MNOS_OK)
        return status;
    if (!limits_valid(&wanted))
        return MNOS_ERR_ARGUMENT;
    if (!limits_narrow(limits_of(request), &wanted, &refusal))
        return refuse(request, &refusal);
    made = session_make(sessions, badge, request->session, 0, 0);
    if (made == NULL)
        return MNOS_ERR_QUOTA;
    STATE_SET(sessions->next_badge, badge + 1);
    the_net.limits[made->number] = wanted;
    status = server_export_with(the_net.loop.endpoint, request->message, badge, SOCKET_EVENT_BELL);
    if (status == MNOS_OK)
        return SERVER_ASIDE; /* answered */
    session_gone(sessions, made, &the_net.loop.owner);
    return status;
}

HANDLER(SESSION_LIMITS)
{
    return answer(request, limits_of(request), sizeof(struct socket_limits));
}

HANDLER(CLOSE_TREE)
{
    struct server_session *closed =
        session_of(the_net.loop.sessions, message_cap_badge(request->message, 0));

    if (closed == NULL)
        return MNOS_ERR_NOT_FOUND;
    if (!session_is_below(the_net.loop.sessions, closed, request->session))
        return MNOS_ERR_DENIED;
    session_close_tree(the_net.loop.sessions, closed, &the_net.loop.owner);
    return answer(request, NULL, 0);
}

HANDLER(WINDOW)
{
    mnos_cap_t listener = message_cap(request->message, 0);
    struct message *message = request->message;
    struct socket_refusal refusal = {0};
    struct socket_window wanted;
    uint64_t sockets = 0;
    struct share *share;
    mnos_status_t status = record_of(request, &wanted, sizeof wanted);

    /* Its memory is this service's: as much as the session may use. */
    if (status == MNOS_OK)
        sockets = share_slots_beside(&the_net, number_of(request), wanted.index);
    if (status == MNOS_OK && wanted.sockets + sockets > limits_of(request)->sockets) {
        (void)limits_sockets(limits_of(request), UINT32_MAX, &refusal);
        status = MNOS_ERR_DENIED;
    }
    if (status == MNOS_OK)
        status = share_open(&the_net, number_of(request), &wanted, listener);
    if (status != MNOS_OK) {
        if (listener != 0)
            (void)!sys_cap_delete(listener);
        return refusal.limit != 0 ? refuse(request, &refusal) : status;
    }
    share = the_net.windows[number_of(request)][wanted.index];
    message_put(message, MNOS_OK, NULL, 0);
    message_add_cap(message, share->window.memory.memory, MNOS_RIGHT_READ | MNOS_RIGHT_WRITE);
    return MNOS_OK;
}

/* ---- What is not about a socket ---- */

/* progress[0]: the question that it waits for (names.h, N2). */
HANDLER(RESOLVE)
{
    struct socket_resolved resolved = {0};
    char name[DNS_NAME_BYTES];
    struct socket_refusal refusal;
    struct socket_resolve wanted;
    struct dns_answer found;
    mnos_status_t status = record_of(request, &wanted, sizeof wanted);

    if (status != MNOS_OK)
        return status;
    wanted.name[sizeof wanted.name - 1] = 0;
    if ((wanted.flags & ~(uint64_t)(SOCKET_RESOLVE_NOW | SOCKET_RESOLVE_V6)) != 0 ||
        !dns_name_clean(wanted.name, name))
        return MNOS_ERR_ARGUMENT;
    if (!limits_resolve(limits_of(request), name, &refusal))
        return refuse(request, &refusal);
    status = names_look(&the_net, request->session->account, name, wanted.flags,
                        &request->progress[0], &found);
    if (status != MNOS_OK)
        return status;
    resolved.count = found.count;
    resolved.ttl_s = found.ttl_s;
    memcpy(resolved.addresses, found.addresses, sizeof resolved.addresses);
    return answer(request, &resolved, sizeof resolved);
}

HANDLER(INTERFACES)
{
    struct socket_interface entry;
    struct socket_refusal refusal;
    struct socket_index index;
    mnos_status_t status = record_of(request, &index, sizeof index);

    if (status != MNOS_OK)
        return status;
    if (!limits_right(limits_of(request), SOCKET_RIGHT_OBSERVE, &refusal))
        return refuse(request, &refusal);
    status = interfaces_entry(the_net.interfaces, index.index, &entry);
    return status != MNOS_OK ? status : answer(request, &entry, sizeof entry);
}

/* progress[0]: the number of the ping, and 1; 0: it has not been sent. */
HANDLER(PING)
{
    struct socket_refusal refusal;
    struct socket_ping wanted;
    struct socket_pong pong;
    uint32_t number = 0;
    mnos_status_t status = record_of(request, &wanted, sizeof wanted);

    if (status != MNOS_OK)
        return status;
    if (!limits_ping(limits_of(request), wanted.address, &the_net.own, &refusal))
        return refuse(request, &refusal);
    if (request->progress[0] == 0) {
        status = ping_begin(&the_net, request->session->account, &wanted, &number);
        if (status != MNOS_OK)
            return status;
        request->progress[0] = number + 1;
    }
    number = (uint32_t)request->progress[0] - 1;
    status = ping_end(&the_net, number, &pong);
    the_net.waits_for = NET_WAIT_PING + number;
    return status == MNOS_ERR_AGAIN ? SERVER_PARKED
           : status != MNOS_OK      ? status
                                    : answer(request, &pong, sizeof pong);
}

static const struct server_operation operations[LABEL_OPERATIONS] = {
#define REQUEST(label, name, class, request, reply, text)                                          \
    [label] = {server_##name, SERVER_CLASS_##class, (label) == SOCKET_WINDOW, false},
#include "protocols/socket.def"
#undef REQUEST
};

static void drop(void *, uint32_t object)
{
    socket_close(&the_net, object);
}

static void ended(void *, uint32_t session)
{
    share_leave(&the_net, session);
    capture_end(session);
    the_net.open[session] = 0;
}

/* What it has changed is recorded with its reply. */
static void done(void *, uint32_t, const struct server_request *)
{
    kept_note(&the_net);
}

void server_open(struct net *at, mnos_cap_t endpoint)
{
    at->loop = (struct server_loop){
        .endpoint = endpoint,
        .sessions = at->loop.sessions,
        .operations = operations,
        .open_session = SOCKET_OPEN_SESSION,
        .owner = {.context = at, .drop = drop, .ended = ended},
        .park = &at->park,
        .waits_for = &at->waits_for,
        .body = at->body,
        .done = done,
    };
}
