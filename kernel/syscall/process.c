// SPDX-License-Identifier: MIT
/* process.c - system calls on processes and threads. */
#include <stddef.h>

#include "abi/message.h"
#include "syscall/calls.h"
#include "cap/derive.h"
#include "ipc/wait.h"
#include "lib/base/string.h"
#include "mm/frame.h"
#include "object/endpoint.h"
#include "object/process.h"
#include "sched/sched.h"

/* Frames filled with zeros that a new process takes: its root, the tables for the information page, and a page of
 * slots for the caller; and a new thread: its IPC buffer, and that page. */
#define PROCESS_FRAMES 5u
#define THREAD_FRAMES 2u

result_t call_process(struct thread *current, unsigned argument, mnos_cap_t handle,
                      mnos_rights_t rights, struct process **process)
{
    struct cap_view view;
    result_t status;

    if (handle == MNOS_SELF) {
        *process = current->process;
        return RESULT_OK;
    }
    status = argument_cap(current, argument, handle, MNOS_TYPE_PROCESS, rights, &view);
    if (status != RESULT_OK)
        return status;
    if ((rights & MNOS_RIGHT_WRITE) != 0 && !process_is_open(process_of(view.object)))
        return error_at(argument, MNOS_ERR_STATE);
    *process = process_of(view.object);
    return RESULT_OK;
}

result_t call_thread(struct thread *current, unsigned argument, mnos_cap_t handle,
                     mnos_rights_t rights, struct thread **thread)
{
    struct cap_view view;
    result_t status;

    if (handle == MNOS_SELF) {
        *thread = current;
        return RESULT_OK;
    }
    status = argument_cap(current, argument, handle, MNOS_TYPE_THREAD, rights, &view);
    if (status == RESULT_OK)
        *thread = thread_of(view.object);
    return status;
}

/* Looks up an endpoint in a parameter record (handle 0: none, object NULL) that may set `events`. */
static result_t params_endpoint(struct thread *current, mnos_cap_t handle, uint64_t events,
                                struct cap_view *view)
{
    result_t status;

    view->object = NULL;
    if (handle == 0)
        return RESULT_OK;
    status = argument_cap(current, 1, handle, MNOS_TYPE_ENDPOINT, MNOS_RIGHT_WRITE, view);
    if (status == RESULT_OK && (events & ~view->event_mask) != 0)
        status = error_at(1, MNOS_ERR_ARGUMENT);
    return status;
}

static mnos_status_t hold(struct capability *slot, const struct cap_view *view)
{
    return view->object == NULL ? MNOS_OK : cap_derive_kernel(slot, view);
}

/* A step of its own, before anything is looked up. True: the call is to be made again. */
static bool zero_ahead(unsigned frames)
{
    unsigned zeroed = 0;

    while (zeroed < frames && frame_zero_ahead(frames))
        zeroed++;
    return zeroed != 0 && sched_preempt_point();
}

/* Needs Write on the endpoints in the record; the quota is carved out of the caller's. Parameters:
 * struct mnos_process_params at the start of the IPC buffer. */
