// SPDX-License-Identifier: MIT
/*
 * frame.h - labels and records of the frame protocol, and the rings that a stack shares with the driver of a
 * network card.
 *
 * The stack's memory begins with struct frame_rings; the pages behind are buffers. An entry names bytes of one page,
 * and each ring has one producer. A batch is published by one release store of `written`; the other side is told by
 * one event, and only if its word says that it waits.
 *
 *   free      stack -> driver    room for frames to come
 *   received  driver -> stack    frames
 *   send      stack -> driver    frames to send
 *   sent      driver -> stack    what was in `send`, each entry once
 *
 * F1  A buffer is in one ring, or in the hands of who took it from there last. Both sides check every index and every
 *     entry; one that cannot be is dropped and counted.
 * F2  A frame may be lost at any time, and none is a promise. After the driver has died and the next run has answered
 *     ATTACH every buffer is the stack's.
 * F3  A side that is about to wait stores what it waits for into its word, and looks at the rings once more. The other
 *     publishes, then takes the word and, if it names that ring, sets the event.
 * F4  A frame of several entries has FRAME_MORE in all but the last, and is published as a whole.
 * F5  The driver takes no more from `free` than `received` has room for, and no more from `send` than `sent` has: who
 *     does not take what is for it is served no further, and nothing is overwritten.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "abi/types.h"

enum frame_label {
#define REQUEST(label, name, class, request, reply, text) FRAME_##name = (label),
#include "protocols/frame.def"
#undef REQUEST
};

/* At the driver's endpoint: something is in a ring that it waits for. */
#define FRAME_EVENT_SUBMITTED (1ull << 0)

#define FRAME_ENTRIES 512u    /* of each ring */
#define FRAME_SEGMENTS_MAX 8u /* entries of one frame */
#define FRAME_BYTES_MAX                                                                            \
    1518u /* of one frame to send: 1500 bytes, addresses, type, and a VLAN's tag */
#define FRAME_BYTES_MIN 14u      /* addresses and type */
#define FRAME_HEADER_ROOM 16u    /* that a driver may need in front of a frame that is received */
#define FRAME_PAGES_MAX 0x10000u /* of the stack's memory, rings included */

enum frame_can {
    FRAME_CAN_CHECKSUM = 1, /* it fills in the checksums of frames with FRAME_CHECKSUM_NEEDED */
};

#define FRAME_MTU_MIN 68u /* what each link of IPv4 takes (RFC 791, 3.2) */
#define FRAME_MTU_MAX 1500u

struct frame_info {
    uint8_t mac[6];
    uint16_t mtu;  /* bytes behind the addresses and the type: FRAME_MTU_MIN to FRAME_MTU_MAX */
    uint32_t can;  /* enum frame_can */
    uint32_t link; /* 1: the cable is in, as far as the card knows */
};
_Static_assert(sizeof(struct frame_info) == 16, "shared between programs");

struct frame_attach {
    uint64_t
        events; /* set at the stack's endpoint when there is something in a ring that it waits for */
};

struct frame_attached {
    uint64_t epoch; /* another one for each ATTACH, never 0 */
};

/* In `flags` of an entry. */
enum frame_flag {
    FRAME_MORE = 1,            /* the frame goes on in the next entry */
    FRAME_CHECKSUM_GOOD = 2,   /* received: the card has checked the checksum of TCP or UDP */
    FRAME_CHECKSUM_NEEDED = 4, /* send: sum from `start` to the end, put at `start` + `field` */
    FRAME_FAILED =
        8, /* sent: it was not; received: what was in `free` is no room, and comes back */
};
/* Of FRAME_CHECKSUM_NEEDED, in the first entry of the frame: bytes from its beginning, and from there. */
#define FRAME_CHECKSUM(start, field) ((uint32_t)(start) << 8 | (uint32_t)(field) << 16)
#define FRAME_CHECKSUM_START(flags) ((flags) >> 8 & 0xFF)
#define FRAME_CHECKSUM_FIELD(flags) ((flags) >> 16 & 0xFF)

struct frame_entry {
    uint32_t page; /* of the stack's memory; never one of the rings */
    uint16_t offset;
    uint16_t bytes; /* offset + bytes is at most a page */
    uint32_t flags;
    uint32_t cookie; /* the stack's own; comes back as it was */
};
_Static_assert(sizeof(struct frame_entry) == 16, "shared between programs");

struct frame_ring {
    _Alignas(64) _Atomic uint32_t written; /* by the producer */
    _Alignas(64) _Atomic uint32_t taken;   /* by the consumer */
    _Alignas(64) struct frame_entry entries[FRAME_ENTRIES];
};

/* What a side waits for, in its word. */
enum frame_wait {
    FRAME_WAITS_FREE = 1,     /* driver: room for frames to come */
    FRAME_WAITS_SEND = 2,     /* driver */
    FRAME_WAITS_RECEIVED = 1, /* stack */
    FRAME_WAITS_SENT = 2,     /* stack */
    FRAME_WAITS_LINK = 4,     /* stack: `link` has changed */
};

struct frame_rings {
    _Alignas(64) _Atomic uint32_t driver_waits;
    _Alignas(64) _Atomic uint32_t stack_waits;
    _Alignas(64) _Atomic uint32_t link; /* by the driver */
    struct frame_ring free, received, send, sent;
};
#define FRAME_RING_PAGES 9u
_Static_assert(sizeof(struct frame_rings) <= FRAME_RING_PAGES * 4096, "the rings' pages");
