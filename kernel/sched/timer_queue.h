// SPDX-License-Identifier: MIT
/*
 * timer_queue.h - pending deadlines of one core, earliest first: a balanced tree, O(log n).
 *
 * Q1  `earliest` is the smallest deadline in the tree, UINT64_MAX when it is empty
 */
#pragma once

#include <stdint.h>

#include "lib/tree.h"
#include "sync/spinlock.h"

struct timer_entry {
    struct tree_node node;     /* keyed by deadline, then by address */
    uint64_t wait;             /* the wait of its thread that it would end */
    struct timer_queue *queue; /* where it is; NULL: nowhere. Guarded by that queue's lock */
};

struct timer_queue {
    struct spinlock lock; /* rank LOCK_TIMER, guards all below */
    struct tree tree;
    uint64_t earliest;
};

void timer_queue_init(struct timer_queue *queue);
/* Adds `entry`, which must be in no queue; true when it is now the earliest. */
bool timer_queue_insert(struct timer_queue *queue, struct timer_entry *entry, uint64_t deadline_ns,
                        uint64_t wait);
/* Takes `entry` out of the queue it is in, if any; any core may do so. */
void timer_entry_cancel(struct timer_entry *entry);
/* Takes out the earliest entry whose deadline is not after `now_ns`; NULL: none. *wait as given. */
struct timer_entry *timer_queue_expire(struct timer_queue *queue, uint64_t now_ns, uint64_t *wait);
