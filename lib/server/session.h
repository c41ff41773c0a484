// SPDX-License-Identifier: MIT
/*
 * session.h - the clients of a service: sessions in a tree, what they have open, and the last reply
 * of each of their lanes. All of it is one block of plain data that the caller hands in, without
 * pointers: what refers to something is a number, and 0 is none. So it can lie in memory that
 * outlives the process.
 *
 * What a run finds again by looking is not noted in the log (state.h): which handles are free, the list and the number of
 * those of a session, and what its account is charged for them follow from the entries, in which one word says whose each
 * is. sessions_rebuild() makes them anew.
 *
 * A session is a badge: who holds the capability with it may do what the session allows. A handle
 * names something that a session has open: 16 bits of index and 48 of generation, of use only with
 * the session's badge. What an `object` is (an inode, a socket) the service knows.
 *
 * S1  The open badges of sessions are different, and each is found by its hash.
 * S2  A session that was exported has a parent. A session whose badge has gone (`gone`) has nothing
 *     open, and stays only as long as there are sessions below it.
 * S3  A handle belongs to one session that is not gone; generations of handles are never used twice.
 * S4  What an account is charged is the number of its sessions and handles.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/types.h"
#include "lib/server/state.h"
#include "protocols/label.h"

#define HANDLE_INDEX_BITS 16
#define SESSION_BUCKETS 256u  /* as session_bucket() has them */
#define SESSION_ACCOUNTS 128u /* a power of two: session_client() */
#define SESSION_PROGRAMS 256u /* sessions whose number is below may be programs of their own */
#define SESSION_DEATHS_MAX                                                                         \
    2u /* a request that was running at so many deaths is not carried out again */
#define SESSION_RUNNING_LOST 0x10000u
#define SESSION_SHARE 4u /* of each table, for one account: 1/4 */
/* Badges that the service mints have it set; those of the service manager have not. */
#define SESSION_EXPORTED (1ull << 63)

enum lane_state {
    LANE_EMPTY = 0,
    LANE_RUNNING = 1,
    LANE_DONE = 2,  /* the record is the reply */
    LANE_AGAIN = 3, /* it had no effect: the same sequence is carried out again */
};

struct server_lane {
    union {
        struct {
            uint32_t sequence, state; /* enum lane_state */
        };
        uint64_t word; /* both, stored at once */
    };
    uint32_t status, length; /* of the record, which means something when it is done */
    uint64_t words[4];
    uint64_t reply_id; /* of the running request */
    uint32_t deaths;   /* runs of the service that ended while this sequence was running */
    uint32_t begun;    /* 1: a part of it has been done, and words[0] and [1] are its progress */
};
_Static_assert(sizeof(struct server_lane) == 64, "a cache line");

struct server_session {
    mnos_badge_t badge; /* 0: this entry is free */
    uint32_t next;      /* in the bucket, or of the free ones */
    uint32_t parent, first_child, next_sibling, previous_sibling;
    uint32_t object, rights;
    uint16_t account;
    uint16_t client; /* session_client(): who is to have a share of what all use */
    uint32_t first_handle, handle_count;
    uint32_t gone;
    uint32_t window; /* its place (window.h), or 0 */
    uint32_t number; /* its own */
    uint16_t type;   /* of the object: the service's */
    uint16_t lost;   /* what it had open has been lost, and its client does not know yet */
    struct server_lane lanes[LABEL_LANES];
};

struct server_handle {
    uint64_t generation; /* of one that is free: it was used with it last */
    uint32_t session;    /* 0: this entry is free, and all else but the generation means nothing */
    uint32_t object, rights;
    uint16_t type;     /* of the object: the service's */
    uint16_t failures; /* of the object, when this handle was told of them last: the service's */
    uint32_t next, previous; /* of the session; next: of the free ones */
};
_Static_assert(sizeof(struct server_session) % 64 == 0, "cache lines");

