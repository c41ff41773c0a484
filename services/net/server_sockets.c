// SPDX-License-Identifier: MIT
/* server_sockets - requests of protocols/socket.def about sockets: see net.h. */
#include "services/net/loopback.h"
#include "services/net/server.h"

/* The record of a request, which begins with a handle, and the socket of that handle. */
static mnos_status_t socket_of(struct server_request *request, void *record, size_t bytes,
                               struct socket **socket)
{
    mnos_status_t status = record_of(request, record, bytes);
    const struct server_handle *found;
    uint64_t handle;

    if (status != MNOS_OK)
        return status;
    memcpy(&handle, record, sizeof handle);
    found = handle_of(the_net.loop.sessions, request->session, handle);
    if (found == NULL)
        return MNOS_ERR_FILE;
    *socket = &the_net.sockets[found->object];
    return MNOS_OK;
}

/* Makes a handle of a socket that has none; on an error it is closed. */
static mnos_status_t give_handle(struct server_request *request, struct socket *socket,
                                 uint64_t *handle)
{
    mnos_status_t status = handle_make(the_net.loop.sessions, request->session,
                                       (uint32_t)socket_number(socket), 0, 0, handle);

    if (status != MNOS_OK)
        socket_close(&the_net, (uint32_t)socket_number(socket));
    return status;
}

/* Of a session and all below it. */
static uint32_t open_below(const struct server_session *session)
{
    uint32_t count = 0;

    for (uint32_t i = 1; i <= NET_SESSIONS; i++)
        if (i == session->number ||
            session_is_below(the_net.loop.sessions, session_at(the_net.loop.sessions, i), session))
            count += the_net.open[i];
    return count;
}

/* Whether the limits of the session, and of all above it, which it has a part of, allow one more. */
static bool may_open(const struct server_request *request, struct socket_refusal *refusal)
{
    const struct server_session *at = request->session;

    while (limits_sockets(&the_net.limits[at->number], open_below(at), refusal)) {
        if (at->parent == 0)
            return true;
        at = session_at(the_net.loop.sessions, at->parent);
    }
    return false;
}

HANDLER(OPEN)
{
    struct socket_refusal refusal;
    struct socket_opened opened = {0};
    struct socket_open wanted;
    struct socket *socket;
    mnos_status_t status = record_of(request, &wanted, sizeof wanted);

    if (status != MNOS_OK)
        return status;
    if ((wanted.type != SOCKET_TCP && wanted.type != SOCKET_UDP) || wanted.reserved != 0)
        return MNOS_ERR_ARGUMENT;
    if (!may_open(request, &refusal))
        return refuse(request, &refusal);
    status = socket_make(&the_net, number_of(request),
                         wanted.type == SOCKET_TCP ? KIND_TCP : KIND_UDP, &socket);
    if (status != MNOS_OK)
        return status;
    status = wanted.type == SOCKET_TCP ? tcp_socket_open(socket) : udp_socket_open(socket);
    if (status != MNOS_OK) {
        the_net.open[socket->session]--;
        socket_free(&the_net, socket);
        return status;
    }
    opened.number = SOCKET_NUMBER(socket->share->index, socket->slot);
    status = give_handle(request, socket, &opened.handle);
    return status != MNOS_OK ? status : answer(request, &opened, sizeof opened);
}

static enum socket_protocol protocol_of(const struct socket *socket)
{
    return socket->kind == KIND_UDP ? SOCKET_UDP : SOCKET_TCP;
}

static void names_of(const struct socket *socket, struct socket_names *names)
{
    if (socket->kind == KIND_UDP)
        udp_socket_names(socket, names);
    else
        tcp_socket_names(socket, names);
}

static mnos_status_t answer_address(struct server_request *request, const struct socket *socket,
                                    uint64_t handle)
{
    struct socket_names names;
    struct socket_address local = {.handle = handle};

    names_of(socket, &names);
    local.address = names.local_address;
    local.port = names.local_port;
    return answer(request, &local, sizeof local);
}

static mnos_status_t bind_to(struct socket *socket, struct ip_address address, uint16_t port)
{
    mnos_status_t status;

    if (socket_port_used(&the_net, protocol_of(socket), address, port))
        return MNOS_ERR_EXISTS;
    status = socket->kind == KIND_UDP ? udp_socket_bind(socket, address, port)
                                      : tcp_socket_bind(socket, address, port);
    if (status == MNOS_OK)
        socket->port = port;
    return status;
}

