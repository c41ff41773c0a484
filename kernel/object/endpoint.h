// SPDX-License-Identifier: MIT
/*
 * endpoint.h - where one thread hands a message to another; holds no message itself, only an event
 * word and the badges whose last capability has gone.
 *
 *   EP_IDLE --send finds no receiver------> EP_SENDING   --last sender taken----> EP_IDLE
 *   EP_IDLE --receive finds nothing-------> EP_RECEIVING --last receiver taken--> EP_IDLE
 *
 * E1  the queue is empty exactly when the state is EP_IDLE
 * E2  every queued thread is THREAD_SENDING or THREAD_RECEIVING as the state says, and its waits_on is
 *     this endpoint
 * E3  while a thread is receiving, no event is set and no badge waits to be reported
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/types.h"
#include "cap/capability.h"
#include "ipc/thread_queue.h"
#include "object/kobject.h"

enum endpoint_state {
    EP_IDLE,
    EP_SENDING,
    EP_RECEIVING,
};

/* One minted badge: shared by all capabilities that carry it. Charged to the endpoint's payer. */
struct badge_group {
    mnos_badge_t badge;
    uint64_t event_mask;
    uint64_t cap_count; /* guarded by the endpoint's derive lock */
    struct process *payer;
    struct deferred deferred;
    struct list link; /* in endpoint->badges, under the derive lock, or in endpoint->gone */
};

struct endpoint {
    struct kobject obj;
    struct list badges; /* living ones; guarded by obj.derive */

    struct spinlock lock; /* rank LOCK_ENDPOINT, guards all below */
    enum endpoint_state state;
    struct thread_queue queue;
    uint64_t events;
    struct list gone; /* struct badge_group: to be reported to a receiver */
};

mnos_status_t endpoint_create(struct process *payer, struct endpoint **endpoint);
/* No capability to it exists any more. */
void endpoint_free(struct endpoint *endpoint);

/* A badge for capabilities to this endpoint, not used by any yet. MNOS_ERR_QUOTA, MNOS_ERR_MEMORY. */
mnos_status_t endpoint_badge_create(struct endpoint *endpoint, mnos_badge_t badge,
                                    uint64_t event_mask, struct badge_group **group);
/* Takes back a badge that no capability ever carried. */
void endpoint_badge_discard(struct endpoint *endpoint, struct badge_group *group);
/* The last capability with this badge has gone; under the derive lock. */
void endpoint_badge_gone(struct endpoint *endpoint, struct badge_group *group);

/* Sets events and hands them to a waiting receiver. Never blocks. */
void endpoint_notify(struct endpoint *endpoint, uint64_t events);
/* Gives events that are set, or a badge that has gone, to `receiver`, which is not queued; false: there
 * is nothing. Under the endpoint's lock. */
bool endpoint_take_pending_locked(struct endpoint *endpoint, struct thread *receiver);
/* Through a kernel-held capability, which may have been revoked: then nothing happens. */
void endpoint_notify_cap(const struct capability *cap, uint64_t events);

/* Wakes one thread that waits through `cap` with MNOS_ERR_REVOKED; false: none is left. The derivation
 * lock is held. */
bool endpoint_wake_waiter(struct endpoint *endpoint, struct capability *cap);

void endpoint_caches_create(void);
void endpoint_check(struct endpoint *endpoint);
