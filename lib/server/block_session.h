// SPDX-License-Identifier: MIT
/*
 * block_session.h - the sessions of a disk's driver: who may reach which sectors. Plain data without
 * pointers, for memory that outlives the process: an entry is there when its badge is, which is
 * stored last and cleared first, so whatever two stores a death falls between, what is there is whole.
 *
 * A session names the one it was made below by its badge. When a badge goes, the sessions below it
 * belong to the one above. Whose share a session is of stays as it was: all that was made, in however many steps, of a
 * session that was handed out below one of the service manager's (`top`) is of that one's share, also after its end.
 * The maker names the share by a tag, or it is named by the badge of the first session in it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/types.h"
#include "protocols/block.h"

#define BLOCK_SESSIONS_MAX 64u
#define BLOCK_SESSIONS_BELOW_FIRST 48u /* directly below a session that the service manager gave */
#define BLOCK_SESSIONS_OF_SHARE 9u
/* Of struct block_sessions, for the header of the memory that it lies in. */
#define BLOCK_SESSIONS_LAYOUT 2u
/* In badges of the service manager's making: the number of the service, which is the same in each of its runs. */
#define BLOCK_BADGE_SERVICE 0xFFFFull
/* Badges that a driver mints have it set; those of the service manager have not. */
#define BLOCK_BADGE_MADE (1ull << 63)

struct block_session {
    _Atomic mnos_badge_t badge;  /* 0: this entry is free */
    _Atomic mnos_badge_t parent; /* 0: of the service manager's making */
    /* The number of the service whose session it was made below, in whatever run of it; 0: of the service manager's
     * making, as `share` is then. */
    uint64_t top;
    uint64_t share; /* a tag, or a badge, which has BLOCK_BADGE_MADE set */
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
/* A new one below `parent`, of sectors counted from its first; `tag` is 0 or the name of the share that it is of, which only
 * the holder of a session of the service manager's may give. MNOS_ERR_ARGUMENT, MNOS_ERR_DENIED, MNOS_ERR_QUOTA. */
mnos_status_t block_session_make(struct block_sessions *sessions,
                                 const struct block_session *parent,
                                 const struct block_restrict *wanted, struct block_session **made);
/* Nobody has the badge any more. */
void block_session_remove(struct block_sessions *sessions, struct block_session *session);
/* One that is `top` or below it, for a loop that removes them; NULL: there is none. Those below
 * come first. */
struct block_session *block_session_below(struct block_sessions *sessions, mnos_badge_t top);
/* One of the share that `top` gave this tag, in the same way. */
struct block_session *block_session_tagged(struct block_sessions *sessions, mnos_badge_t top,
                                           uint64_t tag);
