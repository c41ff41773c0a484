// SPDX-License-Identifier: MIT
/*
 * frame.h - a network card by protocols/frame.def: INFO, ATTACH, and attaching again when the driver dies. The rings
 * and buffers are frame_buffers.h.
 *
 *   frame_open(&card, &setup);
 *   frame_attach(&card);                 MNOS_ERR_STOPPED: there is no card (yet): again at the manager's event
 *   ... frame_take(), frame_give(), frame_send(); frame_bell(); frame_buffers_sleep() before waiting
 *   frame_gone(&card, badge);            for each MNOS_KIND_CLIENT_GONE: true: the driver has died
 */
#pragma once

#include "lib/client/frame_buffers.h"
#include "lib/mnos/ipc.h"

struct frame_setup {
    mnos_cap_t service;  /* the driver's endpoint; Write, event FRAME_EVENT_SUBMITTED */
    mnos_cap_t memory;   /* FRAME_MEMORY_PAGES pages of a region of kind dma; Read, Write, Grant */
    void *address;       /* where they are mapped */
    mnos_cap_t endpoint; /* of the stack, with the right Grant: `events` are set here */
    uint64_t events;
    mnos_badge_t
        badge; /* the lowest 16 bits are a counter; nobody else has the rest, nor had an earlier run */
};

struct frame_card {
    struct frame_setup setup;
    struct frame_info info;
    struct frame_buffers buffers;
    bool attached;
    mnos_badge_t badge; /* by which the driver's end is reported */
    uint32_t mints;
    uint64_t epoch;
    uint64_t attaches;
};

void frame_open(struct frame_card *card, const struct frame_setup *setup);
/* Asks INFO and attaches; afterwards no buffer is the driver's. Waits for a driver that is being started.
 * MNOS_ERR_STOPPED: none is. An error leaves the card unattached. */
mnos_status_t frame_attach(struct frame_card *card);
/* Whether a client that is gone is the driver; the card is not attached then, and what it had is the stack's. */
bool frame_gone(struct frame_card *card, mnos_badge_t badge);
/* Publishes what was given and sent, and tells a driver that waits. */
void frame_bell(struct frame_card *card);
/* Whether the cable is in, as the driver said last. */
bool frame_link(const struct frame_card *card);
