// SPDX-License-Identifier: MIT
/* endpoint.c - life of endpoints, badges and events; messages are in ipc/. See endpoint.h. */
#include "object/endpoint.h"

#include <stddef.h>

#include "abi/inspect.h"
#include "abi/message.h"
#include "assert.h"
#include "boot/boot_code.h"
#include "cap/derive.h"
#include "ipc/wait.h"
#include "mm/slab.h"
#include "object/process.h"
#include "sched/sched.h"

static struct slab_cache *endpoint_cache;

BOOT_CODE void endpoint_caches_create(void)
{
    endpoint_cache = slab_cache_create("endpoint", sizeof(struct endpoint), 64);
}

mnos_status_t endpoint_create(struct process *payer, uint32_t lasting_count,
                              struct endpoint **created)
{
    struct endpoint *endpoint;
    void *object;
    mnos_status_t status = quota_slab_alloc(&payer->quota, endpoint_cache, &object);

    if (status != MNOS_OK)
        return status;
    endpoint = object;
    status = lasting_create(&payer->quota, lasting_count, &endpoint->lasting);
    if (status != MNOS_OK) {
        quota_slab_free(&payer->quota, endpoint_cache, endpoint);
        return status;
    }
    spin_init(&endpoint->lock, LOCK_ENDPOINT);
    thread_queue_init(&endpoint->queue);
    kobject_init(&endpoint->obj, MNOS_TYPE_ENDPOINT, payer);
    *created = endpoint;
    return MNOS_OK;
}

static void update_pending_locked(struct endpoint *endpoint)
{
    endpoint->pending = endpoint->events != 0 || endpoint->gone_count != 0 || endpoint->lost ||
                        lasting_has_news_locked(endpoint->lasting); /* E4 */
}

uint32_t endpoint_more_bytes(const struct kobject *object)
{
    return (uint32_t)lasting_bytes(endpoint_of(object)->lasting);
}

bool endpoint_free(struct kobject *object)
{
    struct endpoint *endpoint = endpoint_of(object);

    assert(endpoint->state == EP_IDLE);
    lasting_free(&object->payer->quota, endpoint->lasting);
    quota_slab_free(&object->payer->quota, endpoint_cache, endpoint);
    return true;
}

void endpoint_describe(const struct cap_view *view, bool is_holder, struct mnos_cap_info *info)
{
    (void)is_holder; /* nothing of it is secret */
    info->badge = view->badge;
    info->event_mask = view->event_mask;
}

/* ---- handing events and gone badges to a receiver ---- */

/* Gives `receiver`, already off the queue, what message.h says of a message without a sender. */
static void deliver(struct thread *receiver, enum mnos_message_kind kind, uint64_t badge,
                    uint64_t events)
{
    receiver->frame.rdi = badge;
    receiver->frame.rsi = (uint64_t)kind << MNOS_INFO_KIND_SHIFT;
    receiver->frame.rdx = events;
    receiver->frame.r12 = 0;
    receiver->frame.rax = MNOS_OK; /* wait_done(): who receives has not faulted */
    __atomic_store_n(&receiver->deadline_ns, MNOS_DEADLINE_NEVER, __ATOMIC_RELAXED);
}

static void put_gone_locked(struct endpoint *endpoint, struct capability *minted)
{
    if ((minted->flags & CAP_LASTING) != 0)
        lasting_gone_locked(endpoint->lasting, minted);
    else if (endpoint->gone_count == ENDPOINT_GONE_MAX)
        endpoint->lost = true;
    else
        endpoint->gone[(endpoint->gone_first + endpoint->gone_count++) % ENDPOINT_GONE_MAX] =
            minted->badge;
    endpoint->pending = true;
}

/* The next badge to report, 0 for those that found no room. They come first: however many more go
 * meanwhile, the receiver hears of them. */
static mnos_badge_t take_gone_locked(struct endpoint *endpoint)
{
    mnos_badge_t badge = 0;

    if (endpoint->lost) {
        endpoint->lost = false;
    } else if (endpoint->gone_count != 0) {
        badge = endpoint->gone[endpoint->gone_first];
        endpoint->gone_first = (endpoint->gone_first + 1) % ENDPOINT_GONE_MAX;
        endpoint->gone_count--;
    } else {
        badge = lasting_tell_locked(endpoint->lasting);
    }
    return badge;
}

void endpoint_badge_gone(struct endpoint *endpoint, struct capability *minted)
{
    mnos_badge_t badge = minted->badge;
    struct thread *receiver;

    spin_lock(&endpoint->lock);
    receiver = wait_take_receiver_locked(endpoint);
    if (receiver == NULL)
        put_gone_locked(endpoint, minted);
    else if ((minted->flags & CAP_LASTING) != 0)
        lasting_told_locked(endpoint->lasting, minted);
    spin_unlock(&endpoint->lock);
    if (receiver != NULL) {
        deliver(receiver, MNOS_KIND_CLIENT_GONE, badge, 0);
        sched_make_ready(receiver);
    }
}

/* The receiver that has them now; NULL: nobody waits, and they stay. */
[[gnu::always_inline]] static inline struct thread *set_events(struct endpoint *endpoint,
                                                               uint64_t events)
{
    struct thread *receiver;

    spin_lock(&endpoint->lock);
    receiver = wait_take_receiver_locked(endpoint);
    if (receiver == NULL) {
        endpoint->events |= events;
        endpoint->pending = true;
    }
    spin_unlock(&endpoint->lock);
    if (receiver != NULL)
        deliver(receiver, MNOS_KIND_EVENTS, 0, events);
    return receiver;
}

void endpoint_notify(struct endpoint *endpoint, uint64_t events)
{
    struct thread *receiver = set_events(endpoint, events);

    if (receiver != NULL)
        sched_wake(receiver);
}

struct thread *endpoint_signal(struct endpoint *endpoint, uint64_t events)
{
    return set_events(endpoint, events);
}

/* cap_read() of what is needed here. */
void endpoint_notify_cap(const struct capability *cap, uint64_t events)
{
    uint64_t key = __atomic_load_n(&cap->key, __ATOMIC_ACQUIRE);
    uint8_t type = __atomic_load_n(&cap->type, __ATOMIC_ACQUIRE);
    struct kobject *object = __atomic_load_n(&cap->object, __ATOMIC_ACQUIRE);

    if (type != MNOS_TYPE_NONE && __atomic_load_n(&cap->key, __ATOMIC_ACQUIRE) == key)
        endpoint_notify(endpoint_of(object), events);
}

bool endpoint_take_pending_locked(struct endpoint *endpoint, struct thread *receiver)
{
    if (!endpoint->pending)
        return false;
    if (endpoint->events != 0) {
        deliver(receiver, MNOS_KIND_EVENTS, 0, endpoint->events);
        endpoint->events = 0;
    } else {
        deliver(receiver, MNOS_KIND_CLIENT_GONE, take_gone_locked(endpoint), 0);
    }
    update_pending_locked(endpoint);
    return true;
}

bool endpoint_drain_locked(struct kobject *object, struct capability *cap, struct tlb_batch *batch,
                           void **rest)
{
    struct endpoint *endpoint = endpoint_of(object);
    struct thread *thread = NULL;

    (void)batch, (void)rest;
    spin_lock(&endpoint->lock);
    if (cap->waiters != NULL) {
        thread = container_of(cap->waiters, struct thread, cap_link);
        wait_unqueue_locked(endpoint, thread);
    }
    spin_unlock(&endpoint->lock);
    if (thread == NULL)
        return false;
    wait_done(thread, MNOS_ERR_REVOKED);
    sched_make_ready(thread);
    return true;
}
