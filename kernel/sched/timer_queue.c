// SPDX-License-Identifier: MIT
/* timer_queue.c - see timer_queue.h. */
#include "sched/timer_queue.h"

#include <stdatomic.h>
#include <stddef.h>

#include "assert.h"
#include "tcb.h"

/* When to look again at a thread that is just beginning or ending a wait. */
#define AGAIN_NS 20000

void timer_queue_init(struct timer_queue *queue)
{
    spin_init(&queue->lock, LOCK_TIMER);
    queue->tree.root = NULL;
    queue->earliest = UINT64_MAX;
}

static void put_locked(struct timer_queue *queue, struct timer_entry *entry, uint64_t due)
{
    tree_insert(&queue->tree, &entry->node, due);
    entry->queue = queue;
    __atomic_store_n(&entry->due, due, __ATOMIC_RELAXED);
    if (due < queue->earliest)
        __atomic_store_n(&queue->earliest, due, __ATOMIC_RELAXED);
}

/* Out of the tree; entry->queue says so when it is certain that it does not go back. The exchange is a
 * full barrier: what the thread asks for is to be read after it. */
static inline void take_locked(struct timer_queue *queue, struct timer_entry *entry)
{
    const struct tree_node *first;

    tree_remove(&queue->tree, &entry->node);
    (void)__atomic_exchange_n(&entry->due, UINT64_MAX, __ATOMIC_SEQ_CST);
    first = tree_first(&queue->tree);
    __atomic_store_n(&queue->earliest, first == NULL ? UINT64_MAX : first->key, __ATOMIC_RELAXED);
}

static void release_locked(struct timer_entry *entry)
{
    __atomic_store_n(&entry->queue, NULL, __ATOMIC_RELEASE);
}

/* Takes the entry out unless its place is no later than `deadline_ns`; true: it is out. */
static bool take_if_later(struct timer_entry *entry, uint64_t deadline_ns)
{
    struct timer_queue *queue = __atomic_load_n(&entry->queue, __ATOMIC_ACQUIRE);
    bool out;

    if (queue == NULL)
        return true;
    spin_lock(&queue->lock);
    /* It may have been taken out meanwhile. It cannot be in another queue: Q3. */
    if (entry->queue != NULL && entry->due > deadline_ns) {
        take_locked(queue, entry);
        release_locked(entry);
    }
    out = entry->queue == NULL;
    spin_unlock(&queue->lock);
    return out;
}

bool timer_queue_insert(struct timer_queue *queue, struct thread *thread)
{
    bool first;

    if (!take_if_later(&thread->timer, thread->deadline_ns))
        return false;
    spin_lock(&queue->lock);
    assert(thread->timer.queue == NULL);
    first = thread->deadline_ns < queue->earliest;
    put_locked(queue, &thread->timer, thread->deadline_ns);
    spin_unlock(&queue->lock);
    return first;
}

void timer_queue_remove(struct thread *thread)
{
    (void)take_if_later(&thread->timer, 0);
}

/* Whether a wait that wait_cancel() could end is visible; by what becomes visible last. */
static bool waits(const struct thread *thread)
{
    return atomic_load_explicit(&thread->waits_on, memory_order_acquire) != NULL ||
           atomic_load_explicit(&thread->owed_by, memory_order_acquire) != NULL ||
           atomic_load_explicit(&thread->state, memory_order_acquire) == THREAD_PARKED;
}

static uint64_t deadline_of(const struct thread *thread)
{
    return __atomic_load_n(&thread->deadline_ns, __ATOMIC_RELAXED);
}

struct thread *timer_queue_step(struct timer_queue *queue, uint64_t now_ns)
{
    struct thread *thread = NULL, *expired = TIMER_QUEUE_MORE;
    struct tree_node *first;
    uint64_t deadline_ns;
    bool waiting;

    spin_lock(&queue->lock);
    first = tree_first(&queue->tree);
    if (first != NULL)
        thread = container_of(first, struct thread, timer.node);
    if (thread == NULL || (first->key > now_ns && first->key >= deadline_of(thread))) {
        spin_unlock(&queue->lock);
        return NULL;
    }
    take_locked(queue, &thread->timer);
    /* In this order: with a wait, its deadline is seen or that of a later one. */
    waiting = waits(thread);
    deadline_ns = deadline_of(thread);
    if (deadline_ns <= now_ns && waiting) {
        release_locked(&thread->timer);
        expired = thread;
    } else if (deadline_ns != MNOS_DEADLINE_NEVER) {
        put_locked(queue, &thread->timer, deadline_ns > now_ns ? deadline_ns : now_ns + AGAIN_NS);
    } else {
        release_locked(&thread->timer);
    }
    spin_unlock(&queue->lock);
    return expired;
}
