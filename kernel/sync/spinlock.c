// SPDX-License-Identifier: MIT
/* spinlock.c - waiting for a lock; see spinlock.h. */
#include "sync/spinlock.h"

void spin_wait(const struct spinlock *lock, uint16_t ticket)
{
    while (__atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE) != ticket)
        arch_relax();
}
