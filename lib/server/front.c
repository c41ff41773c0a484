// SPDX-License-Identifier: MIT
/* front - see front.h. Host tests compile this file as it is. */
#include "lib/server/front.h"

#include <stdatomic.h>

#include "lib/base/string.h"

static uint64_t load(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_acquire);
}

static void store(_Atomic uint64_t *word, uint64_t value)
{
    atomic_store_explicit(word, value, memory_order_release);
}

void front_open(struct front *front, bool fresh, mnos_badge_t first_badge)
{
    if (!fresh && (load(&front->next_badge) & FRONT_BADGE_MADE) != 0)
        return;
    memset(front, 0, sizeof *front);
    store(&front->next_badge, first_badge | FRONT_BADGE_MADE);
}

/* The entry of a badge, or NULL. */
static const struct front_session *find(const struct front *front, mnos_badge_t badge)
{
    for (unsigned i = 0; badge != 0 && i < FRONT_SESSIONS_MAX; i++)
        if (load(&front->sessions[i].badge) == badge)
            return &front->sessions[i];
    return NULL;
}

bool front_knows(const struct front *front, mnos_badge_t badge)
{
    return badge == FRONT_HOLDER || find(front, badge) != NULL;
}

mnos_badge_t front_now(const struct front *front)
{
    mnos_badge_t badge = load(&front->front);

    return front_knows(front, badge) ? badge : FRONT_HOLDER;
}

mnos_badge_t front_giver(const struct front *front, mnos_badge_t badge)
{
    const struct front_session *session = find(front, badge);

    return session != NULL ? load(&session->giver) : FRONT_HOLDER;
}

static uint64_t flags_of(const struct front *front, mnos_badge_t badge)
{
    const struct front_session *session = find(front, badge);

    return session != NULL ? load(&session->flags) : 0;
}

/* The bound is as below. */
mnos_badge_t front_with_flag(const struct front *front, mnos_badge_t badge, uint64_t flag)
{
    mnos_badge_t found = FRONT_HOLDER;

    for (unsigned depth = 0; badge != FRONT_HOLDER && depth < FRONT_SESSIONS_MAX; depth++) {
        if ((flags_of(front, badge) & flag) != 0)
            found = badge;
        badge = front_giver(front, badge);
    }
    return found;
}

/* The bound is for memory that a dying process has damaged. */
bool front_is_below(const struct front *front, mnos_badge_t badge, mnos_badge_t top)
{
    for (unsigned depth = 0; depth <= FRONT_SESSIONS_MAX; depth++) {
        if (badge == top)
            return true;
        if (badge == FRONT_HOLDER)
            return false;
        badge = front_giver(front, badge);
    }
    return false;
}

/* Of a session, the one of the holder's that it is or is below; the bound is as above. */
static mnos_badge_t top_of(const struct front *front, mnos_badge_t badge)
{
    for (unsigned depth = 0; depth < FRONT_SESSIONS_MAX; depth++) {
        mnos_badge_t giver = front_giver(front, badge);

        if (giver == FRONT_HOLDER)
            break;
        badge = giver;
    }
    return badge;
}

/* Whether a giver may make one more: F3. */
static bool may_make(const struct front *front, mnos_badge_t giver)
{
    mnos_badge_t top = giver == FRONT_HOLDER ? FRONT_HOLDER : top_of(front, giver);
    unsigned given = 0;

    for (unsigned i = 0; i < FRONT_SESSIONS_MAX; i++) {
        mnos_badge_t badge = load(&front->sessions[i].badge);

        if (badge == 0 || badge == top)
            continue;
        given += giver == FRONT_HOLDER ? load(&front->sessions[i].giver) == FRONT_HOLDER
                                       : top_of(front, badge) == top;
    }
    return given < (giver == FRONT_HOLDER ? FRONT_SESSIONS_FIRST : FRONT_SESSIONS_BELOW);
}

static struct front_session *free_entry(struct front *front)
{
    for (unsigned i = 0; i < FRONT_SESSIONS_MAX; i++)
        if (load(&front->sessions[i].badge) == 0)
            return &front->sessions[i];
    return NULL;
}

mnos_status_t front_make(struct front *front, mnos_badge_t giver, uint64_t flags,
                         mnos_badge_t *made)
{
    struct front_session *entry = free_entry(front);
    mnos_badge_t badge = load(&front->next_badge);

    if (entry == NULL || !may_make(front, giver))
        return MNOS_ERR_QUOTA;
    store(&front->next_badge, (badge + 1) | FRONT_BADGE_MADE);
    store(&entry->giver, giver);
    store(&entry->flags, flags);
    store(&entry->badge, badge);
    *made = badge;
    return MNOS_OK;
}

void front_set_flags(struct front *front, mnos_badge_t badge, uint64_t flags)
{
    for (unsigned i = 0; i < FRONT_SESSIONS_MAX; i++)
        if (load(&front->sessions[i].badge) == badge)
            store(&front->sessions[i].flags, flags);
}

void front_put(struct front *front, mnos_badge_t badge)
{
    store(&front->front, badge);
}

/* If a session of this tree is in front, the giver of its top is from now on. */
static void leave(struct front *front, mnos_badge_t top)
{
    if (front_is_below(front, front_now(front), top))
        front_put(front, front_giver(front, top));
}

static void clear(struct front *front, mnos_badge_t badge)
{
    for (unsigned i = 0; i < FRONT_SESSIONS_MAX; i++)
        if (load(&front->sessions[i].badge) == badge)
            store(&front->sessions[i].badge, 0);
}

/* Those that were made last are below the others, and go first: a death in between leaves no entry whose giver is
 * gone. */
void front_end(struct front *front, mnos_badge_t badge)
{
    if (badge == FRONT_HOLDER || !front_knows(front, badge))
        return;
    leave(front, badge);
    for (;;) {
        mnos_badge_t last = 0;

        for (unsigned i = 0; i < FRONT_SESSIONS_MAX; i++) {
            mnos_badge_t other = load(&front->sessions[i].badge);

            if (other > last && front_is_below(front, other, badge))
                last = other;
        }
        if (last == 0)
            return;
        clear(front, last);
    }
}

mnos_badge_t front_next(const struct front *front, unsigned *at)
{
    while (*at < FRONT_SESSIONS_MAX) {
        mnos_badge_t badge = load(&front->sessions[(*at)++].badge);

        if (badge != 0)
            return badge;
    }
    return 0;
}
