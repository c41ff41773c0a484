// SPDX-License-Identifier: MIT
/*
 * rendezvous.c - a sender and a receiver meet on an endpoint, or one of them waits for the other. Replies are in reply.c.
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

#include "abi/syscalls.h"
#include "assert.h"
#include "cap/derive.h"
#include "ipc/message.h"
#include "ipc/wait.h"
#include "object/argument.h"
#include "object/denial.h"
#include "object/endpoint.h"
#include "object/fault.h"
#include "object/process.h"
#include "sched/exchange.h"
#include "sched/sched.h"
#include "base/trace.h"

/* Senders turned away in a row. */
#define FAILURES_STEP 8

[[gnu::cold]] void ipc_refuse(struct thread *thread, result_t why)
{
    denial_note(thread, why);
    ipc_answer(thread, why);
}

/* `current` is going to wait through this capability; by a call that does not reply (argument_receives_again()). */
static inline void wait_goes_through(struct thread *current, const struct cap_view *cap)
{
    current->via = cap->slot;
    current->via_key = cap->key;
    current->received_key = 0;
}

/* Makes `current`, which is prepared to block, wait on the endpoint, whose lock is held and which it has reached through
 * `via`. */
static inline void block_locked(struct endpoint *endpoint, struct thread *current,
                                enum thread_state state, uint64_t deadline_ns)
{
    sched_deadline_set(current, deadline_ns);
    if (endpoint->state == EP_IDLE)
        wait_queue_only_locked(endpoint, current, state);
    else
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
    result_t status;
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
        if (status == RESULT_OK) {
            settle(sender, receiver);
            wait_done(receiver, MNOS_OK);
        }
        if (status != RESULT_OK || !wants_reply) {
            wait_done(sender, status_of(status));
            if (status != RESULT_OK)
                ipc_answer(sender, status);
            sched_make_ready(sender);
        }
        if (status == RESULT_OK)
            return TAKEN;
    }
    return ALL_FAILED;
}

/* Makes `thread`, which receives and is not queued, call again; what it was to reply, it has replied. */
static void receive_again(struct thread *thread)
{
    if (thread->received_key != 0) {
        /* It waits by the fast path of a reply, which has not stored what only the wait needs. */
        thread->frame.rax = MNOS_SYS_ipc_reply;
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
        message_move(current, receiver, endpoint) == RESULT_OK)
        return true;
    sched_running_priority(this_core(), current->effective);
    receiver_resume(endpoint, receiver);
    return false;
}

/* The message of `current` goes to `receiver`, which has just been taken off the endpoint. RESULT_ANSWERED:
 * now it waits for the reply. */
static result_t send_to(struct endpoint *endpoint, struct thread *current, struct thread *receiver,
                        uint64_t deadline_ns)
{
    result_t status = message_move(current, receiver, endpoint);
    bool blocks = current->wants_reply, at_once = false;

    if (status != RESULT_OK) {
        receiver_resume(endpoint, receiver);
        return status;
    }
    if (blocks) {
        at_once = exchange_prepare(current, receiver);
        current->deadline_ns = deadline_ns;
    }
    settle(current, receiver); /* a caller may run elsewhere from here on */
    wait_done(receiver, MNOS_OK);
    if (blocks) {
        exchange_finish(at_once, receiver);
        return RESULT_ANSWERED;
    }
    sched_make_ready(receiver);
    return RESULT_OK;
}

/* The message of `current` goes to a receiver, or waits for one. RESULT_ANSWERED: the thread waits. */
static result_t meet_receiver(struct thread *current, const struct cap_view *cap,
                              uint64_t deadline_ns)
{
    struct endpoint *endpoint = endpoint_of(cap->object);
    struct thread *receiver;
    result_t status = RESULT_OK;

    spin_lock(&endpoint->lock);
    if (!cap_alive(cap)) {
        status = result_of(MNOS_ERR_HANDLE);
    } else if (endpoint->state == EP_RECEIVING) {
        receiver = wait_take_receiver_locked(endpoint);
        spin_unlock(&endpoint->lock);
        return send_to(endpoint, current, receiver, deadline_ns);
    } else if (wait_deadline_passed(deadline_ns)) {
        status = result_of(MNOS_ERR_DEADLINE);
    } else {
        (void)exchange_prepare(current, NULL);
        wait_goes_through(current, cap);
        block_locked(endpoint, current, THREAD_SENDING, deadline_ns);
    }
    spin_unlock(&endpoint->lock);
    if (status != RESULT_OK)
        return status;
    exchange_finish(false, NULL);
    return RESULT_ANSWERED;
}

