// SPDX-License-Identifier: MIT
/* socket - sessions and sockets: see socket.h. Bytes are in socket_bytes.c, questions in socket_ask.c. */
#include "lib/client/socket_internal.h"

#include "lib/base/string.h"
#include "lib/client/service.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/syscall.h"

/* At the session's own endpoint: the service has news. Its badge there tells of the service's end. */
#define EVENT_NEWS SOCKET_OWN_EVENT
#define BADGE_SERVICE 1ull

static bool is_lost(mnos_status_t status)
{
    return status == MNOS_ERR_LOST || status == MNOS_ERR_HANDLE || status == MNOS_ERR_REVOKED;
}

mnos_status_t socket_request(struct socket_session *session, struct message *message,
                             uint32_t operation, bool once, bool parks, const void *record,
                             size_t bytes)
{
    mnos_status_t status;

    /* The service looks at the bells when it has done what it is asked for. */
    for (; session->due != 0; session->due &= session->due - 1) {
        struct socket_view *view = &session->windows[__builtin_ctzll(session->due)];

        atomic_fetch_or_explicit(&view->page->bell, view->due, memory_order_release);
        view->due = 0;
    }
    if (once)
        session->sequence = label_next(session->sequence);
    message_put(message, once ? label_make(operation, 0, session->sequence) : operation, record,
                bytes);
    status = parks ? service_call_parking(session->service, message)
                   : service_call(session->service, message);
    if (status == MNOS_ERR_DENIED && message->length == sizeof session->refusal)
        (void)message_get(message, &session->refusal, sizeof session->refusal);
    if (!is_lost(status))
        return status;
    session->lost = true;
    return MNOS_ERR_LOST;
}

mnos_status_t socket_call(struct socket_session *session, uint32_t operation, const void *record,
                          size_t bytes, void *reply, size_t reply_bytes, bool once, bool parks)
{
    struct message message = {0};
    mnos_status_t status = socket_request(session, &message, operation, once, parks, record, bytes);

    if (status == MNOS_OK && reply_bytes != 0 &&
        message_get(&message, reply, reply_bytes) != reply_bytes)
        status = MNOS_ERR_FORMAT;
    return status;
}

/* ---- Sessions ---- */

static void drop_cap(mnos_cap_t *cap)
{
    if (*cap != 0)
        (void)!sys_cap_delete(*cap);
    *cap = 0;
}

void socket_session_close(struct socket_session *session)
{
    for (uint32_t i = 0; i < session->window_count; i++) {
        memory_unmap(session->windows[i].page, SOCKET_WINDOW_PAGES(session->windows[i].sockets));
        drop_cap(&session->windows[i].memory);
    }
    session->window_count = 0;
    drop_cap(&session->endpoint);
}

/* WINDOW, with a new capability to the session's endpoint: the service's copy stays, and tells when that run of it ends. */
static mnos_status_t ask_window(struct socket_session *session, uint32_t index)
{
    struct socket_view *view = &session->windows[index];
    struct socket_window record = {.sockets = view->sockets, .index = index, .events = EVENT_NEWS};
    struct message message = {.accept = 1};
    mnos_cap_t mine, given;
    mnos_status_t status;

    view->badge = BADGE_SERVICE + session->asked++;
    status = sys_cap_create(MNOS_CREATE_MINT, session->endpoint,
                            MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT, view->badge, EVENT_NEWS, &mine);
    if (status != MNOS_OK)
        return status;
    message_put(&message, SOCKET_WINDOW, &record, sizeof record);
    message_add_cap(&message, mine, MNOS_RIGHT_WRITE);
    status = service_call(session->service, &message);
    (void)!sys_cap_delete(mine);
    if (status != MNOS_OK)
        return status;
    given = message_cap(&message, 0);
    if (given == 0)
        return MNOS_ERR_FORMAT;
    /* The memory is the same, and what is mapped is mapped by the first. */
    if (view->memory == 0)
        view->memory = given;
    else
        drop_cap(&given);
    return MNOS_OK;
}

/* The next window, for sockets that none of the others has room for. MNOS_ERR_QUOTA: all are there. */
static mnos_status_t next_window(struct socket_session *session)
{
    uint32_t left = session->sockets - session->window_count * SOCKETS_OF_WINDOW;
    struct socket_view *view = &session->windows[session->window_count];
    void *address = NULL;
    mnos_status_t status;

    if (session->sockets <= session->window_count * SOCKETS_OF_WINDOW)
        return MNOS_ERR_QUOTA;
    *view = (struct socket_view){.sockets = left < SOCKETS_OF_WINDOW ? left : SOCKETS_OF_WINDOW};
    status = ask_window(session, session->window_count);
    if (status == MNOS_OK)
        status = memory_map(view->memory, 0, SOCKET_WINDOW_PAGES(view->sockets),
                            MNOS_MAP_READ | MNOS_MAP_WRITE, &address);
    if (status != MNOS_OK) {
        drop_cap(&view->memory);
        return status;
    }
    view->page = address;
    session->window_count++;
    return MNOS_OK;
}

