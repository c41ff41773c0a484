// SPDX-License-Identifier: MIT
/* hooks.h - what lwIP asks of us in the middle of its work (lwipopts.h); the functions are in port.c, loopback.c,
 * connection.c, lookup.c and names.c. */
#pragma once

#include "lwip/ip_addr.h"
#include "lwip/pbuf.h"
#include "services/net/cookie.h"

struct tcp_hdr;
struct tcp_pcb;

/* A server of names that DHCP has told: names.c. What lwIP's own resolver would define, which is not built. */
void dns_setserver(u8_t number, const ip_addr_t *server);
/* The first sequence number of a connection (RFC 6528). */
uint32_t port_sequence(const ip_addr_t *local, uint16_t local_port, const ip_addr_t *remote,
                       uint16_t remote_port);

/* A packet of IP that nobody may send: 1, and it is freed (loopback.c, B1). */
int loopback_refuses_packet(struct pbuf *pbuf);
int loopback_refuses_packet6(struct pbuf *pbuf);
/* A segment for a listener that is not for it: an error, and it has been answered. */
int loopback_refuses_connection(struct tcp_pcb *listener, const struct tcp_hdr *head);

/* A segment of the connection has come, or is about to leave; NULL: it is of none (connection.c). */
void port_segment(const struct tcp_pcb *pcb);

/* The connection of these two ends: one that is active, else one in TIME_WAIT; NULL: there is none (lookup.c). */
struct tcp_pcb *lookup_find(const ip_addr_t *local, uint16_t local_port, const ip_addr_t *remote,
                            uint16_t remote_port);
