// SPDX-License-Identifier: MIT
/*
 * lock.h - a mutex between threads of one process. Zero is an unlocked mutex; taking a free one is
 * one atomic instruction.
 *
 *   FREE --mutex_lock--> TAKEN --mutex_unlock--> FREE
 *   TAKEN --mutex_lock by another thread--> WAITED --mutex_unlock--> FREE, and one waiter is told
 *
 * M1  a thread that waits set the state to WAITED after the last unlock, or an event is pending
 *
 * Waiters wait for an event on an endpoint that the first of them makes. Not recursive, not fair,
 * and without priority inheritance: keep what it guards short.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct mutex {
    _Atomic uint32_t state;
    _Atomic uint64_t endpoint; /* 0 until someone had to wait */
};

enum { MUTEX_FREE = 0, MUTEX_TAKEN = 1, MUTEX_WAITED = 2 };

/* Of lock.c: for one that is not free, and for one that somebody waits for. */
void mutex_lock_taken(struct mutex *mutex);
void mutex_tell(struct mutex *mutex);

static inline bool mutex_try_lock(struct mutex *mutex)
{
    uint32_t expected = MUTEX_FREE;

    /* Acquire pairs with the release in mutex_unlock(). */
    return atomic_compare_exchange_strong_explicit(&mutex->state, &expected, MUTEX_TAKEN,
                                                   memory_order_acquire, memory_order_relaxed);
}

static inline void mutex_lock(struct mutex *mutex)
{
    if (!mutex_try_lock(mutex))
        mutex_lock_taken(mutex);
}

static inline void mutex_unlock(struct mutex *mutex)
{
    if (atomic_exchange_explicit(&mutex->state, MUTEX_FREE, memory_order_acq_rel) == MUTEX_WAITED)
        mutex_tell(mutex);
}
