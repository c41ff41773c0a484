// SPDX-License-Identifier: MIT
/*
 * internal.h - what the files of the scheduler share with one another, and nobody else uses.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "arch/arch.h"
#include "core.h"
#include "tcb.h"
#include "sched/sched.h"

/* ---- ready.c ---- */

/* Reasons not to run; STOP_CALL is none. */
static inline uint32_t sched_stop_bits(const struct thread *thread)
{
    return atomic_load_explicit(&thread->stop, memory_order_acquire) & ~(uint32_t)STOP_CALL;
}

/* `thread`, which is the caller's, must not run for this reason: where it goes instead is done. False: the reason has
 * just gone. */
bool sched_stopped(struct thread *thread, uint32_t stop);

/* The same when there may be none, and nothing is locked; true: it does not run. */
static inline bool sched_stops(struct thread *thread)
{
    uint32_t stop = sched_stop_bits(thread);

    return stop != 0 && sched_stopped(thread, stop);
}

static inline bool sched_is_pinned_elsewhere(const struct core *core, const struct thread *thread)
{
    uint32_t affinity = __atomic_load_n(&thread->affinity, __ATOMIC_RELAXED);

    return affinity != MNOS_AFFINITY_ANY && affinity != core->index;
}

/* Puts `thread` into the queue of `core`; true when that core should look. */
bool sched_enqueue(struct core *core, struct thread *thread, bool at_front);

/* ---- balance.c ---- */

/* The best thread in another core's queue that may run here; NULL: none. */
struct thread *sched_steal(struct core *here);
/* Whether this core, whose idle bit is set, would find something in another's queue. A thread that is
 * inserted after the look is offered: sched_offer_to_idle() runs on that core afterwards and sees the bit. */
bool sched_can_steal(const struct core *here);
