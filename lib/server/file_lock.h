// SPDX-License-Identifier: MIT
/*
 * file_lock.h - locks on ranges of files: the table behind LOCK of protocols/file.def. Plain data without pointers,
 * for memory that outlives the process.
 *
 * A lock belongs to an owner, which is a session and a word of the client's, and lives no longer than the handle
 * through which it was set. Nobody has to be told when a handle is closed: handles and badges are never used twice, so a
 * lock whose handle is not there any more holds nothing, and is freed when the table is looked at.
 *
 * L1  Each entry is in the chain of its object, or free, and not both.
 * L2  What an account is charged is the number of its entries, those that hold nothing any more among them.
 *
 * Two ranges of one owner may overlap after a death in the middle of a change; the bytes are locked by the stronger of
 * both, and the change is made again when the client repeats it.
 */
#pragma once

#include "lib/server/session.h"
#include "protocols/file.h"

#define FILE_LOCKS_MAX 1024u
#define FILE_LOCKS_SHARE 4u /* of one account: 1/4 */
#define FILE_LOCK_BUCKETS 128u

struct file_lock_entry {
    mnos_badge_t badge; /* of the session */
    uint64_t owner, handle;
    uint64_t first, last; /* bytes, both included */
    uint32_t object;
    uint16_t kind; /* enum file_lock_kind; FILE_LOCK_NONE: free */
    uint16_t account;
    uint16_t next; /* in its chain, or of the free ones; number plus 1 */
    uint16_t reserved[3];
};

struct file_locks {
    uint16_t buckets[FILE_LOCK_BUCKETS]; /* numbers plus 1 */
    uint16_t free_first, used;
    uint16_t accounts[SESSION_ACCOUNTS];
    uint16_t reserved[2];
    struct file_lock_entry entries[FILE_LOCKS_MAX];
};

void file_locks_format(struct file_locks *locks);
/* Sets, changes or (FILE_LOCK_NONE) takes away the lock of an owner on a range: of `wanted` all but `next` counts.
 * MNOS_ERR_AGAIN: another owner has a lock that excludes it. MNOS_ERR_QUOTA: the account's share is spent, or there is no
 * room. */
mnos_status_t file_locks_change(struct file_locks *locks, struct sessions *sessions,
                                const struct file_lock_entry *wanted);
/* Whether there may be a lock on the object. */
bool file_locks_any(const struct file_locks *locks, uint32_t object);
/* NULL, or which of L1 and L2 does not hold. */
const char *file_locks_check(const struct file_locks *locks);
