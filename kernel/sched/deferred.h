// SPDX-License-Identifier: MIT
/*
 * deferred.h - freeing what other cores may still be looking at: after every core has passed a
 * quiescent point (user mode, idle, or a preemption point).
 *
 * Each core collects on a list of its own. One round of interprocessor interrupts makes all that is
 * on it ripe; then it is released, DEFERRED_STEP objects at a time. That is work of the lowest
 * priority (sched/work.h), done before the core idles. When the list has grown beyond DEFERRED_MAX
 * objects or DEFERRED_BYTES, and always on a machine with one core, where nobody is to be waited
 * for, it is due: one step is done on every way out of the kernel until it is short again. Whoever
 * must have memory back before it goes on takes the lists of all cores over and does the steps
 * itself, so that nobody has to be asked to hurry.
 *
 * D1  an object is on one list, once; it was unreachable when it came there
 * D2  what is in `ripe` no core can see any more
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sched/work.h"
#include "base/spinlock.h"

#define DEFERRED_MAX 64
#define DEFERRED_BYTES 4096
#define DEFERRED_STEP 4

struct core;

/* On a per-core list until every core has passed a quiescent point. */
struct deferred {
    struct deferred *next;
    /* Frees it, or some of it: false, and it is called again in another step. */
    bool (*release)(struct deferred *);
    uint32_t bytes; /* of kernel memory, about */
};

struct deferred_chain {
    struct deferred *first;
    struct deferred **end; /* the last link */
    uint32_t count, bytes; /* read by others without the lock, as hints */
};

struct deferred_list {
    struct spinlock lock; /* rank LOCK_DEFERRED, guards the chains */
    struct deferred_chain waiting, ripe;
    struct work work;
};

void deferred_list_init(struct deferred_list *list);

/* `release` is called later, with no lock held. */
void deferred_add(struct deferred *deferred, uint32_t bytes, bool (*release)(struct deferred *));
/* Whether the list holds anything. */
static inline bool deferred_any(const struct deferred_list *list)
{
    return (__atomic_load_n(&list->waiting.count, __ATOMIC_RELAXED) |
            __atomic_load_n(&list->ripe.count, __ATOMIC_RELAXED)) != 0;
}
/* True: a step is to be done before this core leaves the kernel: deferred_due_step(), which sees to
 * it that the rest is not forgotten. */
bool deferred_is_due(const struct core *core);
void deferred_due_step(struct core *core);
/* One step of this core's list, after waiting for the other cores if nothing is ripe. False: it is
 * empty. Hold no lock. */
bool deferred_step(void);
/* Takes over what all other cores have collected. */
void deferred_take_over(void);
/* Whether any core has something to be freed; a hint. */
bool deferred_anywhere(void);
