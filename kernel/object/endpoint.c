// SPDX-License-Identifier: MIT
/* endpoint.c - life of endpoints, badges and events; messages are in ipc/. See endpoint.h. */
#include "object/endpoint.h"

#include <stddef.h>

#include "abi/message.h"
#include "assert.h"
#include "cap/derive.h"
#include "ipc/wait.h"
#include "mm/slab.h"
#include "object/process.h"
#include "sched/sched.h"
#include "sync/deferred.h"

static struct slab_cache *endpoint_cache;
static struct slab_cache *badge_cache;

void endpoint_caches_create(void)
{
    endpoint_cache = slab_cache_create("endpoint", sizeof(struct endpoint), 64);
    badge_cache = slab_cache_create("badge", sizeof(struct badge_group), 8);
}

mnos_status_t endpoint_create(struct process *payer, struct endpoint **created)
{
    struct endpoint *endpoint;
    void *object;
    mnos_status_t status = quota_slab_alloc(&payer->quota, endpoint_cache, &object);

    if (status != MNOS_OK)
        return status;
    endpoint = object;
    spin_init(&endpoint->lock, LOCK_ENDPOINT);
    thread_queue_init(&endpoint->queue);
    list_init(&endpoint->badges);
    list_init(&endpoint->gone);
    kobject_init(&endpoint->obj, MNOS_TYPE_ENDPOINT, payer);
    *created = endpoint;
    return MNOS_OK;
}

static void badge_release(struct deferred *deferred)
{
    struct badge_group *group = container_of(deferred, struct badge_group, deferred);

    quota_slab_free(&group->payer->quota, badge_cache, group);
}

/* It is in no list any more; other cores may still be looking at its event mask. */
static void badge_retire(struct badge_group *group)
{
    deferred_add(&group->deferred, badge_release);
}

static void badges_free(struct endpoint *endpoint, struct list *badges)
{
    while (!list_empty(badges)) {
        struct badge_group *group = list_first(badges, struct badge_group, link);

        list_remove(&group->link);
        quota_slab_free(&endpoint->obj.payer->quota, badge_cache, group);
    }
}

void endpoint_free(struct endpoint *endpoint)
{
    assert(endpoint->state == EP_IDLE);
    badges_free(endpoint, &endpoint->badges);
    badges_free(endpoint, &endpoint->gone);
    quota_slab_free(&endpoint->obj.payer->quota, endpoint_cache, endpoint);
}

/* ---- badges ---- */

mnos_status_t endpoint_badge_create(struct endpoint *endpoint, mnos_badge_t badge,
                                    uint64_t event_mask, struct badge_group **created)
{
    struct badge_group *group;
    void *object;
    mnos_status_t status = quota_slab_alloc(&endpoint->obj.payer->quota, badge_cache, &object);

    if (status != MNOS_OK)
        return status;
    group = object;
    group->badge = badge;
    group->event_mask = event_mask;
    group->payer = endpoint->obj.payer;
    spin_lock(&endpoint->obj.derive);
    list_append(&endpoint->badges, &group->link);
    spin_unlock(&endpoint->obj.derive);
    *created = group;
    return MNOS_OK;
}

void endpoint_badge_discard(struct endpoint *endpoint, struct badge_group *group)
{
    spin_lock(&endpoint->obj.derive);
    assert(group->cap_count == 0);
    list_remove(&group->link);
    spin_unlock(&endpoint->obj.derive);
    quota_slab_free(&endpoint->obj.payer->quota, badge_cache, group);
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
    wait_done(receiver, MNOS_OK);
}

static struct thread *take_receiver_locked(struct endpoint *endpoint)
{
    struct thread *receiver = NULL;

    if (endpoint->state == EP_RECEIVING) {
        receiver = thread_queue_first(&endpoint->queue);
        wait_unqueue_locked(endpoint, receiver);
    }
    return receiver;
}

void endpoint_badge_gone(struct endpoint *endpoint, struct badge_group *group)
{
    struct thread *receiver;
    mnos_badge_t badge = group->badge;

    list_remove(&group->link);
    spin_lock(&endpoint->lock);
    receiver = take_receiver_locked(endpoint);
    if (receiver == NULL)
        list_append(&endpoint->gone, &group->link);
    spin_unlock(&endpoint->lock);
    if (receiver != NULL) {
        badge_retire(group);
        deliver(receiver, MNOS_KIND_CLIENT_GONE, badge, 0);
        sched_make_ready(receiver);
    }
}

void endpoint_notify(struct endpoint *endpoint, uint64_t events)
{
    struct thread *receiver;

    spin_lock(&endpoint->lock);
    receiver = take_receiver_locked(endpoint);
    if (receiver == NULL)
        endpoint->events |= events;
    spin_unlock(&endpoint->lock);
    if (receiver != NULL) {
        deliver(receiver, MNOS_KIND_EVENTS, 0, events);
        sched_make_ready(receiver);
    }
}

void endpoint_notify_cap(const struct capability *cap, uint64_t events)
{
    struct cap_view view;

    if (cap_read_kernel(cap, &view))
        endpoint_notify((struct endpoint *)view.object, events);
}

bool endpoint_take_pending_locked(struct endpoint *endpoint, struct thread *receiver)
{
    struct badge_group *group;

    if (endpoint->events != 0) {
        deliver(receiver, MNOS_KIND_EVENTS, 0, endpoint->events);
        endpoint->events = 0;
        return true;
    }
    if (list_empty(&endpoint->gone))
        return false;
    group = list_first(&endpoint->gone, struct badge_group, link);
    list_remove(&group->link);
    deliver(receiver, MNOS_KIND_CLIENT_GONE, group->badge, 0);
    badge_retire(group);
    return true;
}

bool endpoint_wake_waiter(struct endpoint *endpoint, struct capability *cap)
{
    struct thread *thread = NULL;

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

void endpoint_check(struct endpoint *endpoint)
{
    const struct thread *first;

    spin_lock(&endpoint->lock);
    first = thread_queue_first(&endpoint->queue);
    assert((first == NULL) == (endpoint->state == EP_IDLE)); /* E1 */
    assert(first == NULL || first->waits_on == endpoint);    /* E2 */
    assert(first == NULL ||
           first->state == (endpoint->state == EP_SENDING ? THREAD_SENDING : THREAD_RECEIVING));
    if (endpoint->state == EP_RECEIVING)
        assert(endpoint->events == 0 && list_empty(&endpoint->gone)); /* E3 */
    thread_queue_check(&endpoint->queue);
    spin_unlock(&endpoint->lock);
    (void)first;
}
