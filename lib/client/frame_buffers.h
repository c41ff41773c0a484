// SPDX-License-Identifier: MIT
/*
 * frame_buffers.h - the stack's half of the rings of protocols/frame.h, and its table of who has which buffer. The
 * driver may be faulty and writes anything into the rings: every entry is held against the table. Plain memory, no
 * system calls; attaching is frame.h.
 *
 * A buffer is half a page and has a number, which is the cookie of its entries: those below FRAME_RECEIVE_BUFFERS are
 * for frames to come, the others for frames to send.
 *
 * W1  A buffer is the driver's from frame_give() or frame_send() until frame_take() or the ring `sent` has brought it
 *     back, or frame_buffers_begin() has taken all back; in between nobody here touches it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/mnos/entries.h"
#include "protocols/frame.h"

#define FRAME_RECEIVE_BUFFERS 256u
#define FRAME_SEND_BUFFERS 128u
#define FRAME_BUFFERS (FRAME_RECEIVE_BUFFERS + FRAME_SEND_BUFFERS)
#define FRAME_BUFFER_BYTES 2048u
#define FRAME_MEMORY_PAGES (FRAME_RING_PAGES + FRAME_BUFFERS / 2)
/* In front of a frame: with it the bytes behind an Ethernet header are aligned to 4, in either direction. */
#define FRAME_PADDING 2u

enum frame_owner { FRAME_STACKS, FRAME_DRIVERS };

struct frame_buffers {
    uint8_t *address;
    struct frame_rings *rings;
    struct entries free, received, send, sent;
    uint8_t owner[FRAME_BUFFERS];        /* enum frame_owner */
    uint16_t unused[FRAME_SEND_BUFFERS]; /* for frames to send */
    uint32_t unused_count;
    bool given, wrote; /* put into `free`, `send`, and not yet published */
    uint64_t refused;  /* entries of the driver that could not be */
};

/* A frame that came: one buffer, or part of one. */
struct frame_part {
    uint32_t buffer;
    uint8_t *bytes;
    uint32_t count;
    uint32_t flags; /* enum frame_flag */
};

/* Rings that the driver has just emptied; every buffer is the stack's, and none is given yet: the caller gives those
 * for frames to come, but the ones that it still reads. */
void frame_buffers_begin(struct frame_buffers *buffers, void *memory);

/* A buffer for frames to come that nobody here uses any more. False: there is no room, which cannot be. */
bool frame_give(struct frame_buffers *buffers, uint32_t buffer);
/* The next that the driver has filled; it is the stack's until frame_give(). False: there is none, or too many
 * before it that cannot be: frame_buffers_sleep() tells. */
bool frame_take(struct frame_buffers *buffers, struct frame_part *part);

/* A buffer to write a frame of at most FRAME_BYTES_MAX bytes into, or NULL: all are on their way. */
uint8_t *frame_send_buffer(struct frame_buffers *buffers, uint32_t *buffer);
/* Sends what was written there; `flags` as for an entry. */
void frame_send(struct frame_buffers *buffers, uint32_t buffer, uint32_t bytes, uint32_t flags);
/* The buffer is not sent after all. */
void frame_unsend(struct frame_buffers *buffers, uint32_t buffer);

/* Publishes what was given and sent. True: the driver waits for it, and is to be told. */
bool frame_buffers_publish(struct frame_buffers *buffers);
/* F3, before the stack waits. False: there is something already. `starved`: it waits for buffers to send too. */
bool frame_buffers_sleep(struct frame_buffers *buffers, bool starved);
/* Whether the driver has put nothing that the stack waits for since it began to: then an event comes when it does. */
bool frame_buffers_wait(const struct frame_buffers *buffers);
/* The driver broke the rules of the indexes: attach anew. */
bool frame_buffers_broken(const struct frame_buffers *buffers);
