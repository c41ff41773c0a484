// SPDX-License-Identifier: MIT
/*
 * park.h - requests that wait for something and are run again when it has come, while others are served.
 *
 *   free --park_put()--> waiting --park_wake(), park_wake_all()--> ready --park_next()--> runs again
 *   runs again: parks once more (park_wait() with its own entry), or ends by park_drop()
 *
 * What is waited for is a number that the service chooses, below PARK_LOCK; PARK_OBJECT with an object's number
 * means that whoever holds the object (struct parked, `holds`) has ended. A request whose client has gone, or whose lane went on
 * without it, ends the next time that it would run (server_loop_again()).
 *
 * P1  `count` is the number of entries that are used; an entry that is ready is used.
 * P2  An object is held by at most one entry.
 * P3  Entries from `end` on are free, and the one before is not. A free one near the beginning is taken first, so that
 *     few are looked at where few wait.
 * P4  One that runs (`running`) is dropped by its own run alone: its bytes are in use, and its place is not to be
 *     another's meanwhile, nor freed twice.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/mnos/ipc.h"

#define PARK_ENTRIES 64u
/* Of one account: 1/4, as of the tables of sessions. */
#define PARK_SHARE 4u
#define PARK_OBJECT (1ull << 63)
/* That the handler that waits in its middle has ended: server_loop_meanwhile(). */
#define PARK_TURN (1ull << 62)
/* With an object's number: its locks have become fewer or weaker (file_lock.h). */
#define PARK_LOCK (1ull << 61)
/* Any change wakes it. */
#define PARK_ANYTHING 0ull

/* Returned by a handler, and no status: the request waits, and is to be run again. */
#define SERVER_PARKED ((mnos_status_t)0xFFFFFFFE)

struct parked {
    struct message message; /* as it came */
    uint64_t waits_for;
    uint64_t progress[2]; /* the handler's own, kept from run to run; 0 at first */
    uint32_t holds;       /* an object that others wait for, or 0 */
    uint32_t account;
    uint32_t runs; /* how often it was run */
    bool used, ready;
    bool running; /* from park_next() until it waits again or is dropped */
    uint8_t
        text[MNOS_MESSAGE_MAX_BYTES]; /* the whole request, if it is longer than the registers */
};

struct park {
    uint32_t count, ready_count;
    uint32_t next; /* where to look first, so that each comes in turn */
    uint32_t end;
    /* The service's, when it keeps something of its own by the number of an entry; may be NULL. Called each time that
     * a request begins to wait, and when it ends. */
    void (*waits)(void *context, uint32_t entry);
    void (*ended)(void *context, uint32_t entry);
    void *context;
    struct parked entries[PARK_ENTRIES];
};

/* An entry for a request of an account; NULL: all are used, or the account's share is. */
struct parked *park_put(struct park *park, uint32_t account);
/* Whether park_put() would give one: for what must not begin when it could not wait in the middle. */
bool park_has_room(const struct park *park, uint32_t account);
/* Ends it; whoever waits for what it held is ready. */
void park_drop(struct park *park, struct parked *parked);
void park_wait(struct park *park, struct parked *parked, uint64_t waits_for);
/* What was waited for has come. */
void park_wake(struct park *park, uint64_t waits_for);
void park_wake_all(struct park *park);
/* One that is ready, which is then not ready any more; NULL: none is. */
struct parked *park_next(struct park *park);
/* Whether another entry than `but` holds the object. */
bool park_held(const struct park *park, uint32_t object, const struct parked *but);
/* NULL, or which of P1 to P3 does not hold. */
const char *park_check(const struct park *park);
