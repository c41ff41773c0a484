// SPDX-License-Identifier: MIT
/* loopback.h - the machine to itself: see loopback.c. */
#pragma once

#include <stdbool.h>

#include "protocols/socket.h"
#include "services/net/port.h"

/* The one address of "lo". */
#define LOOPBACK_ADDRESS 0x7F000001u

/* Begins, once lwIP has. */
void loopback_open(void);
/* A packet of IP that is to come in by `netif`; a copy is taken. ERR_MEM: no room now. */
err_t loopback_put(struct netif *netif, const struct pbuf *pbuf);
/* What was put comes in, and what that causes to be sent. True: there is more. */
bool loopback_deliver(void);
/* Whether a packet of IP may leave by a card (B1). */
bool loopback_may_leave(const struct pbuf *pbuf);
/* Whether what lwIP is handing out has come by "lo". */
bool loopback_is_input(void);
/* What INTERFACES tells of it. */
void loopback_entry(struct socket_interface *entry);
