// SPDX-License-Identifier: MIT
/* observe - what may be seen of the sockets of all sessions: SOCKETS of protocols/socket.def. */
#include "lib/base/string.h"
#include "lib/client/manager.h"
#include "services/net/server.h"

static const struct socket *nth(uint64_t index)
{
    for (uint32_t i = 1; i <= NET_SOCKETS; i++)
        if (the_net.sockets[i].kind != KIND_FREE && index-- == 0)
            return &the_net.sockets[i];
    return NULL;
}

/* The service at whose session those of its programs begin. */
static void put_owner(const struct socket *socket, char owner[MNOS_NAME_BYTES])
{
    const struct server_session *session = session_at(the_net.loop.sessions, socket->session);
    struct manager_service service;

    while (session->parent != 0)
        session = session_at(the_net.loop.sessions, session->parent);
    if (manager_index_of(session->badge) == 0 ||
        manager_entry(manager_index_of(session->badge), &service) != MNOS_OK)
        return;
    service.name[sizeof service.name - 1] = 0;
    string_copy(owner, service.name, MNOS_NAME_BYTES);
}

static enum socket_shown shown(const struct socket *socket)
{
    if (socket->closing)
        return SOCKET_SHOWN_ENDING;
    if (socket->kind == KIND_LISTENER)
        return SOCKET_SHOWN_LISTENING;
    if ((socket->state & SOCKET_FAILED) != 0)
        return SOCKET_SHOWN_FAILED;
    if (socket->connecting)
        return SOCKET_SHOWN_CONNECTING;
    if ((socket->state & SOCKET_CONNECTED) != 0)
        return (socket->state & SOCKET_PEER_CLOSED) != 0 || socket->shut ? SOCKET_SHOWN_HALF
                                                                         : SOCKET_SHOWN_CONNECTED;
    return socket->bound ? SOCKET_SHOWN_BOUND : SOCKET_SHOWN_OPEN;
}

HANDLER(SOCKETS)
{
    struct socket_shown_entry entry = {0};
    struct socket_refusal refusal;
    struct socket_index index;
    struct socket_names names = {0};
    const struct socket *socket;
    uint64_t bytes;
    mnos_status_t status = record_of(request, &index, sizeof index);

    if (status != MNOS_OK)
        return status;
    if (!limits_right(limits_of(request), SOCKET_RIGHT_OBSERVE, &refusal))
        return refuse(request, &refusal);
    socket = nth(index.index);
    if (socket == NULL)
        return MNOS_ERR_END;
    entry.protocol = socket->kind == KIND_UDP ? SOCKET_UDP : SOCKET_TCP;
    entry.state = shown(socket);
    if (socket->kind != KIND_UDP)
        tcp_socket_names(socket, &names);
    else
        udp_socket_names(socket, &names);
    entry.names = names;
    if (socket->kind != KIND_LISTENER && socket_written(socket, &bytes) == MNOS_OK)
        entry.sending = bytes - socket->send.own;
    if (socket->kind != KIND_LISTENER && socket_room(socket, &bytes) == MNOS_OK)
        entry.received = socket->receive.capacity - bytes;
    if (!socket->closing) /* its session may be another's by then */
        put_owner(socket, entry.owner);
    return answer(request, &entry, sizeof entry);
}
