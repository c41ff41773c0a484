// SPDX-License-Identifier: MIT
/*
 * address.h - an address of IP, as programs tell each other: 128 bits as a number, its first byte the highest. An address
 * of IPv4 is the one of IPv6 that stands for it, ::ffff:a.b.c.d (RFC 4291, 2.5.5.2); so each machine has one name here,
 * whoever writes it how.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct ip_address {
    uint64_t high, low;
};

/* Of a number in which 10.0.2.15 is 0x0A00020F. */
#define IP_V4(number) ((struct ip_address){0, 0xFFFF00000000ull | (uint32_t)(number)})
/* No address at all, or all of IPv6: `::`. */
#define IP_NONE ((struct ip_address){0, 0})

static inline bool ip_is_v4(struct ip_address address)
{
    return address.high == 0 && address.low >> 32 == 0xFFFF;
}

/* As for IP_V4(), of an address of IPv4. */
static inline uint32_t ip_v4_of(struct ip_address address)
{
    return (uint32_t)address.low;
}

static inline bool ip_equal(struct ip_address a, struct ip_address b)
{
    return a.high == b.high && a.low == b.low;
}

static inline bool ip_is_none(struct ip_address address)
{
    return (address.high | address.low) == 0;
}

/* Whether it is `::` or 0.0.0.0: for a socket of the machine, all addresses of that family. */
static inline bool ip_is_any(struct ip_address address)
{
    return ip_is_none(address) || ip_equal(address, IP_V4(0));
}

/* All addresses of the family of that one. */
static inline struct ip_address ip_any_beside(struct ip_address address)
{
    return ip_is_v4(address) ? IP_V4(0) : IP_NONE;
}

static inline bool ip_at_most(struct ip_address a, struct ip_address b)
{
    return a.high < b.high || (a.high == b.high && a.low <= b.low);
}
