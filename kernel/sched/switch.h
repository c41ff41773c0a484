// SPDX-License-Identifier: MIT
/*
 * switch.h - the steps of changing the thread that a core runs, inline for the scheduler and the fast
 * path of IPC.
 */
#pragma once

#include <stdatomic.h>

#include "arch_switch.h"
#include "core.h"
#include "object/thread.h"
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

/* Puts `thread`, which no other core can reach any more, on this core. */
static inline void switch_run(struct core *core, struct thread *thread)
{
    __atomic_store_n(&thread->core, core->index, __ATOMIC_RELAXED); /* before: sched_look_again() */
    atomic_store_explicit(&thread->state, THREAD_RUNNING, memory_order_relaxed);
    thread->cpu_cycles -= arch_cycles();
    core->current = thread;
    core->statistics->switches++;
    arch_switch_in(core, thread);
}

/* After core->current was prepared and published: runs `thread`, which is in no queue, may run here and
 * is not worse than anything ready here. */
static inline void switch_to(struct core *core, struct thread *thread)
{
    struct runqueue *queue = &core->runqueue;

    if ((int)thread->effective > queue->running_priority)
        queue->running_priority = (int)thread->effective;
    else if ((int)thread->effective != queue->running_priority)
        sched_running_priority(core, thread->effective);
    switch_run(core, thread);
}
