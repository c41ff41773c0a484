// SPDX-License-Identifier: MIT
/*
 * fastpath.c - see fastpath.h. What it does to the objects is what ipc.c and wait.c do, written out for
 * queues of one; invariants and locks are theirs (object/thread.h T1-T6, object/endpoint.h E1-E3).
 *
 * The caller enters an empty list of callers without the server's lock: a server that receives and owes
 * nobody a reply cannot be found by anyone until owed_by is published.
 */
#include "ipc/fastpath.h"

#include <stdatomic.h>
#include <stddef.h>

#include "abi/message.h"
#include "cap/captable.h"
#include "core.h"
#include "ipc/wait.h"
#include "object/endpoint.h"
#include "object/process.h"
#include "sched/switch.h"

#define THREAD_NUMBER_BITS 24

/* At most 32 bytes, no capability sent or accepted, no flag: above the label only a small length. */
static inline bool is_register_message(uint64_t info)
{
    return info >> MNOS_INFO_LENGTH_SHIFT <= MNOS_MESSAGE_REGISTER_BYTES;
}

/* A slot that names an endpoint with `right` when it is read; its key is to be compared once more under
 * the endpoint's lock. */
static inline struct capability *endpoint_slot(const struct thread *current, mnos_cap_t handle,
                                               mnos_rights_t right)
{
    struct capability *slot = captable_slot(&current->process->captable, MNOS_HANDLE_INDEX(handle));

    if (__atomic_load_n(&slot->key, __ATOMIC_ACQUIRE) != handle ||
        __atomic_load_n(&slot->type, __ATOMIC_ACQUIRE) != MNOS_TYPE_ENDPOINT ||
        (slot->rights & right) == 0)
        return NULL;
    return slot;
}

/* The only thread in the queue; NULL when it has none or several. */
static inline struct thread *only_one(const struct thread_queue *queue)
{
    const struct list *heads = &queue->heads;
    struct queue_link *link = container_of(heads->next, struct queue_link, heads);

    if (heads->next == heads || heads->next != heads->prev || !list_empty(&link->ring))
        return NULL;
    return container_of(link, struct thread, queue_link);
}

static inline void queue_empty(struct thread_queue *queue, struct thread *thread)
{
    list_init(&queue->heads);
    list_init(&thread->queue_link.heads);
    thread->queue_link.is_head = false;
    thread->queue_link.queued = false;
}

static inline void queue_only(struct thread_queue *queue, struct thread *thread)
{
    struct queue_link *link = &thread->queue_link;

    link->priority = thread->effective;
    link->queued = true;
    link->is_head = true;
    list_init(&link->ring);
    link->heads = (struct list){&queue->heads, &queue->heads};
    queue->heads = (struct list){&link->heads, &link->heads};
}

/* Whether this core can switch to `thread` at once: nothing that keeps it from running, nothing as good
 * ready. */
static inline bool can_run_here(const struct core *core, const struct thread *thread)
{
    return atomic_load_explicit(&thread->stop, memory_order_relaxed) == 0 &&
           (thread->affinity == MNOS_AFFINITY_ANY || thread->affinity == core->index) &&
           (int)thread->effective > runqueue_best_priority(&core->runqueue);
}

/* Gives the message in `from` to `receiver`, whose wait it ends. */
static inline void move_registers(const struct user_frame *from, struct thread *receiver)
{
    struct user_frame *to = &receiver->frame;

    receiver->deadline_ns = MNOS_DEADLINE_NEVER;
    to->rax = MNOS_OK;
    to->rsi = MNOS_INFO(from->rsi, from->rsi >> MNOS_INFO_LENGTH_SHIFT);
    to->rdx = from->rdx;
    to->r10 = from->r10;
    to->r8 = from->r8;
    to->r9 = from->r9;
}

/* ---- call ---- */

/* The server that the message can go to at once; NULL: not the common case. The endpoint is locked. */
static inline struct thread *server_locked(const struct core *core, const struct endpoint *endpoint,
                                           const struct thread *current)
{
    struct thread *server;

    if (endpoint->state != EP_RECEIVING)
        return NULL;
    server = only_one(&endpoint->queue);
    if (server == NULL || server->effective < current->effective || !can_run_here(core, server) ||
        !thread_queue_empty(&server->callers) || !list_empty(&server->cap_link))
        return NULL;
    return server;
}