/* What `current` sends to. */
static result_t find_sent(struct thread *current, mnos_cap_t handle, struct cap_view *cap)
{
    result_t status;

    if (argument_sent_again(current, handle)) {
        cap->slot = current->sent_cap;
        cap->key = handle;
        cap->object = &current->sent_to->obj;
        cap->badge = current->sent_badge;
        return RESULT_OK;
    }
    status = argument_cap(current, 1, handle, MNOS_TYPE_ENDPOINT, MNOS_RIGHT_WRITE, cap);
    if (status == RESULT_OK)
        argument_remember_sent(current, cap);
    return status;
}

static void send(struct thread *current, bool wants_reply)
{
    uint64_t deadline_ns = current->frame.r12;
    struct cap_view cap;
    result_t status;

    if (!message_info_valid(current->frame.rsi)) {
        ipc_answer(current, error_at(2, MNOS_ERR_ARGUMENT));
        return;
    }
    status = find_sent(current, current->frame.rdi, &cap);
    if (status == RESULT_OK && wants_reply && wait_deadline_passed(deadline_ns))
        status = result_of(MNOS_ERR_DEADLINE);
    if (status != RESULT_OK) {
        ipc_refuse(current, status);
        return;
    }
    current->badge = cap.badge;
    current->wants_reply = wants_reply;
    trace(wants_reply ? MNOS_TRACE_CALL : MNOS_TRACE_SEND, cap.object->id, cap.badge);
    status = meet_receiver(current, &cap, deadline_ns);
    if (status != RESULT_ANSWERED)
        ipc_answer(current, status);
}

bool ipc_fault(struct thread *current)
{
    struct cap_view cap;

    if (!cap_read(&current->process->fault_cap, &cap))
        return false;
    atomic_fetch_or(&current->slow, SLOW_FAULTED);
    current->badge = cap.badge;
    current->wants_reply = true;
    if (meet_receiver(current, &cap, MNOS_DEADLINE_NEVER) == RESULT_ANSWERED)
        return true;
    atomic_fetch_and(&current->slow, ~(uint32_t)SLOW_FAULTED);
    return false;
}

/* take_message(), when mostly there is none. */
static inline enum take take_what_is_there(struct endpoint *endpoint, struct thread *current)
{
    spin_lock(&endpoint->lock);
    if (endpoint->state != EP_SENDING && !endpoint->pending)
        return NOBODY_SENDS;
    spin_unlock(&endpoint->lock);
    return take_message(endpoint, current);
}

void ipc_wait(struct thread *current, struct endpoint *endpoint, struct thread *woken)
{
    uint64_t deadline_ns = current->frame.r12;
    mnos_status_t status = MNOS_OK;
    bool at_once;

    trace(MNOS_TRACE_RECEIVE, endpoint->obj.id, 0);
    switch (take_what_is_there(endpoint, current)) {
    case TAKEN: break;
    case ALL_FAILED:
        current->received_key = 0;
        receive_again(current);
        this_core()->need_resched = true; /* which gets there by way of the user's SYSCALL */
        break;
    case NOBODY_SENDS:
        if (current->via->key != current->via_key)
            status = MNOS_ERR_HANDLE;
        else if (deadline_ns != MNOS_DEADLINE_NEVER && wait_deadline_passed(deadline_ns))
            status = MNOS_ERR_DEADLINE;
        if (status == MNOS_OK) {
            at_once = exchange_prepare(current, woken);
            block_locked(endpoint, current, THREAD_RECEIVING, deadline_ns);
            spin_unlock(&endpoint->lock);
            exchange_finish(at_once, woken);
            return;
        }
        spin_unlock(&endpoint->lock);
        ipc_answer(current, result_of(status));
    }
    if (woken != NULL)
        sched_hand_over(woken);
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
    result_t status;

    if (message_info_valid(current->frame.rsi))
        status =
            argument_cap(current, 1, current->frame.rdi, MNOS_TYPE_ENDPOINT, MNOS_RIGHT_READ, &cap);
    else
        status = error_at(2, MNOS_ERR_ARGUMENT);
    if (status != RESULT_OK) {
        ipc_refuse(current, status);
        return;
    }
    wait_goes_through(current, &cap);
    ipc_wait(current, endpoint_of(cap.object), NULL);
}
