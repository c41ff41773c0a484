// SPDX-License-Identifier: MIT
/* socket_data - bytes and datagrams of sockets: see socket.h. */
#include "lib/base/string.h"
#include "lib/mnos/time.h"
#include "personality/linux/lx/calls.h"
#include "personality/linux/lx/denied.h"
#include "personality/linux/lx/pieces.h"
#include "personality/linux/lx/process.h"
#include "personality/linux/lx/scratch.h"
#include "personality/linux/lx/socket.h"

/* Between the rings and the program, whose addresses may be none. Nothing is waited for while bytes are in it. */
static uint8_t between[16384] LX_SCRATCH;

/* One request, from any of the calls. */
struct transfer {
    struct pieces pieces;
    uint32_t flags;
    struct inet_address peer; /* sending: port 0: none was named; receiving: who has sent */
    bool cut;                 /* a datagram was longer than there was room */
};

static uint64_t deadline_of(const struct open_file *file, const struct transfer *transfer,
                            uint64_t limit_ns)
{
    bool now = (file->flags & LINUX_O_NONBLOCK) != 0 || (transfer->flags & LINUX_MSG_DONTWAIT) != 0;

    return now ? 0 : deadline_after_ns(limit_ns);
}

/* ---- Receiving ---- */

/* As many bytes as are there and have room: 0 when there are none. */
static int64_t take_bytes(struct inet_socket *socket, struct transfer *transfer)
{
    size_t count =
        transfer->pieces.bytes < sizeof between ? transfer->pieces.bytes : sizeof between;
    mnos_status_t status = socket_peek(&socket->socket, between, count, &count);
    int64_t copied;

    if (status != MNOS_OK)
        return inet_errno(status, -LX_EPERM);
    copied = pieces_write(&transfer->pieces, between, count);
    if (copied > 0 && (transfer->flags & LINUX_MSG_PEEK) == 0)
        socket_drop(&socket->socket, (size_t)copied);
    return copied;
}

static int64_t receive_stream(struct open_file *file, struct transfer *transfer)
{
    struct inet_socket *socket = file->socket;
    uint64_t deadline = deadline_of(file, transfer, socket->receive_ns);
    int64_t done = 0, result = 0;

    if (socket->state != INET_CONNECTED)
        return socket->error != 0 ? inet_take_error(socket) : -LX_ENOTCONN;
    while (transfer->pieces.bytes != 0) {
        mnos_status_t why;
        uint32_t state = socket_state(&socket->socket, &why); /* before the look for bytes */

        result = socket->read_shut ? 0 : take_bytes(socket, transfer);
        if (result < 0)
            break;
        done += result;
        if (result > 0 && (transfer->flags & LINUX_MSG_PEEK) == 0)
            continue;
        if (done != 0 &&
            (transfer->flags & (LINUX_MSG_WAITALL | LINUX_MSG_PEEK)) != LINUX_MSG_WAITALL)
            break;
        if ((state & SOCKET_FAILED) != 0) {
            result = inet_take_error(socket);
            break;
        }
        if (socket->read_shut || (state & SOCKET_PEER_CLOSED) != 0)
            break;
        result = inet_wait(deadline);
        if (result != 0)
            break;
    }
    return done != 0 ? done : result;
}

/* The next datagram into `between`: its length, or -EAGAIN. */
static int64_t next_datagram(struct inet_socket *socket, struct transfer *transfer)
{
    bool peek = (transfer->flags & LINUX_MSG_PEEK) != 0;
    struct socket_datagram head;
    mnos_status_t status;
    size_t count;
    int64_t result = names_answer(socket, between, sizeof between, peek);

    if (result != -LX_EAGAIN || socket->socket.session == NULL) {
        transfer->peer = socket->peer;
        return result;
    }
    if (!peek) {
        status = socket_receive_from(&socket->socket, &head.address, &head.port, between,
                                     sizeof between, &count);
        if (status == MNOS_OK)
            transfer->peer = (struct inet_address){ip_v4_of(head.address), head.port};
        return status == MNOS_OK ? (int64_t)count : inet_errno(status, -LX_EPERM);
    }
    status = socket_peek(&socket->socket, between, sizeof head + SOCKET_DATAGRAM_MAX, &count);
    if (status != MNOS_OK || count < sizeof head)
        return status != MNOS_OK ? inet_errno(status, -LX_EPERM) : -LX_EAGAIN;
    memcpy(&head, between, sizeof head);
    if (head.bytes > count - sizeof head)
        return -LX_EIO;
    memmove(between, between + sizeof head, head.bytes);
    transfer->peer = (struct inet_address){ip_v4_of(head.address), head.port};
    return head.bytes;
}

