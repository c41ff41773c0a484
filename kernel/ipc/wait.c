// SPDX-License-Identifier: MIT
/* wait.c - see wait.h. */
#include "ipc/wait.h"

#include <stdatomic.h>
#include <stddef.h>

#include "assert.h"
#include "object/process.h"
#include "sched/sched.h"

#define THREAD_NUMBER_BITS 24

bool wait_deadline_passed(uint64_t deadline_ns)
{
    return deadline_ns != MNOS_DEADLINE_NEVER && deadline_ns <= arch_time_ns();
}

static void state_set(struct thread *thread, enum thread_state state)
{
    atomic_store_explicit(&thread->state, state, memory_order_release);
}

/* ---- on an endpoint ---- */

void wait_queue_locked(struct endpoint *endpoint, struct thread *thread, enum thread_state state,
                       bool at_front)
{
    struct capability *via = thread->via;

    list_init(&thread->cap_link);
    if (via->waiters == NULL)
        via->waiters = &thread->cap_link;
    else
        list_insert_before(via->waiters, &thread->cap_link);
    thread_queue_insert(&endpoint->queue, thread, at_front);
    endpoint->state = state == THREAD_SENDING ? EP_SENDING : EP_RECEIVING;
    atomic_store_explicit(&thread->waits_on, endpoint, memory_order_relaxed);
    state_set(thread, state);
}

void wait_unqueue_locked(struct endpoint *endpoint, struct thread *thread)
{
    struct capability *via = thread->via;

    if (via->waiters == &thread->cap_link)
        via->waiters = list_empty(&thread->cap_link) ? NULL : thread->cap_link.next;
    list_remove(&thread->cap_link);
    thread_queue_remove(&endpoint->queue, thread);
    if (thread_queue_empty(&endpoint->queue))
        endpoint->state = EP_IDLE;
    atomic_store_explicit(&thread->waits_on, NULL, memory_order_relaxed);
    state_set(thread, THREAD_PAIRED);
}

/* ---- for a reply ---- */

/* The highest of its own priority and those of its callers, under its ceiling; server->lock is held.
 * It is not in a run queue or is the running thread: callers of others use sched_priority_changed(). */
static uint8_t inherited_locked(const struct thread *server)
{
    const struct thread *first = thread_queue_first(&server->callers);
    uint8_t effective = server->priority;

    if (first != NULL && first->queue_link.priority > effective)
        effective = first->queue_link.priority;
    if (effective > server->process->priority_ceiling)
        effective = server->process->priority_ceiling;
    return effective;
}

static void enter_callers(struct thread *caller, struct thread *server, uint64_t reply_id)
{
    spin_lock(&server->lock);
    caller->reply_id = reply_id;
    thread_queue_insert(&server->callers, caller, false);
    server->effective = inherited_locked(server);
    state_set(caller, THREAD_CALLING);
    atomic_store_explicit(&caller->owed_by, server, memory_order_release);
    sched_deadline_set(caller, caller->deadline_ns);
    spin_unlock(&server->lock);
}

uint64_t wait_for_reply(struct thread *caller, struct thread *server)
{
    uint64_t reply_id = caller->reply_id + (1ull << THREAD_NUMBER_BITS);

    enter_callers(caller, server, reply_id);
    return reply_id;
}

void wait_restore_caller(struct thread *caller, struct thread *server)
{
    enter_callers(caller, server, caller->reply_id);
}

static void leave_callers_locked(struct thread *server, struct thread *caller)
{
    thread_queue_remove(&server->callers, caller);
    atomic_store_explicit(&caller->owed_by, NULL, memory_order_relaxed);
    state_set(caller, THREAD_PAIRED);
}

/* After callers have left: the server may have to give back what it inherited. */
static void disinherit(struct thread *server)
{
    uint8_t effective;

    spin_lock(&server->lock);
    effective = inherited_locked(server);
    if (effective != server->effective)
        sched_priority_changed(server, effective);
    spin_unlock(&server->lock);
}

struct thread *wait_take_caller(const struct process *process, uint64_t reply_id)
{
    struct thread *caller = thread_by_number(reply_id & ((1u << THREAD_NUMBER_BITS) - 1));
    struct thread *server;
    bool higher;