static mnos_status_t open_window(struct socket_session *session)
{
    mnos_status_t status =
        sys_cap_create(MNOS_CREATE_ENDPOINT, 0, MNOS_RIGHTS_ALL, 0, 0, &session->endpoint);

    return status == MNOS_OK ? next_window(session) : status;
}

mnos_status_t socket_session_open(struct socket_session *session, mnos_cap_t service,
                                  uint32_t sockets)
{
    uint32_t runs = session->runs;
    mnos_status_t status;

    if (sockets > SOCKETS_OF_SESSION)
        return MNOS_ERR_ARGUMENT;
    *session = (struct socket_session){.service = service, .runs = runs + 1, .sockets = sockets};
    status = socket_call(session, SOCKET_OPEN_SESSION, NULL, 0, NULL, 0, false, false);
    if (status == MNOS_OK && sockets != 0)
        status = open_window(session);
    if (status != MNOS_OK)
        socket_session_close(session);
    return status;
}

mnos_status_t socket_narrow(struct socket_session *session, const struct socket_limits *limits,
                            mnos_cap_t *below)
{
    struct message message = {.accept = 1};
    mnos_status_t status =
        socket_request(session, &message, SOCKET_NARROW, false, false, limits, sizeof *limits);

    *below = status == MNOS_OK ? message_cap(&message, 0) : 0;
    return status == MNOS_OK && *below == 0 ? MNOS_ERR_FORMAT : status;
}

mnos_status_t socket_close_tree(struct socket_session *session, mnos_cap_t below)
{
    struct message message = {0};

    message_put(&message, SOCKET_CLOSE_TREE, NULL, 0);
    message_add_cap(&message, below, MNOS_RIGHT_WRITE);
    return service_call(session->service, &message);
}

mnos_status_t socket_limits(struct socket_session *session, struct socket_limits *limits)
{
    return socket_call(session, SOCKET_SESSION_LIMITS, NULL, 0, limits, sizeof *limits, false,
                       false);
}

/* ---- Sockets ---- */

static mnos_status_t call_on(struct socket *socket, uint32_t operation, const void *record,
                             size_t bytes, void *reply, size_t reply_bytes, bool once, bool parks)
{
    if (!socket_is_there(socket))
        return MNOS_ERR_LOST;
    return socket_call(socket->session, operation, record, bytes, reply, reply_bytes, once, parks);
}

static void *page_at(const struct socket_view *view, uint32_t page)
{
    return (uint8_t *)view->page + (uint64_t)page * MNOS_PAGE_BYTES;
}

static mnos_status_t begin(struct socket_session *session, const struct socket_opened *opened,
                           struct socket *socket)
{
    struct socket_view *view = &session->windows[SOCKET_WINDOW_OF(opened->number)];
    uint32_t slot = SOCKET_SLOT_OF(opened->number);

    if (SOCKET_WINDOW_OF(opened->number) >= session->window_count || slot >= view->sockets)
        return MNOS_ERR_FORMAT;
    *socket = (struct socket){.session = session,
                              .view = view,
                              .slot = slot,
                              .handle = opened->handle,
                              .number = opened->number,
                              .run = session->runs,
                              .address = opened->address,
                              .port = opened->port};
    ring_init(&socket->send, page_at(view, SOCKET_SEND_PAGE(slot)), SOCKET_RING_BYTES);
    ring_init(&socket->receive, page_at(view, SOCKET_RECEIVE_PAGE(slot)), SOCKET_RING_BYTES);
    return MNOS_OK;
}

/* OPEN or ACCEPT: another socket, for which another window is made when the ones that there are have no room. */
static mnos_status_t another(struct socket_session *session, uint32_t operation, const void *record,
                             size_t bytes, struct socket *socket, bool parks)
{
    struct socket_opened opened;
    mnos_status_t status =
        socket_call(session, operation, record, bytes, &opened, sizeof opened, true, parks);

    if (status == MNOS_ERR_QUOTA && next_window(session) == MNOS_OK)
        status =
            socket_call(session, operation, record, bytes, &opened, sizeof opened, true, parks);
    return status != MNOS_OK ? status : begin(session, &opened, socket);
}

mnos_status_t socket_open(struct socket_session *session, enum socket_protocol type,
                          struct socket *socket)
{
    struct socket_open record = {.type = type};

    return session->lost ? MNOS_ERR_LOST
                         : another(session, SOCKET_OPEN, &record, sizeof record, socket, false);
}

mnos_status_t socket_bind(struct socket *socket, struct ip_address address, uint32_t *port)
{
    struct socket_address record = {socket->handle, address, *port, 0}, answer;
    mnos_status_t status =
        call_on(socket, SOCKET_BIND, &record, sizeof record, &answer, sizeof answer, true, false);

    if (status == MNOS_OK)
        *port = answer.port;
    return status;
}

mnos_status_t socket_listen(struct socket *socket, uint32_t backlog)
{
    struct socket_listen record = {socket->handle, backlog};

    return call_on(socket, SOCKET_LISTEN, &record, sizeof record, NULL, 0, true, false);
}

