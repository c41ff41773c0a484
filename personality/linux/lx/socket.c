// SPDX-License-Identifier: MIT
/* socket - calls that make sockets and connect them: see socket.h. */
#include "personality/linux/lx/socket.h"

#include "lib/base/string.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/time.h"
#include "personality/linux/lx/abi.h"
#include "personality/linux/lx/calls.h"
#include "personality/linux/lx/denied.h"
#include "personality/linux/lx/host.h"
#include "personality/linux/lx/piece.h"
#include "personality/linux/lx/wait.h"

#define BACKLOG_MAX 64u /* LISTEN of protocols/socket.def */
#define LOOPBACK 0x7F000001u
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17

static struct socket_session session;
static struct socket_limits limits;
static bool has_session;

void inet_start(void)
{
    mnos_cap_t service = bootstrap_lookup(BOOTSTRAP_OPTIONAL("net"));

    /* Once without a window, to see how many sockets it is to have room for. */
    if (service == 0 || socket_session_open(&session, service, 0) != MNOS_OK ||
        socket_limits(&session, &limits) != MNOS_OK ||
        socket_session_open(&session, service, limits.sockets) != MNOS_OK)
        return;
    has_session = true;
    if (session.window_count != 0)
        wait_with_network(&session);
}

void inet_forked(void)
{
    has_session = false;
    open_files_lose(&inet_methods);
}

struct socket_session *inet_session(void)
{
    return has_session ? &session : NULL;
}

const struct socket_limits *inet_limits(void)
{
    return &limits;
}

void inet_look_for_end(void)
{
    if (has_session && host_network_is_taken())
        session.lost = true;
}

bool inet_has_window(uint64_t address)
{
    for (uint32_t i = 0; has_session && i < session.window_count; i++)
        if (address - (uint64_t)session.windows[i].page <
            SOCKET_WINDOW_PAGES(session.windows[i].sockets) * (uint64_t)LX_PAGE)
            return true;
    return false;
}

int64_t inet_of(int32_t fd, struct open_file **file, struct inet_socket **socket)
{
    inet_look_for_end();
    *file = descriptor_file(fd);
    if (*file == NULL || ((*file)->flags & LINUX_O_PATH) != 0)
        return -LX_EBADF;
    if ((*file)->methods != &inet_methods)
        return -LX_ENOTSOCK;
    *socket = (*file)->socket;
    return 0;
}

int64_t inet_wait(uint64_t deadline_ns)
{
    return deadline_ns == 0 ? -LX_EAGAIN : wait_or_signal(deadline_ns);
}

/* ---- Making ---- */

static int64_t make(enum socket_protocol protocol, uint32_t flags, struct open_file **file)
{
    struct inet_socket *socket = piece_allocate(sizeof *socket);

    if (socket == NULL)
        return -LX_ENOMEM;
    *socket = (struct inet_socket){
        .protocol = protocol, .receive_ns = MNOS_DEADLINE_NEVER, .send_ns = MNOS_DEADLINE_NEVER};
    *file = open_file_make(&inet_methods, LINUX_O_RDWR | (flags & LINUX_O_NONBLOCK), "");
    if (*file == NULL) {
        piece_free(socket);
        return -LX_ENOMEM;
    }
    (*file)->socket = socket;
    return 0;
}

static int64_t protocol_of(uint32_t type, int32_t number, enum socket_protocol *protocol)
{
    switch (type) {
    case LINUX_SOCK_STREAM: *protocol = SOCKET_TCP; break;
    case LINUX_SOCK_DGRAM: *protocol = SOCKET_UDP; break;
    case LINUX_SOCK_RAW: return -LX_EPERM;
    default: return -LX_ESOCKTNOSUPPORT;
    }
    if (number != 0 && number != (*protocol == SOCKET_TCP ? IPPROTO_TCP : IPPROTO_UDP))
        return -LX_EPROTONOSUPPORT;
    return 0;
}

int64_t lx_socket(int32_t family, uint32_t type, int32_t number)
{
    enum socket_protocol protocol;
    struct open_file *file;
    int64_t result;

    if ((type & ~(LINUX_SOCK_TYPE | LINUX_O_NONBLOCK | LINUX_O_CLOEXEC)) != 0)
        return -LX_EINVAL;
    if (family != LINUX_AF_INET)
        return -LX_EAFNOSUPPORT;
    inet_look_for_end();
    result = protocol_of(type & LINUX_SOCK_TYPE, number, &protocol);
    if (result != 0)
        return result;
    if (!has_session && !denied_learns())
        return denied_socket(-LX_EACCES);
    result = make(protocol, type, &file);
    if (result != 0)
        return result;
    /* One that may only resolve names has no socket of the service, and needs none; nor one that is to be refused. */
    if (session.window_count != 0 || (protocol == SOCKET_TCP && !denied_learns()))
        result = inet_errno(socket_open(&session, protocol, &file->socket->socket), -LX_EMFILE);
    if (result != 0) {
        open_file_release(file);
        return session.window_count == 0 ? denied_socket(-LX_EACCES) : result;
    }
    return descriptor_add(file, 0, (type & LINUX_O_CLOEXEC) != 0);
}

