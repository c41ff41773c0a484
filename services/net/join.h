// SPDX-License-Identifier: MIT
/*
 * join.h - segments of one connection that come one behind the other in a batch of frames go to lwIP as one: it looks for
 * the connection, moves its window and acknowledges once for all of them.
 *
 * J1  A segment is joined to those before it only if lwIP, given each of them alone, would have done nothing but take its
 *     bytes: same ends, the next sequence number, the same acknowledgement, window and options but for the time
 *     stamps, and no flag but ACK and PSH. All else goes alone, in the order in which it came.
 *     An acknowledgement without bytes takes the place of the one before it if it acknowledges more and is alike else, as if
 *     that one had been lost; but of no more than JOIN_ACKS, since each that lwIP hears opens the congestion window by
 *     two segments at most.
 * J2  Its checksums are right: IP's and TCP's are looked at here, unless the card has, and by lwIP no more.
 * J3  A chain is as long as one packet of IP could be, at most JOIN_SEGMENTS, and none outlives the batch.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "services/net/port.h"

#define JOIN_SEGMENTS 16u
#define JOIN_BYTES 24576u /* of payload */
#define JOIN_ACKS 4u

struct join {
    struct netif *netif;
    struct pbuf *chain; /* NULL: none; its first begins with the frame's header */
    struct pbuf *last;  /* of the chain */
    uint32_t count;     /* of segments */
    uint32_t next;      /* the sequence number behind it */
    uint32_t bytes;     /* of payload */
    uint32_t head;      /* bytes of headers of IP and TCP */
};

/* A frame that came by `netif`, whose pbuf is given away. `good`: the card has looked at the checksum of TCP or UDP. */
void join_frame(struct join *join, struct netif *netif, struct pbuf *pbuf, bool good);
/* The end of the batch. */
void join_end(struct join *join);
