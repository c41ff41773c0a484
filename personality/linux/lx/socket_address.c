// SPDX-License-Identifier: MIT
/* socket_address - addresses and errors of sockets, as programs of Linux have them: see socket.h. */
#include "lib/base/string.h"
#include "personality/linux/lx/abi.h"
#include "personality/linux/lx/socket.h"
#include "personality/linux/lx/status.h"

#define LOOPBACK_NET 127u

/* linux/in.h: port and address in the order of the network. */
struct linux_sockaddr_in {
    uint16_t family, port;
    uint32_t address;
    uint8_t zero[8];
};
_Static_assert(sizeof(struct linux_sockaddr_in) == 16, "struct sockaddr_in");

int64_t inet_read_address(uint64_t from, uint32_t bytes, struct inet_address *address)
{
    struct linux_sockaddr_in record;

    if (bytes < sizeof record || bytes > 128 /* struct sockaddr_storage */)
        return -LX_EINVAL;
    if (user_read(&record, from, sizeof record) != 0)
        return -LX_EFAULT;
    if (record.family != LINUX_AF_INET)
        return -LX_EAFNOSUPPORT;
    *address =
        (struct inet_address){__builtin_bswap32(record.address), __builtin_bswap16(record.port)};
    return 0;
}

int64_t inet_write_address_in(uint64_t to, int32_t room, const struct inet_address *address,
                              int32_t *bytes)
{
    struct linux_sockaddr_in record = {.family = LINUX_AF_INET,
                                       .port = __builtin_bswap16((uint16_t)address->port),
                                       .address = __builtin_bswap32(address->address)};

    if (room < 0)
        return -LX_EINVAL;
    *bytes = sizeof record;
    return user_write(to, &record, (size_t)room < sizeof record ? (size_t)room : sizeof record);
}

int64_t inet_write_address(uint64_t to, uint64_t bytes_at, const struct inet_address *address)
{
    int32_t bytes;
    int64_t result = user_read(&bytes, bytes_at, sizeof bytes);

    if (result == 0)
        result = inet_write_address_in(to, bytes, address, &bytes);
    return result == 0 ? user_write(bytes_at, &bytes, sizeof bytes) : result;
}

int64_t inet_errno(mnos_status_t status, int64_t refused)
{
    switch ((int)status) {
    case MNOS_ERR_DENIED: return refused;
    case MNOS_ERR_PEER: return -LX_ECONNRESET;
    case MNOS_ERR_DEADLINE: return -LX_ETIMEDOUT;
    case MNOS_ERR_NOT_FOUND: return -LX_ENETUNREACH;
    case MNOS_ERR_EXISTS: return -LX_EADDRINUSE;
    case MNOS_ERR_QUOTA: return -LX_ENOBUFS;
    case MNOS_ERR_LOST: return -LX_ENETDOWN; /* the service has begun anew, without this socket */
    default: return status_to_errno(status);
    }
}

static bool has_address(const struct socket_range *range, uint32_t address)
{
    if ((range->flags & SOCKET_RANGE_OWN) != 0)
        return true; /* which addresses those are the service knows */
    if (!ip_is_v4(range->first))
        return false; /* a range is of one family */
    if (address >> 24 == LOOPBACK_NET && ip_v4_of(range->first) >> 24 != LOOPBACK_NET)
        return false; /* it is meant only by a range that lies within it: protocols/socket.h */
    return address >= ip_v4_of(range->first) && address <= ip_v4_of(range->last);
}

bool inet_may_send(const struct socket_limits *limits, const struct inet_address *address)
{
    for (uint32_t i = 0; i < limits->connect_count && i < SOCKET_RANGES; i++) {
        const struct socket_range *range = &limits->connect[i];

        if ((range->protocols & SOCKET_UDP) != 0 && has_address(range, address->address) &&
            address->port >= range->first_port && address->port <= range->last_port)
            return true;
    }
    return false;
}