static int64_t receive_datagram(struct open_file *file, struct transfer *transfer)
{
    struct inet_socket *socket = file->socket;
    uint64_t deadline = deadline_of(file, transfer, socket->receive_ns);
    uint64_t room = transfer->pieces.bytes;
    int64_t count, copied;

    while ((count = next_datagram(socket, transfer)) == -LX_EAGAIN) {
        if (socket->read_shut)
            return 0;
        count = inet_wait(deadline);
        if (count != 0)
            return count;
    }
    if (count < 0)
        return count;
    copied =
        pieces_write(&transfer->pieces, between, (uint64_t)count < room ? (uint64_t)count : room);
    transfer->cut = (uint64_t)count > room;
    if (copied < 0)
        return copied;
    return (transfer->flags & LINUX_MSG_TRUNC) != 0 ? count : copied;
}

static int64_t receive(struct open_file *file, struct transfer *transfer)
{
    inet_look_for_end();
    if ((transfer->flags & (LINUX_MSG_OOB | LINUX_MSG_ERRQUEUE)) != 0)
        return (transfer->flags & LINUX_MSG_OOB) != 0 ? -LX_EINVAL : -LX_EAGAIN;
    return file->socket->protocol == SOCKET_TCP ? receive_stream(file, transfer)
                                                : receive_datagram(file, transfer);
}

/* ---- Sending ---- */

static int64_t broken(const struct transfer *transfer)
{
    if ((transfer->flags & LINUX_MSG_NOSIGNAL) == 0)
        process_signal(LINUX_SIGPIPE);
    return -LX_EPIPE;
}

/* Whether it can be sent to at all. */
static int64_t look_at_stream(struct inet_socket *socket, const struct transfer *transfer)
{
    mnos_status_t why;
    int64_t error;

    if (socket->state != INET_CONNECTED)
        return socket->error != 0 ? inet_take_error(socket) : broken(transfer);
    if (socket->write_shut)
        return broken(transfer);
    if ((socket_state(&socket->socket, &why) & SOCKET_FAILED) == 0)
        return 0;
    error = inet_take_error(socket);
    return error != 0 ? error : broken(transfer);
}

static int64_t send_stream(struct open_file *file, struct transfer *transfer)
{
    struct inet_socket *socket = file->socket;
    uint64_t deadline = deadline_of(file, transfer, socket->send_ns);
    int64_t done = 0, result = look_at_stream(socket, transfer);

    while (result == 0 && transfer->pieces.bytes != 0) {
        size_t room = socket_room(&socket->socket), sent;
        mnos_status_t status;

        if (room == 0) {
            result = inet_wait(deadline);
        } else {
            result = pieces_read(&transfer->pieces, between,
                                 room < sizeof between ? room : sizeof between);
            if (result < 0)
                break;
            status = socket_send(&socket->socket, between, (size_t)result, &sent);
            result = status == MNOS_OK ? 0 : inet_errno(status, -LX_EPERM);
            done += status == MNOS_OK ? (int64_t)sent : 0;
        }
        if (result == 0 && done == 0)
            result = look_at_stream(socket, transfer);
        else if (result == 0 &&
                 (socket_state(&socket->socket, &(mnos_status_t){0}) & SOCKET_FAILED) != 0)
            break;
    }
    return done != 0 ? done : result;
}