static mnos_status_t connect_by(struct socket *socket, struct ip_address address, uint32_t port,
                                uint32_t flags)
{
    struct socket_connect record = {socket->handle, address, port, flags};
    struct socket_address answer;

    return call_on(socket, SOCKET_CONNECT, &record, sizeof record, &answer, sizeof answer, true,
                   (flags & SOCKET_CONNECT_NOW) == 0);
}

mnos_status_t socket_connect(struct socket *socket, struct ip_address address, uint32_t port)
{
    return connect_by(socket, address, port, 0);
}

mnos_status_t socket_connect_now(struct socket *socket, struct ip_address address, uint32_t port)
{
    return connect_by(socket, address, port, SOCKET_CONNECT_NOW);
}

static mnos_status_t accept_by(struct socket *listener, uint64_t flags, struct socket *socket)
{
    struct socket_accept record = {listener->handle, flags};

    return !socket_is_there(listener)
               ? MNOS_ERR_LOST
               : another(listener->session, SOCKET_ACCEPT, &record, sizeof record, socket,
                         (flags & SOCKET_ACCEPT_NOW) == 0);
}

mnos_status_t socket_accept(struct socket *listener, struct socket *socket)
{
    return accept_by(listener, 0, socket);
}

mnos_status_t socket_accept_now(struct socket *listener, struct socket *socket)
{
    return accept_by(listener, SOCKET_ACCEPT_NOW, socket);
}

mnos_status_t socket_shutdown(struct socket *socket)
{
    struct socket_handle record = {socket->handle};

    return call_on(socket, SOCKET_SHUTDOWN, &record, sizeof record, NULL, 0, false, false);
}

mnos_status_t socket_names(struct socket *socket, struct socket_names *names)
{
    struct socket_handle record = {socket->handle};

    return call_on(socket, SOCKET_NAME, &record, sizeof record, names, sizeof *names, false, false);
}

mnos_status_t socket_close(struct socket *socket)
{
    struct socket_handle record = {socket->handle};

    return call_on(socket, SOCKET_CLOSE, &record, sizeof record, NULL, 0, true, false);
}

/* ---- Waiting ---- */

static bool take_news(struct socket_session *session)
{
    bool any = false;

    for (uint32_t i = 0; i < session->window_count; i++) {
        struct socket_view *view = &session->windows[i];

        view->news = atomic_load_explicit(&view->page->news, memory_order_relaxed);
        if (view->news != 0)
            view->news = atomic_exchange_explicit(&view->page->news, 0, memory_order_acquire);
        any |= view->news != 0;
    }
    return any;
}

/* A run of the service has ended. The next has the windows, and tells of what comes at the endpoint that it is given. */
static void go_on_with_next(struct socket_session *session, mnos_badge_t badge)
{
    for (uint32_t i = 0; i < session->window_count && !session->lost; i++)
        /* Else it is an endpoint that an earlier run was given, and that it did not drop. */
        if (ipc_client_is_gone(session->endpoint, badge, session->windows[i].badge))
            session->lost = ask_window(session, i) != MNOS_OK;
}

/* Of the endpoint. True: it was for others, or for them as well. */
static bool take_message(struct socket_session *session, const struct message *message)
{
    if (message->kind == MNOS_KIND_CLIENT_GONE) {
        go_on_with_next(session, message->badge);
        session->others_gone |= message->badge == 0 || message->badge > SOCKET_OWN_BADGES;
        return session->others_gone;
    }
    session->other_events |= message->words[0] & ~EVENT_NEWS;
    return session->other_events != 0;
}

/* K5: whether there are news, so that nothing is waited for. */
static bool has_news(struct socket_session *session)
{
    if (take_news(session))
        return true;
    for (uint32_t i = 0; i < session->window_count; i++)
        atomic_store_explicit(&session->windows[i].page->client_waits, 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
    return take_news(session);
}

/* Tells the service what it was not told, if it waits for that, and waits for a message, in one system call. */
static mnos_status_t tell_and_receive(struct socket_session *session, struct message *message,
                                      uint64_t deadline_ns)
{
    mnos_status_t status;

    if (socket_set_bells(session)) {
        status = ipc_notify_receive(session->service, SOCKET_EVENT_BELL, session->endpoint, message,
                                    deadline_ns);
        if (status == MNOS_OK || status == MNOS_ERR_DEADLINE)
            return status;
        /* The service is gone, and its end is told at the endpoint. */
    }
    return ipc_receive(session->endpoint, message, deadline_ns);
}

mnos_status_t socket_wait(struct socket_session *session, uint64_t deadline_ns)
{
    while (!session->lost) {
        struct message message = {0};
        mnos_status_t status;

        if (has_news(session)) {
            socket_flush(session);
            return MNOS_OK;
        }
        status = tell_and_receive(session, &message, deadline_ns);
        if (status != MNOS_OK)
            return status;
        if (take_message(session, &message) && !session->lost)
            return MNOS_OK;
    }
    return MNOS_ERR_LOST;
}
