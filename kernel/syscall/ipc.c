// SPDX-License-Identifier: MIT
/*
 * ipc.c - sys_ipc_notify and sys_thread_yield, after which another thread may run at once: on the way out of the kernel. The
 * four calls that carry messages are in ipc/rendezvous.c.
 */
#include <stddef.h>

#include "syscall/calls.h"
#include "object/endpoint.h"
#include "base/trace.h"

struct call_return call_ipc_notify(CALL_REGISTERS)
{
    const struct core *core = this_core();
    const struct thread *current = core->current;

    if (core->tracing || !argument_notifies_again(current, rdi, rsi))
        return enter_ipc_notify(rdi, rsi, rdx, r10, r8, r9);
    endpoint_notify(current->sent_to, rsi);
    return (struct call_return){0, 0};
}

struct call_return call_thread_yield(CALL_REGISTERS)
{
    struct core *core = this_core();

    if (runqueue_best_priority(&core->runqueue) != (int)core->current->effective)
        return (struct call_return){0, 0}; /* nobody is there, or the way out decides */
    if (core->need_resched)
        core->slice_end_ns = 1; /* over; more is due on the way out than to change threads */
    else
        core->yields = core->need_resched = true;
    return (struct call_return){0, 0};
}

/* Needs Write on an endpoint capability whose event mask covers `events`. Never blocks. */
result_t sys_ipc_notify(struct thread *current, mnos_cap_t endpoint, uint64_t events)
{
    struct cap_view cap;
    result_t status =
        argument_cap(current, 1, endpoint, MNOS_TYPE_ENDPOINT, MNOS_RIGHT_WRITE, &cap);

    if (status != RESULT_OK)
        return status;
    argument_remember_sent(current, &cap);
    if (events == 0 || (events & ~cap.event_mask) != 0)
        return error_at(2, MNOS_ERR_ARGUMENT);
    trace(MNOS_TRACE_NOTIFY, cap.object->id, events);
    endpoint_notify(endpoint_of(cap.object), events);
    return RESULT_OK;
}
