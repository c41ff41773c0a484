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
 * E4  `pending` says whether there is any of these
 * E5  news of a badge costs nobody but who pays for the endpoint, and no more than its own size; that of a lasting
 *     mint is in the slot that was set aside for it
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/types.h"
#include "assert.h"
#include "cap/capability.h"
#include "cap/lasting.h"
#include "ipc/thread_queue.h"
#include "lib/base/list.h"
#include "object/kobject.h"
#include "object/search.h"

/* Badges that have gone and that an endpoint remembers until a receiver takes them. */
#define ENDPOINT_GONE_MAX 8

enum endpoint_state {
    EP_IDLE,
    EP_SENDING,
    EP_RECEIVING,
};

struct endpoint {
    struct kobject obj;
    struct spinlock lock; /* rank LOCK_ENDPOINT, guards all below */
    /* Offsets known to assembly; one comparison sees the first two. */
    uint32_t state;   /* enum endpoint_state */
    uint32_t pending; /* 0 or 1 */
    struct thread_queue queue;
    uint64_t events;
    mnos_badge_t gone[ENDPOINT_GONE_MAX]; /* a ring: badges to be reported to a receiver */
    uint8_t gone_first, gone_count;
    bool lost; /* more have gone than it has room for: the receiver is to ask for each it knows */
    struct lasting *lasting; /* its reserve; NULL: none was set aside. Constant */

    struct search search; /* for a badge, under obj.derive: cap/badge.h */
};

/* With `lasting_count` slots set aside for lasting mints. */
mnos_status_t endpoint_create(struct process *payer, uint32_t lasting_count,
                              struct endpoint **endpoint);
static inline struct endpoint *endpoint_of(const struct kobject *object)
{
    assert(object->type == MNOS_TYPE_ENDPOINT);
    return container_of(object, struct endpoint, obj);
}

/* The last capability with the badge of `minted`, which is about to leave the tree, has gone: a receiver is told, now or
 * later; of those for which there is no room it is told together, by badge 0. Under the derive lock. */
void endpoint_badge_gone(struct endpoint *endpoint, struct capability *minted);

/* Sets events and hands them to a waiting receiver. Never blocks. */
void endpoint_notify(struct endpoint *endpoint, uint64_t events);
/* The same, but makes the receiver that was waiting, if any, not ready: it is the caller's. */
struct thread *endpoint_signal(struct endpoint *endpoint, uint64_t events);
/* Gives events that are set, or a badge that has gone, to `receiver`, which is not queued; false: there
 * is nothing. Under the endpoint's lock. */
bool endpoint_take_pending_locked(struct endpoint *endpoint, struct thread *receiver);
/* Through a kernel-held capability, which may have been revoked: then nothing happens. */
void endpoint_notify_cap(const struct capability *cap, uint64_t events);

/* Its row in types.c. What hangs on a capability are the threads that wait through it: draining wakes one with
 * MNOS_ERR_REVOKED. */
bool endpoint_drain_locked(struct kobject *object, struct capability *cap, struct tlb_batch *batch,
                           void **rest);
uint32_t endpoint_more_bytes(const struct kobject *object);
bool endpoint_free(struct kobject *object);
void endpoint_describe(const struct cap_view *view, bool is_holder, struct mnos_cap_info *info);

void endpoint_caches_create(void);
