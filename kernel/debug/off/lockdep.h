// SPDX-License-Identifier: MIT
/* lockdep.h - release build: lock ranks are not checked. The checking twin is debug/on/lockdep.h. */
#pragma once

struct spinlock;

static inline void lockdep_acquire(const struct spinlock *lock, const void *site)
{
    (void)lock;
    (void)site;
}

static inline void lockdep_release(const struct spinlock *lock)
{
    (void)lock;
}

/* Asserts that this core holds no lock. */
static inline void lockdep_assert_none(void)
{
}
