// SPDX-License-Identifier: MIT
/*
 * port.h - what we use of lwIP, and what it uses of us: the one file that includes its headers. lwIP runs in the one
 * thread of this service, and calls no system call.
 */
#pragma once

#include "lwip/dhcp.h"
#include "lwip/etharp.h"
#include "lwip/ethip6.h"
#include "lwip/icmp.h"
#include "lwip/icmp6.h"
#include "lwip/inet_chksum.h"
#include "lwip/init.h"
#include "lwip/ip.h"
#include "lwip/ip4_frag.h"
#include "lwip/ip6_frag.h"
#include "lwip/mld6.h"
#include "lwip/nd6.h"
#include "lwip/netif.h"
#include "lwip/pbuf.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/prot/dhcp.h"
#include "lwip/prot/icmp.h"
#include "lwip/prot/ip4.h"
#include "lwip/prot/ip6.h"
#include "lwip/raw.h"
#include "lwip/sys.h"
#include "lwip/tcp.h"
#include "lwip/udp.h"
#include "netif/ethernet.h"

#include "abi/types.h"
#include "protocols/address.h"

/* Interfaces are numbered so that a card has the same number in each run: `lo` 0, then the cards. lwIP's zones are one more. */
#define PORT_CARD_NUMBER(card) ((u8_t)(1 + (card)))
#define PORT_FIRST_ZONE 2u

/* Begins with lwIP. `key`: 32 bytes that nobody knows, of this run alone. */
void port_open(const uint8_t key[32]);
/* Addresses of protocols/address.h, and lwIP's. Those of one link say in lwIP of which: programs mean that of the first
 * card. */
ip_addr_t port_to_lwip(struct ip_address address);
/* Which link an address is of; 0: of none. And one of which that is known. */
uint8_t port_zone(const ip_addr_t *address);
ip_addr_t port_to_lwip_at(struct ip_address address, uint8_t zone);
struct ip_address port_address(const ip_addr_t *address);
struct ip_address port_address6(const ip6_addr_t *address);
/* A port that nobody foretells, for a connection from here: 49152 to 65535 (RFC 6335). */
uint16_t port_of_own(void);
#define PORTS_OF_OWN 16384u
/* The one behind it; behind the last, the first: PORTS_OF_OWN steps pass through all. */
uint16_t port_behind(uint16_t port);
/* A number that only this run can have made of the ends of a connection and of `more`. */
uint32_t port_proof(const ip_addr_t *local, uint16_t local_port, const ip_addr_t *remote,
                    uint16_t remote_port, uint32_t more);
/* What an error of lwIP's is to a client. */
mnos_status_t port_status(err_t error);
