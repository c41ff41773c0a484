// SPDX-License-Identifier: MIT
/* ready.c - threads that begin to be ready, stop being so, or change their priority; how long each has run. */
#include <stdatomic.h>
#include <stddef.h>

#include "sched/internal.h"
#include "sched/switch.h"

uint64_t sched_cpu_cycles(const struct thread *thread)
{
    uint64_t cycles = __atomic_load_n(&thread->cpu_cycles, __ATOMIC_RELAXED);

    /* It has run for less time than has passed: while the start is subtracted the sum is negative. */
    return (int64_t)cycles < 0 ? cycles + arch_cycles() : cycles;
}

/* ---- stopping ---- */

void sched_died(struct thread *thread)
{
    work_enter(&thread->end.work, __atomic_load_n(&thread->effective, __ATOMIC_RELAXED));
}

enum stopped {
    RUNS_ON, /* the reason has just gone, and it is the caller's to run after all */
    STOPPED,
    DIED, /* and the caller goes on with sched_died() */
};

/* A thread that must not run: where it goes instead. */
static enum stopped thread_stopped(struct thread *thread, uint32_t stop)
{
    uint32_t suspended = THREAD_SUSPENDED;

    if ((stop & STOP_KILL) != 0) {
        atomic_store(&thread->state, THREAD_DEAD);
        return DIED;
    }
    atomic_store(&thread->state, THREAD_SUSPENDED);
    /* thread_resume() clears the reason before it looks at the state: one of us two sees the other. */
    if (sched_stop_bits(thread) != 0 ||
        !atomic_compare_exchange_strong(&thread->state, &suspended, THREAD_PAIRED))
        return STOPPED;
    return RUNS_ON;
}

bool sched_stopped(struct thread *thread, uint32_t stop)
{
    enum stopped stopped = thread_stopped(thread, stop);

    if (stopped == DIED)
        sched_died(thread);
    return stopped != RUNS_ON;
}

/* ---- making threads ready ---- */

static struct core *choose_core(const struct thread *thread)
{
    struct core *here = this_core();
    uint32_t idle;

    if (thread->affinity != MNOS_AFFINITY_ANY)
        return &cores[thread->affinity];
    idle = atomic_load_explicit(&idle_cores, memory_order_relaxed);
    if (here->current == NULL || idle == 0)
        return here;
    if (idle >> thread->core & 1)
        return &cores[thread->core];
    if (here->current->effective < thread->effective)
        return here;
    return &cores[__builtin_ctz(idle)];
}

void sched_tell(struct core *core)
{
    if (core == this_core())
        core->need_resched = true;
    else
        arch_ipi_reschedule(core);
}

bool sched_enqueue(struct core *core, struct thread *thread, bool at_front)
{
    enum stopped stopped = RUNS_ON;
    bool better;
    uint32_t stop;

    __atomic_store_n(&thread->core, core->index, __ATOMIC_RELAXED);
    spin_lock(&core->runqueue.lock);
    stop = sched_stop_bits(thread);
    if (stop != 0)
        stopped = thread_stopped(thread, stop);
    if (stopped != RUNS_ON) {
        spin_unlock(&core->runqueue.lock);
        if (stopped == DIED)
            sched_died(thread);
        return false;
    }
    runqueue_insert_locked(&core->runqueue, thread, at_front);
    atomic_store_explicit(&thread->state, THREAD_READY, memory_order_relaxed);
    better = (int)thread->effective >= core->runqueue.running_priority;
    spin_unlock(&core->runqueue.lock);
    return better;
}

/* Whether `core`, which runs nothing, may go on with `thread`, which is in no queue. */
[[gnu::always_inline]] static inline bool can_begin(const struct core *core,
                                                    const struct thread *thread)
{
    return core->current == NULL && !core->need_resched &&
           (int)thread->effective >= runqueue_best_priority(&core->runqueue) &&
           !sched_is_pinned_elsewhere(core, thread) &&
           atomic_load_explicit(&thread->stop, memory_order_relaxed) == 0;
}

/* By way of a run queue. */
[[gnu::noinline]] static void queue_up(struct thread *thread)
{
    struct core *core = choose_core(thread);

    if (sched_enqueue(core, thread, false))
        sched_tell(core);
    else if (!sched_single_core())
        sched_offer_to_idle(core);
}

void sched_make_ready(struct thread *thread)
{
    struct core *core = this_core();

    if (core->halted && can_begin(core, thread))
        switch_to(core, thread);
    else
        queue_up(thread);
}

