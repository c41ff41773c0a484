// SPDX-License-Identifier: MIT
/*
 * limits.h - what a session may do (protocols/socket.h), and whether one is a part of another. Plain data: host tests
 * compile this as it is.
 *
 * L1  What limits_narrow() lets through allows nothing that the limits above it refuse.
 * L2  A refusal names the limit, and of a range the field that came closest.
 */
#pragma once

#include <stdbool.h>

#include "protocols/socket.h"

/* The addresses of this machine that leave it. */
struct own_addresses {
    uint32_t count;
    struct ip_address address[8];
    struct ip_address
        broadcast[8]; /* what all of the network behind that address hear; of IPv6 none */
};

bool limits_is_loopback(struct ip_address address);
bool limits_is_own(const struct own_addresses *own, struct ip_address address);
/* Whether the numbers in it can be. */
bool limits_valid(const struct socket_limits *limits);
/* Whether `child` is a part of `parent`. */
bool limits_narrow(const struct socket_limits *parent, const struct socket_limits *child,
                   struct socket_refusal *refusal);

/* Whether a socket may be bound to a local address; 0.0.0.0 or ::, all of that family that leave the
 * machine. */
bool limits_listen(const struct socket_limits *limits, enum socket_protocol protocol,
                   struct ip_address address, uint16_t port, struct socket_refusal *refusal);
/* Whether a peer may be connected to, or sent to. */
bool limits_connect(const struct socket_limits *limits, enum socket_protocol protocol,
                    struct ip_address address, uint16_t port, const struct own_addresses *own,
                    struct socket_refusal *refusal);
/* Whether an address may be pinged: those that leave the machine, one by one. */
bool limits_ping(const struct socket_limits *limits, struct ip_address address,
                 const struct own_addresses *own, struct socket_refusal *refusal);
/* Whether a name may be asked for; it is clean (lib/format/net/dns.h). */
bool limits_resolve(const struct socket_limits *limits, const char *name,
                    struct socket_refusal *refusal);
bool limits_right(const struct socket_limits *limits, enum socket_right right,
                  struct socket_refusal *refusal);
bool limits_sockets(const struct socket_limits *limits, uint32_t open,
                    struct socket_refusal *refusal);
