// SPDX-License-Identifier: MIT
/* socket - sockets from OPEN to their end: see net.h. */
#include "lib/mnos/time.h"
#include "services/net/net.h"

mnos_status_t socket_make(struct net *net, uint32_t session, enum socket_kind kind,
                          struct socket **made)
{
    struct socket *socket = NULL;
    struct share *share;
    uint32_t slot = 0;

    if (net->windows[session] == NULL)
        return MNOS_ERR_STATE;
    for (uint32_t i = 1; i <= NET_SOCKETS && socket == NULL; i++)
        if (net->sockets[i].kind == KIND_FREE)
            socket = &net->sockets[i];
    share = socket == NULL ? NULL : share_take_slot(net, session, &slot);
    if (share == NULL)
        return MNOS_ERR_QUOTA;
    memset(socket, 0, sizeof *socket);
    socket->kind = (uint8_t)kind;
    socket->session = session;
    socket->share = share;
    socket->slot = slot;
    socket_place(socket);
    socket_touch(socket);
    net->open[session]++;
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

bool socket_port_used(const struct net *net, enum socket_protocol protocol, uint16_t port)
{
    for (uint32_t i = 1; i <= NET_SOCKETS; i++) {
        const struct socket *at = &net->sockets[i];

        if (at->kind != KIND_FREE && !at->closing && at->port == port &&
            (at->kind == KIND_UDP) == (protocol == SOCKET_UDP))
            return true;
    }
    return false;
}

void socket_free(struct net *net, struct socket *socket)
{
    share_give_slot(net, socket->share, socket->slot);
    socket->kind = KIND_FREE;
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
    socket_touch(socket);
    socket->share->news |= 1ull << socket->slot;
    park_wake(&net->park, socket_number(socket));
}

void socket_fail(struct net *net, struct socket *socket, mnos_status_t error)
{
    socket->error = error;
    socket_state(socket, SOCKET_FAILED, SOCKET_CONNECTED);
    socket_tell(net, socket);
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
