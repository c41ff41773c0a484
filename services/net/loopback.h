// SPDX-License-Identifier: MIT
/* loopback.h - the machine to itself: see loopback.c. */
#pragma once

#include <stdbool.h>

#include "protocols/socket.h"
#include "services/net/port.h"

/* The addresses of "lo", one of each family. */
#define LOOPBACK_ADDRESS 0x7F000001u
#define LOOPBACK_ADDRESS6 ((struct ip_address){0, 1})

static inline bool loopback_is_address(struct ip_address address)
{
    return ip_equal(address, IP_V4(LOOPBACK_ADDRESS)) || ip_equal(address, LOOPBACK_ADDRESS6);
}

/* The one of the family of another address. */
static inline struct ip_address loopback_beside(struct ip_address address)
{
    return ip_is_v4(address) ? IP_V4(LOOPBACK_ADDRESS) : LOOPBACK_ADDRESS6;
}

/* Begins, once lwIP has. */
void loopback_open(void);
/* A packet of IP that is to come in by `netif`; a copy is taken. ERR_MEM: no room now. */
err_t loopback_put(struct netif *netif, const struct pbuf *pbuf);
/* What was put comes in, and what that causes to be sent. True: there is more. */
bool loopback_deliver(void);
/* Whether an address is of this machine. */
bool loopback_is_own(struct ip_address address);
/* Whether a packet of IP may leave by a card (B1). */
bool loopback_may_leave(const struct pbuf *pbuf);
bool loopback_may_leave6(const struct pbuf *pbuf);
/* Whether what lwIP is handing out has come by "lo". */
bool loopback_is_input(void);
/* What INTERFACES tells of it. */
void loopback_entry(struct socket_interface *entry);