/* ---- Binding and listening ---- */

int64_t inet_bind_any(struct inet_socket *socket)
{
    uint32_t port = 0;
    int64_t result = 0;

    if (socket->socket.session == NULL)
        return -LX_EACCES;
    if (socket->state == INET_FRESH)
        result = inet_errno(socket_bind(&socket->socket, IP_V4(0), &port), -LX_EACCES);
    if (result == 0 && socket->state == INET_FRESH)
        socket->state = INET_BOUND;
    return result;
}

int64_t lx_bind(int32_t fd, uint64_t address, uint32_t bytes)
{
    struct inet_address wanted;
    struct inet_socket *socket;
    struct open_file *file;
    mnos_status_t status;
    int64_t result = inet_of(fd, &file, &socket);

    if (result == 0)
        result = inet_read_address(address, bytes, &wanted);
    if (result != 0)
        return result;
    if (socket->state != INET_FRESH)
        return -LX_EINVAL;
    status = socket->socket.session == NULL
                 ? MNOS_ERR_DENIED
                 : socket_bind(&socket->socket, IP_V4(wanted.address), &wanted.port);
    /* A port of the service's choice it has anyway when it sends or connects; it only may not be heard by others. */
    if (status == MNOS_ERR_DENIED && wanted.port == 0)
        return 0;
    if (status != MNOS_OK)
        return status == MNOS_ERR_NOT_FOUND
                   ? -LX_EADDRNOTAVAIL
                   : denied_address("bind", LXHOST_DENIED_LISTEN, socket, &wanted,
                                    inet_errno(status, -LX_EACCES));
    socket->state = INET_BOUND;
    return 0;
}

int64_t lx_listen(int32_t fd, int32_t backlog)
{
    struct inet_socket *socket;
    struct open_file *file;
    int64_t result = inet_of(fd, &file, &socket);

    if (result != 0)
        return result;
    if (socket->protocol != SOCKET_TCP)
        return -LX_EOPNOTSUPP;
    if (socket->state == INET_LISTENING)
        return 0; /* with the first backlog, which is what the service keeps */
    if (socket->state > INET_BOUND)
        return -LX_EINVAL;
    result = inet_bind_any(socket);
    if (result == 0)
        result = inet_errno(socket_listen(&socket->socket, backlog < 1 ? 1
                                                           : backlog > (int32_t)BACKLOG_MAX
                                                               ? BACKLOG_MAX
                                                               : (uint32_t)backlog),
                            -LX_EACCES);
    if (result == 0)
        socket->state = INET_LISTENING;
    return result;
}

/* The next connection, as an open file. */
static int64_t take(struct open_file *file, struct inet_socket *listener, uint32_t flags,
                    struct open_file **taken)
{
    uint64_t deadline =
        (file->flags & LINUX_O_NONBLOCK) != 0 ? 0 : deadline_after_ns(listener->receive_ns);
    int64_t result = make(SOCKET_TCP, flags, taken);
    struct inet_socket *socket;
    mnos_status_t status;

    if (result != 0)
        return result;
    socket = (*taken)->socket;
    for (;;) {
        status = socket_accept_now(&listener->socket, &socket->socket);
        if (status != MNOS_ERR_AGAIN)
            break;
        result = inet_wait(deadline);
        if (result != 0)
            break;
    }
    if (status == MNOS_OK) {
        socket->state = INET_CONNECTED;
        socket->peer = (struct inet_address){ip_v4_of(socket->socket.address), socket->socket.port};
        return 0;
    }
    open_file_release(*taken);
    return result != 0 ? result : inet_errno(status, -LX_EMFILE);
}

int64_t lx_accept4(int32_t fd, uint64_t address, uint64_t bytes, uint32_t flags)
{
    struct inet_socket *listener;
    struct open_file *file, *taken;
    int64_t result;

    if ((flags & ~(LINUX_O_NONBLOCK | LINUX_O_CLOEXEC)) != 0)
        return -LX_EINVAL;
    result = inet_of(fd, &file, &listener);
    if (result != 0)
        return result;
    if (listener->protocol != SOCKET_TCP)
        return -LX_EOPNOTSUPP;
    if (listener->state != INET_LISTENING)
        return -LX_EINVAL;
    result = take(file, listener, flags, &taken);
    if (result != 0)
        return result;
    if (address != 0)
        result = inet_write_address(address, bytes, &taken->socket->peer);
    if (result != 0) {
        open_file_release(taken); /* as on Linux the connection is lost with it */
        return result;
    }
    return descriptor_add(taken, 0, (flags & LINUX_O_CLOEXEC) != 0);
}

