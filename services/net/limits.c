// SPDX-License-Identifier: MIT
/* limits - see limits.h. */
#include "services/net/limits.h"

#include <stddef.h>

#include "lib/base/string.h"
#include "lib/format/net/dns.h"

#define ALL_PROTOCOLS (SOCKET_TCP | SOCKET_UDP)
#define ALL_RIGHTS (SOCKET_RIGHT_PING | SOCKET_RIGHT_OBSERVE)

/* Addresses that no wider range means: RFC 6890. */
static const struct block {
    uint32_t first, last;
} blocks[] = {
    {0x7F000000, 0x7FFFFFFF}, /* loopback */
    {0xA9FE0000, 0xA9FEFFFF}, /* link-local */
    {0xE0000000, 0xEFFFFFFF}, /* multicast */
};

static const struct block *block_of(uint32_t first, uint32_t last)
{
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
        if (first >= blocks[i].first && last <= blocks[i].last)
            return &blocks[i];
    return NULL;
}

bool limits_is_loopback(uint32_t address)
{
    return block_of(address, address) == &blocks[0];
}

bool limits_is_own(const struct own_addresses *own, uint32_t address)
{
    for (uint32_t i = 0; i < own->count; i++)
        if (own->address[i] == address)
            return true;
    return false;
}

/* Addresses that nothing is sent to: this network, reserved ones, and broadcasts. */
static bool is_nobody(uint32_t address, const struct own_addresses *own)
{
    bool all = false;

    for (uint32_t i = 0; i < own->count; i++)
        all |= own->broadcast[i] == address && own->address[i] != address;
    return all || address >> 24 == 0 || address >= 0xF0000000;
}

static bool range_valid(const struct socket_range *range)
{
    return range->first <= range->last && range->first_port <= range->last_port &&
           range->protocols != 0 && (range->protocols & ~ALL_PROTOCOLS) == 0 &&
           (range->flags & ~SOCKET_RANGE_OWN) == 0 && range->reserved == 0;
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
    if (block != NULL && block_of(parent->first, parent->last) != block)
        return false;
    return child->first >= parent->first && child->last <= parent->last;
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

static bool range_has(const struct socket_range *range, uint32_t address, bool own)
{
    const struct block *block = block_of(address, address);

    if (own || (range->flags & SOCKET_RANGE_OWN) != 0)
        return own && (range->flags & SOCKET_RANGE_OWN) != 0;
    if (block != NULL && block_of(range->first, range->last) != block)
        return false;
    return address >= range->first && address <= range->last;
}

/* `all`: no address, but all that leave the machine. */
static bool any_has(const struct socket_range *ranges, uint32_t count, enum socket_limit limit,
                    enum socket_protocol protocol, uint32_t address, bool all, bool own,
                    uint16_t port, struct socket_refusal *refusal)
{
    enum socket_field closest = count == 0 ? SOCKET_FIELD_NONE : SOCKET_FIELD_ADDRESS;

    for (uint32_t i = 0; i < count; i++) {
        const struct socket_range *range = &ranges[i];
        bool has = all ? range->first == 0 && range->last == UINT32_MAX && range->flags == 0
                       : range_has(range, address, own);
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
                   uint32_t address, uint16_t port, struct socket_refusal *refusal)
{
    return any_has(limits->listen, limits->listen_count, SOCKET_LIMIT_LISTEN, protocol, address,
                   address == 0, false, port, refusal);
}

bool limits_connect(const struct socket_limits *limits, enum socket_protocol protocol,
                    uint32_t address, uint16_t port, const struct own_addresses *own,
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

bool limits_ping(const struct socket_limits *limits, uint32_t address,
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