struct sessions {
    uint32_t session_count, handle_count; /* entries of the tables, from number 1 */
    uint32_t free_session, free_handle;
    uint64_t generation;     /* of the handle that was made last */
    uint64_t handles_at;     /* bytes from here to their table */
    mnos_badge_t next_badge; /* that EXPORT mints */
    uint32_t buckets[SESSION_BUCKETS];
    struct {
        uint32_t sessions, handles;
    } accounts[SESSION_ACCOUNTS];
    /* struct server_session[session_count], struct server_handle[handle_count] */
};

/* What the service does when something is closed. */
struct session_owner {
    void *context;
    /* A session or a handle has `object` no longer. */
    void (*drop)(void *context, uint32_t object);
    /* The session is not any more, whatever its number will stand for. */
    void (*ended)(void *context, uint32_t session);
};

uint64_t sessions_bytes(uint32_t session_count, uint32_t handle_count);
/* Handle numbers fit 16 bits. `first_badge`: greater than any that was ever minted for this endpoint, as kinfo_time_ns()
 * is, since time goes on. */
struct sessions *sessions_format(void *block, uint32_t session_count, uint32_t handle_count,
                                 mnos_badge_t first_badge);
/* In a run that finds them, before anything else of them is used: all three that follow, in order. NULL, or what is
 * wrong, and then nothing of them is of use. */
const char *sessions_take_over(struct sessions *sessions, uint32_t session_count,
                               uint32_t handle_count);
/* NULL, or why it is no such table (session_check.c). */
const char *sessions_numbers(const struct sessions *sessions, uint32_t session_count,
                             uint32_t handle_count);
/* Makes anew what is not noted. */
void sessions_rebuild(struct sessions *sessions);
/* NULL, or which of S1 to S4 does not hold. */
const char *sessions_check(const struct sessions *sessions);

/* In a run that finds the sessions of one that died: forgets the clients that have gone meanwhile, and sees to it
 * that requests of class N that were running are carried out when they are sent again. Returns how many there
 * were, and in the upper half how many of them are not, since they were running at a death before, too. A death that
 * was `ordered` is nobody's fault, and does not count. */
unsigned sessions_recover(struct sessions *sessions, const struct session_owner *owner,
                          bool (*is_gone)(void *context, mnos_badge_t badge), bool ordered);

/* What is as it was before some requests, and is not known to be as others left it: those of which a part was done cannot go
 * on behind it, and are answered by MNOS_ERR_LOST. Behind sessions_recover(). */
void sessions_lose_parts(struct sessions *sessions);

/* Calls `hold` for the object of each session and each handle: what counts them and did not outlive a death counts them
 * again. Before sessions_recover(). */
void sessions_hold_all(const struct sessions *sessions,
                       void (*hold)(void *context, uint32_t object), void *context);

/* ---- Sessions ---- */

/* Of an account, and of a program that somebody of this account has exported a session to: 0 is none, and what the program
 * exports itself is its own. So programs that one service starts have shares of their own, and none makes itself several.
 * A number is used again when its session has ended. */
static inline uint16_t session_client(uint32_t account, uint32_t program)
{
    return (uint16_t)(account + program * SESSION_ACCOUNTS);
}

static inline uint32_t session_program(uint32_t client)
{
    return client / SESSION_ACCOUNTS;
}

static inline struct server_session *session_at(const struct sessions *sessions, uint32_t number)
{
    return (struct server_session *)(sessions + 1) + (number - 1);
}

/* Whether the number is that of a session whose client is still there. */
static inline bool session_is_open(const struct sessions *sessions, uint32_t session)
{
    return session != 0 && session <= sessions->session_count &&
           session_at(sessions, session)->badge != 0 && !session_at(sessions, session)->gone;
}

static inline uint32_t session_bucket(mnos_badge_t badge)
{
    return (uint32_t)(badge * 0x9E3779B97F4A7C15ull >> 56);
}
/* The session with that badge that is not gone; NULL: there is none. */
static inline struct server_session *session_of(const struct sessions *sessions, mnos_badge_t badge)
{
    uint32_t number = sessions->buckets[session_bucket(badge)];

    while (number != 0 && session_at(sessions, number)->badge != badge)
        number = session_at(sessions, number)->next;
    return number == 0 || badge == 0 ? NULL : session_at(sessions, number);
}
/* The same, for who mostly asks for the one that was asked for before: *last, the caller's own; NULL at first. */
static inline struct server_session *session_of_last(const struct sessions *sessions,
                                                     mnos_badge_t badge,
                                                     struct server_session **last)
{
    struct server_session *before = *last;

