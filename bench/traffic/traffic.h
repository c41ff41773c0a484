// SPDX-License-Identifier: MIT
/*
 * traffic.h - what the network costs, through the whole system as it is: bench/traffic.py boots this program twice, as
 * the service that measures and as the peer that answers it; and, in a boot of its own, as the first client.
 *
 * On the kernel's command line: `only=TEXT` chooses the metrics whose name contains it, as in bench/disk.
 */
#pragma once

#include "bench/disk/busy.h"
#include "lib/client/socket.h"

#define LOOPBACK IP_V4(0x7F000001)
#define PEER_ECHO 7100u /* TCP and UDP: what comes goes back */
#define PEER_SINK 7101u /* TCP: one byte goes back for each STREAM_BYTES */
#define STREAM_BYTES (4096u * KIB)
#define MESSAGE_BYTES 64u

/* All bytes, waiting for room. False: it is told. */
bool send_all(struct socket *socket, const void *bytes, size_t count);
/* At least one byte; 0: the end, or it failed. */
size_t receive_some(struct socket *socket, void *bytes, size_t count);
/* So many bytes, or it is told. */
bool receive_all(struct socket *socket, void *bytes, size_t count);
/* A connection. False: it is told. */
bool connect_to(struct socket_session *session, struct ip_address address, uint32_t port,
                struct socket *socket);

int peer_run(void);                             /* peer.c */
int first_run(void);                            /* first.c */
void measure_loopback(struct socket_session *); /* loopback.c */
void measure_card(struct socket_session *);     /* card.c */
void measure_http(struct socket_session *);     /* http.c */
