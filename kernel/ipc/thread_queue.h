// SPDX-License-Identifier: MIT
/*
 * thread_queue.h - waiting threads, highest priority first, first come first served within one.
 *
 * Threads of one priority form a ring whose first is its head; the heads form a list sorted by
 * priority. So every operation is bounded by the number of priorities, not of threads. The owner of
 * the queue has the lock.
 *
 * W1  heads are sorted by strictly falling priority
 * W2  every thread in a ring has the priority of its head
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/list.h"

struct thread;

struct queue_link {
    struct list heads; /* among the heads; meaningful only when `is_head` */
    struct list ring;  /* among the threads of this priority */
    uint8_t priority;
    bool is_head;
    bool queued;
};

struct thread_queue {
    struct list heads;
};

void thread_queue_init(struct thread_queue *queue);
static inline bool thread_queue_empty(const struct thread_queue *queue)
{
    return list_empty(&queue->heads);
}
/* Behind the others of its effective priority, or in front of them. */
void thread_queue_insert(struct thread_queue *queue, struct thread *thread, bool at_front);
void thread_queue_remove(struct thread_queue *queue, struct thread *thread);
/* NULL when empty. */
struct thread *thread_queue_first(const struct thread_queue *queue);
void thread_queue_check(const struct thread_queue *queue);
