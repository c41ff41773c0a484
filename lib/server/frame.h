// SPDX-License-Identifier: MIT
/*
 * frame.h - what every driver of a network card has in common: the requests of protocols/frame.def, and the stack that
 * is attached. The rings are frame_port.h; a driver adds the card.
 *
 *   nobody --ATTACH--> attached --ATTACH, the stack ends, its rings are broken or lost--> nobody
 *
 * The card is told by `stop` before a stack's memory is let go, and by `start` when there is one: between the two
 * nothing of an earlier stack is in the card.
 */
#pragma once

#include "lib/mnos/ipc.h"
#include "lib/server/frame_port.h"
#include "lib/server/guard.h"

struct frame_card_operations {
    /* Resets the card: it has nothing of the port's memory any more. */
    void (*stop)(void *context);
    /* Begins with the port, which is attached. MNOS_ERR_DEVICE: the card does not work any more. */
    mnos_status_t (*start)(void *context);
    /* How the card reaches memory; 0: not at all. */
    uint64_t (*reach)(void *context, mnos_cap_t memory);
};

struct frame_server {
    mnos_cap_t endpoint;
    const struct frame_card_operations *operations;
    void *context;
    const struct frame_info *info;
    const bool *failed; /* the card was given up */
    struct frame_port port;
    struct guard guard;
    mnos_badge_t badge; /* of the stack; 0: nobody is attached */
    mnos_cap_t memory, listener;
    uint64_t events;
    uint64_t epoch;
};

/* Capabilities that a message may bring: message.accept. */
#define FRAME_SERVER_ACCEPTS 2u
/* A message, or a client that is gone; it becomes the reply, with reply_id 0 when there is none. */
void frame_server_handle(struct frame_server *server, struct message *message);
/* After the port was worked at: tells the stack, and lets one go that breaks the rules. */
void frame_server_tell(struct frame_server *server);
