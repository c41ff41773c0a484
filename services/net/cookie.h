// SPDX-License-Identifier: MIT
/*
 * cookie.h - connections that are half open without a place for them: SYN cookies (RFC 4987, 3.6).
 *
 * A listener has places for NET_HALF_OPEN connections that a peer has begun and not acknowledged yet, and none when three
 * quarters of all connections are in use. A SYN beyond that is answered all the same, and nothing is kept of it: the number
 * that the answer begins with says, by a key that nobody knows, to whom it was given, when, and for which size of segments.
 * Who acknowledges it has shown that it gets what is sent to its address, and then there is a connection. What it costs is
 * time stamps, and window scaling of the peer, which need more than 32 bits.
 */
#pragma once

#include <stdint.h>

struct tcp_hdr;
struct tcp_pcb;
struct tcp_pcb_listen;

/* A segment that came for a listener (hooks.h): an error, and it has been seen to, or is dropped. `first` and `second`: its
 * options, in two parts. */
int cookie_refuses(struct tcp_pcb *listener, const struct tcp_hdr *head, uint32_t first_bytes,
                   const uint8_t *second, uint32_t second_bytes);
/* The half open connection that the segment acknowledges, made now; NULL: it acknowledges none, or there is no place. */
struct tcp_pcb *cookie_connection(struct tcp_pcb_listen *listener, const struct tcp_hdr *head);
