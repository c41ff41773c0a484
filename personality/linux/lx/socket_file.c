// SPDX-License-Identifier: MIT
/* socket_file - a socket as an open file: whether it is ready, its attributes and its end. */
#include "personality/linux/lx/abi.h"
#include "personality/linux/lx/piece.h"
#include "personality/linux/lx/socket.h"

static void close_socket(struct open_file *file)
{
    struct inet_socket *socket = file->socket;

    if (socket->socket.session != NULL)
        (void)!socket_close(
            &socket->socket); /* what the service does not know any more is closed */
    names_drop(socket);
    piece_free(socket);
}

int64_t inet_take_error(struct inet_socket *socket)
{
    mnos_status_t why;
    int64_t error = -socket->error;

    socket->error = 0;
    if (error != 0 || socket->failure_told || socket->socket.session == NULL ||
        (socket_state(&socket->socket, &why) & SOCKET_FAILED) == 0)
        return error;
    socket->failure_told = true;
    return inet_errno(why, -LX_EPERM);
}

static uint32_t ready_stream(struct inet_socket *socket)
{
    mnos_status_t why;
    uint32_t state = socket_state(&socket->socket, &why), ready = 0;

    if ((state & SOCKET_FAILED) != 0)
        return LINUX_POLLIN | LINUX_POLLOUT | LINUX_POLLHUP | LINUX_POLLRDHUP |
               (socket->failure_told ? 0 : LINUX_POLLERR);
    if ((state & SOCKET_PEER_CLOSED) != 0)
        ready |= LINUX_POLLIN | LINUX_POLLRDHUP | (socket->write_shut ? LINUX_POLLHUP : 0);
    if (socket->read_shut || socket_waiting(&socket->socket) != 0)
        ready |= LINUX_POLLIN;
    if (socket->write_shut || socket_room(&socket->socket) != 0)
        ready |= LINUX_POLLOUT;
    return ready;
}

static uint32_t ready_datagrams(const struct inet_socket *socket)
{
    uint32_t ready = LINUX_POLLOUT;

    if (names_have_answer(socket))
        return ready | LINUX_POLLIN;
    if (socket->socket.session == NULL)
        return ready;
    if (socket_room(&socket->socket) < sizeof(struct socket_datagram) + SOCKET_DATAGRAM_MAX)
        ready = 0;
    return socket_waiting(&socket->socket) != 0 || socket->read_shut ? ready | LINUX_POLLIN : ready;
}

static uint32_t ready_socket(struct open_file *file, uint32_t events)
{
    struct inet_socket *socket = file->socket;
    mnos_status_t why;
    uint32_t told = events | LINUX_POLLERR | LINUX_POLLHUP;

    inet_look_for_end();
    if (socket->protocol == SOCKET_UDP)
        return ready_datagrams(socket) & told;
    if (socket->state == INET_LISTENING)
        return (socket_state(&socket->socket, &why) & SOCKET_ACCEPTABLE) != 0
                   ? events & LINUX_POLLIN
                   : 0;
    if (socket->state == INET_CONNECTING && inet_look(socket) == -LX_EINPROGRESS)
        return 0;
    if (socket->state == INET_CONNECTED)
        return ready_stream(socket) & told;
    return (LINUX_POLLOUT | LINUX_POLLHUP |
            (socket->error != 0 ? LINUX_POLLERR | LINUX_POLLIN : 0)) &
           told;
}

/* What came, what room was made, and its states each only grow: so does their sum. Of a listener and of one that is being
 * connected nothing does, nor of answers that lx itself gives. */
static uint64_t changes_of_socket(struct open_file *file)
{
    const struct inet_socket *socket = file->socket;
    mnos_status_t why;

    if (socket->socket.session == NULL || socket->answers != NULL ||
        (socket->protocol == SOCKET_TCP && socket->state != INET_CONNECTED))
        return 0;
    return socket->socket.receive.own + socket_waiting(&socket->socket) + socket->socket.send.own +
           socket_room(&socket->socket) + socket_state(&socket->socket, &why) + 1;
}

static int64_t stat_socket(struct open_file *file, struct linux_stat *stat)
{
    *stat = (struct linux_stat){.inode = file->socket->socket.number + 1ull,
                                .links = 1,
                                .mode = LINUX_S_IFSOCK | 0777,
                                .block_bytes = (int64_t)LX_PAGE};
    return 0;
}

static int64_t ioctl_socket(struct open_file *file, uint32_t request, uint64_t argument)
{
    const struct inet_socket *socket = file->socket;
    int32_t bytes;

    if (request != LINUX_FIONREAD || socket->state == INET_LISTENING)
        return request == LINUX_FIONREAD ? -LX_EINVAL : -LX_ENOTTY;
    if (socket->protocol != SOCKET_TCP)
        return -LX_ENOTTY; /* of the next datagram: the service does not say without its being taken */
    bytes = socket->state == INET_CONNECTED ? (int32_t)socket_waiting(&socket->socket) : 0;
    return user_write(argument, &bytes, sizeof bytes);
}

const struct open_methods inet_methods = {
    .read = inet_read,
    .write = inet_write,
    .ioctl = ioctl_socket,
    .stat = stat_socket,
    .ready = ready_socket,
    .changes = changes_of_socket,
    .close = close_socket,
};