int64_t lx_accept(int32_t fd, uint64_t address, uint64_t bytes)
{
    return lx_accept4(fd, address, bytes, 0);
}

/* ---- Connecting ---- */

int64_t inet_look(struct inet_socket *socket)
{
    mnos_status_t status =
        socket_connect_now(&socket->socket, IP_V4(socket->peer.address), socket->peer.port);

    if (status == MNOS_ERR_AGAIN)
        return -LX_EINPROGRESS;
    socket->state = status == MNOS_OK ? INET_CONNECTED : socket->before;
    if (status == MNOS_ERR_PEER)
        socket->error = LX_ECONNREFUSED;
    else
        socket->error = (int32_t)-inet_errno(status, -LX_EPERM);
    socket->failure_told = socket->failure_told || status != MNOS_OK;
    return -socket->error;
}

/* The service makes one connection of a socket: one that has failed is replaced by a new one, if it has no name of its own. */
static int64_t renew(struct inet_socket *socket)
{
    if (!socket->failure_told)
        return 0;
    if (socket->state != INET_FRESH)
        return -LX_ECONNABORTED;
    (void)!socket_close(&socket->socket);
    socket->socket.session = NULL;
    socket->failure_told = false;
    return inet_errno(socket_open(&session, SOCKET_TCP, &socket->socket), -LX_EMFILE);
}

static int64_t connect_tcp(struct open_file *file, struct inet_socket *socket,
                           const struct inet_address *wanted)
{
    uint64_t deadline =
        (file->flags & LINUX_O_NONBLOCK) != 0 ? 0 : deadline_after_ns(socket->send_ns);
    int64_t result;
    bool again = socket->state == INET_CONNECTING; /* after a signal, too */

    if (socket->socket.session == NULL)
        return -LX_EPERM;
    if (socket->state == INET_CONNECTED || socket->state == INET_LISTENING)
        return -LX_EISCONN;
    if (!again) {
        result = renew(socket);
        if (result != 0)
            return result;
        socket->peer = *wanted;
        socket->before = socket->state;
        socket->state = INET_CONNECTING;
    }
    while ((result = inet_look(socket)) == -LX_EINPROGRESS) {
        int64_t waited = inet_wait(deadline);

        if (waited != 0)
            return waited != -LX_EAGAIN     ? waited
                   : again && deadline == 0 ? -LX_EALREADY
                                            : -LX_EINPROGRESS;
    }
    socket->error = 0; /* this call tells it */
    return result;
}

static int64_t connect_udp(struct inet_socket *socket, const struct inet_address *wanted)
{
    int64_t result = 0;

    if (names_are_asked_at(wanted))
        ; /* nobody else is to hear of it */
    else if (socket->socket.session == NULL)
        result = -LX_EPERM;
    else
        result = inet_errno(socket_connect(&socket->socket, IP_V4(wanted->address), wanted->port),
                            -LX_EPERM);
    if (result == 0) {
        socket->state = INET_CONNECTED;
        socket->peer = *wanted;
    }
    return result;
}

int64_t lx_connect(int32_t fd, uint64_t address, uint32_t bytes)
{
    struct inet_address wanted;
    struct inet_socket *socket;
    struct open_file *file;
    int64_t result = inet_of(fd, &file, &socket);

    if (result == 0)
        result = inet_read_address(address, bytes, &wanted);
    if (result != 0)
        return result;
    if (wanted.address == 0)
        wanted.address = LOOPBACK;
    if (wanted.port == 0)
        return socket->protocol == SOCKET_TCP ? -LX_ECONNREFUSED : -LX_EINVAL;
    result = socket->protocol == SOCKET_TCP ? connect_tcp(file, socket, &wanted)
                                            : connect_udp(socket, &wanted);
    return denied_address("connect", LXHOST_DENIED_CONNECT, socket, &wanted, result);
}

int64_t lx_shutdown(int32_t fd, int32_t how)
{
    struct inet_socket *socket;
    struct open_file *file;
    int64_t result = inet_of(fd, &file, &socket);

    if (result != 0)
        return result;
    if (how < 0 || how > 2)
        return -LX_EINVAL;
    if (socket->state != INET_CONNECTED)
        return -LX_ENOTCONN;
    if (how != 0 && socket->protocol == SOCKET_TCP && !socket->write_shut)
        result = inet_errno(socket_shutdown(&socket->socket), -LX_EPERM);
    if (result != 0)
        return result;
    socket->read_shut |= how != 1;
    socket->write_shut |= how != 0;
    wait_changed();
    return 0;
}
