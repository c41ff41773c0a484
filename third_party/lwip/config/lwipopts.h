// SPDX-License-Identifier: MIT
/* lwipopts.h - which parts of lwIP we use, and how large its tables are. */
#pragma once

/* One event loop, no threads: services/net/main.c. */
#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_SOCKET 0
#define LWIP_NETCONN 0
#define LWIP_TIMERS 0 /* services/net/timers.c */

#define LWIP_IPV4 1
#define LWIP_IPV6 1
#define IPV6_FRAG_COPYHEADER 1 /* of machines with 64 bits lwIP demands it */
/* A card's own address of its link, and those of two networks. */
#define LWIP_IPV6_NUM_ADDRESSES 3
#define LWIP_ND6_NUM_NEIGHBORS 32
#define LWIP_ND6_NUM_DESTINATIONS 32
#define MEMP_NUM_ND6_QUEUE 32
#define MEMP_NUM_MLD6_GROUP 16
#define LWIP_ARP 1
#define LWIP_ICMP 1
#define LWIP_RAW 1 /* for the answers to pings of our own */
#define LWIP_UDP 1
#define LWIP_TCP 1
#define LWIP_DHCP 1
/* Names are asked for by services/net/names.c; dhcp.c alone is compiled with 1 (make/user.mk), so that it asks for the
 * servers and tells them. */
#ifndef LWIP_DNS
#define LWIP_DNS 0
#endif
#define DNS_MAX_SERVERS 2
/* Who knows the time: services/net/time_servers.c. */
#define LWIP_DHCP_GET_NTP_SRV 1
#define LWIP_DHCP_MAX_NTP_SERVERS 2
#define LWIP_IGMP 0
#define LWIP_AUTOIP 0
#define LWIP_STATS 0

/* No probe before an address is used: it takes 5 to 7 s. One gratuitous ARP tells that it is ours, and it is
 * defended from then on. */
#define LWIP_ACD 0
#define LWIP_DHCP_DOES_ACD_CHECK 0
#define LWIP_DHCP_BOOTP_FILE 0

/* A frame that is to be sent is copied into a buffer of the driver's, one that comes lies in one. */
#define MEM_ALIGNMENT 8
#define LWIP_SUPPORT_CUSTOM_PBUF 1
/* What waits for an answer of ARP is copied unless lwIP has all of it: bytes that TCP sends lie in a client's ring, and
 * the ring goes with its socket, but what waits does not. */
#define PBUF_NEEDS_COPY(p) pbuf_match_allocsrc(p, PBUF_ROM)
#define LWIP_NETIF_TX_SINGLE_PBUF 0
#define ETH_PAD_SIZE 0
#define PBUF_POOL_SIZE 64
#define PBUF_POOL_BUFSIZE 1536

/* Memory of a few sizes, in constant time (lwippools.h). */
#define MEM_USE_POOLS 1
#define MEMP_USE_CUSTOM_POOLS 1
#define MEM_USE_POOLS_TRY_BIGGER_POOL 1

#define MEMP_NUM_PBUF 1024
#define MEMP_NUM_RAW_PCB 4
#define MEMP_NUM_UDP_PCB 1186 /* of sockets, questions for names, and DHCP */
#define MEMP_NUM_TCP_PCB 1280
#define MEMP_NUM_TCP_PCB_LISTEN 64
#define MEMP_NUM_TCP_SEG 2048
#define MEMP_NUM_REASSDATA 16
#define MEMP_NUM_ARP_QUEUE 32
#define ARP_TABLE_SIZE 64
#define ARP_QUEUEING 1
#define ARP_QUEUE_LEN 16 /* what connections send at once before their router is known, after a start too */
#define ETHARP_TRUST_IP_MAC 0
#define IP_REASS_MAX_PBUFS 32 /* pieces of datagrams that may never be whole leave half of the copies free */
#define IP_FORWARD 0

/* TCP: the window is the room of a socket's ring (SOCKET_RING_BYTES), so that what was announced fits. A segment is as
 * long as its interface allows, 1,460 bytes on Ethernet; on loopback longer than there (loopback.c). */
#define TCP_MSS 10936
/* Who says that it takes less takes this much: a segment costs the same whatever is in it. As with Linux; hosts of IPv4
 * that take less than 536 are few (RFC 9293, 3.7.1). */
#define TCP_MSS_LEAST 48
#define TCP_WND 32768
#define LWIP_WND_SCALE 1
#define TCP_RCV_SCALE 0
#define TCP_SND_BUF 32768
#define TCP_SND_QUEUELEN 256
#define TCP_SNDLOWAT 16384
#define TCP_QUEUE_OOSEQ 1
#define TCP_OOSEQ_MAX_PBUFS 48
#define LWIP_TCP_SACK_OUT 1
#define LWIP_TCP_TIMESTAMPS 1
#define TCP_LISTEN_BACKLOG 1
#define LWIP_TCP_KEEPALIVE 1
#define SO_REUSE 1 /* connections that have ended keep nobody from a port; two listeners: socket_port_used() */

/* Numbers that nobody foretells: services/net/port.c. */
#define LWIP_HOOK_TCP_ISN port_sequence
#define LWIP_RANDOMIZE_INITIAL_LOCAL_PORTS 1
/* Connections outlive this process: services/net/connection.c. */
#define LWIP_TCP_PCB_NUM_EXT_ARGS 1
#define LWIP_HOOK_TCP_OUT_ADD_TCPOPTS(pbuf, head, pcb, options) (port_segment(pcb), (options))
#define LWIP_HOOK_FILENAME "services/net/hooks.h"
/* What comes from nobody, and who may be connected to over loopback: services/net/loopback.c. */
#define LWIP_HOOK_IP4_INPUT(pbuf, netif) loopback_refuses_packet(pbuf)
#define LWIP_HOOK_IP6_INPUT(pbuf, netif) loopback_refuses_packet6(pbuf)
#define LWIP_HOOK_TCP_INPACKET_PCB(pcb, head, option_bytes, first_bytes, second, pbuf)             \
    ((pcb)->state == LISTEN ? cookie_refuses(pcb, head, first_bytes, second,                       \
                                             (option_bytes) - (first_bytes))                       \
                            : (port_segment(pcb), ERR_OK))
/* Which connection a segment is of: services/net/lookup.c. */
#define LWIP_HOOK_TCP_FIND_PCB(head)                                                               \
    lookup_find(ip_current_dest_addr(), (head)->dest, ip_current_src_addr(), (head)->src)
/* Half open connections without a place: services/net/cookie.h. */
#define LWIP_HOOK_TCP_LISTEN_ACK(listener, head) cookie_connection(listener, head)

/* Whether a checksum of a frame is looked at is decided for each frame: the card may have done it. */
#define LWIP_CHECKSUM_CTRL_PER_NETIF 1
#define LWIP_CHECKSUM_ON_COPY 0

#define LWIP_NETIF_LINK_CALLBACK 0
#define LWIP_NETIF_STATUS_CALLBACK 1
#define LWIP_NETIF_HOSTNAME 1
