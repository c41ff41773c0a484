// SPDX-License-Identifier: MIT
/* file_lock - see file_lock.h. The request is in file_advise.c. */
#include "lib/server/file_lock.h"

#include "lib/base/string.h"
#include "lib/server/state.h"

static uint16_t *bucket_of(struct file_locks *locks, uint32_t object)
{
    return &locks->buckets[object * 0x9E3779B1u >> 25];
}
_Static_assert(FILE_LOCK_BUCKETS == 1u << (32 - 25), "the hash");

static struct file_lock_entry *entry_at(struct file_locks *locks, uint16_t link)
{
    return &locks->entries[link - 1];
}

void file_locks_format(struct file_locks *locks)
{
    memset(locks, 0, sizeof *locks);
    for (uint16_t i = FILE_LOCKS_MAX; i != 0; i--) {
        locks->entries[i - 1].next = locks->free_first;
        locks->free_first = i;
    }
}

/* ---- Entries ---- */

static void charge(struct file_locks *locks, uint16_t account, int by)
{
    STATE_SET(locks->accounts[account], (uint16_t)(locks->accounts[account] + by));
    STATE_SET(locks->used, (uint16_t)(locks->used + by));
}

/* There is one. */
static void add(struct file_locks *locks, const struct file_lock_entry *contents)
{
    uint16_t number = locks->free_first, *bucket = bucket_of(locks, contents->object);
    struct file_lock_entry *entry = entry_at(locks, number);

    STATE_SET(locks->free_first, entry->next);
    state_note(entry, sizeof *entry);
    *entry = *contents;
    entry->next = *bucket;
    STATE_SET(*bucket, number);
    charge(locks, contents->account, 1);
}

/* The one that *link refers to; *link is then the one behind it. A step of its own. */
static void remove_at(struct file_locks *locks, uint16_t *link)
{
    uint16_t number = *link;
    struct file_lock_entry *entry = entry_at(locks, number);

    charge(locks, entry->account, -1);
    STATE_SET(*link, entry->next);
    state_note(entry, sizeof *entry);
    *entry = (struct file_lock_entry){.next = locks->free_first};
    STATE_SET(locks->free_first, number);
    state_step();
}

static void free_dead(struct file_locks *locks, struct sessions *sessions, uint16_t *link)
{
    while (*link != 0) {
        struct file_lock_entry *entry = entry_at(locks, *link);

        if (handle_is_open(sessions, entry->badge, entry->handle))
            link = &entry->next;
        else
            remove_at(locks, link);
    }
}

static void free_all_dead(struct file_locks *locks, struct sessions *sessions)
{
    for (uint32_t i = 0; i < FILE_LOCK_BUCKETS; i++)
        free_dead(locks, sessions, &locks->buckets[i]);
}

/* ---- Ranges ---- */

static bool overlaps(const struct file_lock_entry *entry, const struct file_lock_entry *wanted)
{
    return entry->object == wanted->object && entry->first <= wanted->last &&
           wanted->first <= entry->last;
}

static bool is_own(const struct file_lock_entry *entry, const struct file_lock_entry *wanted)
{
    return entry->badge == wanted->badge && entry->owner == wanted->owner;
}

static bool is_split(const struct file_lock_entry *entry, const struct file_lock_entry *wanted)
{
    return entry->first < wanted->first && entry->last > wanted->last;
}

/* Whether nobody else excludes it, and how many entries it takes. */
static mnos_status_t look(struct file_locks *locks, const struct file_lock_entry *wanted,
                          uint32_t *needed)
{
    *needed = wanted->kind != FILE_LOCK_NONE;
    for (uint16_t at = *bucket_of(locks, wanted->object); at != 0; at = entry_at(locks, at)->next) {
        const struct file_lock_entry *entry = entry_at(locks, at);

        if (!overlaps(entry, wanted))
            continue;
        if (is_own(entry, wanted))
            *needed += is_split(entry, wanted);
        else if (wanted->kind == FILE_LOCK_EXCLUSIVE ||
                 (wanted->kind == FILE_LOCK_SHARED && entry->kind == FILE_LOCK_EXCLUSIVE))
            return MNOS_ERR_AGAIN;
    }
    return MNOS_OK;
}

