// SPDX-License-Identifier: MIT
/* runqueue.c - see runqueue.h. */
#include "sched/runqueue.h"

#include <stdatomic.h>
#include <stddef.h>

#include "assert.h"
#include "object/thread.h"

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

static struct thread *first_of(const struct list *list)
{
    return list_first(list, struct thread, run_link);
}

/* Of a priority of which some are ready. */
static struct thread *first_locked(const struct runqueue *queue, int priority)
{
    const struct list *movable = &queue->movables[priority], *pinned = &queue->pinneds[priority];

    if ((queue->pinned >> priority & 1) == 0)
        return first_of(movable);
    if ((queue->movable >> priority & 1) == 0)
        return first_of(pinned);
    return (int32_t)(first_of(movable)->ticket - first_of(pinned)->ticket) < 0 ? first_of(movable)
                                                                               : first_of(pinned);
}

void runqueue_insert_locked(struct runqueue *queue, struct thread *thread, bool at_front)
{
    unsigned priority = thread->effective;
    bool pinned = thread->affinity != MNOS_AFFINITY_ANY;
    struct list *list = pinned ? &queue->pinneds[priority] : &queue->movables[priority];

    assert(spin_is_locked(&queue->lock));
    thread->queued_priority = (uint8_t)priority;
    thread->queued_pinned = pinned;
    if (at_front && ((queue->movable | queue->pinned) >> priority & 1) != 0) {
        thread->ticket = first_locked(queue, (int)priority)->ticket - 1;
        list_prepend(list, &thread->run_link);
    } else {
        thread->ticket = queue->next_ticket++;
        list_append(list, &thread->run_link);
    }
    *(pinned ? &queue->pinned : &queue->movable) |= 1ull << priority;
    queue->ready |= 1ull << priority;
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

    return priority < 0 ? NULL : first_locked(queue, priority);
}

struct thread *runqueue_best_movable_locked(const struct runqueue *queue)
{
    if (queue->movable == 0)
        return NULL;
    return first_of(&queue->movables[63 - __builtin_clzll(queue->movable)]);
}

struct thread *runqueue_next_locked(struct runqueue *queue, struct thread *thread)
{
    unsigned priority = thread->effective;
    uint64_t bit = 1ull << priority;
    bool pinned = thread->affinity != MNOS_AFFINITY_ANY;
    struct list *list = pinned ? &queue->pinneds[priority] : &queue->movables[priority];
    struct thread *first;

    if (((queue->movable | queue->pinned) & bit) == 0)
        return NULL;
    first = first_locked(queue, (int)priority);
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