/* To the first port that the limits allow and nobody has, from one that nobody foretells on. MNOS_ERR_DENIED, by
 * *refusal: they allow none; MNOS_ERR_EXISTS: all of them are taken. */
static mnos_status_t bind_any(const struct socket_limits *limits, struct socket *socket,
                              struct ip_address address, struct socket_refusal *refusal)
{
    mnos_status_t status = MNOS_ERR_DENIED;
    uint16_t port = port_of_own();

    for (uint32_t i = 0; i < PORTS_OF_OWN; i++, port = port_behind(port)) {
        if (!limits_listen(limits, protocol_of(socket), address, port, refusal))
            continue;
        status = bind_to(socket, address, port);
        if (status != MNOS_ERR_EXISTS)
            break;
    }
    return status;
}

HANDLER(BIND)
{
    struct socket_refusal refusal = {0};
    struct socket_address wanted;
    struct socket *socket = NULL;
    mnos_status_t status = socket_of(request, &wanted, sizeof wanted, &socket);

    if (status != MNOS_OK)
        return status;
    /* One that has failed may have nothing of lwIP's. */
    if (socket->bound || socket->kind == KIND_LISTENER || (socket->state & SOCKET_FAILED) != 0)
        return MNOS_ERR_STATE;
    if (wanted.port > UINT16_MAX)
        return MNOS_ERR_ARGUMENT;
    if (wanted.port != 0 && !limits_listen(limits_of(request), protocol_of(socket), wanted.address,
                                           (uint16_t)wanted.port, &refusal))
        return refuse(request, &refusal);
    if (!ip_is_any(wanted.address) && !loopback_is_address(wanted.address) &&
        !limits_is_own(&the_net.own, wanted.address))
        return MNOS_ERR_NOT_FOUND;
    status = wanted.port != 0 ? bind_to(socket, wanted.address, (uint16_t)wanted.port)
                              : bind_any(limits_of(request), socket, wanted.address, &refusal);
    if (status == MNOS_ERR_DENIED)
        return refuse(request, &refusal);
    if (status != MNOS_OK)
        return status;
    return answer_address(request, socket, wanted.handle);
}

HANDLER(LISTEN)
{
    struct socket_listen wanted;
    struct socket *socket = NULL;
    mnos_status_t status = socket_of(request, &wanted, sizeof wanted, &socket);

    if (status != MNOS_OK)
        return status;
    if (wanted.backlog == 0 || wanted.backlog > NET_BACKLOG)
        return MNOS_ERR_ARGUMENT;
    if (socket->kind != KIND_TCP || !socket->bound || socket->tcp == NULL ||
        socket->tcp->state != CLOSED)
        return MNOS_ERR_STATE;
    status = tcp_socket_listen(socket, (uint32_t)wanted.backlog);
    return status != MNOS_OK ? status : answer(request, NULL, 0);
}

/* Of a TCP socket: MNOS_OK, an error, or SERVER_PARKED. */
static mnos_status_t go_on_connecting(const struct socket *socket)
{
    the_net.waits_for = socket_number(socket);
    if ((socket->state & SOCKET_FAILED) != 0)
        return socket->error;
    return (socket->state & SOCKET_CONNECTED) != 0 ? MNOS_OK : SERVER_PARKED;
}

/* Loopback is one address of each family, and leads from itself to itself. */
static bool leads_there(const struct socket *socket, struct ip_address address)
{
    struct socket_names names;

    if (!socket->bound)
        return loopback_is_address(address) || !limits_is_loopback(address);
    names_of(socket, &names);
    if (ip_is_v4(names.local_address) != ip_is_v4(address))
        return false;
    if (limits_is_loopback(address))
        return loopback_is_address(address) &&
               (ip_is_any(names.local_address) || limits_is_loopback(names.local_address));
    return !limits_is_loopback(names.local_address);
}

static mnos_status_t begin_connecting(struct socket *socket, const struct socket_connect *wanted)
{
    if (socket->kind == KIND_UDP)
        return socket->udp == NULL
                   ? socket->error
                   : udp_socket_connect(socket, wanted->address, (uint16_t)wanted->port);
    if (socket->kind != KIND_TCP || socket->tcp == NULL || socket->tcp->state != CLOSED)
        return MNOS_ERR_STATE;
    return tcp_socket_connect(socket, wanted->address, (uint16_t)wanted->port);
}

static bool is_unconnected(const struct socket *socket)
{
    return socket->kind == KIND_TCP && socket->tcp != NULL && socket->tcp->state == CLOSED;
}

