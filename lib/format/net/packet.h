// SPDX-License-Identifier: MIT
/*
 * packet.h - what a frame of Ethernet carries, as far as a filter, or a line for people, has to know it. Plain data; it may be
 * any bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocols/address.h"

enum packet_kind {
    PACKET_OTHER, /* neither of these, or cut before its addresses */
    PACKET_ARP,   /* of IPv4 */
    PACKET_IP,    /* of either family */
};

/* Protocols of IP. */
#define PACKET_ICMP 1u
#define PACKET_TCP 6u
#define PACKET_UDP 17u
#define PACKET_ICMP6 58u

struct packet {
    uint8_t kind;     /* enum packet_kind */
    uint8_t protocol; /* PACKET_IP: behind the headers of IPv6 that are known */
    uint8_t tcp_flags;
    bool has_ports; /* of TCP or UDP: the first fragment alone has them */
    uint16_t type;  /* of Ethernet */
    uint16_t source_port, target_port;
    struct ip_address source, target;
    uint32_t bytes; /* behind that header, as the packet says */
};

/* False: it is shorter than the header of Ethernet. */
bool packet_read(const uint8_t *frame, size_t bytes, struct packet *packet);
/* Whether it comes from there or goes there: to the host, IP_NONE for any, and to the port, 0 for any, of the one end or of the
 * other. What has no ports is of no port, and what has no addresses of no host. */
bool packet_is_of(const struct packet *packet, struct ip_address host, uint16_t port);
