// SPDX-License-Identifier: MIT
/* socket - sockets from OPEN to their end: see net.h. */
#include "lib/mnos/time.h"
#include "services/net/net.h"

uint32_t socket_share(const struct net *net, uint32_t session)
{
    const struct server_session *at = session_at(net->loop.sessions, session);
    uint32_t sockets;

    while (at->parent != 0)
        at = session_at(net->loop.sessions, at->parent);
    sockets = net->limits[at->number].sockets;
    return sockets > SOCKETS_USUAL ? sockets : SOCKETS_USUAL;
}

mnos_status_t socket_make(struct net *net, uint32_t session, enum socket_kind kind,
                          struct socket **made)
{
    uint32_t account = session_at(net->loop.sessions, session)->account, slot = 0;
    uint32_t number = numbers_lowest_out(&net->sockets_used, 1);
    struct socket *socket;
    struct share *share;

    if (net->windows[session][0] == NULL)
        return MNOS_ERR_STATE;
    if (number > NET_SOCKETS || net->held[account] >= socket_share(net, session))
        return MNOS_ERR_QUOTA;
    share = share_take_slot(net, session, &slot);
    if (share == NULL)
        return MNOS_ERR_QUOTA;
    socket = &net->sockets[number];
    memset(socket, 0, sizeof *socket);
    numbers_add(&net->sockets_used, number);
    socket->kind = (uint8_t)kind;
    socket->session = session;
    socket->account = (uint16_t)account;
    socket->share = share;
    socket->slot = slot;
    socket_place(socket);
    socket_touch(socket);
    net->open[session]++;
    net->held[account]++;
    *made = socket;
    return MNOS_OK;
}

void socket_place(struct socket *socket)
{
    struct share *share = socket->share;

    share->sockets[socket->slot] = socket;
    socket->cell = &share->page->cells[socket->slot];
    ring_init(&socket->send, share_ring(share, SOCKET_SEND_PAGE(socket->slot)), SOCKET_RING_BYTES);
    ring_init(&socket->receive, share_ring(share, SOCKET_RECEIVE_PAGE(socket->slot)),
              SOCKET_RING_BYTES);
}

bool socket_port_used(const struct net *net, enum socket_protocol protocol,
                      struct ip_address address, uint16_t port)
{
    for (uint32_t i = 1; i <= NET_SOCKETS; i++) {
        const struct socket *at = &net->sockets[i];

        if (at->kind != KIND_FREE && !at->closing && at->port == port &&
            ip_is_v4(at->address) == ip_is_v4(address) &&
            (at->kind == KIND_UDP) == (protocol == SOCKET_UDP))
            return true;
    }
    return false;
}

void socket_free(struct net *net, struct socket *socket)
{
    share_give_slot(net, socket->share, socket->slot);
    net->held[socket->account]--;
    socket->kind = KIND_FREE;
    numbers_drop(&net->sockets_used, (uint32_t)socket_number(socket));
    socket_touch(socket);
}

void socket_close(struct net *net, uint32_t number)
{
    struct socket *socket = &net->sockets[number];

    if (number == 0 || socket->kind == KIND_FREE)
        return; /* sessions have no object, and of a handle from the last run the socket may be lost */
    net->open[socket->session]--;
    socket->closing = true;
    socket_touch(socket);
    socket->deadline_ns = deadline_after_ns(NET_LINGER_NS);
    park_wake(&net->park, number);
    if (socket->kind == KIND_UDP) {
        udp_socket_pump(socket); /* what was put before CLOSE is sent */
        udp_socket_close(socket);
        socket_free(net, socket);
    } else {
        tcp_socket_close(socket);
    }
}

void socket_tell(struct net *net, struct socket *socket)
{
    share_changed(net, socket->share);
    socket->share->news |= 1ull << socket->slot;
    park_wake(&net->park, socket_number(socket));
}

void socket_freed(struct socket *socket, uint64_t count)
{
    socket_moved(socket);
    socket->untold += count;
    if (socket->untold < socket->send.capacity / 4)
        return;
    socket->untold = 0;
    socket_tell(&the_net, socket);
}

