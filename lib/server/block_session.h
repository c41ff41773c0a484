// SPDX-License-Identifier: MIT
/*
 * block_session.h - the sessions of a disk's driver: who may reach which sectors. Plain data without
 * pointers, for memory that outlives the process: an entry is there when its badge is, which is
 * stored last and cleared first, so whatever two stores a death falls between, what is there is whole.
 *
 * A session names the one it was made below by its badge. When a badge goes, the sessions below it
 * belong to the one above.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/types.h"

#define BLOCK_SESSIONS_MAX 64u
/* Below a session that the service manager gave, and below one that was made itself. */
#define BLOCK_SESSIONS_BELOW_FIRST 48u
#define BLOCK_SESSIONS_BELOW 8u
/* Badges that a driver mints have it set; those of the service manager have not. */
#define BLOCK_BADGE_MADE (1ull << 63)

struct block_session {
    _Atomic mnos_badge_t badge;  /* 0: this entry is free */
    _Atomic mnos_badge_t parent; /* 0: of the service manager's making */
    uint64_t first, sectors;
    uint64_t rights;
};

struct block_sessions {
    uint64_t sectors;                /* of the disk, when it was made */
    _Atomic mnos_badge_t next_badge; /* stored before the badge is used */
    struct block_session entries[BLOCK_SESSIONS_MAX];
};

/* Goes on with what a predecessor left, or begins: `fresh` memory, or what is there is not about a disk
 * of this size. `first_badge`: greater than any that was minted in vain. */
void block_sessions_open(struct block_sessions *sessions, bool fresh, uint64_t disk_sectors,
                         mnos_badge_t first_badge);

/* The session of a badge; one of the service manager's that is new gets the whole disk. NULL: it is not
 * known, or there is no room. */
struct block_session *block_session_of(struct block_sessions *sessions, mnos_badge_t badge);
/* As above, but makes none. */
struct block_session *block_session_find(struct block_sessions *sessions, mnos_badge_t badge);
/* A new one below `parent`, of sectors counted from its first. MNOS_ERR_ARGUMENT, MNOS_ERR_DENIED,
 * MNOS_ERR_QUOTA. */
mnos_status_t block_session_make(struct block_sessions *sessions,
                                 const struct block_session *parent, uint64_t first,
                                 uint64_t sectors, uint64_t rights, struct block_session **made);
/* Nobody has the badge any more. */
void block_session_remove(struct block_sessions *sessions, struct block_session *session);
/* One that is `top` or below it, for a loop that removes them; NULL: there is none. Those below
 * come first. */
struct block_session *block_session_below(struct block_sessions *sessions, mnos_badge_t top);
