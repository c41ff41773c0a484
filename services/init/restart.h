// SPDX-License-Identifier: MIT
/*
 * restart.h - when a service that should always run is started again, and when no more.
 *
 * Knows numbers and texts only; supervisor.c acts on the decision.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define RESTART_TRIES_MAX 5u
#define RESTART_FIRST_NS 10000000ull /* 10 ms; doubles with each try, so all take 0.15 s at most */
#define RESTART_STABLE_NS 10000000000ull /* a run of 10 s forgives earlier ends */
#define RESTART_TEXT_BYTES 64

/* The ends in a row that nobody ordered. Zero: none. */
struct restart_history {
    unsigned tries;
    char first_end
        [RESTART_TEXT_BYTES]; /* what the first of them was: the others may follow from it */
};

enum restart_decision {
    RESTART_NOW,
    RESTART_LATER,
    RESTART_NO_MORE,
};

/* The service has ended after a run of `ran_ns` (0: it could not be started), `end` says how.
 * One that was ordered is no failure, and does not count. RESTART_LATER: *wait_ns says when. */
enum restart_decision restart_decide(struct restart_history *history, bool ordered, uint64_t ran_ns,
                                     const char *end, uint64_t *wait_ns);