void socket_fail(struct net *net, struct socket *socket, mnos_status_t error)
{
    socket->error = error;
    socket_state(socket, SOCKET_FAILED, SOCKET_CONNECTED);
    socket_tell(net, socket);
}

/* Whom a socket sends to without being asked again; false: nobody. */
static bool peer_of(const struct socket *socket, struct kept_peer *peer)
{
    if (socket->kind == KIND_UDP && (socket->state & SOCKET_CONNECTED) != 0)
        *peer = socket->remote;
    else if (socket->kind == KIND_TCP && socket->tcp != NULL && socket->tcp->state == SYN_SENT)
        *peer = (struct kept_peer){.address = port_address(&socket->tcp->remote_ip),
                                   .port = socket->tcp->remote_port};
    else
        return false;
    return true;
}

void sockets_judge(struct net *net)
{
    struct socket_refusal refusal;
    struct kept_peer peer;

    for (uint32_t i = 1; i <= NET_SOCKETS; i++) {
        struct socket *socket = &net->sockets[i];
        enum socket_protocol protocol = socket->kind == KIND_UDP ? SOCKET_UDP : SOCKET_TCP;

        if (!peer_of(socket, &peer) || !limits_is_own(&net->own, peer.address) ||
            limits_connect(&net->limits[socket->session], protocol, peer.address, peer.port,
                           &net->own, &refusal))
            continue;
        if (protocol == SOCKET_TCP)
            tcp_socket_abort(socket);
        else
            udp_socket_close(socket);
        socket_fail(net, socket, MNOS_ERR_NOT_FOUND);
    }
}

mnos_status_t socket_written(const struct socket *socket, uint64_t *written)
{
    uint64_t value = atomic_load_explicit(&socket->send.shared->written, memory_order_acquire);

    if (value - socket->send.own > socket->send.capacity ||
        value - socket->queued > socket->send.capacity)
        return MNOS_ERR_FORMAT;
    *written = value;
    return MNOS_OK;
}

mnos_status_t socket_room(const struct socket *socket, uint64_t *room)
{
    uint64_t used = socket->receive.own -
                    atomic_load_explicit(&socket->receive.shared->taken, memory_order_acquire);

    if (used > socket->receive.capacity)
        return MNOS_ERR_FORMAT;
    *room = socket->receive.capacity - used;
    return MNOS_OK;
}

mnos_status_t socket_put(struct socket *socket, const void *bytes, size_t count)
{
    struct ring *ring = &socket->receive;
    uint64_t room, offset = ring->own & (ring->capacity - 1), first = ring->capacity - offset;

    if (socket_room(socket, &room) != MNOS_OK || room < count)
        return MNOS_ERR_FORMAT;
    first = first < count ? first : count;
    memcpy(ring->shared->data + offset, bytes, first);
    memcpy(ring->shared->data, (const uint8_t *)bytes + first, count - first);
    ring->own += count;
    return MNOS_OK;
}

/* By stores of what the image says, so that a death among them costs nothing: the next run repeats them. */
static void publish(struct socket *socket)
{
    struct socket_cell *cell = socket->cell;

    if (socket->kind == KIND_FREE)
        return;
    atomic_store_explicit(&socket->send.shared->taken, socket->send.own, memory_order_release);
    atomic_store_explicit(&socket->receive.shared->written, socket->receive.own,
                          memory_order_release);
    atomic_store_explicit(&cell->lost, socket->lost, memory_order_relaxed);
    atomic_store_explicit(&cell->error, (uint32_t)socket->error, memory_order_relaxed);
    atomic_store_explicit(&cell->state, socket->state, memory_order_release);
}

void sockets_publish(struct net *net)
{
    uint32_t number;

    while (numbers_take(&net->unpublished, &number))
        publish(&net->sockets[number]);
    while (numbers_take(&net->pending_leaving, &number))
        listener_left(&net->pending[number]);
}
