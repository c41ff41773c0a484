// SPDX-License-Identifier: MIT
/* limits - see limits.h. */
#include "services/net/limits.h"

#include <stddef.h>

#include "lib/base/string.h"
#include "lib/format/net/dns.h"

#define ALL_PROTOCOLS (SOCKET_TCP | SOCKET_UDP)
#define ALL_RIGHTS (SOCKET_RIGHT_PING | SOCKET_RIGHT_OBSERVE | SOCKET_RIGHT_CAPTURE)

#define V4(number)                                                                                 \
    {                                                                                              \
        0, 0xFFFF00000000ull | (number)                                                            \
    }
#define V6(high)                                                                                   \
    {                                                                                              \
        (high), 0                                                                                  \
    }
#define V6_LAST(high)                                                                              \
    {                                                                                              \
        (high), UINT64_MAX                                                                         \
    }

/* Addresses that no wider range means: RFC 6890. */
static const struct block {
    struct ip_address first, last;
    bool loopback;
} blocks[] = {
    {V4(0x7F000000), V4(0x7FFFFFFF), true},
    {{0, 1}, {0, 1}, true},
    {V4(0xA9FE0000), V4(0xA9FEFFFF), false}, /* link-local */
    {V6(0xFE80ull << 48), V6_LAST(0xFEBFFFFFFFFFFFFF), false},
    {V4(0xE0000000), V4(0xEFFFFFFF), false}, /* multicast */
    {V6(0xFFull << 56), V6_LAST(UINT64_MAX), false},
};

/* Whether all from `first` to `last` are of the family of `outer` and lie in it. */
static bool lies_in(struct ip_address first, struct ip_address last, struct ip_address outer_first,
                    struct ip_address outer_last)
{
    return ip_is_v4(first) == ip_is_v4(outer_first) && ip_at_most(outer_first, first) &&
           ip_at_most(last, outer_last);
}

static const struct block *block_of(struct ip_address first, struct ip_address last)
{
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
        if (lies_in(first, last, blocks[i].first, blocks[i].last))
            return &blocks[i];
    return NULL;
}

bool limits_is_loopback(struct ip_address address)
{
    const struct block *block = block_of(address, address);

    return block != NULL && block->loopback;
}

bool limits_is_own(const struct own_addresses *own, struct ip_address address)
{
    for (uint32_t i = 0; i < own->count; i++)
        if (ip_equal(own->address[i], address))
            return true;
    return false;
}

/* Addresses that nothing is sent to: this network, reserved ones, and broadcasts; of IPv6, none at all, and those of IPv4 as
 * they were written once (RFC 4291, 2.5.5.1). */
static bool is_nobody(struct ip_address address, const struct own_addresses *own)
{
    bool all = false;

    if (!ip_is_v4(address))
        return address.high == 0 && address.low >> 32 == 0 && address.low != 1;
    for (uint32_t i = 0; i < own->count; i++)
        all |= ip_equal(own->broadcast[i], address) && !ip_equal(own->address[i], address);
    return all || ip_v4_of(address) >> 24 == 0 || ip_v4_of(address) >= 0xF0000000;
}

static bool range_valid(const struct socket_range *range)
{
    bool own = (range->flags & SOCKET_RANGE_OWN) != 0;

    return ip_at_most(range->first, range->last) &&
           (own || ip_is_v4(range->first) == ip_is_v4(range->last)) &&
           range->first_port <= range->last_port && range->protocols != 0 &&
           (range->protocols & ~ALL_PROTOCOLS) == 0 && (range->flags & ~SOCKET_RANGE_OWN) == 0 &&
           range->reserved == 0;
}

/* A name as it would be asked for, or "*". */
static bool suffix_valid(const char suffix[SOCKET_NAME_BYTES])
{
    char clean[DNS_NAME_BYTES];

    if (strnlen(suffix, SOCKET_NAME_BYTES) == SOCKET_NAME_BYTES)
        return false;
    return strcmp(suffix, "*") == 0 ||
           (dns_name_clean(suffix, clean) && strcmp(suffix, clean) == 0);
}

