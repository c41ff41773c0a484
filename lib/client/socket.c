// SPDX-License-Identifier: MIT
/* socket - requests: see socket.h. Bytes are in socket_bytes.c. */
#include "lib/client/socket.h"

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

/* One request; the reply is in `message`. Class N uses one lane: a session is one thread's. */
static mnos_status_t request(struct socket_session *session, struct message *message,
                             uint32_t operation, bool once, bool parks, const void *record,
                             size_t bytes)
{
    mnos_status_t status;

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

static mnos_status_t call(struct socket_session *session, uint32_t operation, const void *record,
                          size_t bytes, void *reply, size_t reply_bytes, bool once, bool parks)
{
    struct message message = {0};
    mnos_status_t status = request(session, &message, operation, once, parks, record, bytes);

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
    if (session->page != NULL)
        memory_unmap(session->page, session->window_pages);
    session->page = NULL;
    drop_cap(&session->window);
    drop_cap(&session->endpoint);
}

/* WINDOW, with a new capability to the session's endpoint: the service's copy stays, and tells when that run of it ends. */
static mnos_status_t ask_window(struct socket_session *session)
{
    struct socket_window record = {.sockets = session->sockets, .events = EVENT_NEWS};
    struct message message = {.accept = 1};
    mnos_cap_t mine, given;
    mnos_status_t status =
        sys_cap_create(MNOS_CREATE_MINT, session->endpoint, MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT,
                       BADGE_SERVICE + session->asked++, EVENT_NEWS, &mine);

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
    if (session->window == 0)
        session->window = given;
    else
        drop_cap(&given);
    return MNOS_OK;
}

static mnos_status_t map_window(struct socket_session *session)
{
    void *address = NULL;
    mnos_status_t status;

    session->window_pages = SOCKET_WINDOW_PAGES(session->sockets);
    status = memory_map(session->window, 0, session->window_pages, MNOS_MAP_READ | MNOS_MAP_WRITE,
                        &address);
    session->page = address;
    return status;
}

static mnos_status_t open_window(struct socket_session *session)
{
    mnos_status_t status =
        sys_cap_create(MNOS_CREATE_ENDPOINT, 0, MNOS_RIGHTS_ALL, 0, 0, &session->endpoint);

    if (status == MNOS_OK)
        status = ask_window(session);
    return status == MNOS_OK ? map_window(session) : status;
}

mnos_status_t socket_session_open(struct socket_session *session, mnos_cap_t service,
                                  uint32_t sockets)
{
    uint32_t runs = session->runs;
    mnos_status_t status;

    *session = (struct socket_session){.service = service, .runs = runs + 1, .sockets = sockets};
    status = call(session, SOCKET_OPEN_SESSION, NULL, 0, NULL, 0, false, false);
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
        request(session, &message, SOCKET_NARROW, false, false, limits, sizeof *limits);

    *below = status == MNOS_OK ? message_cap(&message, 0) : 0;
    return status == MNOS_OK && *below == 0 ? MNOS_ERR_FORMAT : status;
}

mnos_status_t socket_limits(struct socket_session *session, struct socket_limits *limits)
{
    return call(session, SOCKET_SESSION_LIMITS, NULL, 0, limits, sizeof *limits, false, false);
}

mnos_status_t socket_interface(struct socket_session *session, uint64_t index,
                               struct socket_interface *interface)
{
    struct socket_index record = {index};
    mnos_status_t status = call(session, SOCKET_INTERFACES, &record, sizeof record, interface,
                                sizeof *interface, false, false);

    if (status == MNOS_OK)
        interface->name[sizeof interface->name - 1] = 0;
    return status;
}

mnos_status_t socket_entry(struct socket_session *session, uint64_t index,
                           struct socket_shown_entry *entry)
{
    struct socket_index record = {index};
    mnos_status_t status =
        call(session, SOCKET_SOCKETS, &record, sizeof record, entry, sizeof *entry, false, false);

    if (status == MNOS_OK)
        entry->owner[sizeof entry->owner - 1] = 0;
    return status;
}

mnos_status_t socket_resolve(struct socket_session *session, const char *name, uint64_t flags,
                             struct socket_resolved *resolved)
{
    struct socket_resolve record = {.flags = flags};
    mnos_status_t status;

    if (strlen(name) >= sizeof record.name)
        return MNOS_ERR_ARGUMENT;
    string_copy(record.name, name, sizeof record.name);
    status = call(session, SOCKET_RESOLVE, &record, sizeof record, resolved, sizeof *resolved,
                  false, (flags & SOCKET_RESOLVE_NOW) == 0);
    return status == MNOS_OK && (resolved->count == 0 || resolved->count > SOCKET_ADDRESSES)
               ? MNOS_ERR_FORMAT
               : status;
}

mnos_status_t socket_ping(struct socket_session *session, const struct socket_ping *ping,
                          struct socket_pong *pong)
{
    return call(session, SOCKET_PING, ping, sizeof *ping, pong, sizeof *pong, false, true);
}

/* ---- Sockets ---- */

static mnos_status_t call_on(struct socket *socket, uint32_t operation, const void *record,
                             size_t bytes, void *reply, size_t reply_bytes, bool once, bool parks)
{
    if (socket->session->lost || socket->run != socket->session->runs)
        return MNOS_ERR_LOST;
    return call(socket->session, operation, record, bytes, reply, reply_bytes, once, parks);
}

static void *page_at(const struct socket_session *session, uint32_t page)
{
    return (uint8_t *)session->page + (uint64_t)page * MNOS_PAGE_BYTES;
}

static mnos_status_t begin(struct socket_session *session, const struct socket_opened *opened,
                           struct socket *socket)
{
    if (SOCKET_WINDOW_PAGES(opened->number + 1ull) > session->window_pages)
        return MNOS_ERR_FORMAT;
    *socket = (struct socket){.session = session,
                              .handle = opened->handle,
                              .number = opened->number,
                              .run = session->runs,
                              .address = opened->address,
                              .port = opened->port};
    ring_init(&socket->send, page_at(session, SOCKET_SEND_PAGE(opened->number)), SOCKET_RING_BYTES);
    ring_init(&socket->receive, page_at(session, SOCKET_RECEIVE_PAGE(opened->number)),
              SOCKET_RING_BYTES);
    return MNOS_OK;
}

mnos_status_t socket_open(struct socket_session *session, enum socket_protocol type,
                          struct socket *socket)
{
    struct socket_open record = {.type = type};
    struct socket_opened opened;
    mnos_status_t status = session->lost ? MNOS_ERR_LOST
                                         : call(session, SOCKET_OPEN, &record, sizeof record,
                                                &opened, sizeof opened, true, false);

    return status != MNOS_OK ? status : begin(session, &opened, socket);
}

mnos_status_t socket_bind(struct socket *socket, uint32_t address, uint32_t *port)
{
    struct socket_address record = {socket->handle, address, *port}, answer;
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

mnos_status_t socket_connect(struct socket *socket, uint32_t address, uint32_t port)
{
    struct socket_address record = {socket->handle, address, port}, answer;

    return call_on(socket, SOCKET_CONNECT, &record, sizeof record, &answer, sizeof answer, true,
                   true);
}

static mnos_status_t accept_by(struct socket *listener, uint64_t flags, struct socket *socket)
{
    struct socket_accept record = {listener->handle, flags};
    struct socket_opened opened;
    mnos_status_t status = call_on(listener, SOCKET_ACCEPT, &record, sizeof record, &opened,
                                   sizeof opened, true, (flags & SOCKET_ACCEPT_NOW) == 0);

    return status != MNOS_OK ? status : begin(listener->session, &opened, socket);
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

mnos_status_t socket_close(struct socket *socket)
{
    struct socket_handle record = {socket->handle};

    return call_on(socket, SOCKET_CLOSE, &record, sizeof record, NULL, 0, true, false);
}

/* ---- Waiting ---- */

static bool take_news(struct socket_session *session, uint64_t *numbers)
{
    *numbers = atomic_exchange_explicit(&session->page->news, 0, memory_order_acquire);
    return *numbers != 0;
}

/* A run of the service has ended. The next has the window, and tells of what comes at the endpoint that it is given. */
static void go_on_with_next(struct socket_session *session, mnos_badge_t badge)
{
    mnos_badge_t last = BADGE_SERVICE + session->asked - 1;

    if (!ipc_client_is_gone(session->endpoint, badge, last))
        return; /* an endpoint that an earlier run was given, and that it did not drop */
    session->lost = ask_window(session) != MNOS_OK;
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

mnos_status_t socket_wait(struct socket_session *session, uint64_t deadline_ns, uint64_t *numbers)
{
    while (!session->lost) {
        struct message message = {0};
        mnos_status_t status;

        if (take_news(session, numbers))
            return MNOS_OK;
        atomic_store_explicit(&session->page->client_waits, 1, memory_order_relaxed);
        atomic_thread_fence(memory_order_seq_cst);
        if (take_news(session, numbers))
            return MNOS_OK;
        status = ipc_receive(session->endpoint, &message, deadline_ns);
        if (status != MNOS_OK)
            return status;
        if (take_message(session, &message) && !session->lost)
            return MNOS_OK;
    }
    return MNOS_ERR_LOST;
}
