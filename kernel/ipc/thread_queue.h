// SPDX-License-Identifier: MIT
/*
 * thread_queue.h - waiting threads, highest priority first, first come first served within one.
 *
 * Mostly there is one thread or none, and `only` says so. Several are in rings: those of one priority form a ring whose first is its head; the heads form a list sorted by
 * priority. So every operation is bounded by the number of priorities, not of threads. The owner of
 * the queue has the lock.
 *
 * W1  heads are sorted by strictly falling priority
 * W2  every thread in a ring has the priority of its head
 * W3  `only` is NULL when the queue is empty, its thread when it has one that is in no ring, else
 *     THREAD_QUEUE_RINGS
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/list.h"

struct thread;

struct queue_link {
    struct list heads; /* among the heads; meaningful only when `is_head` */
    struct list ring;  /* among the threads of this priority */
    uint8_t priority;
    bool is_head;
    bool in_ring;
};

#define THREAD_QUEUE_RINGS ((struct thread *)1)

struct thread_queue {
    struct thread *only; /* known to assembly */
    struct list heads;
};

void thread_queue_init(struct thread_queue *queue);
static inline bool thread_queue_empty(const struct thread_queue *queue)
{
    return queue->only == NULL;
}
/* Behind the others of its effective priority, or in front of them. */
void thread_queue_insert(struct thread_queue *queue, struct thread *thread, bool at_front);
void thread_queue_remove(struct thread_queue *queue, struct thread *thread);
/* Of the first one; -1 when empty. */
int thread_queue_priority(const struct thread_queue *queue);
/* NULL when empty. */
struct thread *thread_queue_first(const struct thread_queue *queue);
