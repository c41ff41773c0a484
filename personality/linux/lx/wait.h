// SPDX-License-Identifier: MIT
/*
 * wait.h - where the process waits: one endpoint, at which everybody who has something to tell sets an event.
 *
 * With several threads one of those that wait does so there, the listener; each of the others waits at an endpoint of its own, and
 * looks again when the listener has heard something. The lock of threads.h is given up during a wait.
 *
 *   W1  when nobody listens and threads wait, one of them has been woken, and listens when it waits again
 *   W2  what a call waits for does not go before it returns, whatever other threads close
 *
 * Who waits looks at what it waits for, then calls wait_until(), and then looks again at all of it: what came meanwhile
 * stays set at the endpoint, so nothing is missed, and what came for others costs a look.
 */
#pragma once

#include <stdbool.h>

#include "abi/types.h"
#include "lib/client/socket.h"

struct lx_thread;
struct open_file;

/* What is set at the endpoint. */
enum wait_event {
    WAIT_NET = SOCKET_OWN_EVENT, /* a socket's state or rings: set by the network service */
    WAIT_WOKEN = 1u << 2,        /* by another thread: so at a thread's own endpoint */
    WAIT_HOST = 1u << 3, /* what lxhost has is worth a look; and bit 63: protocols/lxhost.h */
};

/* Badges of the copies of the endpoint that are handed out: the network's are below these. */
enum wait_badge {
    WAIT_BADGE_HOST = 1ull + SOCKET_OWN_BADGES,
};

/* The endpoint, with all rights; 0: there is no memory for it. From the first call on it stays the same. */
mnos_cap_t wait_endpoint(void);
/* With `session`, which has an endpoint of its own, that is the endpoint: before the first wait_endpoint(). */
void wait_with_network(struct socket_session *session);
/* In a copy of the process: it has none yet. */
void wait_forked(void);
/* Waits until something has been set, or a client of the endpoint has gone: MNOS_OK. MNOS_ERR_DEADLINE: nothing has. Where there
 * is no memory to be told by, MNOS_OK after a while, too: what is waited for is looked at again in any case. */
mnos_status_t wait_until(uint64_t deadline_ns);
/* The same on behalf of a call, where a signal ends the wait. 0: look again. -LX_EAGAIN: the deadline has passed.
 * -LX_ERESTART: a signal is to be delivered, and the call returns this. */
int64_t wait_or_signal(uint64_t deadline_ns);
/* The same without end on behalf of a call on that open file, which is not ready. -LX_EAGAIN: it has O_NONBLOCK, and there was
 * no wait. */
int64_t wait_for_change(const struct open_file *file);

/* ---- Several threads: without others these do nothing ---- */

/* Something has changed in this process that others may wait for: all look again, but who waits for a futex. */
void wait_changed(void);
/* The thread ends its wait, if it waits, and looks again. */
void wait_wake(struct lx_thread *thread);
/* It has an endpoint of its own; false: there is no memory for it. */
bool wait_have_endpoint(struct lx_thread *thread);
/* What the running call was given a descriptor of: it is held during a wait, and until the call ends. */
extern struct open_file *wait_file;
void wait_forget_file(void);
void wait_release_file(void);