    if (caller == NULL)
        return NULL;
    server = atomic_load_explicit(&caller->owed_by, memory_order_acquire);
    if (server == NULL || server->process != process)
        return NULL;
    spin_lock(&server->lock);
    if (caller->owed_by != server || caller->reply_id != reply_id) {
        spin_unlock(&server->lock);
        return NULL;
    }
    leave_callers_locked(server, caller);
    higher = server->effective != server->priority;
    spin_unlock(&server->lock);
    if (higher)
        disinherit(server);
    return caller;
}

void wait_drop_callers(struct thread *server)
{
    for (;;) {
        struct thread *caller;

        spin_lock(&server->lock);
        caller = thread_queue_first(&server->callers);
        if (caller != NULL)
            leave_callers_locked(server, caller);
        spin_unlock(&server->lock);
        if (caller == NULL)
            return;
        wait_done(caller, MNOS_ERR_PEER);
        sched_make_ready(caller);
    }
}

/* ---- ending ---- */

void wait_done(struct thread *thread, mnos_status_t status)
{
    __atomic_store_n(&thread->deadline_ns, MNOS_DEADLINE_NEVER, __ATOMIC_RELAXED);
    arch_thread_set_result(thread, status);
}

static bool cancel_endpoint(struct thread *thread, struct endpoint *endpoint, uint64_t until_ns)
{
    bool ours;

    spin_lock(&endpoint->lock);
    ours = thread->waits_on == endpoint && thread->deadline_ns <= until_ns;
    if (ours)
        wait_unqueue_locked(endpoint, thread);
    spin_unlock(&endpoint->lock);
    return ours;
}

static bool cancel_reply(struct thread *thread, struct thread *server, uint64_t until_ns)
{
    bool ours;

    spin_lock(&server->lock);
    ours = thread->owed_by == server && thread->deadline_ns <= until_ns;
    if (ours)
        leave_callers_locked(server, thread);
    spin_unlock(&server->lock);
    if (ours)
        disinherit(server);
    return ours;
}

static bool cancel_park(struct thread *thread, uint64_t until_ns)
{
    bool ours;

    spin_lock(&thread->lock);
    ours = thread->state == THREAD_PARKED && thread->deadline_ns <= until_ns;
    if (ours) {
        state_set(thread, THREAD_PAIRED);
        arch_thread_set_value(thread, arch_time_ns());
    }
    spin_unlock(&thread->lock);
    return ours;
}

bool wait_cancel(struct thread *thread, uint64_t until_ns, mnos_status_t status)
{
    struct endpoint *endpoint = atomic_load_explicit(&thread->waits_on, memory_order_acquire);
    struct thread *server = atomic_load_explicit(&thread->owed_by, memory_order_acquire);
    bool ours;

    if (endpoint != NULL)
        ours = cancel_endpoint(thread, endpoint, until_ns);
    else if (server != NULL)
        ours = cancel_reply(thread, server, until_ns);
    else
        ours = cancel_park(thread, until_ns);
    if (!ours)
        return false;
    wait_done(thread, status);
    sched_make_ready(thread);
    return true;
}

/* ---- parking ---- */

void wait_park(struct thread *current, uint64_t deadline_ns)
{
    uint64_t now = arch_time_ns();
    bool parked = false;

    spin_lock(&current->lock);
    arch_thread_set_value(current, now);
    if (current->wake_pending) {
        current->wake_pending = false;
        arch_thread_set_result(current, MNOS_OK);
    } else if (deadline_ns != MNOS_DEADLINE_NEVER && deadline_ns <= now) {
        arch_thread_set_result(current, MNOS_ERR_DEADLINE);
    } else {
        sched_block_prepare(current);
        sched_deadline_set(current, deadline_ns);
        state_set(current, THREAD_PARKED);
        parked = true;
    }
    spin_unlock(&current->lock);
    if (parked)
        sched_current_blocked();
}

void wait_unpark(struct thread *thread)
{
    bool parked;

    spin_lock(&thread->lock);
    parked = thread->state == THREAD_PARKED;
    if (parked)
        state_set(thread, THREAD_PAIRED);
    else
        thread->wake_pending = true;
    spin_unlock(&thread->lock);
    if (!parked)
        return;
    arch_thread_set_value(thread, arch_time_ns());
    wait_done(thread, MNOS_OK);
    sched_make_ready(thread);
}
