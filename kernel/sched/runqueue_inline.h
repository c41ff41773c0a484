// SPDX-License-Identifier: MIT
/* runqueue_inline.h - the operations of runqueue.h on the way of a change of threads, inline. */
#pragma once

#include <stdatomic.h>
#include <stddef.h>

#include "assert.h"
#include "sched/runqueue.h"
#include "tcb.h"

static inline struct thread *runqueue_first_of(const struct list *list)
{
    return list_first(list, struct thread, run_link);
}

/* Of a priority of which some are ready. */
static inline struct thread *runqueue_first_locked(const struct runqueue *queue, int priority)
{
    const struct list *movable = &queue->movables[priority], *pinned = &queue->pinneds[priority];

    if ((queue->pinned >> priority & 1) == 0)
        return runqueue_first_of(movable);
    if ((queue->movable >> priority & 1) == 0)
        return runqueue_first_of(pinned);
    return (int32_t)(runqueue_first_of(movable)->ticket - runqueue_first_of(pinned)->ticket) < 0
               ? runqueue_first_of(movable)
               : runqueue_first_of(pinned);
}

/* runqueue_insert_locked(). */
[[gnu::always_inline]] static inline void runqueue_insert_inline_locked(struct runqueue *queue,
                                                                        struct thread *thread,
                                                                        bool at_front)
{
    unsigned priority = thread->effective;
    bool pinned = thread->affinity != MNOS_AFFINITY_ANY;
    struct list *list = pinned ? &queue->pinneds[priority] : &queue->movables[priority];

    assert(spin_is_locked(&queue->lock));
    thread->queued_priority = (uint8_t)priority;
    thread->queued_pinned = pinned;
    if (at_front && ((queue->movable | queue->pinned) >> priority & 1) != 0) {
        thread->ticket = runqueue_first_locked(queue, (int)priority)->ticket - 1;
        list_prepend(list, &thread->run_link);
    } else {
        thread->ticket = queue->next_ticket++;
        list_append(list, &thread->run_link);
    }
    *(pinned ? &queue->pinned : &queue->movable) |= 1ull << priority;
    queue->ready |= 1ull << priority;
}

/* Puts `thread` at the end of its priority and takes the first of it out; NULL: there is none, or it must
 * not run, and nothing has changed. */
[[gnu::always_inline]] static inline struct thread *runqueue_next_locked(struct runqueue *queue,
                                                                         struct thread *thread)
{
    unsigned priority = thread->effective;
    uint64_t bit = 1ull << priority;
    bool pinned = thread->affinity != MNOS_AFFINITY_ANY;
    struct list *list = pinned ? &queue->pinneds[priority] : &queue->movables[priority];
    struct thread *first;

    if (((queue->movable | queue->pinned) & bit) == 0)
        return NULL;
    first = runqueue_first_locked(queue, (int)priority);
    if (atomic_load_explicit(&first->stop, memory_order_relaxed) != 0)
        return NULL;
    thread->ticket = queue->next_ticket++;
    thread->queued_priority = (uint8_t)priority;
    thread->queued_pinned = pinned;
    list_append(list, &thread->run_link);
    list_remove(&first->run_link);
    if (pinned != first->queued_pinned) {
        *(pinned ? &queue->pinned : &queue->movable) |= bit;
        if (list_empty(pinned ? &queue->movables[priority] : &queue->pinneds[priority]))
            *(pinned ? &queue->movable : &queue->pinned) &= ~bit;
    }
    return first;
}
