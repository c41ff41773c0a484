// SPDX-License-Identifier: MIT
/*
 * thread_end.c - the end of a thread: whoever wants it sets STOP_KILL and gets it out of what it
 * waits for; the core that then makes it THREAD_DEAD owns its burial, as work. See ending.h and
 * docs/ending.md.
 */
#include <stdatomic.h>
#include <stddef.h>

#include "arch/arch.h"
#include "assert.h"
#include "core.h"
#include "ipc/wait.h"
#include "object/fault.h"
#include "object/process.h"
#include "object/thread.h"
#include "sched/sched.h"
#include "base/trace.h"

/* Callers that one step wakes. */
#define CALLERS_STEP 16

/* ---- killing ---- */

void thread_evict(struct thread *thread)
{
    uint32_t suspended = THREAD_SUSPENDED;

    switch ((enum thread_state)thread->state) {
    case THREAD_READY:
        if (sched_remove_ready(thread, THREAD_DEAD))
            sched_died(thread);
        break;
    case THREAD_SENDING:
    case THREAD_RECEIVING:
    case THREAD_CALLING:
    case THREAD_PARKED:
    case THREAD_ENDING:
        (void)wait_cancel(thread, MNOS_DEADLINE_NEVER,
                          MNOS_ERR_CANCELLED); /* made ready, it becomes dead instead */
        break;
    case THREAD_SUSPENDED:
        if (atomic_compare_exchange_strong(&thread->state, &suspended, THREAD_DEAD))
            sched_died(thread);
        break;
    default: break; /* running, or paired: a core has it, and makes it dead; or dead already */
    }
}

/* Kept: it is not freed while this call waits for other cores. False: it has ended already. */
static bool mark(struct thread *thread, uint8_t priority)
{
    struct process *process = thread->process;
    bool lives;

    spin_lock(&process->lock);
    lives = thread->end.progress < END_DEAD;
    if (lives) {
        thread_kill(thread);
        thread->kept++;
        if (priority > thread->end.marked)
            thread->end.marked = priority;
        ending_changed_locked(&thread->end);
    }
    spin_unlock(&process->lock);
    return lives;
}

result_t thread_destroy(struct thread *current, struct thread *thread)
{
    struct process *process = thread->process;
    result_t result = RESULT_ANSWERED;
    bool waits = false;

    if (!mark(thread, current->effective))
        return result_of(MNOS_ERR_STATE);
    sched_quiesce();
    thread_evict(thread);
    spin_lock(&process->lock);
    thread->kept--;
    if (thread->end.progress >= END_DEAD) {
        result = RESULT_OK;
    } else if ((current->stop & STOP_KILL) == 0) { /* T9 */
        wait_for_end_locked(&thread->end, current);
        waits = true;
    }
    spin_unlock(&process->lock);
    if (waits)
        sched_current_blocked();
    return result;
}

/* ---- burying ---- */

/* What others know of it goes: its deadline, callers, number, IPC buffer. False: not all callers
 * yet. */
static bool undo(struct thread *thread)
{
    struct process *process = thread->process;

    assert(thread->state == THREAD_DEAD);
    if (thread->end.progress == END_NONE) {
        thread->end.progress = END_CALLERS;
        if (thread->fault_fatal) {
            fault_end(thread); /* F2; a line of the log is enough for a step */
            return false;
        }
    }
    if (!wait_drop_callers(thread, CALLERS_STEP))
        return false;
    thread->end.progress = END_BUFFER;
    timer_queue_remove(thread);
    thread_forget_call(thread);
    thread_number_give_back(thread);
    thread_buffer_unmap(thread);
    thread_buffer_free(process, thread->buffer_address, thread->buffer_frame);
    trace(MNOS_TRACE_THREAD_DESTROY, thread->obj.id, process->obj.id);
    return true;
}

static void uncount(struct thread *thread)
{
    spin_lock(&thread->lock);
    process_thread_uncounts(thread->process, thread->effective);
    thread->counted = false;
    spin_unlock(&thread->lock);
}

/* It has ended: whoever waits for that is told. When nobody is left it is all over: it leaves its
 * process, which may be waiting for that, and may be freed at any time. */
static void tell(struct thread *thread)
{
    struct process *process = thread->process;
    bool told, unreferenced = false;

    if (thread->end.progress != END_DEAD)
        uncount(thread);
    spin_lock(&process->lock);
    if (thread->end.progress != END_DEAD) {
        thread->end.progress = END_DEAD;
        process->thread_count--;
    }
    /* Who keeps it only waits for one round of the cores, this one among them, and then joins the
     * others. */
    told = ending_tell_locked(&thread->end) && thread->kept == 0;
    if (told) {
        unreferenced = kobject_over(&thread->obj);
        process_thread_leaves_locked(process, thread);
    } else {
        ending_again_locked(&thread->end);
    }
    spin_unlock(&process->lock);
    if (unreferenced)
        kobject_unreferenced(&thread->obj);
    if (!told)
        arch_relax(); /* the same step again, perhaps until another core has gone on */
}

void thread_end_step(struct work *work)
{
    struct thread *thread = container_of(work, struct thread, end.work);
    struct process *process = thread->process;

    if (thread->end.progress == END_DEAD || undo(thread)) {
        tell(thread);
        return;
    }
    spin_lock(&process->lock);
    ending_again_locked(&thread->end);
    spin_unlock(&process->lock);
}