bool limits_valid(const struct socket_limits *limits)
{
    if (limits->resolve_count > SOCKET_SUFFIXES || limits->reserved != 0 ||
        (limits->rights & ~(uint32_t)ALL_RIGHTS) != 0 || limits->sockets > SOCKETS_OF_SESSION ||
        limits->listen_count > SOCKET_RANGES || limits->connect_count > SOCKET_RANGES)
        return false;
    for (uint32_t i = 0; i < limits->listen_count; i++)
        if (!range_valid(&limits->listen[i]))
            return false;
    for (uint32_t i = 0; i < limits->connect_count; i++)
        if (!range_valid(&limits->connect[i]))
            return false;
    for (uint32_t i = 0; i < limits->resolve_count; i++)
        if (!suffix_valid(limits->resolve[i]))
            return false;
    return true;
}

static bool refuse(struct socket_refusal *refusal, enum socket_limit limit, enum socket_field field,
                   uint32_t index)
{
    *refusal = (struct socket_refusal){.limit = limit, .field = field, .index = index};
    return false;
}

/* The field that is first not as it has to be; SOCKET_FIELD_NONE: all are. */
static enum socket_field first_wrong(bool address, bool protocol, bool port)
{
    return !address    ? SOCKET_FIELD_ADDRESS
           : !protocol ? SOCKET_FIELD_PROTOCOL
           : !port     ? SOCKET_FIELD_PORT
                       : SOCKET_FIELD_NONE;
}

/* ---- Narrowing ---- */

/* What a range of special addresses means, none around it does. */
static bool addresses_inside(const struct socket_range *parent, const struct socket_range *child)
{
    const struct block *block = block_of(child->first, child->last);

    if ((parent->flags & SOCKET_RANGE_OWN) != (child->flags & SOCKET_RANGE_OWN))
        return false;
    if ((parent->flags & SOCKET_RANGE_OWN) != 0) /* of both families */
        return ip_at_most(parent->first, child->first) && ip_at_most(child->last, parent->last);
    if (block != NULL && block_of(parent->first, parent->last) != block)
        return false;
    return lies_in(child->first, child->last, parent->first, parent->last);
}

static bool ranges_inside(const struct socket_range *parents, uint32_t parent_count,
                          const struct socket_range *children, uint32_t child_count,
                          enum socket_limit limit, struct socket_refusal *refusal)
{
    for (uint32_t i = 0; i < child_count; i++) {
        const struct socket_range *child = &children[i];
        enum socket_field closest = parent_count == 0 ? SOCKET_FIELD_NONE : SOCKET_FIELD_ADDRESS;
        bool inside = false;

        for (uint32_t k = 0; k < parent_count && !inside; k++) {
            const struct socket_range *parent = &parents[k];
            enum socket_field wrong = first_wrong(
                addresses_inside(parent, child), (child->protocols & ~parent->protocols) == 0,
                child->first_port >= parent->first_port && child->last_port <= parent->last_port);

            inside = wrong == SOCKET_FIELD_NONE;
            closest = wrong > closest ? wrong : closest;
        }
        if (!inside)
            return refuse(refusal, limit, closest, i);
    }
    return true;
}

static bool suffixes_inside(const struct socket_limits *parent, const struct socket_limits *child,
                            struct socket_refusal *refusal)
{
    for (uint32_t i = 0; i < child->resolve_count; i++)
        if (!limits_resolve(parent, child->resolve[i], refusal)) {
            refusal->index = i;
            return false;
        }
    return true;
}

bool limits_narrow(const struct socket_limits *parent, const struct socket_limits *child,
                   struct socket_refusal *refusal)
{
    if ((child->rights & ~parent->rights) != 0)
        return refuse(refusal, SOCKET_LIMIT_RIGHTS, SOCKET_FIELD_NONE, 0);
    if (child->sockets > parent->sockets)
        return refuse(refusal, SOCKET_LIMIT_SOCKETS, SOCKET_FIELD_NONE, 0);
    return ranges_inside(parent->listen, parent->listen_count, child->listen, child->listen_count,
                         SOCKET_LIMIT_LISTEN, refusal) &&
           ranges_inside(parent->connect, parent->connect_count, child->connect,
                         child->connect_count, SOCKET_LIMIT_CONNECT, refusal) &&
           suffixes_inside(parent, child, refusal);
}

