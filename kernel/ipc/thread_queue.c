// SPDX-License-Identifier: MIT
/* thread_queue.c - see thread_queue.h. */
#include "ipc/thread_queue.h"

#include <stddef.h>

#include "assert.h"
#include "object/thread.h"

void thread_queue_init(struct thread_queue *queue)
{
    list_init(&queue->heads);
}

static void make_head(struct list *position, struct queue_link *link)
{
    link->is_head = true;
    list_insert_before(position, &link->heads);
}

void thread_queue_insert(struct thread_queue *queue, struct thread *thread, bool at_front)
{
    struct queue_link *link = &thread->queue_link;
    struct queue_link *head = NULL;
    struct list *position;

    assert(!link->queued);
    link->priority = thread->effective;
    link->queued = true;
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

void thread_queue_remove(struct thread_queue *queue, struct thread *thread)
{
    struct queue_link *link = &thread->queue_link;

    (void)queue;
    assert(link->queued);
    if (link->is_head) {
        if (!list_empty(&link->ring))
            make_head(&link->heads, container_of(link->ring.next, struct queue_link, ring));
        list_remove(&link->heads);
        link->is_head = false;
    }
    list_remove(&link->ring);
    link->queued = false;
}

struct thread *thread_queue_first(const struct thread_queue *queue)
{
    if (list_empty(&queue->heads))
        return NULL;
    return container_of(list_first(&queue->heads, struct queue_link, heads), struct thread,
                        queue_link);
}

void thread_queue_check(const struct thread_queue *queue)
{
    int last = MNOS_PRIORITY_COUNT;

    for (struct list *l = queue->heads.next; l != &queue->heads; l = l->next) {
        const struct queue_link *head = container_of(l, struct queue_link, heads);

        assert(head->is_head && head->queued && head->priority < last); /* W1 */
        last = head->priority;
        for (struct list *r = head->ring.next; r != &head->ring; r = r->next) {
            const struct queue_link *link = container_of(r, struct queue_link, ring);

            assert(!link->is_head && link->queued && link->priority == head->priority); /* W2 */
            (void)link;
        }
    }
    (void)last;
}