void sched_wake(struct thread *thread)
{
    struct core *core = this_core();

    if (core->current == NULL || core->next != NULL ||
        thread->effective <= core->current->effective || choose_core(thread) != core) {
        sched_make_ready(thread);
        return;
    }
    core->next = thread;
    core->need_resched = true;
}

void sched_running_priority(struct core *core, uint8_t priority)
{
    struct runqueue *queue = &core->runqueue;
    bool lowered = (int)priority < queue->running_priority;

    __atomic_store_n(&queue->running_priority, priority, __ATOMIC_RELAXED);
    if (!lowered || sched_single_core())
        return;
    /* Another core may have inserted a thread that is better, or as good and waits for its time slice, and, seeing
     * the higher priority that ran until now, not have told us. Pairs with the lock in sched_enqueue(). */
    atomic_thread_fence(memory_order_seq_cst);
    if (runqueue_best_priority(queue) >= (int)priority)
        core->need_resched = true;
}

void sched_hand_over(struct thread *thread)
{
    struct core *core = this_core();

    if (!can_begin(core, thread)) {
        queue_up(thread);
        return;
    }
    switch_to(core, thread);
    switch_see_peers(core, thread);
}

void sched_block_prepare_whole(struct thread *current)
{
    switch_give_way_prepare(current);
}

void sched_block_prepare(struct thread *current)
{
    if ((current->slow & SLOW_FAULTED) != 0)
        sched_block_prepare_whole(current); /* a fault can come between any two instructions */
    else
        switch_block_prepare(current);
}

void sched_current_blocked(void)
{
    this_core()->current = NULL;
}

bool sched_remove_ready(struct thread *thread, enum thread_state state)
{
    bool removed = false;
    struct core *core = &cores[__atomic_load_n(&thread->core, __ATOMIC_RELAXED)];

    spin_lock(&core->runqueue.lock);
    if (thread->state == THREAD_READY && thread->core == core->index) {
        runqueue_remove_locked(&core->runqueue, thread);
        atomic_store(&thread->state, state);
        removed = true;
    }
    spin_unlock(&core->runqueue.lock);
    return removed;
}

/* On the core that it seems to belong to. What runs on another core that core sees itself: sched_look_again(). */
static void change_priority(struct core *core, struct thread *thread, uint8_t effective)
{
    bool better = false;

    spin_lock(&core->runqueue.lock);
    __atomic_store_n(&thread->effective, effective, __ATOMIC_RELAXED);
    if (thread->state == THREAD_READY && thread->core == core->index) {
        runqueue_remove_locked(&core->runqueue, thread);
        runqueue_insert_locked(&core->runqueue, thread, false);
        better = (int)effective >= core->runqueue.running_priority;
    } else if (core == this_core() && core->current == thread) {
        __atomic_store_n(&core->runqueue.running_priority, effective, __ATOMIC_RELAXED);
        /* Of one as good, too: the turn begins, which did not end for it before. */
        better = runqueue_best_priority(&core->runqueue) >= (int)effective;
    }
    spin_unlock(&core->runqueue.lock);
    if (better)
        sched_tell(core);
}

void sched_priority_changed(struct thread *thread, uint8_t effective)
{
    uint32_t core;

    /* It may have gone to another core with the priority it had: pairs with the lock in sched_enqueue(). */
    do {
        core = __atomic_load_n(&thread->core, __ATOMIC_RELAXED);
        change_priority(&cores[core], thread, effective);
        atomic_thread_fence(memory_order_seq_cst);
    } while (__atomic_load_n(&thread->core, __ATOMIC_RELAXED) != core);
}

void sched_look_again(const struct thread *thread)
{
    struct core *here = this_core();
    uint32_t state = atomic_load_explicit(&thread->state, memory_order_acquire);

    if (state == THREAD_RUNNING && here->current == thread) {
        here->need_resched |= sched_is_pinned_elsewhere(here, thread);
    } else if (state == THREAD_RUNNING) {
        sched_tell(&cores[__atomic_load_n(&thread->core, __ATOMIC_RELAXED)]);
    } else if (state == THREAD_PAIRED && !sched_single_core()) {
        /* Some core has it in its hands, and may have read what was true before. */
        for (uint32_t rest = sched_online_cores(); rest != 0; rest &= rest - 1)
            sched_tell(&cores[__builtin_ctz(rest)]);
    }
}

void sched_wait_stopped(const struct thread *thread)
{
    (void)thread;
    sched_quiesce();
}