bool ipc_call_fast(struct thread *current)
{
    const struct user_frame *frame = &current->frame;
    struct core *core = this_core();
    struct endpoint *endpoint;
    struct capability *slot;
    struct thread *server;
    mnos_badge_t badge;

    if (!is_register_message(frame->rsi) || frame->r12 != MNOS_DEADLINE_NEVER ||
        core->need_resched || core->tracing)
        return false;
    slot = endpoint_slot(current, frame->rdi, MNOS_RIGHT_WRITE);
    if (slot == NULL)
        return false;
    endpoint = (struct endpoint *)slot->object;
    badge = slot->badge;
    if (__atomic_load_n(&slot->key, __ATOMIC_ACQUIRE) != frame->rdi)
        return false; /* emptied meanwhile: what was read may be another object's */

    spin_lock(&endpoint->lock);
    server = server_locked(core, endpoint, current);
    if (server == NULL || slot->key != frame->rdi) {
        spin_unlock(&endpoint->lock);
        return false;
    }
    queue_empty(&endpoint->queue, server);
    endpoint->state = EP_IDLE;
    server->via->waiters = NULL;
    atomic_store_explicit(&server->waits_on, NULL, memory_order_relaxed);
    spin_unlock(&endpoint->lock);

    switch_block_prepare(current);
    current->reply_id += 1ull << THREAD_NUMBER_BITS;
    move_registers(frame, server);
    server->frame.rdi = badge;
    server->frame.r12 = current->reply_id;
    queue_only(&server->callers, current);
    atomic_store_explicit(&current->state, THREAD_CALLING, memory_order_relaxed);
    atomic_store_explicit(&current->owed_by, server, memory_order_release);
    if (!thread_queue_empty(&current->callers))
        wait_published(current);
    switch_to(core, server);
    return true;
}

/* ---- reply and wait ---- */

/* The thread that waits for this reply, off the list of callers; NULL: not the common case. */
static inline struct thread *take_only_caller(const struct core *core, struct thread *current,
                                              uint64_t reply_id)
{
    struct thread *caller;

    spin_lock(&current->lock);
    caller = only_one(&current->callers);
    if (caller != NULL && (caller->reply_id != reply_id || !can_run_here(core, caller)))
        caller = NULL;
    if (caller != NULL) {
        queue_empty(&current->callers, caller);
        atomic_store_explicit(&caller->owed_by, NULL, memory_order_relaxed);
    }
    spin_unlock(&current->lock);
    return caller;
}

bool ipc_reply_fast(struct thread *current)
{
    const struct user_frame *frame = &current->frame;
    struct core *core = this_core();
    struct endpoint *endpoint;
    struct capability *slot;
    struct thread *caller;

    if (!is_register_message(frame->rsi) || frame->r12 != MNOS_DEADLINE_NEVER ||
        core->need_resched || core->tracing || current->effective != current->priority)
        return false;
    slot = endpoint_slot(current, frame->r13, MNOS_RIGHT_READ);
    if (slot == NULL)
        return false;
    endpoint = (struct endpoint *)slot->object;
    if (__atomic_load_n(&slot->key, __ATOMIC_ACQUIRE) != frame->r13)
        return false;

    spin_lock(&endpoint->lock);
    if (endpoint->state != EP_IDLE || endpoint->events != 0 || !list_empty(&endpoint->gone) ||
        slot->waiters != NULL || slot->key != frame->r13) {
        spin_unlock(&endpoint->lock);
        return false;
    }
    caller = take_only_caller(core, current, frame->rdi);
    if (caller == NULL) {
        spin_unlock(&endpoint->lock);
        return false;
    }
    move_registers(frame, caller);
    caller->frame.rdi = 0;
    caller->frame.r12 = 0;

    switch_block_prepare(current);
    current->via = slot;
    current->via_key = frame->r13;
    list_init(&current->cap_link);
    slot->waiters = &current->cap_link;
    queue_only(&endpoint->queue, current);
    endpoint->state = EP_RECEIVING;
    atomic_store_explicit(&current->waits_on, endpoint, memory_order_relaxed);
    atomic_store_explicit(&current->state, THREAD_RECEIVING, memory_order_release);
    spin_unlock(&endpoint->lock);
    switch_to(core, caller);
    return true;
}