result_t sys_proc_create(struct thread *current, uint64_t params_bytes, uint64_t *value)
{
    struct mnos_process_params params;
    struct captable *table = &current->process->captable;
    struct cap_view exit_view, fault_view;
    struct capability *slot;
    struct process *process;
    mnos_status_t status;
    result_t result;

    if (params_bytes != sizeof(params))
        return error_at(1, MNOS_ERR_SIZE);
    if (zero_ahead(PROCESS_FRAMES))
        return RESULT_AGAIN;
    memcpy(&params, current->buffer->data, sizeof(params)); /* other threads may write there */
    if ((params.exit_endpoint == 0) != (params.exit_events == 0))
        return error_at(1, MNOS_ERR_ARGUMENT);
    result = params_endpoint(current, params.exit_endpoint, params.exit_events, &exit_view);
    if (result != RESULT_OK)
        return result;
    result = params_endpoint(current, params.fault_endpoint, 0, &fault_view);
    if (result != RESULT_OK)
        return result;
    status = captable_alloc(table, &slot);
    if (status != MNOS_OK)
        return result_of(status);
    status = process_create(current->process, &params, &process);
    if (status != MNOS_OK) {
        captable_free(table, slot);
        /* That it nests too deep is not about the record. */
        return error_at(status == MNOS_ERR_STATE ? 0 : 1, status);
    }
    process->exit_events = params.exit_events;
    status = hold(&process->exit_cap, &exit_view);
    if (status == MNOS_OK)
        status = hold(&process->fault_cap, &fault_view);
    if (status != MNOS_OK) {
        captable_free(table, slot);
        process_abandon(process, current->effective); /* nobody has seen it */
        return result_of(status);
    }
    *value = cap_create_root_in(slot, &process->obj);
    return RESULT_OK;
}

/* Needs Write. Moves limits from the caller's account to that of its child, negative amounts back.
 * MNOS_ERR_STATE: it is not the caller's child, or is dying. */
result_t sys_proc_quota(struct thread *current, mnos_cap_t process_cap, int64_t frames,
                        int64_t bytes)
{
    struct process *process;
    enum mnos_quota_kind failed;
    mnos_status_t status;
    result_t result;

    if (process_cap == MNOS_SELF)
        return error_at(1, MNOS_ERR_ARGUMENT);
    result = call_process(current, 1, process_cap, MNOS_RIGHT_WRITE, &process);
    if (result != RESULT_OK)
        return result;
    if (process->parent != current->process)
        return error_at(1, MNOS_ERR_STATE);
    status = process_move_quota(process, frames, bytes, &failed);
    if (status == MNOS_ERR_STATE)
        return error_at(1, status);
    return error_at(failed == MNOS_QUOTA_FRAMES ? 2 : 3, status);
}

/* At most PROCESS_DEPTH_MAX steps. */
static bool is_ancestor(const struct process *ancestor, const struct process *process)
{
    for (; process != NULL; process = process->parent)
        if (process == ancestor)
            return true;
    return false;
}

/* Needs Execute (not for MNOS_SELF). Returns when the process and all it created is gone; for the
 * caller's own process it does not return. MNOS_ERR_STATE: the caller descends from it. MNOS_ERR_CANCELLED:
 * its wait was cancelled, and the process ends nevertheless. */
result_t sys_proc_destroy(struct thread *current, mnos_cap_t process_cap, uint64_t exit_code)
{
    struct process *process;
    result_t status = call_process(current, 1, process_cap, MNOS_RIGHT_EXECUTE, &process);

    if (status != RESULT_OK)
        return status;
    if (process == current->process) {
        process_exit(current, MNOS_EXIT_SELF, exit_code);
        return RESULT_ANSWERED;
    }
    if (is_ancestor(process, current->process))
        return error_at(1, MNOS_ERR_STATE);
    (void)process_mark(process, MNOS_EXIT_DESTROYED, exit_code, current->effective);
    return process_await(process, current) ? RESULT_ANSWERED : RESULT_OK;
}

/* Needs Write on the process (not for MNOS_SELF). Parameters: struct mnos_thread_params at the start
 * of the IPC buffer. */
