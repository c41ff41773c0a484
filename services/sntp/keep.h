// SPDX-License-Identifier: MIT
/*
 * keep.h - what becomes of the clock by what servers say, and when one is asked again. Host tests compile this file as it
 * is.
 *
 * W1  The first time that is taken may be any; each later one moves the clock by KEEP_STEP_MAX_NS at most. A server that is
 *     wrong later, or somebody in its place, does not move it further, an hour at a time or at all: what is further away is
 *     refused, and counts as no answer. A run that people have ordered begins with a first one.
 * W2  Between two questions that reach a server are KEEP_PAUSE_FIRST_NS at least; it doubles with each that comes to nothing, up
 *     to KEEP_PAUSE_BAD_NS. After a good one it is an hour. Who is asked too often says so, and then no pause is
 *     shorter than twice the one before that.
 */
#pragma once

#include <stdbool.h>

#include "lib/format/net/sntp.h"

#define KEEP_NS_PER_S 1000000000ull
#define KEEP_STEP_MAX_NS (1000 * KEEP_NS_PER_S) /* as in NTP: the "panic threshold" */
#define KEEP_PAUSE_FIRST_NS (2 * KEEP_NS_PER_S)
#define KEEP_PAUSE_BAD_NS (1024 * KEEP_NS_PER_S)
#define KEEP_PAUSE_GOOD_NS (3600 * KEEP_NS_PER_S)
#define KEEP_PAUSE_MAX_NS (24 * KEEP_PAUSE_GOOD_NS)

struct keep {
    bool has_time;     /* one was taken */
    uint64_t pause_ns; /* the last one; 0: none yet */
    uint64_t least_ns; /* no pause is shorter */
};

enum keep_result {
    KEEP_TAKEN,
    KEEP_IMPOSSIBLE, /* the server says that it had the question for longer than the answer took */
    KEEP_TOO_FAR,    /* W1 */
};

/* A server's answer, which was asked for and came at these times since boot. *boot_ns is when the machine began, in
 * nanoseconds since 1970, as far as it is known, and becomes what the answer makes of it: half of the way is taken to be
 * there, half back. */
enum keep_result keep_take(struct keep *keep, const struct sntp_times *times, uint64_t asked_ns,
                           uint64_t answered_ns, int64_t *boot_ns);

/* How long to wait now: after a time that was taken, or was not; or as a server asks for it. */
uint64_t keep_pause_good(struct keep *keep);
uint64_t keep_pause_bad(struct keep *keep);
uint64_t keep_pause_longer(struct keep *keep);
