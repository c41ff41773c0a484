// SPDX-License-Identifier: MIT
/*
 * runqueue.h - the threads that are ready to run on one core: a list for each priority and a bitmap
 * of the lists that are not empty. Every operation takes constant time.
 *
 * R1  bit p of `ready` is set exactly when lists[p] is not empty
 * R2  every thread in lists[p] is THREAD_READY, its queued_priority is p, its core is this one
 */
#pragma once

#include "abi/types.h"
#include "lib/list.h"
#include "sync/spinlock.h"

struct thread;

struct runqueue {
    struct spinlock lock; /* rank LOCK_RUNQUEUE, guards all below */
    uint64_t ready;
    struct list lists[MNOS_PRIORITY_COUNT];
    uint32_t count;
    int running_priority; /* of what this core runs; -1: idle. Also written by the core without lock */
};

void runqueue_init(struct runqueue *queue);
/* At the end of its priority, or at the front (a thread that was preempted keeps its turn). */
void runqueue_insert_locked(struct runqueue *queue, struct thread *thread, bool at_front);
void runqueue_remove_locked(struct runqueue *queue, struct thread *thread);
/* The first thread of the highest priority, left in the queue; NULL when it is empty. */
struct thread *runqueue_best_locked(const struct runqueue *queue);
/* Highest ready priority, -1 when empty. Needs no lock: a hint. */
static inline int runqueue_best_priority(const struct runqueue *queue)
{
    uint64_t ready = __atomic_load_n(&queue->ready, __ATOMIC_RELAXED);

    return ready == 0 ? -1 : 63 - __builtin_clzll(ready);
}

void runqueue_check(const struct runqueue *queue);
