// SPDX-License-Identifier: MIT
/* timer_queue.c - see timer_queue.h. */
#include "sched/timer_queue.h"

#include <stddef.h>

#include "assert.h"
#include "lib/list.h"

void timer_queue_init(struct timer_queue *queue)
{
    spin_init(&queue->lock, LOCK_TIMER);
    queue->tree.root = NULL;
    queue->earliest = UINT64_MAX;
}

static void update_earliest(struct timer_queue *queue)
{
    const struct tree_node *first = tree_first(&queue->tree);

    __atomic_store_n(&queue->earliest, first == NULL ? UINT64_MAX : first->key, __ATOMIC_RELAXED);
}

bool timer_queue_insert(struct timer_queue *queue, struct timer_entry *entry, uint64_t deadline_ns,
                        uint64_t wait)
{
    bool first;

    spin_lock(&queue->lock);
    assert(entry->queue == NULL);
    entry->wait = wait;
    first = deadline_ns < queue->earliest;
    tree_insert(&queue->tree, &entry->node, deadline_ns);
    __atomic_store_n(&entry->queue, queue, __ATOMIC_RELEASE);
    if (first)
        __atomic_store_n(&queue->earliest, deadline_ns, __ATOMIC_RELAXED);
    spin_unlock(&queue->lock);
    return first;
}

void timer_entry_cancel(struct timer_entry *entry)
{
    struct timer_queue *queue = __atomic_load_n(&entry->queue, __ATOMIC_ACQUIRE);

    if (queue == NULL)
        return;
    spin_lock(&queue->lock);
    /* It may have expired meanwhile. It cannot be in another queue: only its own thread inserts. */
    if (entry->queue != NULL) {
        tree_remove(&queue->tree, &entry->node);
        entry->queue = NULL;
        update_earliest(queue);
    }
    spin_unlock(&queue->lock);
}

struct timer_entry *timer_queue_expire(struct timer_queue *queue, uint64_t now_ns, uint64_t *wait)
{
    struct timer_entry *entry = NULL;

    spin_lock(&queue->lock);
    if (queue->earliest <= now_ns) {
        entry = container_of(tree_first(&queue->tree), struct timer_entry, node);
        tree_remove(&queue->tree, &entry->node);
        *wait = entry->wait;
        entry->queue = NULL;
        update_earliest(queue);
    }
    spin_unlock(&queue->lock);
    return entry;
}