result_t sys_thread_create(struct thread *current, mnos_cap_t process_cap, uint64_t params_bytes,
                           uint64_t *value)
{
    struct captable *table = &current->process->captable;
    struct mnos_thread_params params;
    struct capability *slot;
    struct process *process;
    struct thread *thread;
    mnos_status_t status;
    result_t result;

    if (zero_ahead(THREAD_FRAMES))
        return RESULT_AGAIN;
    result = call_process(current, 1, process_cap, MNOS_RIGHT_WRITE, &process);
    if (result != RESULT_OK)
        return result;
    if (params_bytes != sizeof(params))
        return error_at(2, MNOS_ERR_SIZE);
    memcpy(&params, current->buffer->data, sizeof(params)); /* other threads may write there */
    status = captable_alloc(table, &slot);
    if (status != MNOS_OK)
        return result_of(status);
    status = thread_create(process, &params, &thread);
    if (status != MNOS_OK) {
        captable_free(table, slot);
        return error_at(2, status);
    }
    *value = cap_create_root_in(slot, &thread->obj);
    if ((params.flags & MNOS_THREAD_SUSPENDED) == 0)
        thread_resume(thread, STOP_SUSPEND);
    return RESULT_OK;
}

/* Needs Execute (not for MNOS_SELF). Returns when the thread has ended; callers that wait for a reply from it wake
 * with MNOS_ERR_PEER. MNOS_ERR_STATE: it has ended before. MNOS_ERR_CANCELLED: as above. */
result_t sys_thread_destroy(struct thread *current, mnos_cap_t thread_cap)
{
    struct thread *thread;
    result_t status = call_thread(current, 1, thread_cap, MNOS_RIGHT_EXECUTE, &thread);

    if (status != RESULT_OK)
        return status;
    if (thread == current) {
        thread_kill(current); /* it becomes dead on the way out */
        return RESULT_ANSWERED;
    }
    return result_at(1, thread_destroy(current, thread));
}

/* All threads of a process are stopped, or let go on, in steps. */
static result_t change_process(struct thread *current, struct process *process, bool stop)
{
    bool begun = current->record.number != 0, again; /* this call was interrupted */
    mnos_status_t status;

    do {
        status =
            stop ? process_suspend(process, begun, &again) : process_resume(process, begun, &again);
        begun = true;
    } while (again && !sched_preempt_point());
    return again ? RESULT_AGAIN : error_at(1, status);
}

static result_t suspend(struct thread *current, mnos_cap_t target)
{
    struct cap_view view;
    result_t status = argument_cap(current, 1, target, MNOS_TYPE_NONE, MNOS_RIGHT_EXECUTE, &view);

    if (status != RESULT_OK)
        return status;
    if (view.object->type == MNOS_TYPE_PROCESS)
        return change_process(current, process_of(view.object), true);
    if (view.object->type != MNOS_TYPE_THREAD)
        return error_type(1, view.object->type);
    thread_suspend(thread_of(view.object), STOP_SUSPEND);
    return RESULT_OK;
}

/* MNOS_SELF: parks the caller until sys_thread_wake or the deadline; the value is the time. Another
 * thread, or a process, with Execute: suspends it, and returns when it has stopped. */
result_t sys_thread_block(struct thread *current, mnos_cap_t target, uint64_t deadline_ns,
                          uint64_t *value)
{
    *value = arch_time_ns();
    if (target != MNOS_SELF)
        return suspend(current, target);
    wait_park(current, deadline_ns);
    return RESULT_ANSWERED;
}

/* Needs Execute, or MNOS_SELF (the next sys_thread_block returns at once). Ends a park and lifts a
 * suspension of a thread; lifts the suspension of a process. */
result_t sys_thread_wake(struct thread *current, mnos_cap_t target)
{
    struct thread *thread = current;
    struct cap_view view;
    result_t status;

    if (target != MNOS_SELF) {
        status = argument_cap(current, 1, target, MNOS_TYPE_NONE, MNOS_RIGHT_EXECUTE, &view);
        if (status != RESULT_OK)
            return status;
        if (view.object->type == MNOS_TYPE_PROCESS)
            return change_process(current, process_of(view.object), false);
        if (view.object->type != MNOS_TYPE_THREAD)
            return error_type(1, view.object->type);
        thread = thread_of(view.object);
    }
    if ((thread->stop & STOP_SUSPEND) != 0)
        thread_resume(thread, STOP_SUSPEND);
    else
        wait_unpark(thread);
    return RESULT_OK;
}
