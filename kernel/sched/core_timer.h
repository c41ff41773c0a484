// SPDX-License-Identifier: MIT
/* core_timer.h - when the timer of a core interrupts next; what the files of the scheduler share. */
#pragma once

#include "arch/arch.h"
#include "core.h"

static inline void timer_set(struct core *core, uint64_t deadline_ns)
{
    if (core->timer_armed_ns == deadline_ns)
        return;
    core->timer_armed_ns = deadline_ns;
    arch_timer_arm(deadline_ns);
}

/* The nearest deadline. */
static inline uint64_t timer_next(const struct core *core)
{
    uint64_t next = __atomic_load_n(&core->timer_queue.earliest, __ATOMIC_RELAXED);

    return core->hold_end_ns < next ? core->hold_end_ns : next;
}

/* Sets it for that, for text that waits to be shown, and for the end of the turn only if someone of that priority waits. */
void timer_update(struct core *core);
