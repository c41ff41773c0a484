// SPDX-License-Identifier: MIT
/*
 * lockdep.c - the locks that each core holds, and the order of lock_order.def: ranks go down the
 * table, and within one rank addresses go up (processes: parents before children, which only their
 * callers can tell).
 */
#include "lockdep.h"

#include <stddef.h>
#include <stdint.h>

#include "core.h"
#include "jitter.h"
#include "base/panic.h"
#include "base/spinlock.h"

enum { HELD_MAX = 8 };

struct held {
    const struct spinlock *lock;
    const void *site; /* where it was taken */
};

/* Each core touches only its own. */
static struct {
    unsigned count;
    struct held locks[HELD_MAX];
} held[MNOS_CORES_MAX];

static const char *const rank_names[] = {
#define LOCK_RANK(name, what) #name,
#include "base/lock_order.def"
#undef LOCK_RANK
};

static bool in_order(const struct spinlock *outer, const struct spinlock *inner)
{
    if (outer->rank != inner->rank)
        return outer->rank < inner->rank;
    return outer < inner || (outer != inner && inner->rank == LOCK_PROCESS);
}

void lockdep_acquire(const struct spinlock *lock, const void *site)
{
    unsigned core = this_core()->index;

    jitter();
    for (unsigned i = 0; i < held[core].count; i++) {
        const struct held *outer = &held[core].locks[i];
        if (!in_order(outer->lock, lock))
            panic("lock order: %s at %p, while %s is held from %p", rank_names[lock->rank], site,
                  rank_names[outer->lock->rank], outer->site);
    }
    if (held[core].count == HELD_MAX)
        panic("more than %u locks held, the last one from %p", (unsigned)HELD_MAX, site);
    held[core].locks[held[core].count++] = (struct held){lock, site};
}

void lockdep_release(const struct spinlock *lock)
{
    unsigned core = this_core()->index;

    jitter();
    for (unsigned i = held[core].count; i-- > 0;) {
        if (held[core].locks[i].lock != lock)
            continue;
        held[core].locks[i] = held[core].locks[--held[core].count];
        return;
    }
    panic("%s is released by a core that does not hold it", rank_names[lock->rank]);
}

void lockdep_assert_none(void)
{
    unsigned core = this_core()->index;

    if (held[core].count > 0)
        panic("%s is still held, from %p", rank_names[held[core].locks[0].lock->rank],
              held[core].locks[0].site);
}
