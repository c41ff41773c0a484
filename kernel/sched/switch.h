// SPDX-License-Identifier: MIT
/*
 * switch.h - the steps of changing the thread that a core runs, for the scheduler. The fast paths in assembly do the
 * same.
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
void switch_run(struct core *core, struct thread *thread);

/* After core->current was prepared and published: runs `thread`, which is in no queue, may run here and
 * is not worse than anything ready here. */
[[gnu::always_inline]] static inline void switch_to(struct core *core, struct thread *thread)
{
    struct runqueue *queue = &core->runqueue;

    if ((int)thread->effective > queue->running_priority)
        queue->running_priority = (int)thread->effective;
    else if ((int)thread->effective != queue->running_priority)
        sched_running_priority(core, thread->effective);
    switch_run(core, thread);
}