    /* What ends stays in its place of the table, without a badge or `gone`. */
    if (__builtin_expect(before != NULL && before->badge == badge && badge != 0 && !before->gone,
                         1))
        return before;
    return *last = session_of(sessions, badge);
}
/* A new one, below `parent` or, NULL, of a client of its own; its type is 0. Below one that is no program's it is a new
 * program's. NULL: no room, or the account's share is spent. The caller has taken `object` for it. */
struct server_session *session_make(struct sessions *sessions, mnos_badge_t badge,
                                    struct server_session *parent, uint32_t object,
                                    uint32_t rights);
/* The same, charged to an account of the caller's choice, and of no program. */
struct server_session *session_make_for(struct sessions *sessions, mnos_badge_t badge,
                                        struct server_session *parent, uint32_t object,
                                        uint32_t rights, uint32_t account);
/* Closes its handles and empties its lanes. */
void session_reset(struct sessions *sessions, struct server_session *session,
                   const struct session_owner *owner);
/* OPEN_SESSION of a client that has the session: nothing is open in it, and what had been lost is known. */
void session_begin_anew(struct sessions *sessions, struct server_session *session,
                        const struct session_owner *owner);
/* What it had open, and what its lanes say, is not true any more: its requests get MNOS_ERR_LOST until it begins anew.
 * Its window stays, as the client may be writing into it. */
void session_lose(struct sessions *sessions, struct server_session *session,
                  const struct session_owner *owner);
/* No request under its badge can come. */
void session_gone(struct sessions *sessions, struct server_session *session,
                  const struct session_owner *owner);
/* It and all below it end. */
void session_close_tree(struct sessions *sessions, struct server_session *session,
                        const struct session_owner *owner);
uint32_t session_count_below(const struct sessions *sessions, const struct server_session *session);
/* Whether `session` was exported from `above`, or from one that was. */
bool session_is_below(const struct sessions *sessions, const struct server_session *session,
                      const struct server_session *above);

/* ---- Handles ---- */

/* MNOS_ERR_QUOTA: no room, or the account's share is spent. The caller has taken `object` for it. */
mnos_status_t handle_make(struct sessions *sessions, struct server_session *session,
                          uint32_t object, uint32_t rights, uint32_t type, uint64_t *handle);
/* Whether handle_make() can be done. */
static inline bool handle_room(const struct sessions *sessions,
                               const struct server_session *session)
{
    return sessions->free_handle != 0 &&
           sessions->accounts[session->account].handles < sessions->handle_count / SESSION_SHARE;
}
/* Entry `number` of the table, from 1. */
static inline struct server_handle *handle_at(const struct sessions *sessions, uint32_t number)
{
    return (struct server_handle *)((uint8_t *)sessions + sessions->handles_at) + (number - 1);
}
/* What a session has is listed and counted; see session.h for what of it is noted. */
static inline void handle_link(struct sessions *sessions, struct server_session *session,
                               struct server_handle *entry, uint32_t number)
{
    entry->previous = 0;
    entry->next = session->first_handle;
    if (entry->next != 0)
        handle_at(sessions, entry->next)->previous = number;
    session->first_handle = number;
    session->handle_count++;
    sessions->accounts[session->account].handles++;
}

