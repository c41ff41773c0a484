// SPDX-License-Identifier: MIT
/*
 * frame.h - what every driver of a network card has in common: the requests of protocols/frame.def, the stack that is
 * attached, and the loop. The rings are frame_port.h; a driver adds the card.
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

/* At the endpoint of requests, beside FRAME_EVENT_SUBMITTED. */
#define FRAME_EVENT_INTERRUPT (1ull << 1)

struct frame_card_operations {
    /* Resets the card: it has nothing of the port's memory any more. */
    void (*stop)(void *context);
    /* Begins with the port, which is attached. MNOS_ERR_DEVICE: the card does not work any more. */
    mnos_status_t (*start)(void *context);
    /* How the card reaches memory; 0: not at all. */
    uint64_t (*reach)(void *context, mnos_cap_t memory);
    /* The card has sent an interrupt, which is acknowledged: it may want something. */
    void (*interrupt)(void *context);
    /* Moves frames both ways. True: there is more to do, and it is to be called again before waiting. */
    bool (*work)(void *context);
    /* Before waiting: asks the card for an interrupt. False: something is there already. */
    bool (*arm)(void *context);
    /* When `work` is to be called at the latest; MNOS_DEADLINE_NEVER: not before something happens. */
    uint64_t (*deadline_ns)(void *context);
};

/* The driver fills in what stands before `port`; the rest begins as zeros. */
struct frame_server {
    mnos_cap_t endpoint; /* of requests, which are received there */
    mnos_cap_t line;     /* the interrupt, which sets FRAME_EVENT_INTERRUPT */
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

/* Until receiving fails, or the interrupt cannot be acknowledged; returns why. The thread has called guard_begin(). */
mnos_status_t frame_server_serve(struct frame_server *server);
