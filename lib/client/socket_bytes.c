// SPDX-License-Identifier: MIT
/* socket_bytes - bytes and datagrams in the rings of sockets, without a call: see socket.h. */
#include "lib/base/string.h"
#include "lib/client/socket_internal.h"
#include "lib/mnos/syscall.h"

bool socket_set_bells(struct socket_session *session)
{
    bool waits = false;

    for (; session->due != 0; session->due &= session->due - 1) {
        struct socket_view *view = &session->windows[__builtin_ctzll(session->due)];
        struct socket_page *page = view->page;

        atomic_fetch_or_explicit(&page->bell, view->due, memory_order_release);
        view->due = 0;
        atomic_thread_fence(memory_order_seq_cst);
        waits |= atomic_load_explicit(&page->net_waits, memory_order_relaxed) != 0 &&
                 atomic_exchange_explicit(&page->net_waits, 0, memory_order_relaxed) != 0;
    }
    return waits;
}

void socket_flush(struct socket_session *session)
{
    if (socket_set_bells(session))
        (void)!sys_ipc_notify(session->service, SOCKET_EVENT_BELL); /* gone: it is told */
}

static void ring_bell(struct socket *socket)
{
    struct socket_session *session = socket->session;

    socket->told = socket->receive.own;
    socket->view->due |= 1ull << socket->slot;
    session->due |= 1ull << (socket->view - session->windows);
    if (!session->rings_late)
        socket_flush(session);
}

bool socket_next_news(struct socket_session *session, uint32_t *number)
{
    for (uint32_t i = 0; i < session->window_count; i++) {
        struct socket_view *view = &session->windows[i];

        if (view->news == 0)
            continue;
        *number = SOCKET_NUMBER(i, (uint32_t)__builtin_ctzll(view->news));
        view->news &= view->news - 1;
        return true;
    }
    return false;
}

/* K4: room is told of by the quarter of a ring. */
static void tell_of_room(struct socket *socket)
{
    if (socket->receive.own - socket->told >= socket->receive.capacity / 4)
        ring_bell(socket);
}

uint32_t socket_state(const struct socket *socket, mnos_status_t *error)
{
    const struct socket_cell *cell;
    uint32_t state;

    if (!socket_is_there(socket)) {
        *error = MNOS_ERR_LOST;
        return SOCKET_FAILED;
    }
    cell = &socket->view->page->cells[socket->slot];
    /* Acquire pairs with the release in socket_state() of net: the error is there before the state says so. */
    state = atomic_load_explicit(&cell->state, memory_order_acquire);
    *error = (mnos_status_t)atomic_load_explicit(&cell->error, memory_order_relaxed);
    return state;
}

mnos_status_t socket_send(struct socket *socket, const void *bytes, size_t count, size_t *sent)
{
    mnos_status_t status, error;

    if ((socket_state(socket, &error) & SOCKET_FAILED) != 0)
        return error;
    status = ring_put(&socket->send, bytes, count, sent);
    if (status == MNOS_OK && *sent != 0)
        ring_bell(socket);
    return status;
}

size_t socket_room(const struct socket *socket)
{
    uint64_t used =
        socket->send.own - atomic_load_explicit(&socket->send.shared->taken, memory_order_acquire);

    return used > socket->send.capacity ? 0 : socket->send.capacity - used;
}

size_t socket_waiting(const struct socket *socket)
{
    const struct ring *ring = &socket->receive;
    uint64_t bytes;

    if (!socket_is_there(socket))
        return 0;
    bytes = atomic_load_explicit(&ring->shared->written, memory_order_acquire) - ring->own;
    return bytes > ring->capacity ? 0 : bytes;
}

mnos_status_t socket_peek(const struct socket *socket, void *bytes, size_t count, size_t *found)
{
    return socket_is_there(socket) ? ring_peek(&socket->receive, bytes, count, found)
                                   : MNOS_ERR_LOST;
}

void socket_drop(struct socket *socket, size_t count)
{
    ring_drop(&socket->receive, count);
    tell_of_room(socket);
}

mnos_status_t socket_receive(struct socket *socket, void *bytes, size_t count, size_t *received)
{
    mnos_status_t status;

    if (!socket_is_there(socket))
        return MNOS_ERR_LOST;
    status = ring_take(&socket->receive, bytes, count, received);
    if (status == MNOS_OK)
        tell_of_room(socket);
    return status;
}

mnos_status_t socket_send_to(struct socket *socket, struct ip_address address, uint32_t port,
                             const void *bytes, size_t count)
{
    static const uint8_t zeros[8];
    struct socket_datagram head = {.bytes = (uint32_t)count, .address = address, .port = port};
    size_t end = sizeof head + count, total = sizeof head + ((count + 7) & ~(size_t)7), room;
    mnos_status_t status, error;

    if (count > SOCKET_DATAGRAM_MAX)
        return MNOS_ERR_SIZE;
    if ((socket_state(socket, &error) & SOCKET_FAILED) != 0)
        return error;
    status = ring_room(&socket->send, &room);
    if (status != MNOS_OK)
        return status;
    if (room < total)
        return MNOS_ERR_AGAIN;
    /* The service sees all of it, or nothing. */
    ring_put_behind(&socket->send, 0, &head, sizeof head);
    ring_put_behind(&socket->send, sizeof head, bytes, count);
    ring_put_behind(&socket->send, end, zeros, total - end);
    ring_publish(&socket->send, total);
    ring_bell(socket);
    return MNOS_OK;
}

mnos_status_t socket_receive_from(struct socket *socket, struct ip_address *address, uint32_t *port,
                                  void *bytes, size_t size, size_t *count)
{
    struct socket_datagram head;
    mnos_status_t status;
    size_t taken, wanted;

    if (!socket_is_there(socket))
        return MNOS_ERR_LOST;
    status = ring_take(&socket->receive, &head, sizeof head, &taken);
    if (status != MNOS_OK)
        return status;
    if (taken == 0)
        return MNOS_ERR_AGAIN;
    if (taken != sizeof head || head.bytes > SOCKET_DATAGRAM_MAX)
        return MNOS_ERR_FORMAT;
    wanted = head.bytes < size ? head.bytes : size;
    status = ring_take(&socket->receive, bytes, wanted, &taken);
    if (status != MNOS_OK || taken < wanted)
        return MNOS_ERR_FORMAT;
    ring_drop(&socket->receive, ((head.bytes + 7) & ~(size_t)7) - wanted); /* shown as a whole */
    tell_of_room(socket);
    *address = head.address;
    *port = head.port;
    *count = head.bytes;
    return MNOS_OK;
}