/* ---- Questions ---- */

static bool range_has(const struct socket_range *range, struct ip_address address, bool own)
{
    const struct block *block;

    if (own || (range->flags & SOCKET_RANGE_OWN) != 0)
        return own && (range->flags & SOCKET_RANGE_OWN) != 0;
    if (!lies_in(address, address, range->first, range->last))
        return false;
    block = block_of(address, address);
    return block == NULL || block_of(range->first, range->last) == block;
}

/* Whether it has every address of the family of `any`, which is the first of them. */
static bool has_all(const struct socket_range *range, struct ip_address any)
{
    struct ip_address last =
        ip_is_v4(any) ? IP_V4(UINT32_MAX) : (struct ip_address){UINT64_MAX, UINT64_MAX};

    return ip_equal(range->first, any) && ip_equal(range->last, last) && range->flags == 0;
}

/* `all`: no address, but all of its family that leave the machine. */
static bool any_has(const struct socket_range *ranges, uint32_t count, enum socket_limit limit,
                    enum socket_protocol protocol, struct ip_address address, bool all, bool own,
                    uint16_t port, struct socket_refusal *refusal)
{
    enum socket_field closest = count == 0 ? SOCKET_FIELD_NONE : SOCKET_FIELD_ADDRESS;

    for (uint32_t i = 0; i < count; i++) {
        const struct socket_range *range = &ranges[i];
        bool has = all ? has_all(range, address) : range_has(range, address, own);
        enum socket_field wrong =
            first_wrong(has, (range->protocols & protocol) != 0,
                        port >= range->first_port && port <= range->last_port);

        if (wrong == SOCKET_FIELD_NONE)
            return true;
        closest = wrong > closest ? wrong : closest;
    }
    return refuse(refusal, limit, closest, 0);
}

bool limits_listen(const struct socket_limits *limits, enum socket_protocol protocol,
                   struct ip_address address, uint16_t port, struct socket_refusal *refusal)
{
    return any_has(limits->listen, limits->listen_count, SOCKET_LIMIT_LISTEN, protocol, address,
                   ip_is_any(address), false, port, refusal);
}

bool limits_connect(const struct socket_limits *limits, enum socket_protocol protocol,
                    struct ip_address address, uint16_t port, const struct own_addresses *own,
                    struct socket_refusal *refusal)
{
    if (is_nobody(address, own))
        return refuse(refusal, SOCKET_LIMIT_CONNECT, SOCKET_FIELD_ADDRESS, 0);
    return any_has(limits->connect, limits->connect_count, SOCKET_LIMIT_CONNECT, protocol, address,
                   false, limits_is_own(own, address), port, refusal);
}

bool limits_resolve(const struct socket_limits *limits, const char *name,
                    struct socket_refusal *refusal)
{
    for (uint32_t i = 0; i < limits->resolve_count; i++)
        if (dns_name_inside(name, limits->resolve[i]))
            return true;
    return refuse(refusal, SOCKET_LIMIT_RESOLVE,
                  limits->resolve_count == 0 ? SOCKET_FIELD_NONE : SOCKET_FIELD_NAME, 0);
}

bool limits_right(const struct socket_limits *limits, enum socket_right right,
                  struct socket_refusal *refusal)
{
    return (limits->rights & right) != 0 ||
           refuse(refusal, SOCKET_LIMIT_RIGHTS, SOCKET_FIELD_NONE, 0);
}

bool limits_ping(const struct socket_limits *limits, struct ip_address address,
                 const struct own_addresses *own, struct socket_refusal *refusal)
{
    if (!limits_right(limits, SOCKET_RIGHT_PING, refusal))
        return false;
    return (!is_nobody(address, own) && block_of(address, address) == NULL) ||
           refuse(refusal, SOCKET_LIMIT_RIGHTS, SOCKET_FIELD_ADDRESS, 0);
}

bool limits_sockets(const struct socket_limits *limits, uint32_t open,
                    struct socket_refusal *refusal)
{
    return open < limits->sockets || refuse(refusal, SOCKET_LIMIT_SOCKETS, SOCKET_FIELD_NONE, 0);
}
