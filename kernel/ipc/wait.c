// SPDX-License-Identifier: MIT
/* wait.c - see wait.h. */
#include "ipc/wait.h"

#include <stdatomic.h>
#include <stddef.h>

#include "assert.h"
#include "object/fault.h"
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

struct spinlock *wait_lock(const struct thread *thread)
{
    struct endpoint *endpoint = atomic_load_explicit(&thread->waits_on, memory_order_acquire);
    struct thread *server = atomic_load_explicit(&thread->owed_by, memory_order_acquire);
    struct ending *ending = atomic_load_explicit(&thread->awaits, memory_order_acquire);
    struct spinlock *lock = NULL;

    if (endpoint != NULL)
        lock = &endpoint->lock;
    else if (server != NULL)
        lock = &server->lock;
    else if (ending != NULL)
        lock = &ending->process->lock;
    if (lock == NULL)
        return NULL;
    spin_lock(lock);
    if (thread->waits_on == endpoint && thread->owed_by == server && thread->awaits == ending)
        return lock;
    spin_unlock(lock);
    return NULL;
}

/* Where `thread` is queued; its wait is locked. */
static struct thread_queue *queue_locked(const struct thread *thread)
{
    if (thread->waits_on != NULL)
        return &thread->waits_on->queue;
    return thread->owed_by != NULL ? &thread->owed_by->callers : &thread->awaits->waiters;
}

void wait_look_again(struct thread *thread)
{
    struct spinlock *lock = wait_lock(thread);

    if (lock != NULL) {
        spin_unlock(lock);
        return;
    }
    spin_lock(&thread->lock); /* who unparks it either comes after us, or has made it ready */
    spin_unlock(&thread->lock);
    sched_look_again(thread);
}

/* ---- priority ---- */

/* How many calls that wait for one another a change of priority passes in one go. */
#define CHAIN_MAX 32

/* The highest of its own priority and those of its callers, under its ceiling; server->lock is held. */
static uint8_t inherited_locked(const struct thread *server)
{
    int highest = thread_queue_priority(&server->callers);
    uint8_t effective = server->priority;

    if (highest > effective)
        effective = (uint8_t)highest;
    if (effective > server->process->priority_ceiling)
        effective = server->process->priority_ceiling;
    return effective;
}

/* Its callers, or its own priority, have changed. True: so has its effective priority. */
static bool inherit_locked(struct thread *thread)
{
    uint8_t effective = inherited_locked(thread);

    if (effective == thread->effective)
        return false;
    if (thread->counted) {
        process_thread_counts(thread->process, effective);
        process_thread_uncounts(thread->process, thread->effective);
    }
    sched_priority_changed(thread, effective);
    return true;
}

/* Puts `thread` where its effective priority belongs in the queue it waits in, whose lock is held; true:
 * that was somewhere else, or the queue keeps no priority of it. */
static bool reorder_locked(struct thread_queue *queue, struct thread *thread)
{
    if (queue->only == thread)
        return true;
    if (thread->queue_link.priority == __atomic_load_n(&thread->effective, __ATOMIC_RELAXED))
        return false;
    thread_queue_remove(queue, thread);
    thread_queue_insert(queue, thread, false);
    return true;
}

/* The same for whatever it waits on; the server whose callers have changed thereby, or NULL. */
static struct thread *reorder(struct thread *thread)
{
    struct spinlock *lock = wait_lock(thread);
    struct thread *server;
    bool changed;

    if (lock == NULL) {
        wait_look_again(thread);
        return NULL;
    }
    server = thread->owed_by;
    changed = reorder_locked(queue_locked(thread), thread);
    if (changed && thread->awaits != NULL)
        ending_changed_locked(thread->awaits);
    spin_unlock(lock);
    return changed ? server : NULL;
}

void wait_inherit(struct thread *thread)
{
    bool changed;

    for (unsigned i = 0; thread != NULL && i < CHAIN_MAX; i++) {
        spin_lock(&thread->lock);
        changed = inherit_locked(thread);
        spin_unlock(&thread->lock);
        if (!changed)
            return;
        /* Who begins to wait publishes what it waits on before it looks at its priority once more: one of
         * us sees the other. */
        atomic_thread_fence(memory_order_seq_cst);
        ending_thread_changed(thread);
        thread = reorder(thread);
    }
}