/* Where a datagram goes: 0, or an error. */
static int64_t choose_peer(struct inet_socket *socket, struct transfer *transfer,
                           struct inet_address *to)
{
    *to = transfer->peer.port != 0 ? transfer->peer : socket->peer;
    if (transfer->peer.port == 0 && socket->state != INET_CONNECTED)
        return -LX_EDESTADDRREQ;
    if (names_are_asked_at(to))
        return 0;
    /* Whoever is bound may answer those that it has heard, which the service knows. */
    if (socket->socket.session == NULL ||
        (socket->state == INET_FRESH && !inet_may_send(inet_limits(), to)))
        return denied_address("sendto", LXHOST_DENIED_CONNECT, socket, to, -LX_EPERM);
    return 0;
}

static int64_t send_datagram(struct open_file *file, struct transfer *transfer)
{
    struct inet_socket *socket = file->socket;
    uint64_t deadline = deadline_of(file, transfer, socket->send_ns);
    uint64_t bytes = transfer->pieces.bytes;
    struct inet_address to;
    int64_t result = choose_peer(socket, transfer, &to), wait = 0;
    mnos_status_t status = MNOS_ERR_AGAIN;

    if (result == 0 && socket->write_shut)
        result = broken(transfer);
    if (result != 0)
        return result;
    if (bytes > SOCKET_DATAGRAM_MAX)
        return -LX_EMSGSIZE;
    while (status == MNOS_ERR_AGAIN && wait == 0) {
        struct transfer copy = *transfer; /* the pieces are read again after a wait */

        result = pieces_read(&copy.pieces, between, bytes);
        if (result < 0 || (uint64_t)result < bytes)
            return -LX_EFAULT;
        if (names_are_asked_at(&to))
            return names_ask(socket, between, bytes);
        status = socket_send_to(&socket->socket, to.port == 0 ? IP_NONE : IP_V4(to.address),
                                to.port, between, bytes);
        if (status == MNOS_ERR_AGAIN)
            wait = inet_wait(deadline);
    }
    if (status != MNOS_OK)
        return wait != 0 ? wait : inet_errno(status, -LX_EPERM);
    return (int64_t)bytes;
}

static int64_t send(struct open_file *file, struct transfer *transfer)
{
    inet_look_for_end();
    if ((transfer->flags & LINUX_MSG_OOB) != 0)
        return -LX_EOPNOTSUPP;
    return file->socket->protocol == SOCKET_TCP ? send_stream(file, transfer)
                                                : send_datagram(file, transfer);
}

/* ---- Calls ---- */

int64_t inet_read(struct open_file *file, uint64_t to, uint64_t count, uint64_t offset)
{
    struct transfer transfer = {0};

    (void)offset;
    pieces_one(&transfer.pieces, to, count);
    return count == 0 ? 0 : receive(file, &transfer);
}

int64_t inet_write(struct open_file *file, uint64_t from, uint64_t count, uint64_t offset)
{
    struct transfer transfer = {0};

    (void)offset;
    pieces_one(&transfer.pieces, from, count);
    return send(file, &transfer);
}

/* Whom a call names: port 0 for nobody. TCP takes no notice of it. */
static int64_t read_peer(const struct inet_socket *socket, uint64_t address, uint32_t bytes,
                         struct inet_address *peer)
{
    *peer = (struct inet_address){0};
    if (address == 0 || bytes == 0 || socket->protocol == SOCKET_TCP)
        return 0;
    if (inet_read_address(address, bytes, peer) == -LX_EFAULT)
        return -LX_EFAULT;
    return peer->port == 0 ? -LX_EINVAL : 0;
}

int64_t lx_sendto(int32_t fd, uint64_t from, uint64_t count, uint32_t flags, uint64_t address,
                  uint32_t bytes)
{
    struct transfer transfer = {.flags = flags};
    struct inet_socket *socket;
    struct open_file *file;
    int64_t result = inet_of(fd, &file, &socket);

    if (result == 0)
        result = read_peer(socket, address, bytes, &transfer.peer);
    pieces_one(&transfer.pieces, from, count < LINUX_IO_MAX ? count : LINUX_IO_MAX);
    return result != 0 ? result : send(file, &transfer);
}

