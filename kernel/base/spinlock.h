// SPDX-License-Identifier: MIT
/*
 * spinlock.h - the kernel's only lock: a fair ticket lock. Kernel code runs with interrupts off, so
 * there is no interrupt-saving variant. Ranks and their order are in lock_order.def; debug builds
 * check every acquisition (debug/on/lockdep.h).
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum lock_rank {
#define LOCK_RANK(name, what) name,
#include "base/lock_order.def"
#undef LOCK_RANK
    LOCK_RANK_COUNT,
};

struct spinlock {
    uint16_t serving;      /* the ticket whose holder is inside, who alone writes it */
    _Atomic uint16_t next; /* the ticket the next one to come takes */
    uint8_t rank;          /* enum lock_rank */
};

#define SPINLOCK_INIT(lock_rank)                                                                   \
    {                                                                                              \
        .rank = (lock_rank)                                                                        \
    }

#include "arch/arch.h"
#include "lockdep.h"

static inline void spin_init(struct spinlock *lock, enum lock_rank rank)
{
    lock->serving = 0;
    atomic_store_explicit(&lock->next, 0, memory_order_relaxed);
    lock->rank = (uint8_t)rank;
}

static inline void spin_lock(struct spinlock *lock)
{
    uint16_t ticket;

    lockdep_acquire(lock, __builtin_return_address(0));
    ticket = atomic_fetch_add_explicit(&lock->next, 1, memory_order_relaxed);
    /* Not a function: for its sake everything that takes a lock would save registers. */
    while (__builtin_expect(__atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE) != ticket, 0))
        arch_relax();
}

static inline void spin_unlock(struct spinlock *lock)
{
    lockdep_release(lock);
    atomic_thread_fence(memory_order_release); /* orders, with x86's stores in order, at no cost */
    lock->serving++;
}

static inline bool spin_is_locked(const struct spinlock *lock)
{
    return __atomic_load_n(&lock->serving, __ATOMIC_RELAXED) !=
           atomic_load_explicit(&lock->next, memory_order_relaxed);
}
