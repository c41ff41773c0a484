// SPDX-License-Identifier: MIT
/*
 * sched.h - which thread runs where: fixed priorities, round robin within one, tickless.
 *
 * The kernel is not preemptible, so switching is only a change of core->current, done on the way out
 * of the kernel. A thread that blocks is saved and published by the code that makes it wait; from then
 * on any core may run it.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core.h"
#include "tcb.h"

/* Length of a turn when others of the same priority are ready. */
#define SCHED_SLICE_NS 5000000ull

/* ---- boot ---- */

/* Prepares cores[] for the boot core; phase 4. */
void sched_init(void);
/* A further core has its stack, tables and APIC: takes part from now on. */
[[gnu::noreturn]] void sched_core_start(void);
/* The boot core does, as the last one: ends the boot. */
[[gnu::noreturn]] void sched_boot_core_start(void);

/* ---- called by the entry code ---- */

/* The end of every entry from user mode: makes core->current the thread to return to, idling as long
 * as there is none. May change core->current. */
void sched_leave_kernel(void);
/* The time that the timer was armed for has come. */
void sched_timer_interrupt(struct core *core, uint64_t now_ns);
/* Another core has put something better into this core's run queue. */
void sched_reschedule_interrupt(void);

/* ---- called by objects ---- */

/* Bit n: core n; each core changes its own alone. */
extern _Atomic uint32_t online_cores, idle_cores;
static inline uint32_t sched_online_cores(void)
{
    return atomic_load_explicit(&online_cores, memory_order_relaxed);
}
static inline bool sched_single_core(void)
{
    return sched_online_cores() == 1;
}
/* `core` is busy with something as good as what waits there, which may go on at once where nothing is to be
 * done. */
void sched_offer_to_idle(const struct core *core);

/* There is something for `core` to look at on its way out of the kernel. */
void sched_tell(struct core *core);
/* This core has just made `thread` THREAD_DEAD, and buries it. Hold no lock below LOCK_PROCESS. */
void sched_died(struct thread *thread);

/* Makes a thread that is in no queue and RUNNING nowhere ready, on the core it belongs to. A thread
 * that must stop becomes THREAD_SUSPENDED or THREAD_DEAD instead. */
void sched_make_ready(struct thread *thread);
/* The same for one that an event has woken: on the way out this core may switch to it without the run
 * queue. */
void sched_wake(struct thread *thread);
/* The same, but switches this core to it at once, without the run queue, when core->current has just
 * blocked and nothing better is ready here. */
void sched_hand_over(struct thread *thread);
/* core->current, in a system call, is about to wait: accounts and saves it, before it becomes visible
 * anywhere. */
void sched_block_prepare(struct thread *current);
/* The same, and it keeps its vector registers, which it loses in a call that waits for messages. */
void sched_block_prepare_whole(struct thread *current);
/* What this core runs changes to `priority`, without the run queue's lock: for switch.h. */
void sched_running_priority(struct core *core, uint8_t priority);
/* core->current, prepared and published, no longer runs: nothing of it may be touched after. */
void sched_current_blocked(void);
/* Takes a ready thread out of the run queue it is in, to be in `state` from then on; false when it was
 * not ready any more. */
bool sched_remove_ready(struct thread *thread, enum thread_state state);
/* The effective priority of `thread` has changed; moves it within its run queue. */
void sched_priority_changed(struct thread *thread, uint8_t effective);
/* The priority or affinity of `thread`, which neither waits nor is ready, has changed: the core that runs it, or
 * moves it, looks again before it leaves the kernel. */
void sched_look_again(const struct thread *thread);
/* Waits until `thread`, whose stop bits are set, runs on no core. Hold no lock. */
void sched_wait_stopped(const struct thread *thread);
/* Waits until every other core has used what it looked up, for the last time. Hold no lock. */
static inline void sched_quiesce(void)
{
    arch_ipi_round(sched_online_cores(), IPI_QUIESCE);
}
/* The timer of `thread`, which the caller owns, is later than its deadline: from now on it is not. */
void sched_timer_start(struct thread *thread);
/* T7: `thread`, which the caller owns, is about to wait until then, or has just begun to, under the lock
 * that guards its wait. */
static inline void sched_deadline_set(struct thread *thread, uint64_t deadline_ns)
{
    __atomic_store_n(&thread->deadline_ns, deadline_ns, __ATOMIC_RELAXED);
    if (deadline_ns == MNOS_DEADLINE_NEVER)
        return;
    atomic_thread_fence(memory_order_seq_cst);
    if (__atomic_load_n(&thread->timer.due, __ATOMIC_RELAXED) > deadline_ns)
        sched_timer_start(thread);
}

/* A preemption point of a long operation: handles what is pending. True: something better is ready, or
 * other cores have been told that this one uses nothing it looked up before; the operation puts its
 * progress away, restarts its system call and returns. In a step of work always: it has done enough. Hold no
 * lock. */
bool sched_preempt_point(void);

/* TSC cycles that `thread` has run, up to now. */
uint64_t sched_cpu_cycles(const struct thread *thread);