int64_t lx_recvfrom(int32_t fd, uint64_t to, uint64_t count, uint32_t flags, uint64_t address,
                    uint64_t bytes)
{
    struct transfer transfer = {.flags = flags};
    struct inet_socket *socket;
    struct open_file *file;
    int64_t result = inet_of(fd, &file, &socket), told = 0;

    if (result != 0)
        return result;
    pieces_one(&transfer.pieces, to, count < LINUX_IO_MAX ? count : LINUX_IO_MAX);
    result = receive(file, &transfer);
    if (result < 0 || address == 0)
        return result;
    if (socket->protocol == SOCKET_UDP)
        told = inet_write_address(address, bytes, &transfer.peer);
    else /* of a connection Linux tells no address, and says so by its length */
        told = user_write(bytes, &(int32_t){0}, sizeof(int32_t));
    return told != 0 ? told : result;
}

static int64_t send_message(struct open_file *file, uint64_t header_at, uint32_t flags)
{
    struct transfer transfer = {.flags = flags};
    struct linux_msghdr header;
    int64_t result = user_read(&header, header_at, sizeof header);

    if (result == 0)
        result = read_peer(file->socket, header.name, (uint32_t)header.name_bytes, &transfer.peer);
    if (result == 0)
        result = pieces_list(&transfer.pieces, header.pieces, header.piece_count);
    if (result == 0 && header.control_bytes != 0)
        result = -LX_EOPNOTSUPP; /* nothing can be sent beside the bytes */
    return result != 0 ? result : send(file, &transfer);
}

static int64_t receive_message(struct open_file *file, uint64_t header_at, uint32_t flags)
{
    struct transfer transfer = {.flags = flags};
    struct linux_msghdr header;
    int64_t result = user_read(&header, header_at, sizeof header), told = 0;

    if (result == 0)
        result = pieces_list(&transfer.pieces, header.pieces, header.piece_count);
    if (result == 0)
        result = receive(file, &transfer);
    if (result < 0)
        return result;
    if (header.name != 0 && file->socket->protocol == SOCKET_UDP)
        told = inet_write_address_in(header.name, header.name_bytes, &transfer.peer,
                                     &header.name_bytes);
    else
        header.name_bytes = 0;
    header.control_bytes = 0;
    header.flags = transfer.cut ? LINUX_MSG_TRUNC : 0;
    if (told == 0)
        told = user_write(header_at, &header, sizeof header);
    return told != 0 ? told : result;
}

int64_t lx_sendmsg(int32_t fd, uint64_t header, uint32_t flags)
{
    struct inet_socket *socket;
    struct open_file *file;
    int64_t result = inet_of(fd, &file, &socket);

    return result != 0 ? result : send_message(file, header, flags);
}

int64_t lx_recvmsg(int32_t fd, uint64_t header, uint32_t flags)
{
    struct inet_socket *socket;
    struct open_file *file;
    int64_t result = inet_of(fd, &file, &socket);

    return result != 0 ? result : receive_message(file, header, flags);
}

int64_t lx_sendmmsg(int32_t fd, uint64_t headers, uint32_t count, uint32_t flags)
{
    struct inet_socket *socket;
    struct open_file *file;
    int64_t result = inet_of(fd, &file, &socket);
    uint32_t done = 0;

    if (result != 0)
        return result;
    for (; done < count && done < LINUX_IOV_MAX; done++) {
        uint64_t at = headers + done * sizeof(struct linux_mmsghdr);
        uint32_t bytes;

        result = send_message(file, at, flags);
        if (result < 0)
            break;
        bytes = (uint32_t)result;
        result = user_write(at + offsetof(struct linux_mmsghdr, bytes), &bytes, sizeof bytes);
        if (result < 0)
            break;
    }
    return done != 0 ? done : result;
}
