// SPDX-License-Identifier: MIT
/* sched.c - which thread a core runs next, chosen on its way out of the kernel. See sched.h. */
#include "sched/sched.h"

#include <stdatomic.h>
#include <stddef.h>

#include "sched/info.h"
#include "lockdep.h"
#include "base/log.h"
#include "sched/internal.h"
#include "sched/runqueue_inline.h"
#include "sched/switch.h"
#include "sched/deferred.h"
#include "sched/core_timer.h"
#include "sched/tlb_batch.h"
#include "base/trace.h"

/* How many expired deadlines one timer interrupt serves before others get a chance. */
#define EXPIRE_BATCH 12
/* How many threads that must not run are taken out of a queue between two looks at interrupts. */
#define STOPPED_STEP 8

/* ---- deadlines ---- */

/* Ends waits whose deadline has passed and takes out of the way what nobody waits for any more; false:
 * there may be more to do. */
[[gnu::always_inline]] static inline bool expire(struct core *core, uint64_t now)
{
    for (unsigned i = 0; i < EXPIRE_BATCH; i++) {
        struct thread *thread;

        if (core->timer_queue.earliest == UINT64_MAX) /* other cores only take entries out */
            return true;
        thread = timer_queue_step(&core->timer_queue, now);
        if (thread == NULL)
            return true;
        if (thread != TIMER_QUEUE_MORE)
            (void)thread->timer.cancel(thread, now, MNOS_ERR_DEADLINE);
    }
    return false;
}

/* ---- choosing ---- */

void switch_run(struct core *core, struct thread *thread)
{
    __atomic_store_n(&thread->core, core->index, __ATOMIC_RELAXED); /* before: sched_look_again() */
    atomic_store_explicit(&thread->state, THREAD_RUNNING, memory_order_relaxed);
    thread->cpu_cycles -= arch_cycles();
    core->current = thread;
    core->statistics->switches++;
    arch_switch_in(core, thread);
}

/* Takes the best thread out of the queue of this core, NULL when there is none. */
static struct thread *take_locked(struct core *core)
{
    struct thread *thread = runqueue_best_locked(&core->runqueue);

    if (thread != NULL) {
        runqueue_remove_locked(&core->runqueue, thread);
        atomic_store_explicit(&thread->state, THREAD_PAIRED, memory_order_relaxed);
    }
    core->runqueue.running_priority = thread == NULL ? -1 : (int)thread->effective;
    return thread;
}

/* The same, after `given`, which ran until now and is not NULL then, has gone back into it. */
static struct thread *exchange(struct core *core, struct thread *given, bool at_front)
{
    struct thread *thread;

    spin_lock(&core->runqueue.lock);
    if (given != NULL) {
        atomic_store_explicit(&given->state, THREAD_READY, memory_order_relaxed);
        runqueue_insert_locked(&core->runqueue, given, at_front);
    }
    thread = take_locked(core);
    spin_unlock(&core->runqueue.lock);
    return thread;
}

/* The thread to run now, in no queue, when `given` goes back into it; NULL: none in the whole system for
 * this core, or, with *again, none of those that it has looked at. */
static struct thread *pick(struct core *core, struct thread *given, bool at_front, bool *again)
{
    for (unsigned i = 0; i < STOPPED_STEP; i++, given = NULL) {
        struct thread *thread = exchange(core, given, at_front);

        if (thread == NULL && !sched_single_core())
            thread = sched_steal(core);
        if (thread == NULL)
            return NULL;
        if (sched_stops(thread))
            continue;
        if (!sched_is_pinned_elsewhere(core, thread))
            return thread;
        sched_make_ready(thread);
    }
    *again = true;
    return NULL;
}

static void idle(struct core *core)
{
    uint64_t now = arch_time_ns();

    /* First, so that the timer is set for none but a wait that goes on. */
    if (!expire(core, now)) {
        arch_poll_interrupts();
        return;
    }
    if (log_show_step()) {
        arch_poll_interrupts();
        return;
    }
    info_update_memory();
    core->statistics->idle_since = now;
    trace(MNOS_TRACE_SWITCH, 0, 0);
    atomic_fetch_or(&idle_cores, 1u << core->index);
    timer_update(core);
    if (runqueue_best_priority(&core->runqueue) < 0 && !core->need_resched &&
        (sched_single_core() || !sched_can_steal(core))) {
        core->halted = true;
        arch_idle();
        core->halted = false;
    }
    atomic_fetch_and(&idle_cores, ~(1u << core->index));
    core->statistics->idle_since = 0;
    core->statistics->idle_ns += arch_time_ns() - now;
}

/* Whether core->current, which could go on, must give way, to whom it leaves the core and the rest of its
 * turn (*at_front: keeps its place). */
