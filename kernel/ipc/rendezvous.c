// SPDX-License-Identifier: MIT
/*
 * rendezvous.c - a sender and a receiver meet on an endpoint, or one of them waits for the other.
 *
 * A pair is taken off the endpoint under its lock, and the message moves after the lock has been
 * dropped: both threads are then THREAD_PAIRED (or running here) and belong to this core. If
 * capabilities in the message cannot move, the sender gets the error and the receiver goes on
 * receiving, in front of the others of its priority. After FAILURES_STEP senders that failed one after the
 * other it makes its call again, so that interrupts are looked at in between.
 */
#include "ipc/rendezvous.h"

#include <stdatomic.h>
#include <stddef.h>

#include "assert.h"
#include "syscall/calls.h"
#include "cap/derive.h"
#include "ipc/message.h"
#include "ipc/wait.h"
#include "object/endpoint.h"
#include "object/fault.h"
#include "object/process.h"
#include "sched/sched.h"
#include "base/trace.h"

/* Senders turned away in a row. */
#define FAILURES_STEP 8

/* The details noted are those of this thread's error, and of no other one's that fails after it. */
static void fail(struct thread *thread, mnos_status_t status)
{
    thread->frame.rax = call_result(status);
    this_core()->error = (struct call_error){0};
}

/* Makes `current` wait on the endpoint, whose lock is held. */
static void block_locked(struct endpoint *endpoint, struct thread *current,
                         const struct cap_view *cap, enum thread_state state, uint64_t deadline_ns)
{
    sched_block_prepare(current);
    current->via = cap->slot;
    current->via_key = cap->key;
    current->received_key = 0;
    sched_deadline_set(current, deadline_ns);
    wait_queue_locked(endpoint, current, state, false);
}

/* `receiver` has the message of `sender` in its registers; tells it who sent it, and makes the sender
 * wait for the reply or go on. The sender is THREAD_PAIRED or the current thread, prepared to block. */
static void settle(struct thread *sender, struct thread *receiver)
{
    receiver->frame.rdi = sender->badge;
    receiver->frame.r12 = sender->wants_reply ? wait_for_reply(sender, receiver) : 0;
}

enum take {
    TAKEN,
    NOBODY_SENDS, /* and the endpoint is locked */
    ALL_FAILED,   /* those that were tried: there may be more */
};

/* `receiver`, off the queue, takes the message of the first sender that can give it one. */
static enum take take_message(struct endpoint *endpoint, struct thread *receiver)
{
    struct thread *sender;
    mnos_status_t status;
    bool wants_reply;

    for (unsigned i = 0; i < FAILURES_STEP; i++) {
        spin_lock(&endpoint->lock);
        if (endpoint_take_pending_locked(endpoint, receiver)) {
            spin_unlock(&endpoint->lock);
            return TAKEN;
        }
        if (endpoint->state != EP_SENDING)
            return NOBODY_SENDS;
        sender = thread_queue_first(&endpoint->queue);
        wait_unqueue_locked(endpoint, sender);
        spin_unlock(&endpoint->lock);

        status = message_move(sender, receiver, endpoint);
        wants_reply = sender->wants_reply;
        if (status == MNOS_OK) {
            settle(sender, receiver);
            wait_done(receiver, MNOS_OK);
        }
        if (status != MNOS_OK || !wants_reply) {
            wait_done(sender, status);
            if (status != MNOS_OK)
                fail(sender, status);
            sched_make_ready(sender);
        }
        if (status == MNOS_OK)
            return TAKEN;
    }
    return ALL_FAILED;
}

/* Makes `thread`, which receives and is not queued, call again; what it was to reply, it has replied. */
static void receive_again(struct thread *thread)
{
    if (thread->received_key != 0) {
        /* It waits by the fast path of a reply, which has not stored what only the wait needs. */
        thread->frame.rax = CALL_IPC_REPLY;
        thread->frame.rdi = 0;
        thread->frame.r12 = thread->deadline_ns;
    }
    __atomic_store_n(&thread->deadline_ns, MNOS_DEADLINE_NEVER, __ATOMIC_RELAXED);
    arch_thread_before_syscall(thread);
}

/* A receiver whose message failed goes on waiting, at the head; or wakes, when its wait has ended
 * while it was paired. */
static void receiver_resume(struct endpoint *endpoint, struct thread *receiver)
{
    mnos_status_t status = MNOS_OK;
    enum take take = take_message(endpoint, receiver);

    if (take == ALL_FAILED) {
        receive_again(receiver);
    } else if (take == NOBODY_SENDS) {
        if (receiver->via->key != receiver->via_key)
            status = MNOS_ERR_REVOKED;
        else if ((receiver->stop & STOP_KILL) != 0)
            status = MNOS_ERR_CANCELLED;
        if (status == MNOS_OK) {
            sched_deadline_set(receiver, receiver->deadline_ns);
            wait_queue_locked(endpoint, receiver, THREAD_RECEIVING, true);
        }
        spin_unlock(&endpoint->lock);
        if (status == MNOS_OK)
            return;
        wait_done(receiver, status);
    }
    sched_make_ready(receiver);
}

