// SPDX-License-Identifier: MIT
/*
 * timer_queue.h - pending deadlines of one core, earliest first: a balanced tree, O(log n).
 *
 * An entry stays when the wait it was made for ends, and serves the waits after it: their threads only
 * store a deadline that is not earlier. What an entry is worth is looked at when it has become the
 * first, by the core of the queue (docs/time.md proves that no deadline is lost).
 *
 * Q1  `earliest` is the smallest key in the tree, UINT64_MAX when it is empty
 * Q2  while a thread waits with a finite deadline, its entry is in some queue, under that deadline or an
 *     earlier one, or a core is just about to end the wait
 * Q3  an entry that is in no queue is entered only by who owns its thread: the core that runs it, or that
 *     took it off what it waited on
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/types.h"
#include "lib/base/tree.h"
#include "base/spinlock.h"

struct thread;

struct timer_entry {
    struct tree_node node;     /* keyed by `due`, then by address */
    struct timer_queue *queue; /* where it is; NULL: nowhere. Guarded by that queue's lock */
    uint64_t due;              /* UINT64_MAX: in no queue. Read without the lock by the thread */
    /* Ends the wait that this is the deadline of: wait_cancel(). Constant. */
    bool (*cancel)(struct thread *thread, uint64_t until_ns, mnos_status_t status);
};

struct timer_queue {
    struct spinlock lock; /* rank LOCK_TIMER, guards all below */
    struct tree tree;
    uint64_t earliest;
};

void timer_queue_init(struct timer_queue *queue);
/* Sees to Q2 for `thread`, which the caller owns, using this queue if a new place is needed; true when
 * the entry is now its earliest. */
bool timer_queue_insert(struct timer_queue *queue, struct thread *thread);
/* Takes the entry of `thread`, which does not run any more, out of the queue it is in, if any. */
void timer_queue_remove(struct thread *thread);
/* Puts the first entry in order. Whose wait is to be ended then; TIMER_QUEUE_MORE: nobody's; NULL: nothing
 * was to be done, since the first is in the future and somebody waits for it. */
#define TIMER_QUEUE_MORE ((struct thread *)1)
struct thread *timer_queue_step(struct timer_queue *queue, uint64_t now_ns);
