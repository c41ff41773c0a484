// SPDX-License-Identifier: MIT
/* core_timer.c - see core_timer.h. */
#include "sched/core_timer.h"

#include <stdatomic.h>
#include <stddef.h>

#include "base/log.h"
#include "sched/internal.h"
#include "sched/runqueue_inline.h"

void timer_update(struct core *core)
{
    uint64_t next = timer_next(core);

    if (log_is_due(next))
        next = atomic_load_explicit(&log_retry_ns, memory_order_relaxed);
    if (core->runqueue.ready != 0 && core->current != NULL &&
        runqueue_best_priority(&core->runqueue) >= (int)core->current->effective) {
        if (core->slice_end_ns == 0)
            core->slice_end_ns = arch_time_ns() + SCHED_SLICE_NS;
        if (core->slice_end_ns < next)
            next = core->slice_end_ns;
    }
    timer_set(core, next);
}

void sched_timer_start(struct thread *thread)
{
    struct core *core = this_core();

    if (timer_queue_insert(&core->timer_queue, thread) &&
        thread->deadline_ns < core->timer_armed_ns)
        timer_set(core, thread->deadline_ns);
}
