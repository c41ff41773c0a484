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

void mutex_lock(struct mutex *mutex);
bool mutex_try_lock(struct mutex *mutex);
void mutex_unlock(struct mutex *mutex);
