// SPDX-License-Identifier: MIT
/*
 * reply.c - sys_ipc_reply: a caller gets its answer, or an endpoint an event, and then the thread waits for the next
 * message. Who was woken goes on in its place, which mostly is a change of threads and no more (sched/exchange.h).
 *
 * The capabilities that it names are looked up once: what the thread has notified and where it has waited last are
 * remembered with their handles, as for the fast path (object/argument.h).
 */
#include <stdatomic.h>
#include <stddef.h>

#include "base/trace.h"
#include "ipc/message.h"
#include "ipc/rendezvous.h"
#include "ipc/wait.h"
#include "object/argument.h"
#include "object/endpoint.h"
#include "object/fault.h"
#include "sched/sched.h"

static result_t answer(struct thread *current, struct thread *caller)
{
    result_t status;

    if ((caller->slow & SLOW_FAULTED) != 0)
        return result_of(fault_answer(current, caller));
    status = message_move(current, caller, NULL);
    if (status == RESULT_OK) {
        caller->frame.rdi = 0;
        caller->frame.r12 = 0;
    }
    return status;
}

/* Delivers the reply in `current`'s registers. MNOS_ERR_REPLY, and the errors of message_move(), with
 * which the caller goes on waiting for a better reply. */
static result_t reply(struct thread *current, struct thread **woken)
{
    struct thread *caller = wait_take_caller(current->process, current->frame.rdi);
    result_t status = RESULT_OK;

    if (caller == NULL)
        return error_at(1, MNOS_ERR_REPLY);
    if ((current->frame.rsi & MNOS_INFO_DROP) != 0) {
        wait_done(caller, MNOS_ERR_PEER);
    } else {
        status = answer(current, caller);
        if (status != RESULT_OK) {
            wait_restore_caller(caller, current);
            return status;
        }
        wait_done(caller, MNOS_OK);
    }
    trace(MNOS_TRACE_REPLY, caller->obj.id, 0);
    *woken = caller;
    return RESULT_OK;
}

/* What `current` receives from after a reply, or a notification: the endpoint received_from, through `via`. */
static inline result_t find_received(struct thread *current)
{
    mnos_cap_t handle = current->frame.r13;
    struct cap_view cap;
    result_t status;

    if (__builtin_expect(argument_receives_again(current, handle), true))
        return RESULT_OK;
    status = argument_cap(current, 8, handle, MNOS_TYPE_ENDPOINT, MNOS_RIGHT_READ, &cap);
    if (status == RESULT_OK)
        argument_remember_received(current, &cap);
    return status;
}

/* What `current` notifies: the endpoint sent_to. */
static inline result_t find_notified(struct thread *current)
{
    uint64_t events = current->frame.rdx;
    mnos_cap_t handle = current->frame.rdi;
    struct cap_view cap;
    result_t status;

    if (__builtin_expect(argument_notifies_again(current, handle, events), true))
        return RESULT_OK;
    status = argument_cap(current, 1, handle, MNOS_TYPE_ENDPOINT, MNOS_RIGHT_WRITE, &cap);
    if (status != RESULT_OK)
        return status;
    argument_remember_sent(current, &cap);
    if (events == 0 || (events & ~cap.event_mask) != 0)
        return error_at(3, MNOS_ERR_ARGUMENT);
    return RESULT_OK;
}

/* sys_ipc_reply with MNOS_INFO_NOTIFY. All is checked before anything is done. */
[[gnu::noinline]] static void notify_and_receive(struct thread *current)
{
    uint64_t info = current->frame.rsi, events = current->frame.rdx;
    result_t status = RESULT_OK;

    if ((info & ~MNOS_INFO_ACCEPT(7)) != MNOS_INFO_NOTIFY ||
        MNOS_INFO_GET_ACCEPT(info) > MNOS_MESSAGE_MAX_CAPS)
        status = error_at(2, MNOS_ERR_ARGUMENT);
    if (status == RESULT_OK)
        status = find_notified(current);
    if (status == RESULT_OK)
        status = find_received(current);
    if (status != RESULT_OK) {
        ipc_refuse(current, status);
        return;
    }
    /* If the wait is begun anew, it is only a wait. */
    current->frame.rdi = 0;
    current->frame.rsi = info & ~MNOS_INFO_NOTIFY;
    trace(MNOS_TRACE_NOTIFY, current->sent_to->obj.id, events);
    ipc_wait(current, current->received_from, endpoint_signal(current->sent_to, events));
}

[[gnu::noinline]] static void reply_and_receive(struct thread *current)
{
    bool waits = current->frame.r13 != 0;
    struct thread *woken = NULL;
    result_t status = RESULT_OK;

    if (!message_info_valid(current->frame.rsi & ~MNOS_INFO_DROP))
        status = error_at(2, MNOS_ERR_ARGUMENT);
    else if (waits)
        status = find_received(current);
    if (status != RESULT_OK) {
        ipc_refuse(current, status);
        return;
    }
    if (current->frame.rdi != 0)
        status = reply(current, &woken);
    if (status == RESULT_OK && waits) {
        current->frame.rdi = 0; /* if the wait is begun anew, there is nothing to reply */
        ipc_wait(current, current->received_from, woken);
        return;
    }
    ipc_answer(current, status);
    if (woken != NULL)
        sched_make_ready(woken);
}

void ipc_reply(struct thread *current)
{
    if ((current->frame.rsi & MNOS_INFO_NOTIFY) != 0)
        notify_and_receive(current);
    else
        reply_and_receive(current);
}
