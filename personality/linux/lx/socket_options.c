// SPDX-License-Identifier: MIT
/* socket_options - what a socket is set to, and the names of its ends: see socket.h. */
#include "lib/base/string.h"
#include "personality/linux/lx/abi.h"
#include "personality/linux/lx/calls.h"
#include "personality/linux/lx/clock.h"
#include "personality/linux/lx/socket.h"

/* asm-generic/socket.h, linux/in.h, linux/tcp.h */
#define SOL_IP 0
#define SOL_SOCKET 1
#define SOL_TCP 6
enum {
    SO_REUSEADDR = 2,
    SO_TYPE = 3,
    SO_ERROR = 4,
    SO_BROADCAST = 6,
    SO_SNDBUF = 7,
    SO_RCVBUF = 8,
    SO_RCVTIMEO = 20,
    SO_SNDTIMEO = 21,
    SO_ACCEPTCONN = 30,
    SO_PROTOCOL = 38,
    SO_DOMAIN = 39
};
#define TCP_NODELAY 1
#define IP_RECVERR 11

/* ---- Setting ---- */

static int64_t read_wait(uint64_t from, uint32_t bytes, uint64_t *wait_ns)
{
    struct linux_timeval time;
    struct linux_timespec converted;

    if (bytes < sizeof time)
        return -LX_EINVAL;
    if (user_read(&time, from, sizeof time) != 0)
        return -LX_EFAULT;
    if (time.microseconds < 0 || time.microseconds >= 1000000)
        return -LX_EDOM;
    converted = (struct linux_timespec){time.seconds, time.microseconds * 1000};
    if (time.seconds < 0)
        *wait_ns = 1; /* it is over at once, as on Linux */
    else if (time.seconds == 0 && time.microseconds == 0)
        *wait_ns = MNOS_DEADLINE_NEVER;
    else
        *wait_ns = time_to_ns(&converted);
    return 0;
}

/* Of those that are a number, what it changes here. Sizes of buffers are the service's, and setting them is a wish. */
static int64_t set_number(struct inet_socket *socket, int32_t level, int32_t option, int32_t value)
{
    if (level == SOL_TCP && socket->protocol == SOCKET_TCP && option == TCP_NODELAY)
        return value != 0 ? 0 : -LX_ENOPROTOOPT; /* the service never delays */
    if (level == SOL_IP && socket->protocol == SOCKET_UDP && option == IP_RECVERR)
        return 0; /* errors that come from the network: the service hands none on */
    if (level != SOL_SOCKET)
        return -LX_ENOPROTOOPT;
    switch (option) {
    case SO_REUSEADDR:
        socket->reuse_address = value != 0;
        return 0; /* of what has ended the service always may */
    case SO_BROADCAST: socket->broadcast = value != 0; return 0;
    case SO_SNDBUF:
    case SO_RCVBUF: return 0;
    default: return -LX_ENOPROTOOPT;
    }
}

int64_t lx_setsockopt(int32_t fd, int32_t level, int32_t option, uint64_t from, uint32_t bytes)
{
    struct inet_socket *socket;
    struct open_file *file;
    int32_t value;
    int64_t result = inet_of(fd, &file, &socket);

    if (result != 0)
        return result;
    if (level == SOL_SOCKET && option == SO_RCVTIMEO)
        return read_wait(from, bytes, &socket->receive_ns);
    if (level == SOL_SOCKET && option == SO_SNDTIMEO)
        return read_wait(from, bytes, &socket->send_ns);
    if (bytes < sizeof value)
        return -LX_EINVAL;
    if (user_read(&value, from, sizeof value) != 0)
        return -LX_EFAULT;
    return set_number(socket, level, option, value);
}

/* ---- Asking ---- */

static int64_t get_number(struct inet_socket *socket, int32_t level, int32_t option, int32_t *value)
{
    if (level == SOL_TCP && socket->protocol == SOCKET_TCP && option == TCP_NODELAY) {
        *value = 1;
        return 0;
    }
    if (level != SOL_SOCKET)
        return -LX_ENOPROTOOPT;
    switch (option) {
    case SO_REUSEADDR: *value = socket->reuse_address; return 0;
    case SO_BROADCAST: *value = socket->broadcast; return 0;
    case SO_TYPE:
        *value = socket->protocol == SOCKET_TCP ? LINUX_SOCK_STREAM : LINUX_SOCK_DGRAM;
        return 0;
    case SO_ERROR:
        if (socket->state == INET_CONNECTING)
            (void)inet_look(socket);
        *value = (int32_t)-inet_take_error(socket);
        return 0;
    case SO_SNDBUF:
    case SO_RCVBUF: *value = SOCKET_RING_BYTES; return 0;
    case SO_ACCEPTCONN: *value = socket->state == INET_LISTENING; return 0;
    case SO_PROTOCOL: *value = socket->protocol == SOCKET_TCP ? 6 : 17; return 0;
    case SO_DOMAIN: *value = LINUX_AF_INET; return 0;
    default: return -LX_ENOPROTOOPT;
    }
}

static int64_t give(uint64_t to, uint64_t bytes_at, const void *value, int32_t bytes)
{
    int32_t room;

    if (user_read(&room, bytes_at, sizeof room) != 0)
        return -LX_EFAULT;
    if (room < 0)
        return -LX_EINVAL;
    if (bytes > room)
        bytes = room;
    if (user_write(to, value, (size_t)bytes) != 0)
        return -LX_EFAULT;
    return user_write(bytes_at, &bytes, sizeof bytes);
}

int64_t lx_getsockopt(int32_t fd, int32_t level, int32_t option, uint64_t to, uint64_t bytes)
{
    struct inet_socket *socket;
    struct open_file *file;
    int32_t value;
    int64_t result = inet_of(fd, &file, &socket);

    if (result != 0)
        return result;
    if (level == SOL_SOCKET && (option == SO_RCVTIMEO || option == SO_SNDTIMEO)) {
        uint64_t wait_ns = option == SO_RCVTIMEO ? socket->receive_ns : socket->send_ns;
        struct linux_timeval time = {0};

        if (wait_ns != MNOS_DEADLINE_NEVER)
            time = (struct linux_timeval){(int64_t)(wait_ns / 1000000000),
                                          (int64_t)(wait_ns % 1000000000 / 1000)};
        return give(to, bytes, &time, sizeof time);
    }
    result = get_number(socket, level, option, &value);
    return result != 0 ? result : give(to, bytes, &value, sizeof value);
}

/* ---- Names of both ends ---- */

int64_t lx_getsockname(int32_t fd, uint64_t address, uint64_t bytes)
{
    struct inet_address own = {0};
    struct socket_names names;
    struct inet_socket *socket;
    struct open_file *file;
    int64_t result = inet_of(fd, &file, &socket);

    if (result != 0)
        return result;
    if (socket->socket.session != NULL && socket->state != INET_FRESH) {
        result = inet_errno(socket_names(&socket->socket, &names), -LX_EPERM);
        if (result != 0)
            return result;
        own = (struct inet_address){ip_v4_of(names.local_address), names.local_port};
    }
    return inet_write_address(address, bytes, &own);
}

int64_t lx_getpeername(int32_t fd, uint64_t address, uint64_t bytes)
{
    struct inet_socket *socket;
    struct open_file *file;
    int64_t result = inet_of(fd, &file, &socket);

    if (result != 0)
        return result;
    if (socket->state != INET_CONNECTED)
        return -LX_ENOTCONN;
    return inet_write_address(address, bytes, &socket->peer);
}
