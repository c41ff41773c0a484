// SPDX-License-Identifier: MIT
/* block_session - see block_session.h. Host tests compile this file as it is. */
#include "lib/server/block_session.h"

#include "lib/base/string.h"

static mnos_badge_t badge_of(const struct block_session *session)
{
    return atomic_load_explicit(&session->badge, memory_order_acquire);
}

static mnos_badge_t parent_of(const struct block_session *session)
{
    return atomic_load_explicit(&session->parent, memory_order_relaxed);
}

static bool is_made(mnos_badge_t badge)
{
    return (badge & BLOCK_BADGE_MADE) != 0;
}

/* What a predecessor left is its own work, but may be damaged as all memory of a process that died of
 * a fault. */
static bool is_sound(const struct block_sessions *sessions, uint64_t disk_sectors)
{
    if (sessions->sectors != disk_sectors ||
        (atomic_load_explicit(&sessions->next_badge, memory_order_relaxed) & BLOCK_BADGE_MADE) == 0)
        return false;
    for (unsigned i = 0; i < BLOCK_SESSIONS_MAX; i++) {
        const struct block_session *session = &sessions->entries[i];

        if (badge_of(session) != 0 &&
            (session->first > disk_sectors || session->sectors > disk_sectors - session->first ||
             (session->rights & ~(uint64_t)BLOCK_RIGHTS_ALL) != 0 ||
             is_made(badge_of(session)) != (session->share != 0) || is_made(session->top)))
            return false;
    }
    return true;
}

void block_sessions_open(struct block_sessions *sessions, bool fresh, uint64_t disk_sectors,
                         mnos_badge_t first_badge)
{
    if (!fresh && is_sound(sessions, disk_sectors))
        return;
    memset(sessions, 0, sizeof *sessions);
    atomic_store_explicit(&sessions->next_badge, first_badge | BLOCK_BADGE_MADE,
                          memory_order_relaxed);
    sessions->sectors = disk_sectors;
}

struct block_session *block_session_find(struct block_sessions *sessions, mnos_badge_t badge)
{
    for (unsigned i = 0; badge != 0 && i < BLOCK_SESSIONS_MAX; i++)
        if (badge_of(&sessions->entries[i]) == badge)
            return &sessions->entries[i];
    return NULL;
}

static struct block_session *free_entry(struct block_sessions *sessions)
{
    for (unsigned i = 0; i < BLOCK_SESSIONS_MAX; i++)
        if (badge_of(&sessions->entries[i]) == 0)
            return &sessions->entries[i];
    return NULL;
}

static void fill(struct block_session *session, const struct block_session *contents,
                 mnos_badge_t parent, mnos_badge_t badge)
{
    session->first = contents->first;
    session->sectors = contents->sectors;
    session->rights = contents->rights;
    session->top = contents->top;
    session->share = contents->share;
    atomic_store_explicit(&session->parent, parent, memory_order_relaxed);
    atomic_store_explicit(&session->badge, badge, memory_order_release);
}

struct block_session *block_session_of(struct block_sessions *sessions, mnos_badge_t badge)
{
    struct block_session *session = block_session_find(sessions, badge);

    if (session != NULL || badge == 0 || is_made(badge))
        return session;
    session = free_entry(sessions);
    if (session != NULL)
        fill(session,
             &(struct block_session){.sectors = sessions->sectors, .rights = BLOCK_RIGHTS_ALL}, 0,
             badge);
    return session;
}

static bool has_room(const struct block_sessions *sessions, const struct block_session *parent,
                     const struct block_session *wanted)
{
    unsigned below = 0, share = 0;

    for (unsigned i = 0; i < BLOCK_SESSIONS_MAX; i++) {
        const struct block_session *session = &sessions->entries[i];

        if (badge_of(session) == 0)
            continue;
        below += parent_of(session) == badge_of(parent);
        share += session->top == wanted->top && session->share == wanted->share;
    }
    return share < BLOCK_SESSIONS_OF_SHARE &&
           (is_made(badge_of(parent)) || below < BLOCK_SESSIONS_BELOW_FIRST);
}

mnos_status_t block_session_make(struct block_sessions *sessions,
                                 const struct block_session *parent,
                                 const struct block_restrict *wanted, struct block_session **made)
{
    struct block_session *session = free_entry(sessions);
    mnos_badge_t badge = atomic_load_explicit(&sessions->next_badge, memory_order_relaxed);
    bool below_made = is_made(badge_of(parent));
    struct block_session contents = {
        .first = parent->first + wanted->first,
        .sectors = wanted->sectors,
        .rights = wanted->rights,
        .top = below_made ? parent->top : badge_of(parent) & BLOCK_BADGE_SERVICE,
        .share = below_made         ? parent->share
                 : wanted->tag != 0 ? wanted->tag
                                    : badge,
    };

    if (wanted->sectors == 0 || wanted->first > parent->sectors ||
        wanted->sectors > parent->sectors - wanted->first || is_made(wanted->tag))
        return MNOS_ERR_ARGUMENT;
    if ((wanted->rights & ~parent->rights) != 0 || (wanted->tag != 0 && below_made))
        return MNOS_ERR_DENIED;
    if (session == NULL || !has_room(sessions, parent, &contents))
        return MNOS_ERR_QUOTA;
    atomic_store_explicit(&sessions->next_badge, badge + 1, memory_order_release);
    fill(session, &contents, badge_of(parent), badge);
    *made = session;
    return MNOS_OK;
}

void block_session_remove(struct block_sessions *sessions, struct block_session *session)
{
    mnos_badge_t badge = badge_of(session), above = parent_of(session);

    for (unsigned i = 0; i < BLOCK_SESSIONS_MAX; i++)
        if (parent_of(&sessions->entries[i]) == badge)
            atomic_store_explicit(&sessions->entries[i].parent, above, memory_order_release);
    atomic_store_explicit(&session->badge, 0, memory_order_release);
}

/* Parents were made before their children and chains have no circle; the bound is for damaged memory. */
static bool is_below(struct block_sessions *sessions, const struct block_session *session,
                     mnos_badge_t top)
{
    for (unsigned depth = 0; session != NULL && depth < BLOCK_SESSIONS_MAX; depth++) {
        if (badge_of(session) == top)
            return true;
        session = block_session_find(sessions, parent_of(session));
    }
    return false;
}

struct block_session *block_session_below(struct block_sessions *sessions, mnos_badge_t top)
{
    struct block_session *last = NULL;

    for (unsigned i = 0; i < BLOCK_SESSIONS_MAX; i++) {
        struct block_session *session = &sessions->entries[i];

        if (badge_of(session) == 0 || !is_below(sessions, session, top))
            continue;
        if (badge_of(session) != top)
            return session;
        last = session;
    }
    return last;
}

struct block_session *block_session_tagged(struct block_sessions *sessions, mnos_badge_t top,
                                           uint64_t tag)
{
    for (unsigned i = 0; tag != 0 && i < BLOCK_SESSIONS_MAX; i++) {
        struct block_session *session = &sessions->entries[i];

        if (badge_of(session) != 0 && session->share == tag &&
            session->top == (top & BLOCK_BADGE_SERVICE))
            return session;
    }
    return NULL;
}
