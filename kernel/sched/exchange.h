// SPDX-License-Identifier: MIT
/*
 * exchange.h - core->current, in a system call, begins to wait, and a thread that it has woken goes on in its place: in
 * one go where no more is to be done than to change threads, else by the run queue.
 *
 *     bool at_once = exchange_prepare(current, next);
 *     ... both are published: current as waiting, and what next gets is in its frame
 *     exchange_finish(at_once, next);
 */
#pragma once

#include "sched/runqueue_inline.h"
#include "sched/switch.h"

/* Accounts and saves `current`, before it becomes visible anywhere. `next`, or NULL, is the caller's. */
[[gnu::always_inline]] static inline bool exchange_prepare(struct thread *current,
                                                           struct thread *next)
{
    const struct core *core = this_core();

    if (next != NULL && !core->tracing && !core->need_resched && switch_is_fast(core, next) &&
        (int)next->effective >= runqueue_best_priority(&core->runqueue) &&
        (atomic_load_explicit(&current->slow, memory_order_relaxed) & SLOW_FAULTED) == 0) {
        switch_leave(current, next, false);
        return true;
    }
    sched_block_prepare(current);
    return false;
}

/* Nothing of the thread that waits may be touched after, nor before if it may run elsewhere already. */
[[gnu::always_inline]] static inline void exchange_finish(bool at_once, struct thread *next)
{
    if (at_once) {
        switch_to_prepared(this_core(), next);
        return;
    }
    sched_current_blocked();
    if (next != NULL)
        sched_hand_over(next);
}