bool ipc_call_taken(struct thread *current, struct thread *receiver, struct endpoint *endpoint)
{
    if (message_info_valid(current->frame.rsi) &&
        message_move(current, receiver, endpoint) == MNOS_OK)
        return true;
    sched_running_priority(this_core(), current->effective);
    receiver_resume(endpoint, receiver);
    return false;
}

/* The message of `current` goes to `receiver`, which has just been taken off the endpoint. CALL_ANSWERED:
 * now it waits for the reply. */
static mnos_status_t send_to(struct endpoint *endpoint, struct thread *current,
                             struct thread *receiver, uint64_t deadline_ns)
{
    mnos_status_t status = message_move(current, receiver, endpoint);
    bool blocks = current->wants_reply;

    if (status != MNOS_OK) {
        receiver_resume(endpoint, receiver);
        return status;
    }
    if (blocks) {
        sched_block_prepare(current);
        current->deadline_ns = deadline_ns;
    }
    settle(current, receiver); /* a caller may run elsewhere from here on */
    wait_done(receiver, MNOS_OK);
    if (blocks) {
        sched_current_blocked();
        sched_hand_over(receiver);
        return CALL_ANSWERED;
    }
    sched_make_ready(receiver);
    return MNOS_OK;
}

/* The message of `current` goes to a receiver, or waits for one. CALL_ANSWERED: the thread waits. */
static mnos_status_t meet_receiver(struct thread *current, const struct cap_view *cap,
                                   uint64_t deadline_ns)
{
    struct endpoint *endpoint = (struct endpoint *)cap->object;
    struct thread *receiver;
    mnos_status_t status = MNOS_OK;

    spin_lock(&endpoint->lock);
    if (!cap_alive(cap)) {
        status = MNOS_ERR_HANDLE;
    } else if (endpoint->state == EP_RECEIVING) {
        receiver = thread_queue_first(&endpoint->queue);
        wait_unqueue_locked(endpoint, receiver);
        spin_unlock(&endpoint->lock);
        return send_to(endpoint, current, receiver, deadline_ns);
    } else if (wait_deadline_passed(deadline_ns)) {
        status = MNOS_ERR_DEADLINE;
    } else {
        block_locked(endpoint, current, cap, THREAD_SENDING, deadline_ns);
    }
    spin_unlock(&endpoint->lock);
    if (status != MNOS_OK)
        return status;
    sched_current_blocked();
    return CALL_ANSWERED;
}

static void send(struct thread *current, bool wants_reply)
{
    uint64_t deadline_ns = current->frame.r12;
    struct cap_view cap;
    mnos_status_t status;

    if (!message_info_valid(current->frame.rsi)) {
        fail(current, call_argument(2, MNOS_ERR_ARGUMENT));
        return;
    }
    status = call_cap(current, 1, current->frame.rdi, MNOS_TYPE_ENDPOINT, MNOS_RIGHT_WRITE, &cap);
    if (status == MNOS_OK && wants_reply && wait_deadline_passed(deadline_ns))
        status = MNOS_ERR_DEADLINE;
    if (status != MNOS_OK) {
        fail(current, status);
        return;
    }
    current->badge = cap.badge;
    current->wants_reply = wants_reply;
    trace(wants_reply ? MNOS_TRACE_CALL : MNOS_TRACE_SEND, cap.object->id, cap.badge);
    status = meet_receiver(current, &cap, deadline_ns);
    if (status != CALL_ANSWERED)
        fail(current, status);
}

bool ipc_fault(struct thread *current)
{
    struct cap_view cap;

    if (!cap_read(&current->process->fault_cap, &cap))
        return false;
    atomic_fetch_or(&current->slow, SLOW_FAULTED);
    current->badge = cap.badge;
    current->wants_reply = true;
    if (meet_receiver(current, &cap, MNOS_DEADLINE_NEVER) == CALL_ANSWERED)
        return true;
    atomic_fetch_and(&current->slow, ~(uint32_t)SLOW_FAULTED);
    return false;
}

/* Waits for a message; what has been replied to before, `woken`, runs as soon as possible. */
static void receive(struct thread *current, const struct cap_view *cap, struct thread *woken)
{
    struct endpoint *endpoint = (struct endpoint *)cap->object;
    uint64_t deadline_ns = current->frame.r12;
    mnos_status_t status = MNOS_OK;

    trace(MNOS_TRACE_RECEIVE, endpoint->obj.id, 0);
    switch (take_message(endpoint, current)) {
    case TAKEN: break;
    case ALL_FAILED:
        current->received_key = 0;
        receive_again(current);
        this_core()->need_resched = true; /* which gets there by way of the user's SYSCALL */
        break;
    case NOBODY_SENDS:
        if (!cap_alive(cap))
            status = MNOS_ERR_HANDLE;
        else if (wait_deadline_passed(deadline_ns))
            status = MNOS_ERR_DEADLINE;
        else
            block_locked(endpoint, current, cap, THREAD_RECEIVING, deadline_ns);
        spin_unlock(&endpoint->lock);
        if (status != MNOS_OK)
            fail(current, status);
        else
            sched_current_blocked();
    }
    if (woken != NULL)
        sched_hand_over(woken);
}