static bool has_room(const struct file_locks *locks, uint32_t account, uint32_t needed)
{
    return needed <= FILE_LOCKS_MAX - locks->used &&
           locks->accounts[account] + needed <= FILE_LOCKS_MAX / FILE_LOCKS_SHARE;
}

/* Takes the range out of one that overlaps it. False: nothing of that is left, and *link is the one behind it. */
static bool take_out(struct file_locks *locks, uint16_t *link, const struct file_lock_entry *wanted)
{
    struct file_lock_entry *entry = entry_at(locks, *link), right = *entry;

    if (entry->first >= wanted->first && entry->last <= wanted->last) {
        remove_at(locks, link);
        return false;
    }
    if (is_split(entry, wanted)) {
        right.first = wanted->last + 1;
        add(locks, &right);
        STATE_SET(entry->last, wanted->first - 1);
    } else if (entry->first < wanted->first) {
        STATE_SET(entry->last, wanted->first - 1);
    } else {
        STATE_SET(entry->first, wanted->last + 1);
    }
    state_step();
    return true;
}

mnos_status_t file_locks_change(struct file_locks *locks, struct sessions *sessions,
                                const struct file_lock_entry *wanted)
{
    uint16_t *link, made = 0;
    uint32_t needed;
    mnos_status_t status;

    free_dead(locks, sessions, bucket_of(locks, wanted->object));
    status = look(locks, wanted, &needed);
    if (status != MNOS_OK)
        return status;
    if (needed != 0 && !has_room(locks, wanted->account, needed))
        free_all_dead(locks, sessions);
    if (needed != 0 && !has_room(locks, wanted->account, needed))
        return MNOS_ERR_QUOTA;
    /* What is locked stays so all the time: first the new one, then what was there of the same owner. */
    if (wanted->kind != FILE_LOCK_NONE) {
        made = locks->free_first;
        add(locks, wanted);
        state_step();
    }
    for (link = bucket_of(locks, wanted->object); *link != 0;) {
        const struct file_lock_entry *entry = entry_at(locks, *link);

        if (*link == made || !is_own(entry, wanted) || !overlaps(entry, wanted) ||
            take_out(locks, link, wanted))
            link = &entry_at(locks, *link)->next;
    }
    return MNOS_OK;
}

bool file_locks_any(const struct file_locks *locks, uint32_t object)
{
    return locks->used != 0 && *bucket_of((struct file_locks *)locks, object) != 0;
}

/* ---- Invariants ---- */

static const char *check_chain(const struct file_locks *locks, uint16_t at, bool is_free,
                               uint8_t seen[FILE_LOCKS_MAX])
{
    for (; at != 0; at = locks->entries[at - 1].next) {
        const struct file_lock_entry *entry;

        if (at > FILE_LOCKS_MAX || seen[at - 1]++ != 0)
            return "L1: a lock is in two chains";
        entry = &locks->entries[at - 1];
        if ((entry->kind == FILE_LOCK_NONE) != is_free || entry->kind > FILE_LOCK_EXCLUSIVE ||
            entry->first > entry->last)
            return "L1: a lock is free and in a chain, or not of any kind";
    }
    return NULL;
}

const char *file_locks_check(const struct file_locks *locks)
{
    uint8_t seen[FILE_LOCKS_MAX] = {0};
    uint32_t counts[SESSION_ACCOUNTS] = {0}, used = 0;
    const char *wrong = check_chain(locks, locks->free_first, true, seen);

    for (uint32_t i = 0; i < FILE_LOCK_BUCKETS && wrong == NULL; i++)
        wrong = check_chain(locks, locks->buckets[i], false, seen);
    for (uint32_t i = 0; i < FILE_LOCKS_MAX && wrong == NULL; i++) {
        const struct file_lock_entry *entry = &locks->entries[i];

        if (seen[i] == 0 || entry->account >= SESSION_ACCOUNTS)
            return "L1: a lock is in no chain, or of no account";
        used += entry->kind != FILE_LOCK_NONE;
        counts[entry->account] += entry->kind != FILE_LOCK_NONE;
    }
    for (uint32_t i = 0; i < SESSION_ACCOUNTS && wrong == NULL; i++)
        if (counts[i] != locks->accounts[i])
            wrong = "L2: an account is charged for locks that it has not";
    return wrong != NULL || used == locks->used ? wrong : "L2: the locks do not add up";
}
