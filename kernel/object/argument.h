// SPDX-License-Identifier: MIT
/* argument.h - looking up what an argument of a system call names; the errors say which argument it was. */
#pragma once

#include "cap/captable.h"
#include "object/endpoint.h"
#include "object/process.h"
#include "object/result.h"
#include "object/thread.h"

/* In the table of the calling process; errors of cap_lookup(). */
static inline result_t argument_cap(const struct thread *current, unsigned argument,
                                    mnos_cap_t handle, enum mnos_cap_type type,
                                    mnos_rights_t rights, struct cap_view *view)
{
    return result_at(argument, cap_lookup(&current->process->captable, handle, type, rights, view));
}

/* Whether `current` has sent to an endpoint through this very handle last, which is sent_to then, and the capability is
 * still alive. */
static inline bool argument_sent_again(const struct thread *current, mnos_cap_t endpoint)
{
    return current->sent_key == endpoint &&
           __atomic_load_n(&current->sent_cap->key, __ATOMIC_ACQUIRE) == endpoint;
}

/* And may set these events there. The key is compared after the mask was read, which then is the one of that
 * capability. */
static inline bool argument_notifies_again(const struct thread *current, mnos_cap_t endpoint,
                                           uint64_t events)
{
    return current->sent_key == endpoint && events != 0 &&
           (events & ~__atomic_load_n(&current->sent_cap->event_mask, __ATOMIC_RELAXED)) == 0 &&
           __atomic_load_n(&current->sent_cap->key, __ATOMIC_ACQUIRE) == endpoint;
}

/* Next time, here and in ipc_fast.inc, this is all that is looked at. */
static inline void argument_remember_sent(struct thread *current, const struct cap_view *cap)
{
    current->sent_key = cap->key;
    current->sent_cap = cap->slot;
    current->sent_to = endpoint_of(cap->object);
    current->sent_badge = cap->badge;
}

/* Likewise for receiving, by a call that replies: `via`, through which it is going to wait. */
static inline bool argument_receives_again(const struct thread *current, mnos_cap_t endpoint)
{
    return current->received_key == endpoint &&
           __atomic_load_n(&current->via->key, __ATOMIC_ACQUIRE) == endpoint;
}

static inline void argument_remember_received(struct thread *current, const struct cap_view *cap)
{
    current->via = cap->slot;
    current->via_key = cap->key;
    current->received_from = endpoint_of(cap->object);
    current->received_key = cap->key;
}