void wait_published(struct thread *thread)
{
    atomic_thread_fence(memory_order_seq_cst); /* wait_inherit() */
    wait_inherit(reorder(thread));
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
    atomic_thread_fence(memory_order_seq_cst); /* wait_inherit() */
    (void)reorder_locked(&endpoint->queue, thread);
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

static void enter_callers(struct thread *caller, struct thread *server, uint64_t reply_id)
{
    bool inherits;

    spin_lock(&server->lock);
    caller->reply_id = reply_id;
    thread_queue_insert(&server->callers, caller, false);
    state_set(caller, THREAD_CALLING);
    atomic_store_explicit(&caller->owed_by, server, memory_order_release);
    atomic_thread_fence(memory_order_seq_cst); /* wait_inherit() */
    (void)reorder_locked(&server->callers, caller);
    inherits = inherit_locked(server); /* which waits for nothing, so that the chain ends here */
    sched_deadline_set(caller, caller->deadline_ns);
    spin_unlock(&server->lock);
    if (inherits)
        ending_thread_changed(server);
    if ((caller->stop & STOP_KILL) != 0) /* T9 */
        (void)wait_cancel(caller, MNOS_DEADLINE_NEVER, MNOS_ERR_CANCELLED);
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
        wait_inherit(server);
    return caller;
}

bool wait_drop_callers(struct thread *server, unsigned most)
{
    bool any;

    for (unsigned i = 0; i < most; i++) {
        struct thread *caller;

        spin_lock(&server->lock);
        caller = thread_queue_first(&server->callers);
        if (caller != NULL)
            leave_callers_locked(server, caller);
        spin_unlock(&server->lock);
        if (caller == NULL)
            break;
        wait_done(caller, MNOS_ERR_PEER);
        sched_make_ready(caller);
    }
    spin_lock(&server->lock);
    any = !thread_queue_empty(&server->callers);
    spin_unlock(&server->lock);
    if (any)
        wait_inherit(server); /* those who are left may be less urgent */
    return !any;
}

/* ---- for an end ---- */

void wait_for_end_locked(struct ending *ending, struct thread *current)
{
    sched_block_prepare_whole(current);
    thread_queue_insert(&ending->waiters, current, false);
    atomic_store_explicit(&current->awaits, ending, memory_order_relaxed);
    state_set(current, THREAD_ENDING);
    atomic_thread_fence(memory_order_seq_cst); /* wait_inherit() */
    (void)reorder_locked(&ending->waiters, current);
    ending_changed_locked(ending);
}

static void leave_waiters_locked(struct ending *ending, struct thread *thread)
{
    thread_queue_remove(&ending->waiters, thread);
    atomic_store_explicit(&thread->awaits, NULL, memory_order_relaxed);
    state_set(thread, THREAD_PAIRED);
}

struct thread *wait_end_over_locked(struct ending *ending)
{
    struct thread *thread = thread_queue_first(&ending->waiters);

    if (thread != NULL)
        leave_waiters_locked(ending, thread);
    return thread;
}

/* ---- ending ---- */

void wait_done(struct thread *thread, mnos_status_t status)
{
    __atomic_store_n(&thread->deadline_ns, MNOS_DEADLINE_NEVER, __ATOMIC_RELAXED);
    if ((thread->slow & SLOW_FAULTED) != 0)
        fault_wait_done(thread, status);
    else
        thread->frame.rax = status;
}

/* Under the lock that guards its wait. A fault is not for others to end, but with the thread. */
static bool may_end(const struct thread *thread, uint64_t until_ns)
{
    return thread->deadline_ns <= until_ns &&
           ((thread->slow & SLOW_FAULTED) == 0 || (thread->stop & STOP_KILL) != 0);
}

[[gnu::noinline]] static bool cancel_queued(struct thread *thread, struct spinlock *lock,
                                            uint64_t until_ns)
{
    struct thread *server = thread->owed_by;
    struct ending *ending = thread->awaits;
    bool ours = may_end(thread, until_ns);

    if (ours && server != NULL) {
        leave_callers_locked(server, thread);
    } else if (ours && ending != NULL) {
        leave_waiters_locked(ending, thread);
        ending_changed_locked(ending);
    } else if (ours) {
        wait_unqueue_locked(thread->waits_on, thread);
    }
    spin_unlock(lock);
    if (ours && server != NULL)
        wait_inherit(server);
    return ours;
}

static bool cancel_park(struct thread *thread, uint64_t until_ns)
{
    bool ours;

    spin_lock(&thread->lock);
    ours = thread->state == THREAD_PARKED && may_end(thread, until_ns);
    if (ours) {
        state_set(thread, THREAD_PAIRED);
        thread->frame.rdx = until_ns == MNOS_DEADLINE_NEVER ? arch_time_ns() : until_ns;
    }
    spin_unlock(&thread->lock);
    return ours;
}

bool wait_cancel(struct thread *thread, uint64_t until_ns, mnos_status_t status)
{
    struct spinlock *lock = wait_lock(thread);

    if (lock != NULL ? !cancel_queued(thread, lock, until_ns) : !cancel_park(thread, until_ns))
        return false;
    wait_done(thread, status);
    if (until_ns == MNOS_DEADLINE_NEVER)
        sched_make_ready(thread); /* it may have been killed, and has to be seen dead at once */
    else
        sched_wake(thread);
    return true;
}

/* ---- parking ---- */

void wait_park(struct thread *current, uint64_t deadline_ns)
{
    uint64_t now = arch_time_ns();
    bool parked = false;

    spin_lock(&current->lock);
    current->frame.rdx = now;
    if (current->wake_pending) {
        current->wake_pending = false;
        current->frame.rax = MNOS_OK;
    } else if (deadline_ns != MNOS_DEADLINE_NEVER && deadline_ns <= now) {
        current->frame.rax = MNOS_ERR_DEADLINE;
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
    thread->frame.rdx = arch_time_ns();
    wait_done(thread, MNOS_OK);
    sched_make_ready(thread);
}
