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

void badge_cursor_move_locked(struct kobject *object, struct capability *next)
{
    struct search *search = &endpoint_of(object)->search;
    struct capability *at = search->next;

    if (at != NULL)
        at->flags &= (uint8_t)~CAP_CURSOR;
    search->next = next;
    if (next != NULL)
        next->flags |= CAP_CURSOR;
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

/* A step, if it is ours to make one; false: it is not. */
static bool search_locked(struct endpoint *endpoint, mnos_badge_t badge, uint64_t *progress,
                          enum badge_state *state)
{
    enum search_turn turn = search_turn_locked(&endpoint->search, progress);

    if (turn == SEARCH_OTHERS)
        return false;
    if (turn == SEARCH_BEGINS)
        badge_cursor_move_locked(&endpoint->obj, cap_at(endpoint->obj.caps));
    *state = search_step_locked(endpoint, badge);
    search_stepped_locked(&endpoint->search, progress);
    return true;
}

enum badge_state badge_find(const struct cap_view *view, mnos_badge_t badge, uint64_t *progress)
{
    struct endpoint *endpoint = endpoint_of(view->object);
    enum badge_state state = BADGE_ASK_AGAIN;
    bool ours;

    do {
        spin_lock(&endpoint->obj.derive);
        ours = cap_alive(view) && search_locked(endpoint, badge, progress, &state);
        spin_unlock(&endpoint->obj.derive);
    } while (state == BADGE_ASK_AGAIN && !sched_preempt_point() && ours);
    return state;
}
