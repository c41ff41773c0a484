// SPDX-License-Identifier: MIT
/* lockdep.h - debug build: each core's held locks are recorded and the lock order enforced. */
#pragma once

struct spinlock;

void lockdep_acquire(const struct spinlock *lock, const void *site);
void lockdep_release(const struct spinlock *lock);
/* Panics when this core holds a lock. */
void lockdep_assert_none(void);
