// SPDX-License-Identifier: MIT
/*
 * frame_port.h - the driver's half of the rings of a stack (protocols/frame.h): copies entries out, checks them, and
 * gives them back. The stack is hostile: it may write anything anywhere in its memory at any time. Plain memory, no
 * system calls; who attaches it is frame.h.
 *
 * P1  `held` is how many entries of `free` the driver has; `received` has room for all of them (F5).
 * P2  `sending` is how many entries of `send` the driver has; `sent` has room for all of them (F5).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/mnos/entries.h"
#include "protocols/frame.h"

struct frame_port {
    uint8_t *address; /* of the stack's memory; NULL: nobody is attached */
    uint64_t bus;     /* the same as the card reaches it: one run */
    uint32_t pages;
    uint32_t can; /* of the card: enum frame_can */
    struct frame_rings *rings;
    struct entries free, received, send, sent;
    uint32_t held, sending;
    uint32_t news;    /* of frame_wait of the stack: published, and not yet told */
    uint64_t refused; /* entries that could not be */
};

/* Begins with empty rings, which it writes: nobody else looks at them until the stack has been answered. `memory` is
 * of `pages` pages, at least FRAME_RING_PAGES; `info` is what the stack was told of the card. */
void frame_port_open(struct frame_port *port, void *memory, uint64_t bus, uint32_t pages,
                     const struct frame_info *info);
/* The stack broke the rules of the indexes: nothing more comes of it until it is attached anew. */
bool frame_port_broken(const struct frame_port *port);

/* The next room for a frame: FRAME_HEADER_ROOM bytes and more. False: there is none, or no room for its answer. */
bool frame_port_take_free(struct frame_port *port, struct frame_entry *entry);
/* A part of a frame that lies in what was taken from `free`. */
void frame_port_received(struct frame_port *port, const struct frame_entry *entry);

/* The next frame to send, at most FRAME_SEGMENTS_MAX entries; those of one that cannot be, or that wants of the card what it
 * cannot do, are answered with FRAME_FAILED. Their number, or 0: there is none, or no room for the answers. It is taken by
 * frame_port_take_send(), so that a card without room leaves it where it is. */
uint32_t frame_port_look_send(struct frame_port *port, struct frame_entry *entries);
void frame_port_take_send(struct frame_port *port, uint32_t count);
/* An entry of a frame is the stack's again; `flags`: 0 or FRAME_FAILED. */
void frame_port_sent(struct frame_port *port, const struct frame_entry *entry, uint32_t flags);

/* The cable was plugged in or out. */
void frame_port_link(struct frame_port *port, bool link);

/* Publishes what was received and sent. True: the stack waits for it, and is to be told. */
bool frame_port_publish(struct frame_port *port);
/* F3, before the driver waits. False: there is something to do already. `hungry`: the card has not all the room for
 * frames that it could have; `idle`: it takes more to send. */
bool frame_port_sleep(struct frame_port *port, bool hungry, bool idle);

static inline uint8_t *frame_port_at(const struct frame_port *port, const struct frame_entry *entry)
{
    return port->address + (uint64_t)entry->page * 4096 + entry->offset;
}

static inline uint64_t frame_port_bus(const struct frame_port *port,
                                      const struct frame_entry *entry)
{
    return port->bus + (uint64_t)entry->page * 4096 + entry->offset;
}
