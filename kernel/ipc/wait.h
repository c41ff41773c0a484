// SPDX-License-Identifier: MIT
/*
 * wait.h - how a thread waits and stops waiting: on an endpoint, for a reply, or parked. Who may end a
 * wait, and under which lock, is in tcb.h, T1 to T3.
 */
#pragma once

#include <stdbool.h>

#include "cap/capability.h"
#include "object/endpoint.h"
#include "object/thread.h"

/* True when a finite deadline has passed. */
bool wait_deadline_passed(uint64_t deadline_ns);

/* Queues `thread`, which is saved and in no queue, on the endpoint it reached through `via` (whose key
 * was `via_key`); THREAD_SENDING or THREAD_RECEIVING. Its timer has been started. */
void wait_queue_locked(struct endpoint *endpoint, struct thread *thread, enum thread_state state,
                       bool at_front);
/* Takes it off again: THREAD_PAIRED, which the caller owns from then on. */
void wait_unqueue_locked(struct endpoint *endpoint, struct thread *thread);

/* wait_queue_locked() on an endpoint that is EP_IDLE: alone there, and so alone in waiting through its capability; the queue
 * keeps no priority of it. */
static inline void wait_queue_only_locked(struct endpoint *endpoint, struct thread *thread,
                                          enum thread_state state)
{
    list_init(&thread->cap_link);
    thread->via->waiters = &thread->cap_link;
    endpoint->queue.only = thread;
    endpoint->state = state == THREAD_SENDING ? EP_SENDING : EP_RECEIVING;
    atomic_store_explicit(&thread->waits_on, endpoint, memory_order_relaxed);
    atomic_store_explicit(&thread->state, state, memory_order_release);
}

/* wait_unqueue_locked() of the thread that `endpoint->queue.only` is: alone there, and so alone in waiting through its capability. */
static inline void wait_unqueue_only_locked(struct endpoint *endpoint, struct thread *thread)
{
    thread->via->waiters = NULL;
    endpoint->queue.only = NULL;
    endpoint->state = EP_IDLE;
    atomic_store_explicit(&thread->waits_on, NULL, memory_order_relaxed);
    atomic_store_explicit(&thread->state, THREAD_PAIRED, memory_order_release);
}

/* The first that waits to receive, off the queue; NULL: nobody does. */
[[gnu::always_inline]] static inline struct thread *wait_take_receiver_locked(
    struct endpoint *endpoint)
{
    struct thread *receiver = endpoint->queue.only;

    if (endpoint->state != EP_RECEIVING)
        return NULL;
    if (__builtin_expect(receiver != THREAD_QUEUE_RINGS, true)) {
        wait_unqueue_only_locked(endpoint, receiver);
        return receiver;
    }
    receiver = thread_queue_first(&endpoint->queue);
    wait_unqueue_locked(endpoint, receiver);
    return receiver;
}

/* `caller`, owned by us, now waits for a reply from `server`: THREAD_CALLING; the server inherits its
 * priority. Returns the reply id. */
uint64_t wait_for_reply(struct thread *caller, struct thread *server);
/* Ends that, for the reply: the caller is ours, THREAD_PAIRED. NULL: nobody waits under this id for a
 * thread of `process`. */
struct thread *wait_take_caller(const struct process *process, uint64_t reply_id);
/* Undoes that: `caller` goes on waiting, under the same id, for a reply from `server`. */
void wait_restore_caller(struct thread *caller, struct thread *server);

/* The callers or the own priority of `thread` have changed: so may its effective priority, its place among
 * those that wait where it does, and, if it waits for a reply, the priority of its server, and so on. */
void wait_inherit(struct thread *thread);
/* For who has made `thread` visible as waiting without the lock that guards its wait, if it owes replies:
 * its priority may have changed just before. */
void wait_published(struct thread *thread);

/* `thread`, ours, has what it waited for, or `status` tells why not: sets RAX, drops its
 * deadline. The caller makes it ready. */
void wait_done(struct thread *thread, mnos_status_t status);

/* Ends the wait of `thread` with `status` and makes it ready, if its deadline is not after `until_ns`
 * (MNOS_DEADLINE_NEVER: any wait); false: it does not wait so long, or is THREAD_PAIRED just now, or it has
 * faulted and is not being killed. */
bool wait_cancel(struct thread *thread, uint64_t until_ns, mnos_status_t status);

/* Locks what guards the wait of `thread` for a message, a reply or an end; NULL: it is in none just now. */
struct spinlock *wait_lock(const struct thread *thread);

/* Up to `most` of those who wait for a reply from the dead `server` wake with MNOS_ERR_PEER, the best first; true:
 * nobody waits any more. */
bool wait_drop_callers(struct thread *server, unsigned most);

/* T8: `current`, in a system call, waits for an end; the lock of its process is held. sched_current_blocked()
 * must follow. */
void wait_for_end_locked(struct ending *ending, struct thread *current);
/* Ends that wait for the best of those who do: it is ours, THREAD_PAIRED. NULL: nobody waits. */
struct thread *wait_end_over_locked(struct ending *ending);

/* What `thread`, which is in no run queue, is scheduled by has changed: unless it waits, so that whoever ends the
 * wait sees it, the core that has it looks again. */
void wait_look_again(struct thread *thread);

/* Parks `current` until wait_unpark(); MNOS_ERR_DEADLINE. Does not park after an earlier unpark. Either
 * way RAX and RDX (the time) are set, now or when it is woken. */
void wait_park(struct thread *current, uint64_t deadline_ns);
void wait_unpark(struct thread *thread);