static bool gives_way(struct core *core, struct thread *thread, bool *at_front)
{
    int best = runqueue_best_priority(&core->runqueue);
    uint64_t now;

    *at_front = true;
    if (best < (int)thread->effective) {
        core->slice_end_ns = 0;
        return false; /* nothing at least as good: it stays */
    }
    now = core->slice_end_ns == 0 ? 0 : arch_time_ns();
    *at_front = core->slice_end_ns == 0 || now < core->slice_end_ns;
    if (best == (int)thread->effective && *at_front)
        return false; /* its turn is not over */
    thread->turn_left_ns = *at_front ? core->slice_end_ns - now : 0;
    return true;
}

/* Takes `thread` off this core if it must not go on; what of it is to go back into the queue. */
static struct thread *give_way(struct core *core, struct thread *thread, bool *at_front)
{
    bool moves = sched_is_pinned_elsewhere(core, thread);

    if (sched_stop_bits(thread) == 0 && !moves && !gives_way(core, thread, at_front)) {
        /* Another core may have changed it. */
        if (core->runqueue.running_priority != (int)thread->effective)
            sched_running_priority(core, thread->effective);
        return NULL;
    }
    switch_account(thread);
    arch_thread_save(thread, false);
    core->current = NULL;
    if (sched_stops(thread))
        return NULL;
    if (moves) {
        sched_make_ready(thread);
        return NULL;
    }
    return thread;
}

/* Whether this core, whose thread has given way, goes on with its work: if no thread is better. Of one priority,
 * work and threads take turns. */
static bool work_goes_first(struct core *core, const struct thread *given)
{
    int work = runqueue_best_work(&core->runqueue), thread;
    uint64_t now;

    if (work < 0) {
        core->work_end_ns = 0;
        return false;
    }
    thread = runqueue_best_thread(&core->runqueue);
    if (given != NULL && (int)given->effective > thread)
        thread = given->effective;
    if (work != thread) {
        core->work_end_ns = 0;
        return work > thread;
    }
    now = arch_time_ns();
    if (core->work_end_ns == 0)
        core->work_end_ns = now + SCHED_SLICE_NS;
    if (now < core->work_end_ns)
        return true;
    core->work_end_ns = 0;
    return false;
}

/* A look at interrupts before a step that takes its time itself, so that it is not added to what came before. Whom
 * one of them has woken is in the queue afterwards. */
static void look_first(struct core *core)
{
    arch_poll_interrupts();
    if (core->next != NULL)
        (void)sched_enqueue(core, core->next, false);
    core->next = NULL;
}

/* A step of work. Nothing runs meanwhile, so that no step waits for a thread of its own core. */
static void do_work(struct core *core, struct thread *given, bool at_front)
{
    if (given != NULL)
        (void)sched_enqueue(core, given, at_front);
    core->slice_end_ns = 0;
    __atomic_store_n(&core->runqueue.running_priority, runqueue_best_work(&core->runqueue),
                     __ATOMIC_RELAXED);
    if (!sched_single_core())
        sched_offer_to_idle(core);
    look_first(core);
    if (runqueue_best_thread(&core->runqueue) <= runqueue_best_work(&core->runqueue))
        work_run(core);
    timer_set(core, timer_next(core));
    arch_poll_interrupts();
}

static void choose(struct core *core, struct thread *given, bool at_front)
{
    bool again = false;
    struct thread *thread = pick(core, given, at_front, &again);

    if (thread == NULL && again)
        look_first(core);
    else if (thread == NULL)
        idle(core);
    if (thread == NULL)
        return;
    /* The rest of a turn that something better interrupted, or a new one when it comes to that. */
    core->slice_end_ns = thread->turn_left_ns == 0 ? 0 : arch_time_ns() + thread->turn_left_ns;
    thread->turn_left_ns = 0;
    switch_run(core, thread);
}

/* What is always done first, and never waits for its turn: a better thread would be left what was taken back. */
static void do_dues(struct core *core)
{
    if (core->tlb_owed != 0 || core->ports_owed)
        tlb_batch_leave_kernel();
    if (deferred_any(&core->deferred) && deferred_is_due(core)) {
        look_first(core);
        deferred_due_step(core);
    }
}

/* Something is to be done before core->current, if any, can go on. */
[[gnu::noinline]] static void reschedule(struct core *core)
{
    struct thread *given = NULL;
    bool at_front = true;

    core->need_resched = false;
    do_dues(core);
    if (core->current != NULL)
        given = give_way(core, core->current, &at_front);
    if (core->current == NULL) {
        if (work_goes_first(core, given)) {
            do_work(core, given, at_front);
            return;
        }
        choose(core, given, at_front);
    }
    if (core->current == NULL)
        return;
    if (!sched_single_core())
        sched_offer_to_idle(core);
    timer_update(core);
    if ((core->current->stop & STOP_CALL) != 0)
        core->current->record.resume(core->current);
}

