// SPDX-License-Identifier: MIT
/* thread_queue.c - see thread_queue.h. */
#include "ipc/thread_queue.h"

#include <stddef.h>

#include "assert.h"
#include "object/thread.h"

void thread_queue_init(struct thread_queue *queue)
{
    queue->only = NULL;
    list_init(&queue->heads);
}

static void make_head(struct list *position, struct queue_link *link)
{
    link->is_head = true;
    list_insert_before(position, &link->heads);
}

static void enter_ring(struct thread_queue *queue, struct thread *thread, bool at_front)
{
    struct queue_link *link = &thread->queue_link;
    struct queue_link *head = NULL;
    struct list *position;

    assert(!link->in_ring);
    link->priority = thread->effective;
    link->in_ring = true;
    link->is_head = false;
    list_init(&link->ring);
    for (position = queue->heads.next; position != &queue->heads; position = position->next) {
        head = container_of(position, struct queue_link, heads);
        if (head->priority <= link->priority)
            break;
    }
    if (position == &queue->heads || head->priority != link->priority) {
        make_head(position, link);
        return;
    }
    list_insert_before(&head->ring, &link->ring);
    if (at_front) {
        make_head(&head->heads, link);
        head->is_head = false;
        list_remove(&head->heads);
    }
}

void thread_queue_insert(struct thread_queue *queue, struct thread *thread, bool at_front)
{
    if (queue->only == NULL) {
        queue->only = thread;
        return;
    }
    if (queue->only != THREAD_QUEUE_RINGS)
        enter_ring(queue, queue->only, false);
    queue->only = THREAD_QUEUE_RINGS;
    enter_ring(queue, thread, at_front);
}

void thread_queue_remove(struct thread_queue *queue, struct thread *thread)
{
    struct queue_link *link = &thread->queue_link;

    if (queue->only == thread) {
        queue->only = NULL;
        return;
    }
    assert(link->in_ring);
    if (link->is_head) {
        if (!list_empty(&link->ring))
            make_head(&link->heads, container_of(link->ring.next, struct queue_link, ring));
        list_remove(&link->heads);
        link->is_head = false;
    }
    list_remove(&link->ring);
    link->in_ring = false;
    if (list_empty(&queue->heads))
        queue->only = NULL;
}

struct thread *thread_queue_first(const struct thread_queue *queue)
{
    if (queue->only != THREAD_QUEUE_RINGS)
        return queue->only;
    return container_of(list_first(&queue->heads, struct queue_link, heads), struct thread,
                        queue_link);
}

int thread_queue_priority(const struct thread_queue *queue)
{
    const struct thread *first = thread_queue_first(queue);

    if (first == NULL)
        return -1;
    return first == queue->only ? first->effective : first->queue_link.priority;
}
