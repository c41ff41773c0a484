// SPDX-License-Identifier: MIT
/*
 * running.h - the request of class I that a service carries out, in memory that outlives it: so that its next run knows
 * what it may have died of. Requests of class N have their lanes for that (session.h). There is one at a time, as a
 * service has one thread; what waits is not carried out.
 *
 * One that was carried out at SESSION_DEATHS_MAX deaths in a row that nobody ordered is answered by MNOS_ERR_LOST
 * instead, and its client does not send it again.
 *
 * Stores, without an undo log: the badge last when it begins, first when it ends, so what a death leaves is wholly of
 * this request or none.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/types.h"
#include "lib/mnos/ipc.h"

struct running_request {
    mnos_badge_t badge; /* 0: none */
    uint64_t words[4];
    uint32_t label;
    uint32_t deaths;
};

/* Zeros at first. */
struct running {
    struct running_request now, suspect;
};

/* In a run that finds what one that died has left. Returns whether a request was being carried out. */
bool running_recover(struct running *running, bool ordered);
/* Whether it may be what the service dies of. Then it is forgotten: it is answered, and may come again later. */
bool running_is_suspect(struct running *running, const struct message *message);
/* What is being carried out has been, and nothing died of it. */
void running_clear(struct running *running);

static inline void running_begin(struct running *running, const struct message *message)
{
    running->now.label = message->label;
    for (unsigned i = 0; i < 4; i++)
        running->now.words[i] = message->words[i];
    __atomic_store_n(&running->now.badge, message->badge, __ATOMIC_RELEASE);
}

static inline void running_end(struct running *running)
{
    __atomic_store_n(&running->now.badge, 0, __ATOMIC_RELEASE);
}
