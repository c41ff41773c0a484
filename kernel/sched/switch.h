// SPDX-License-Identifier: MIT
/*
 * switch.h - the steps of changing the thread that a core runs, for the scheduler. The fast paths of messages, in assembly,
 * do the same.
 */
#pragma once

#include <stdatomic.h>

#include "arch_switch.h"
#include "core.h"
#include "tcb.h"
#include "sched/sched.h"

/* It leaves the core; switch_run() has subtracted the time when it came. */
static inline void switch_account(struct thread *thread)
{
    thread->cpu_cycles += arch_cycles();
}

/* sched_block_prepare(). */
static inline void switch_block_prepare(struct thread *current)
{
    switch_account(current);
    arch_switch_out(current);
}

/* sched_block_prepare_whole(). */
static inline void switch_give_way_prepare(struct thread *current)
{
    switch_account(current);
    arch_switch_out_whole(current);
}

/* Whether a change to `thread`, which this core has in its hands, is no more than that: nothing stops it, and all that
 * there may be about it is that it is pinned to this very core. */
static inline bool switch_is_fast(const struct core *core, const struct thread *thread)
{
    uint32_t stop = atomic_load_explicit(&thread->stop, memory_order_relaxed);
    uint32_t slow = atomic_load_explicit(&thread->slow, memory_order_relaxed);

    return (stop | slow) == 0 || (stop == 0 && slow == (uint32_t)(core->pinned_here >> 32));
}

/* A change of threads in one go, when events are not traced and it is a fast one: `current` leaves for `next`, and when it
 * has been published, `next` enters. With `whole`, it keeps its vector registers. */
[[gnu::always_inline]] static inline void switch_leave(struct thread *current, struct thread *next,
                                                       bool whole)
{
    uint64_t now = arch_cycles();

    current->cpu_cycles += now;
    next->cpu_cycles -= now;
    arch_exchange_out(current, next, whole);
}

[[gnu::always_inline]] static inline void switch_enter(struct core *core, struct thread *next)
{
    __atomic_store_n(&next->core, core->index, __ATOMIC_RELAXED); /* before: sched_look_again() */
    atomic_store_explicit(&next->state, THREAD_RUNNING, memory_order_relaxed);
    core->current = next;
    core->statistics->switches++;
    arch_exchange_in(core, next);
}

/* Puts `thread`, which no other core can reach any more, on this core. */
void switch_run(struct core *core, struct thread *thread);

/* Runs with the priority of `thread` from now on. */
[[gnu::always_inline]] static inline void switch_priority(struct core *core,
                                                          const struct thread *thread)
{
    struct runqueue *queue = &core->runqueue;

    if ((int)thread->effective > queue->running_priority)
        queue->running_priority = (int)thread->effective;
    else if ((int)thread->effective != queue->running_priority)
        sched_running_priority(core, thread->effective);
}

/* Somebody as good as `thread`, which has got the core without the run queue, waits for its turn to end: it must have
 * an end. */
[[gnu::always_inline]] static inline void switch_see_peers(struct core *core,
                                                           const struct thread *thread)
{
    if (core->slice_end_ns == 0 &&
        runqueue_best_priority(&core->runqueue) == (int)thread->effective)
        core->need_resched = true;
}

/* After core->current was prepared and published: runs `thread`, which is in no queue, may run here and
 * is not worse than anything ready here. */
[[gnu::always_inline]] static inline void switch_to(struct core *core, struct thread *thread)
{
    switch_priority(core, thread);
    switch_run(core, thread);
}

/* The same after switch_leave(). */
[[gnu::always_inline]] static inline void switch_to_prepared(struct core *core,
                                                             struct thread *thread)
{
    switch_priority(core, thread);
    switch_enter(core, thread);
    switch_see_peers(core, thread);
}