/* ---- the short ways out ---- */

/* Whether nothing but the change of threads is to be done for core->next to take over. */
static inline bool next_is_all(const struct core *core, const struct thread *current,
                               const struct thread *next)
{
    return current != NULL && atomic_load_explicit(&current->stop, memory_order_relaxed) == 0 &&
           next->effective > current->effective && core->slice_end_ns == 0 &&
           runqueue_best_priority(&core->runqueue) < (int)next->effective &&
           atomic_load_explicit(&next->stop, memory_order_relaxed) == 0 && core->tlb_owed == 0 &&
           !core->ports_owed && !(deferred_any(&core->deferred) && deferred_is_due(core));
}

/* core->next takes over from what runs here, which keeps its place: true, and the core can leave the kernel. */
static bool run_next(struct core *core)
{
    struct thread *next = core->next, *current = core->current;
    struct runqueue *queue = &core->runqueue;
    bool fast;

    core->next = NULL;
    if (!next_is_all(core, current, next)) {
        (void)sched_enqueue(core, next, false);
        return false;
    }
    core->need_resched = false;
    fast = !core->tracing && switch_is_fast(core, next);
    if (fast)
        switch_leave(current, next, true);
    else
        switch_give_way_prepare(current);
    spin_lock(&queue->lock);
    atomic_store_explicit(&current->state, THREAD_READY, memory_order_relaxed);
    runqueue_insert_inline_locked(queue, current, true);
    queue->running_priority = (int)next->effective;
    spin_unlock(&queue->lock); /* from here on it can be made to run elsewhere */
    if (!sched_single_core())
        sched_offer_to_idle(core);
    if (fast)
        switch_enter(core, next);
    else
        switch_run(core, next);
    /* Nobody waits for the end of its turn, but the timer may just have fired, or the end of a hold have come to be. */
    if (timer_next(core) < core->timer_armed_ns)
        timer_update(core);
    return true;
}

/* The first of those of the same priority takes over for the rest of the turn, and what runs here is at the end: likewise. */
static bool run_peer(struct core *core)
{
    struct thread *next = NULL, *current = core->current;
    struct runqueue *queue = &core->runqueue;

    core->yields = false;
    if (current == NULL || core->next != NULL ||
        runqueue_best_priority(queue) != (int)current->effective)
        return false; /* the long way decides */
    spin_lock(&queue->lock);
    if (core->slice_end_ns != 0 && !core->tracing && (current->slow & SLOW_PROCESSOR) == 0)
        next = runqueue_next_locked(queue, current);
    if (next == NULL) {
        spin_unlock(&queue->lock);
        core->slice_end_ns = 1; /* over */
        return false;
    }
    core->need_resched = false;
    switch_leave(current, next, false); /* visible to others only when the lock is dropped */
    atomic_store_explicit(&current->state, THREAD_READY, memory_order_relaxed);
    atomic_store_explicit(&next->state, THREAD_PAIRED, memory_order_relaxed);
    spin_unlock(&queue->lock);
    switch_enter(core, next);
    return true;
}

/* ---- the way out ---- */

[[gnu::noinline]] static void leave_the_long_way(struct core *core)
{
    while (core->current == NULL || core->need_resched || core->current->stop != 0) {
        if (core->next == NULL)
            reschedule(core);
        else if (run_next(core))
            return;
    }
    if (deferred_any(&core->deferred) && deferred_is_due(core))
        core->need_resched = true; /* the next way out takes the next step */
}

void sched_leave_kernel(void)
{
    struct core *core = this_core();

    lockdep_assert_none();
    if (core->yields && run_peer(core))
        return;
    if (core->next == NULL || !run_next(core))
        leave_the_long_way(core);
}

void sched_timer_interrupt(struct core *core, uint64_t now_ns)
{
    core->timer_armed_ns = UINT64_MAX;
    core->need_resched |= core->current != NULL; /* the long way out sets the timer anew */
    if (core->hold_end_ns <= now_ns)
        core->hold_over(core);
    (void)expire(core, now_ns);
    if (log_is_due(now_ns))
        (void)log_show_step();
}

void sched_reschedule_interrupt(void)
{
    this_core()->need_resched = true;
}

bool sched_preempt_point(void)
{
    struct core *core = this_core();
    uint64_t passed = core->quiescent_points;

    arch_poll_interrupts();
    if (core->quiescent_points != passed)
        return true; /* what was looked up may have been freed */
    if (core->current == NULL || sched_stop_bits(core->current) != 0)
        return true;
    if (core->next != NULL)
        return true;
    if (!core->need_resched)
        return false;
    if (runqueue_best_priority(&core->runqueue) >= (int)core->current->effective)
        return true;
    /* The way out, which sets it else, may be far: for the next deadline, the end of a hold. */
    timer_update(core);
    return false;
}
