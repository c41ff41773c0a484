// SPDX-License-Identifier: MIT
/* socket_bytes - bytes and datagrams in the rings of sockets, without a call: see socket.h. */
#include "lib/base/string.h"
#include "lib/client/socket.h"
#include "lib/mnos/syscall.h"

/* K4. */
static void ring_bell(struct socket *socket)
{
    struct socket_page *page = socket->session->page;

    socket->told = socket->receive.own;
    atomic_fetch_or_explicit(&page->bell, 1ull << socket->number, memory_order_release);
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&page->net_waits, memory_order_relaxed) != 0 &&
        atomic_exchange_explicit(&page->net_waits, 0, memory_order_relaxed) != 0)
        (void)!sys_ipc_notify(socket->session->service, SOCKET_EVENT_BELL); /* gone: it is told */
}

/* K4: room is told of by the quarter of a ring. */
static void tell_of_room(struct socket *socket)
{
    if (socket->receive.own - socket->told >= socket->receive.capacity / 4)
        ring_bell(socket);
}

static bool is_there(const struct socket *socket)
{
    return !socket->session->lost && socket->run == socket->session->runs;
}

uint32_t socket_state(const struct socket *socket, mnos_status_t *error)
{
    const struct socket_cell *cell;
    uint32_t state;

    if (!is_there(socket)) {
        *error = MNOS_ERR_LOST;
        return SOCKET_FAILED;
    }
    cell = &socket->session->page->cells[socket->number];
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

mnos_status_t socket_receive(struct socket *socket, void *bytes, size_t count, size_t *received)
{
    mnos_status_t status;

    if (!is_there(socket))
        return MNOS_ERR_LOST;
    status = ring_take(&socket->receive, bytes, count, received);
    if (status == MNOS_OK)
        tell_of_room(socket);
    return status;
}

mnos_status_t socket_send_to(struct socket *socket, uint32_t address, uint32_t port,
                             const void *bytes, size_t count)
{
    struct socket_datagram head = {.bytes = (uint32_t)count, .address = address, .port = port};
    uint8_t whole[sizeof head + SOCKET_DATAGRAM_MAX];
    size_t total = sizeof head + ((count + 7) & ~(size_t)7), put;
    mnos_status_t status, error;
    uint64_t used;

    if (count > SOCKET_DATAGRAM_MAX)
        return MNOS_ERR_SIZE;
    if ((socket_state(socket, &error) & SOCKET_FAILED) != 0)
        return error;
    used =
        socket->send.own - atomic_load_explicit(&socket->send.shared->taken, memory_order_acquire);
    if (used > socket->send.capacity)
        return MNOS_ERR_FORMAT;
    if (socket->send.capacity - used < total)
        return MNOS_ERR_AGAIN;
    memcpy(whole, &head, sizeof head);
    memcpy(whole + sizeof head, bytes, count);
    memset(whole + sizeof head + count, 0, total - sizeof head - count);
    status = ring_put(&socket->send, whole, total, &put);
    if (status == MNOS_OK)
        ring_bell(socket);
    return status;
}

mnos_status_t socket_receive_from(struct socket *socket, uint32_t *address, uint32_t *port,
                                  void *bytes, size_t size, size_t *count)
{
    uint8_t whole[SOCKET_DATAGRAM_MAX + 8];
    struct socket_datagram head;
    mnos_status_t status;
    size_t taken;

    if (!is_there(socket))
        return MNOS_ERR_LOST;
    status = ring_take(&socket->receive, &head, sizeof head, &taken);
    if (status != MNOS_OK)
        return status;
    if (taken == 0)
        return MNOS_ERR_AGAIN;
    if (taken != sizeof head || head.bytes > SOCKET_DATAGRAM_MAX)
        return MNOS_ERR_FORMAT;
    status = ring_take(&socket->receive, whole, (head.bytes + 7) & ~7u, &taken);
    if (status != MNOS_OK || taken < head.bytes)
        return MNOS_ERR_FORMAT;
    tell_of_room(socket);
    *address = head.address;
    *port = head.port;
    *count = head.bytes;
    memcpy(bytes, whole, head.bytes < size ? head.bytes : size);
    return MNOS_OK;
}
