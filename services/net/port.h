// SPDX-License-Identifier: MIT
/*
 * port.h - what we use of lwIP, and what it uses of us: the one file that includes its headers. lwIP runs in the one
 * thread of this service, and calls no system call.
 */
#pragma once

#include "lwip/dhcp.h"
#include "lwip/etharp.h"
#include "lwip/icmp.h"
#include "lwip/inet_chksum.h"
#include "lwip/init.h"
#include "lwip/ip.h"
#include "lwip/netif.h"
#include "lwip/pbuf.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/prot/dhcp.h"
#include "lwip/prot/icmp.h"
#include "lwip/prot/ip4.h"
#include "lwip/raw.h"
#include "lwip/sys.h"
#include "lwip/tcp.h"
#include "lwip/timeouts.h"
#include "lwip/udp.h"
#include "netif/ethernet.h"

#include "abi/types.h"

/* Begins with lwIP. `key`: 32 bytes that nobody knows, of this run alone. */
void port_open(const uint8_t key[32]);
/* When its timers are to be looked at, in nanoseconds since boot; MNOS_DEADLINE_NEVER: none runs. */
uint64_t port_deadline_ns(void);
/* A port that nobody foretells, for a connection from here: 49152 to 65535 (RFC 6335). */
uint16_t port_of_own(void);
#define PORTS_OF_OWN 16384u
/* The one behind it; behind the last, the first: PORTS_OF_OWN steps pass through all. */
uint16_t port_behind(uint16_t port);
/* What an error of lwIP's is to a client. */
mnos_status_t port_status(err_t error);
