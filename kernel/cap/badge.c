// SPDX-License-Identifier: MIT
/* badge.c - see badge.h. */
#include "cap/badge.h"

#include <stddef.h>

#include "cap/derive.h"
#include "object/endpoint.h"
#include "object/process.h"
#include "sched/sched.h"

/* Capabilities looked at in one step. */
#define SEARCH_STEP 64

/* In *progress, with the number of steps that had been made. */
#define PROGRESS_OURS 1u

void badge_cursor_move_locked(struct kobject *object, struct capability *next)
{
    struct badge_search *search = &((struct endpoint *)object)->search;

    if (search->next != NULL)
        search->next->flags &= (uint8_t)~CAP_CURSOR;
    search->next = next;
    if (next != NULL)
        next->flags |= CAP_CURSOR;
}

/* Makes the search ours; false: somebody else is at it. */
static bool search_take_locked(struct endpoint *endpoint, uint64_t *progress)
{
    struct badge_search *search = &endpoint->search;
    uint64_t made = search->steps << 1;

    if (*progress == (made | PROGRESS_OURS))
        return true;
    if (search->next != NULL && *progress != made) {
        *progress = made;
        return false;
    }
    badge_cursor_move_locked(&endpoint->obj, cap_at(endpoint->obj.caps));
    return true;
}

/* All that carry the badge of this one are about to go. */
static bool is_ending(const struct capability *cap)
{
    const struct process *owner = cap_owner(cap);

    return (cap->flags & CAP_MINTED) != 0 && owner != NULL && !process_is_open(owner);
}

static enum badge_state search_step_locked(struct endpoint *endpoint, mnos_badge_t badge)
{
    struct capability *at = endpoint->search.next;

    for (unsigned i = 0; at != NULL && i < SEARCH_STEP; i++) {
        bool ending = is_ending(at), is_it = at->badge == badge;

        if (is_it && !ending && at->type != MNOS_TYPE_NONE) {
            badge_cursor_move_locked(&endpoint->obj, NULL);
            return BADGE_LIVES;
        }
        /* Below a badge there is no other one (C6). */
        at = cap_next_in_order(at, !ending && (at->flags & CAP_REVOKING) == 0 &&
                                       (is_it || at->badge == 0));
    }
    badge_cursor_move_locked(&endpoint->obj, at);
    return at == NULL ? BADGE_GONE : BADGE_ASK_AGAIN;
}

enum badge_state badge_find(const struct cap_view *view, mnos_badge_t badge, uint64_t *progress)
{
    struct endpoint *endpoint = (struct endpoint *)view->object;
    enum badge_state state = BADGE_ASK_AGAIN;
    bool ours;

    do {
        spin_lock(&endpoint->obj.derive);
        ours = cap_alive(view) && search_take_locked(endpoint, progress);
        if (ours) {
            state = search_step_locked(endpoint, badge);
            *progress = ++endpoint->search.steps << 1 | PROGRESS_OURS;
        }
        spin_unlock(&endpoint->obj.derive);
    } while (state == BADGE_ASK_AGAIN && !sched_preempt_point() && ours);
    return state;
}