static mnos_status_t answer(struct thread *current, struct thread *caller)
{
    mnos_status_t status;

    if ((caller->slow & SLOW_FAULTED) != 0)
        return fault_answer(current, caller);
    status = message_move(current, caller, NULL);
    if (status == MNOS_OK) {
        caller->frame.rdi = 0;
        caller->frame.r12 = 0;
    }
    return status;
}

/* Delivers the reply in `current`'s registers. MNOS_ERR_REPLY, and the errors of message_move(), with
 * which the caller goes on waiting for a better reply. */
static mnos_status_t reply(struct thread *current, struct thread **woken)
{
    struct thread *caller = wait_take_caller(current->process, current->frame.rdi);
    mnos_status_t status = MNOS_OK;

    if (caller == NULL)
        return call_argument(1, MNOS_ERR_REPLY);
    if ((current->frame.rsi & MNOS_INFO_DROP) != 0) {
        wait_done(caller, MNOS_ERR_PEER);
    } else {
        status = answer(current, caller);
        if (status != MNOS_OK) {
            wait_restore_caller(caller, current);
            return status;
        }
        wait_done(caller, MNOS_OK);
    }
    trace(MNOS_TRACE_REPLY, caller->obj.id, 0);
    *woken = caller;
    return MNOS_OK;
}

void ipc_send(struct thread *current)
{
    send(current, false);
}

void ipc_call(struct thread *current)
{
    send(current, true);
}

void ipc_recv(struct thread *current)
{
    struct cap_view cap;
    mnos_status_t status;

    if (message_info_valid(current->frame.rsi))
        status =
            call_cap(current, 1, current->frame.rdi, MNOS_TYPE_ENDPOINT, MNOS_RIGHT_READ, &cap);
    else
        status = call_argument(2, MNOS_ERR_ARGUMENT);
    if (status != MNOS_OK)
        fail(current, status);
    else
        receive(current, &cap, NULL);
}

/* sys_ipc_reply with MNOS_INFO_NOTIFY: `info` is its info word. All is checked before anything is done. */
static mnos_status_t notify_check(struct thread *current, uint64_t info, struct cap_view *target,
                                  struct cap_view *cap)
{
    uint64_t events = current->frame.rdx;
    mnos_status_t status;

    if ((info & ~MNOS_INFO_ACCEPT(7)) != MNOS_INFO_NOTIFY ||
        MNOS_INFO_GET_ACCEPT(info) > MNOS_MESSAGE_MAX_CAPS)
        return call_argument(2, MNOS_ERR_ARGUMENT);
    status = call_cap(current, 1, current->frame.rdi, MNOS_TYPE_ENDPOINT, MNOS_RIGHT_WRITE, target);
    if (status != MNOS_OK)
        return status;
    if (events == 0 || (events & ~target->event_mask) != 0)
        return call_argument(3, MNOS_ERR_ARGUMENT);
    return call_cap(current, 8, current->frame.r13, MNOS_TYPE_ENDPOINT, MNOS_RIGHT_READ, cap);
}

static void notify_and_receive(struct thread *current)
{
    uint64_t info = current->frame.rsi, events = current->frame.rdx;
    struct cap_view target, cap;
    mnos_status_t status = notify_check(current, info, &target, &cap);

    if (status != MNOS_OK) {
        fail(current, status);
        return;
    }
    /* If the wait is begun anew, it is only a wait. */
    current->frame.rdi = 0;
    current->frame.rsi = info & ~MNOS_INFO_NOTIFY;
    trace(MNOS_TRACE_NOTIFY, target.object->id, events);
    receive(current, &cap, endpoint_signal((struct endpoint *)target.object, events));
}

void ipc_reply(struct thread *current)
{
    bool waits = current->frame.r13 != 0;
    struct thread *woken = NULL;
    struct cap_view cap = {0};
    mnos_status_t status = MNOS_OK;

    if ((current->frame.rsi & MNOS_INFO_NOTIFY) != 0) {
        notify_and_receive(current);
        return;
    }
    if (!message_info_valid(current->frame.rsi & ~MNOS_INFO_DROP))
        status = call_argument(2, MNOS_ERR_ARGUMENT);
    else if (waits)
        status =
            call_cap(current, 8, current->frame.r13, MNOS_TYPE_ENDPOINT, MNOS_RIGHT_READ, &cap);
    if (status == MNOS_OK && current->frame.rdi != 0)
        status = reply(current, &woken);
    if (status == MNOS_OK && waits) {
        current->frame.rdi = 0; /* if the wait is begun anew, there is nothing to reply */
        receive(current, &cap, woken);
        return;
    }
    fail(current, status);
    if (woken != NULL)
        sched_make_ready(woken);
}
