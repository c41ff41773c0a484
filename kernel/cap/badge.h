// SPDX-License-Identifier: MIT
/*
 * badge.h - whether a badge of an endpoint lives: whether there is a capability with it.
 *
 * Badges are found by going through the derivation tree, each parent before its children: object/search.h. The
 * capability that the search stands on has CAP_CURSOR. What is in the tree all the time keeps its order
 * (hand_up_children_locked()), and what is made during the search lies below what has not been looked at, or is newer
 * than the question. So a badge that lives from the beginning to the end is found.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/types.h"

struct capability;
struct cap_view;
struct kobject;

enum badge_state {
    BADGE_GONE,
    BADGE_LIVES,
    BADGE_ASK_AGAIN, /* interrupted: put *progress away and call again, with it */
};

/* Whether `badge`, not 0, of the endpoint that `view` names lives. One that is being torn down, because its
 * capabilities are being revoked or who minted it is ending, has gone. *progress is 0 at first. */
enum badge_state badge_find(const struct cap_view *view, mnos_badge_t badge, uint64_t *progress);

/* The capability that a search stands on goes, or gets others in front of it: goes on with `next`. The
 * derivation lock is held. */
void badge_cursor_move_locked(struct kobject *object, struct capability *next);
