// SPDX-License-Identifier: MIT
/* runqueue.c - see runqueue.h. */
#include "sched/runqueue.h"

#include <stddef.h>

#include "assert.h"
#include "object/thread.h"

void runqueue_init(struct runqueue *queue)
{
    spin_init(&queue->lock, LOCK_RUNQUEUE);
    queue->ready = 0;
    queue->count = 0;
    queue->running_priority = -1;
    for (unsigned i = 0; i < MNOS_PRIORITY_COUNT; i++)
        list_init(&queue->lists[i]);
}

void runqueue_insert_locked(struct runqueue *queue, struct thread *thread, bool at_front)
{
    unsigned priority = thread->effective;

    assert(spin_is_locked(&queue->lock));
    thread->queued_priority = (uint8_t)priority;
    if (at_front)
        list_prepend(&queue->lists[priority], &thread->run_link);
    else
        list_append(&queue->lists[priority], &thread->run_link);
    queue->ready |= 1ull << priority;
    queue->count++;
}

void runqueue_remove_locked(struct runqueue *queue, struct thread *thread)
{
    unsigned priority = thread->queued_priority;

    assert(spin_is_locked(&queue->lock));
    assert(!list_empty(&thread->run_link));
    list_remove(&thread->run_link);
    if (list_empty(&queue->lists[priority]))
        queue->ready &= ~(1ull << priority);
    queue->count--;
}

struct thread *runqueue_best_locked(const struct runqueue *queue)
{
    int priority = runqueue_best_priority(queue);

    if (priority < 0)
        return NULL;
    return list_first(&queue->lists[priority], struct thread, run_link);
}

void runqueue_check(const struct runqueue *queue)
{
    uint32_t count = 0;

    for (unsigned p = 0; p < MNOS_PRIORITY_COUNT; p++) {
        assert(list_empty(&queue->lists[p]) == ((queue->ready >> p & 1) == 0)); /* R1 */
        for (struct list *l = queue->lists[p].next; l != &queue->lists[p]; l = l->next) {
            const struct thread *thread = container_of(l, struct thread, run_link);

            assert(thread->state == THREAD_READY && thread->queued_priority == p); /* R2 */
            count++;
        }
    }
    assert(count == queue->count);
    (void)count;
}