/* Whether the request goes on with what it, or one before it that did not wait, has begun. What the last run has begun
 * it may have finished; if not, it is begun anew. */
static bool has_begun(const struct server_request *request, const struct socket_connect *wanted,
                      const struct socket *socket)
{
    return (request->progress[0] != 0 || (wanted->flags != 0 && socket->kind == KIND_TCP)) &&
           !is_unconnected(socket);
}

HANDLER(CONNECT)
{
    struct socket_refusal refusal;
    struct socket_connect wanted;
    struct socket *socket = NULL;
    mnos_status_t status = socket_of(request, &wanted, sizeof wanted, &socket);

    if (status != MNOS_OK)
        return status;
    if ((wanted.flags & ~(uint32_t)SOCKET_CONNECT_NOW) != 0)
        return MNOS_ERR_ARGUMENT;
    if (!has_begun(request, &wanted, socket)) {
        if (wanted.port == 0 || wanted.port > UINT16_MAX)
            return MNOS_ERR_ARGUMENT;
        if (!limits_connect(limits_of(request), protocol_of(socket), wanted.address,
                            (uint16_t)wanted.port, &the_net.own, &refusal))
            return refuse(request, &refusal);
        status = leads_there(socket, wanted.address) ? begin_connecting(socket, &wanted)
                                                     : MNOS_ERR_NOT_FOUND;
        request->progress[0] = 1;
    }
    if (status == MNOS_OK && socket->kind == KIND_TCP)
        status = go_on_connecting(socket);
    if (status == SERVER_PARKED && wanted.flags != 0)
        return MNOS_ERR_AGAIN;
    return status != MNOS_OK ? status : answer_address(request, socket, wanted.handle);
}

HANDLER(ACCEPT)
{
    struct socket_opened opened = {0};
    struct socket *listener = NULL, *socket;
    struct socket_refusal refusal;
    struct socket_accept wanted;
    struct socket_names names;
    struct pending *pending;
    mnos_status_t status = socket_of(request, &wanted, sizeof wanted, &listener);

    if (status != MNOS_OK)
        return status;
    if ((wanted.flags & ~(uint64_t)SOCKET_ACCEPT_NOW) != 0)
        return MNOS_ERR_ARGUMENT;
    if (listener->kind != KIND_LISTENER)
        return MNOS_ERR_STATE;
    pending = tcp_socket_waiting(listener);
    the_net.waits_for = socket_number(listener);
    if (pending == NULL)
        return wanted.flags != 0 ? MNOS_ERR_AGAIN : SERVER_PARKED;
    if (!may_open(request, &refusal))
        return refuse(request, &refusal);
    if (!handle_room(the_net.loop.sessions, request->session))
        return MNOS_ERR_QUOTA;
    status = socket_make(&the_net, number_of(request), KIND_TCP, &socket);
    if (status != MNOS_OK)
        return status;
    tcp_socket_take(socket, pending);
    tcp_socket_names(socket, &names);
    opened.number = SOCKET_NUMBER(socket->share->index, socket->slot);
    opened.address = names.address;
    opened.port = names.port;
    status = give_handle(request, socket, &opened.handle);
    return status != MNOS_OK ? status : answer(request, &opened, sizeof opened);
}

HANDLER(SHUTDOWN)
{
    struct socket_handle wanted;
    struct socket *socket = NULL;
    mnos_status_t status = socket_of(request, &wanted, sizeof wanted, &socket);

    if (status != MNOS_OK)
        return status;
    if (socket->kind != KIND_TCP)
        return MNOS_ERR_STATE;
    socket->shut = true;
    tcp_socket_pump(socket);
    return answer(request, NULL, 0);
}

HANDLER(NAME)
{
    struct socket_handle wanted;
    struct socket_names names;
    struct socket *socket = NULL;
    mnos_status_t status = socket_of(request, &wanted, sizeof wanted, &socket);

    if (status != MNOS_OK)
        return status;
    names_of(socket, &names);
    return answer(request, &names, sizeof names);
}

HANDLER(CLOSE)
{
    struct server_handle *handle;
    struct socket_handle wanted;
    mnos_status_t status = record_of(request, &wanted, sizeof wanted);

    if (status != MNOS_OK)
        return status;
    handle = handle_of(the_net.loop.sessions, request->session, wanted.handle);
    if (handle == NULL)
        return MNOS_ERR_FILE;
    handle_close(the_net.loop.sessions, handle, &the_net.loop.owner);
    return answer(request, NULL, 0);
}
