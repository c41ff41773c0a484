// SPDX-License-Identifier: MIT
/* ending.c - see ending.h. */
#include "object/ending.h"

#include <stdatomic.h>
#include <stddef.h>

#include "abi/inspect.h"
#include "ipc/wait.h"
#include "object/process.h"
#include "object/thread.h"
#include "sched/sched.h"

/* Waiting threads woken in one step. */
#define TELL_STEP 16

void ending_init(struct ending *ending, struct process *process, void (*step)(struct work *work))
{
    work_init(&ending->work, step);
    ending->process = process;
    thread_queue_init(&ending->waiters);
    ending->marked = ending->handed = 0;
    ending->progress = END_NONE;
    ending->away = false;
}

static bool is_of_process(const struct ending *ending)
{
    return ending == &ending->process->end;
}

struct kobject *ending_object(const struct ending *ending)
{
    return is_of_process(ending) ? &ending->process->obj
                                 : &container_of(ending, struct thread, end)->obj;
}

static uint8_t own_priority(const struct ending *ending)
{
    if (is_of_process(ending))
        return ending->progress <= END_THREADS ? process_threads_priority(ending->process) : 0;
    return __atomic_load_n(&container_of(ending, struct thread, end)->effective, __ATOMIC_RELAXED);
}

static uint8_t priority_locked(const struct ending *ending)
{
    int waiting = thread_queue_priority(&ending->waiters);
    uint8_t highest = own_priority(ending);

    if (ending->marked > highest)
        highest = ending->marked;
    if (ending->handed > highest)
        highest = ending->handed;
    return waiting > (int)highest ? (uint8_t)waiting : highest;
}

void ending_changed_locked(struct ending *ending)
{
    uint8_t before = ending->work.priority, priority = priority_locked(ending);

    if (priority == before)
        return;
    work_move(&ending->work, priority);
    if (!ending->away)
        return;
    /* Back for one step, which hands the priority on; a lower one too, at the one that it had. */
    ending->away = false;
    work_enter(&ending->work, before);
}

void ending_again_locked(struct ending *ending)
{
    ending->away = false;
    work_move(&ending->work, priority_locked(ending));
    work_enter(&ending->work, 0);
}

void ending_put_back_locked(struct ending *ending)
{
    if (!ending->away)
        return;
    ending->away = false;
    work_enter(&ending->work, 0);
}

bool ending_tell_locked(struct ending *ending)
{
    for (unsigned i = 0; i < TELL_STEP; i++) {
        struct thread *waiter = wait_end_over_locked(ending);

        if (waiter == NULL)
            return true;
        wait_done(waiter, MNOS_OK);
        sched_make_ready(waiter);
    }
    return thread_queue_empty(&ending->waiters);
}

void ending_thread_changed(struct thread *thread)
{
    struct process *process = thread->process;

    if (process_is_open(process) && (thread->stop & STOP_KILL) == 0)
        return;
    spin_lock(&process->lock);
    if (thread->end.progress < END_TOLD)
        ending_changed_locked(&thread->end);
    if (process->end.progress != END_NONE && process->end.progress <= END_THREADS)
        ending_changed_locked(&process->end);
    spin_unlock(&process->lock);
}
