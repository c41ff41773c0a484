// SPDX-License-Identifier: MIT
/*
 * front.h - the sessions of a terminal and which of them is in front: protocols/stream.def. Plain data
 * without pointers, for memory that outlives the process: an entry is there when its badge is, which is
 * stored last and cleared first, so whatever two stores a death falls between, what is there is whole.
 *
 * A session is a badge that this service has minted, and belongs to its giver: another session, or the holder,
 * which is a service of the manifest in each of its runs. The others of the manifest's clients have no session.
 *
 * F1  `front` is FRONT_HOLDER or the badge of an entry; front_now() takes what a death left else for the holder.
 * F2  Givers lead to the holder, without a circle: an entry is made after its giver, and ends with it.
 * F3  One session of the holder's and all below it are FRONT_SESSIONS_BELOW + 1 at most, and so have no effect on how many
 *     others can be made.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/types.h"

#define FRONT_SESSIONS_FIRST 32u /* that the holder may have given */
#define FRONT_SESSIONS_BELOW 4u  /* below one of these, all together */
#define FRONT_SESSIONS_MAX (FRONT_SESSIONS_FIRST * (1 + FRONT_SESSIONS_BELOW))
/* Badges that the service mints have it set; those of the service manager have not. */
#define FRONT_BADGE_MADE (1ull << 63)
#define FRONT_HOLDER 0ull /* in the place of a badge */

struct front_session {
    _Atomic mnos_badge_t badge; /* 0: this entry is free */
    _Atomic mnos_badge_t giver;
    _Atomic uint64_t flags; /* enum stream_front_flags */
};

struct front {
    _Atomic mnos_badge_t next_badge; /* stored before the badge is used */
    _Atomic mnos_badge_t front;
    struct front_session sessions[FRONT_SESSIONS_MAX];
};

/* Goes on with what a predecessor left, or begins: `fresh` memory. `first_badge`: greater than any that was
 * minted before the memory was fresh. */
void front_open(struct front *front, bool fresh, mnos_badge_t first_badge);

/* Who is in front. */
mnos_badge_t front_now(const struct front *front);
/* Whether `badge` is FRONT_HOLDER or a session that has not ended. */
bool front_knows(const struct front *front, mnos_badge_t badge);
/* Of a session; FRONT_HOLDER for one that has ended. */
mnos_badge_t front_giver(const struct front *front, mnos_badge_t badge);
/* Of a session and those that it was given through, the one nearest to the holder with this flag; FRONT_HOLDER: none
 * has it. */
mnos_badge_t front_with_flag(const struct front *front, mnos_badge_t badge, uint64_t flag);
/* Whether `badge` is `top`, or was given by it or through it. */
bool front_is_below(const struct front *front, mnos_badge_t badge, mnos_badge_t top);

/* A new session of `giver`, which the caller has found to be known; it is behind. MNOS_ERR_QUOTA. */
mnos_status_t front_make(struct front *front, mnos_badge_t giver, uint64_t flags,
                         mnos_badge_t *made);
/* Of a session that is known. */
void front_set_flags(struct front *front, mnos_badge_t badge, uint64_t flags);
/* Puts a session that is known, or the holder, in front. */
void front_put(struct front *front, mnos_badge_t badge);
/* Ends it and all below it. If one of these was in front, the giver of the first is now. */
void front_end(struct front *front, mnos_badge_t badge);
/* One of the badges, for a loop that looks at each: the next behind place *at, which moves; 0: there is none. */
mnos_badge_t front_next(const struct front *front, unsigned *at);
