// SPDX-License-Identifier: MIT
/* balance.c - threads go to cores that have nothing to do: offered by those that have too many, or taken by themselves. */
#include <stdatomic.h>
#include <stddef.h>

#include "sched/internal.h"

void sched_offer_to_idle(const struct core *core)
{
    uint32_t idle;

    if (!runqueue_has_movable(&core->runqueue))
        return;
    atomic_thread_fence(
        memory_order_seq_cst); /* pairs with the setting of the bit: sched_can_steal() */
    idle = atomic_load_explicit(&idle_cores, memory_order_relaxed);
    if (idle != 0)
        arch_ipi_reschedule(&cores[__builtin_ctz(idle)]);
}

struct thread *sched_steal(struct core *here)
{
    for (uint32_t i = 1; i < core_count; i++) {
        struct core *other = &cores[(here->index + i) % core_count];
        struct thread *thread;

        if (!runqueue_has_movable(&other->runqueue))
            continue;
        spin_lock(&other->runqueue.lock);
        thread = runqueue_best_movable_locked(&other->runqueue);
        if (thread != NULL) {
            runqueue_remove_locked(&other->runqueue, thread);
            atomic_store_explicit(&thread->state, THREAD_PAIRED, memory_order_relaxed);
        }
        spin_unlock(&other->runqueue.lock);
        if (thread != NULL) {
            here->runqueue.running_priority = (int)thread->effective;
            here->statistics->steals++;
            return thread;
        }
    }
    return NULL;
}

bool sched_can_steal(const struct core *here)
{
    for (uint32_t i = 0; i < core_count; i++)
        if (&cores[i] != here && runqueue_has_movable(&cores[i].runqueue))
            return true;
    return false;
}
