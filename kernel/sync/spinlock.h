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
#include "sync/lock_order.def"
#undef LOCK_RANK
    LOCK_RANK_COUNT,
};

struct spinlock {
    _Atomic uint16_t serving; /* the ticket whose holder is inside */
    _Atomic uint16_t next;    /* the ticket the next one to come takes */
    uint8_t rank;             /* enum lock_rank */
};

#define SPINLOCK_INIT(lock_rank)                                                                   \
    {                                                                                              \
        .rank = (lock_rank)                                                                        \
    }

#include "arch/arch.h"
#include "lockdep.h"

static inline void spin_init(struct spinlock *lock, enum lock_rank rank)
{
    atomic_store_explicit(&lock->serving, 0, memory_order_relaxed);
    atomic_store_explicit(&lock->next, 0, memory_order_relaxed);
    lock->rank = (uint8_t)rank;
}

static inline void spin_lock(struct spinlock *lock)
{
    uint16_t ticket;

    lockdep_acquire(lock, __builtin_return_address(0));
    ticket = atomic_fetch_add_explicit(&lock->next, 1, memory_order_relaxed);
    while (atomic_load_explicit(&lock->serving, memory_order_acquire) != ticket)
        arch_relax();
}

static inline bool spin_trylock(struct spinlock *lock)
{
    uint16_t ticket = atomic_load_explicit(&lock->serving, memory_order_relaxed);

    if (!atomic_compare_exchange_strong_explicit(&lock->next, &ticket, (uint16_t)(ticket + 1),
                                                 memory_order_acquire, memory_order_relaxed))
        return false;
    lockdep_acquire(lock, __builtin_return_address(0));
    return true;
}

static inline void spin_unlock(struct spinlock *lock)
{
    uint16_t ticket = atomic_load_explicit(&lock->serving, memory_order_relaxed);

    lockdep_release(lock);
    atomic_store_explicit(&lock->serving, (uint16_t)(ticket + 1), memory_order_release);
}

static inline bool spin_is_locked(const struct spinlock *lock)
{
    return atomic_load_explicit(&lock->serving, memory_order_relaxed) !=
           atomic_load_explicit(&lock->next, memory_order_relaxed);
}
