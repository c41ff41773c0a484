// SPDX-License-Identifier: MIT
/*
 * runqueue.h - the threads that are ready to run on one core: for each priority a list of those that may
 * run anywhere and one of those that are pinned to this core, and bitmaps of the lists that are not
 * empty. Every operation takes constant time, taking the best that may leave the core included.
 *
 * The work of the core (work.h) has lists of its own; a bitmap here tells of which priorities there is
 * some, so that whoever asks what is ready, assembly too, sees threads and work at once.
 *
 * R1  bit p of `movable` (`pinned`) is set exactly when movables[p] (pinneds[p]) is not empty; `ready` is
 *     both and `work`
 * R2  every thread in a list p is THREAD_READY, its queued_priority is p, its core is this one
 * R3  in each list the tickets rise; among both lists of a priority the lower ticket comes first
 */
#pragma once

#include "abi/types.h"
#include "lib/base/list.h"
#include "base/spinlock.h"

struct thread;

struct runqueue {
    struct spinlock lock; /* rank LOCK_RUNQUEUE, guards all below */
    uint64_t ready;
    /* Of what this core runs; -1: idle. Written by the core alone, also without the lock. */
    int running_priority;
    uint32_t next_ticket;
    uint64_t movable, pinned;
    uint64_t work; /* J2: changed by who has the work list's lock as well */
    struct list movables[MNOS_PRIORITY_COUNT];
    struct list pinneds[MNOS_PRIORITY_COUNT];
};

void runqueue_init(struct runqueue *queue);
/* At the end of its priority, or at the front (a thread that was preempted keeps its turn). */
void runqueue_insert_locked(struct runqueue *queue, struct thread *thread, bool at_front);
void runqueue_remove_locked(struct runqueue *queue, struct thread *thread);
/* The first thread of the highest priority, left in the queue; NULL when it is empty. The second looks
 * only at those that may run anywhere. */
struct thread *runqueue_best_locked(const struct runqueue *queue);
struct thread *runqueue_best_movable_locked(const struct runqueue *queue);
/* The list of work of a priority is empty no more; true: it is as good as what runs. Or it is empty now. */
bool runqueue_work_begins(struct runqueue *queue, uint8_t priority);
void runqueue_work_ends(struct runqueue *queue, uint8_t priority);

static inline int runqueue_highest(uint64_t bits)
{
    return bits == 0 ? -1 : 63 - __builtin_clzll(bits);
}
/* Highest priority of what is ready, -1 when nothing is. Needs no lock: a hint, as are the next. */
static inline int runqueue_best_priority(const struct runqueue *queue)
{
    return runqueue_highest(__atomic_load_n(&queue->ready, __ATOMIC_RELAXED));
}
/* Of threads alone, and of work alone. */
static inline int runqueue_best_thread(const struct runqueue *queue)
{
    return runqueue_highest(__atomic_load_n(&queue->movable, __ATOMIC_RELAXED) |
                            __atomic_load_n(&queue->pinned, __ATOMIC_RELAXED));
}
static inline int runqueue_best_work(const struct runqueue *queue)
{
    return runqueue_highest(__atomic_load_n(&queue->work, __ATOMIC_RELAXED));
}
/* Whether a thread waits that could run elsewhere; a hint as well. */
static inline bool runqueue_has_movable(const struct runqueue *queue)
{
    return __atomic_load_n(&queue->movable, __ATOMIC_RELAXED) != 0;
}
