// SPDX-License-Identifier: MIT
/* block_session - see block_session.h. Host tests compile this file as it is. */
#include "lib/server/block_session.h"

#include "lib/base/string.h"
#include "protocols/block.h"

static mnos_badge_t badge_of(const struct block_session *session)
{
    return atomic_load_explicit(&session->badge, memory_order_acquire);
}

static mnos_badge_t parent_of(const struct block_session *session)
{
    return atomic_load_explicit(&session->parent, memory_order_relaxed);
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
             (session->rights & ~(uint64_t)BLOCK_RIGHTS_ALL) != 0))
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

static void fill(struct block_session *session, mnos_badge_t parent, uint64_t first,
                 uint64_t sectors, uint64_t rights, mnos_badge_t badge)
{
    session->first = first;
    session->sectors = sectors;
    session->rights = rights;
    atomic_store_explicit(&session->parent, parent, memory_order_relaxed);
    atomic_store_explicit(&session->badge, badge, memory_order_release);
}

struct block_session *block_session_of(struct block_sessions *sessions, mnos_badge_t badge)
{
    struct block_session *session = block_session_find(sessions, badge);

    if (session != NULL || badge == 0 || (badge & BLOCK_BADGE_MADE) != 0)
        return session;
    session = free_entry(sessions);
    if (session != NULL)
        fill(session, 0, 0, sessions->sectors, BLOCK_RIGHTS_ALL, badge);
    return session;
}

static unsigned children_of(const struct block_sessions *sessions, mnos_badge_t parent)
{
    unsigned count = 0;

    for (unsigned i = 0; i < BLOCK_SESSIONS_MAX; i++)
        count += badge_of(&sessions->entries[i]) != 0 && parent_of(&sessions->entries[i]) == parent;
    return count;
}

mnos_status_t block_session_make(struct block_sessions *sessions,
                                 const struct block_session *parent, uint64_t first,
                                 uint64_t sectors, uint64_t rights, struct block_session **made)
{
    unsigned limit = parent_of(parent) == 0 && (badge_of(parent) & BLOCK_BADGE_MADE) == 0
                         ? BLOCK_SESSIONS_BELOW_FIRST
                         : BLOCK_SESSIONS_BELOW;
    struct block_session *session = free_entry(sessions);
    mnos_badge_t badge = atomic_load_explicit(&sessions->next_badge, memory_order_relaxed);

    if (sectors == 0 || first > parent->sectors || sectors > parent->sectors - first)
        return MNOS_ERR_ARGUMENT;
    if ((rights & ~parent->rights) != 0)
        return MNOS_ERR_DENIED;
    if (session == NULL || children_of(sessions, badge_of(parent)) >= limit)
        return MNOS_ERR_QUOTA;
    atomic_store_explicit(&sessions->next_badge, badge + 1, memory_order_release);
    fill(session, badge_of(parent), parent->first + first, sectors, rights, badge);
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