/* As handle_make(), where handle_room() says that there is room. In place, for what opens something with each request. */
static inline struct server_handle *handle_take(struct sessions *sessions,
                                                struct server_session *session, uint32_t object,
                                                uint32_t rights, uint32_t type, uint64_t *handle)
{
    uint32_t number = sessions->free_handle;
    struct server_handle *entry = handle_at(sessions, number);
    uint64_t generation = sessions->generation + 1;

    state_note(&entry->session, sizeof entry->session);
    sessions->generation = generation;
    sessions->free_handle = entry->next;
    entry->generation = generation;
    entry->session = session->number;
    entry->object = object;
    entry->rights = rights;
    entry->type = (uint16_t)type;
    entry->failures = 0;
    handle_link(sessions, session, entry, number);
    *handle = generation << HANDLE_INDEX_BITS | number;
    return entry;
}
/* NULL: the session has none of that name. */
static inline struct server_handle *handle_of(const struct sessions *sessions,
                                              const struct server_session *session, uint64_t handle)
{
    uint32_t number = handle & ((1u << HANDLE_INDEX_BITS) - 1);
    struct server_handle *entry = handle_at(sessions, number);

    if (number == 0 || number > sessions->handle_count || entry->session != session->number ||
        entry->generation != handle >> HANDLE_INDEX_BITS)
        return NULL;
    return entry;
}
/* Whether a client, by its badge, has the handle still. */
static inline bool handle_is_open(const struct sessions *sessions, mnos_badge_t badge,
                                  uint64_t handle)
{
    const struct server_session *session = session_of(sessions, badge);

    return session != NULL && handle_of(sessions, session, handle) != NULL;
}
void handle_close(struct sessions *sessions, struct server_handle *handle,
                  const struct session_owner *owner);

/* ---- Lanes (lane.c) ---- */

enum lane_verdict {
    LANE_RUN,    /* carry it out, then lane_done() or lane_undone() */
    LANE_REPLAY, /* the lane's record is the reply */
    LANE_JOINED, /* it runs already: its reply goes to this request */
    LANE_REFUSED /* not the lane's next sequence: MNOS_ERR_ARGUMENT */
};

/* lane_begin() where it is not the one after the last. */
enum lane_verdict lane_begin_other(struct server_lane *lane, uint32_t sequence, uint64_t reply_id,
                                   uint64_t *stale);

static inline uint64_t lane_word(uint32_t sequence, enum lane_state state)
{
    return sequence | (uint64_t)state << 32;
}

/* That it runs is known before it does anything: what the service dies of is found again. */
static inline void lane_run(struct server_lane *lane, uint32_t sequence, uint64_t reply_id)
{
    /* Those of another request: of this one there were none. */
    __atomic_store_n(&lane->deaths, 0, __ATOMIC_RELEASE);
    lane->begun = 0;
    lane->reply_id = reply_id;
    __atomic_store_n(&lane->word, lane_word(sequence, LANE_RUNNING), __ATOMIC_RELEASE);
}

/* A request of class N has come. *stale becomes the reply id of a request that will get no answer, or 0. */
static inline enum lane_verdict lane_begin(struct server_lane *lane, uint32_t sequence,
                                           uint64_t reply_id, uint64_t *stale)
{
    *stale = 0;
    /* Nearly always: behind one that is done. Of one with the sequence 0 there is none. */
    if (__builtin_expect(lane->word + 1 != lane_word(sequence, LANE_DONE), 0))
        return lane_begin_other(lane, sequence, reply_id, stale);
    lane_run(lane, sequence, reply_id);
    return LANE_RUN;
}

/* The words of one that runs in parts are its progress until then. */
static inline __attribute__((always_inline)) void lane_note_end(struct server_lane *lane)
{
    if (__builtin_expect(lane->begun != 0, 0))
        state_note(lane, sizeof *lane);
    else
        state_note(&lane->word, sizeof lane->word);
    lane->begun = 0;
}

/* It was carried out; `words` holds `length` bytes, at most 32. Written by what has the effect. */
static inline __attribute__((always_inline)) void lane_done(struct server_lane *lane,
                                                            mnos_status_t status,
                                                            const uint64_t words[4],
                                                            uint32_t length)
{
    lane_note_end(lane);
    lane->status = status;
    lane->length = length;
    for (unsigned i = 0; i < 4; i++)
        lane->words[i] = words[i];
    lane->reply_id = 0;
    lane->word = lane_word(lane->sequence, LANE_DONE);
}

/* It had no effect: a repetition looks again. */
void lane_undone(struct server_lane *lane);
