// SPDX-License-Identifier: MIT
/* runqueue.c - see runqueue.h. */
#include "sched/runqueue.h"

#include <stdatomic.h>
#include <stddef.h>

#include "assert.h"
#include "sched/runqueue_inline.h"

void runqueue_init(struct runqueue *queue)
{
    spin_init(&queue->lock, LOCK_RUNQUEUE);
    queue->ready = queue->movable = queue->pinned = queue->work = 0;
    queue->next_ticket = 0;
    queue->running_priority = -1;
    for (unsigned i = 0; i < MNOS_PRIORITY_COUNT; i++) {
        list_init(&queue->movables[i]);
        list_init(&queue->pinneds[i]);
    }
}

void runqueue_insert_locked(struct runqueue *queue, struct thread *thread, bool at_front)
{
    runqueue_insert_inline_locked(queue, thread, at_front);
}

void runqueue_remove_locked(struct runqueue *queue, struct thread *thread)
{
    unsigned priority = thread->queued_priority;
    bool pinned = thread->queued_pinned;

    assert(spin_is_locked(&queue->lock));
    assert(!list_empty(&thread->run_link));
    list_remove(&thread->run_link);
    if (!list_empty(pinned ? &queue->pinneds[priority] : &queue->movables[priority]))
        return;
    *(pinned ? &queue->pinned : &queue->movable) &= ~(1ull << priority);
    queue->ready = queue->movable | queue->pinned | queue->work;
}

struct thread *runqueue_best_locked(const struct runqueue *queue)
{
    int priority = runqueue_best_thread(queue);

    return priority < 0 ? NULL : runqueue_first_locked(queue, priority);
}

struct thread *runqueue_best_movable_locked(const struct runqueue *queue)
{
    if (queue->movable == 0)
        return NULL;
    return runqueue_first_of(&queue->movables[63 - __builtin_clzll(queue->movable)]);
}

bool runqueue_work_begins(struct runqueue *queue, uint8_t priority)
{
    bool better;

    spin_lock(&queue->lock);
    queue->work |= 1ull << priority;
    queue->ready |= 1ull << priority;
    better = (int)priority >= queue->running_priority;
    spin_unlock(&queue->lock);
    return better;
}

void runqueue_work_ends(struct runqueue *queue, uint8_t priority)
{
    spin_lock(&queue->lock);
    queue->work &= ~(1ull << priority);
    queue->ready = queue->movable | queue->pinned | queue->work;
    spin_unlock(&queue->lock);
}
