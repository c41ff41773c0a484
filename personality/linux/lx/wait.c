// SPDX-License-Identifier: MIT
/* wait - see wait.h. */
#include "personality/linux/lx/wait.h"

#include "lib/mnos/ipc.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"
#include "personality/linux/lx/abi.h"
#include "personality/linux/lx/events.h"
#include "personality/linux/lx/host.h"
#include "personality/linux/lx/open_file.h"
#include "personality/linux/lx/signals.h"
#include "personality/linux/lx/threads.h"

/* When one looks again whom nobody can tell anything, as the container has nothing left for that. */
#define LOOK_NS 10000000ull

static mnos_cap_t endpoint;
static struct lx_thread *listener;
struct open_file *wait_file;
static struct socket_session *network;

static bool have_endpoint(mnos_cap_t *at, uint64_t rights)
{
    mnos_cap_t made;

    if (*at == 0 && host_create(MNOS_CREATE_ENDPOINT, 0, rights, 0, 0, &made) == MNOS_OK)
        *at = made;
    return *at != 0;
}

mnos_cap_t wait_endpoint(void)
{
    (void)have_endpoint(&endpoint, MNOS_RIGHTS_ALL);
    return endpoint;
}

void wait_with_network(struct socket_session *session)
{
    network = session;
    endpoint = session->endpoint;
}

void wait_forked(void)
{
    endpoint = 0;
    network = NULL;
    listener = NULL;
}

static mnos_status_t wait_with_sockets(uint64_t deadline_ns)
{
    mnos_status_t status = socket_wait(network, deadline_ns);

    network->others_gone = false;
    network->other_events = 0;
    return status;
}

static mnos_status_t listen_until(uint64_t deadline_ns)
{
    struct message message = {0};
    mnos_status_t status;

    if (endpoint == 0) {
        sleep_until(deadline_ns);
        return MNOS_ERR_DEADLINE;
    }
    if (network != NULL && !network->lost) {
        status = wait_with_sockets(deadline_ns);
        /* That its service is lost is news of its sockets: from now on they say so without a wait. */
        return status == MNOS_ERR_LOST ? MNOS_OK : status;
    }
    return ipc_receive(endpoint, &message, deadline_ns);
}

/* Where lxhost cannot tell anything the wait is short, and what it waits for is looked at again. */
static mnos_status_t listen(uint64_t deadline_ns)
{
    uint64_t look = host_listen() ? MNOS_DEADLINE_NEVER : deadline_after_ns(LOOK_NS);
    mnos_status_t status = listen_until(look < deadline_ns ? look : deadline_ns);

    return status == MNOS_ERR_DEADLINE && look < deadline_ns ? MNOS_OK : status;
}

/* ---- Several threads ---- */

void wait_forget_file(void)
{
    wait_file = NULL;
}

void wait_release_file(void)
{
    struct lx_thread *self = thread_self();

    if (self->held != NULL)
        open_file_release(self->held);
    self->held = NULL;
}

static void hold_file(struct lx_thread *self)
{
    if (self->held != NULL || wait_file == NULL)
        return;
    self->held = wait_file;
    open_file_hold(wait_file);
}

bool wait_have_endpoint(struct lx_thread *thread)
{
    return have_endpoint(&thread->endpoint, MNOS_RIGHT_READ | MNOS_RIGHT_WRITE);
}

void wait_wake(struct lx_thread *thread)
{
    if (!thread->waits || thread->woken)
        return;
    thread->woken = true;
    (void)!sys_ipc_notify(thread == listener ? wait_endpoint() : thread->endpoint, WAIT_WOKEN);
}

void wait_changed(void)
{
    EACH_THREAD(thread)
    {
        if (!thread->waits_for_futex)
            wait_wake(thread);
    }
}

/* W1: somebody is to hear what comes for the process. */
static void pass_on(void)
{
    struct lx_thread *next = NULL;

    if (listener != NULL)
        return;
    EACH_THREAD(thread)
    {
        if (thread->waits && thread->woken)
            return;
        if (thread->waits)
            next = thread;
    }
    if (next != NULL)
        wait_wake(next);
}

static mnos_status_t wait_among_threads(struct lx_thread *self, uint64_t deadline_ns)
{
    struct message message = {0};
    bool listens = listener == NULL;
    mnos_status_t status;

    hold_file(self);
    self->waits = self->lets_go = true;
    self->woken = false;
    if (listens) {
        listener = self;
        status = listen(deadline_ns);
        listener = NULL;
    } else {
        status = ipc_receive(self->endpoint, &message, deadline_ns);
    }
    self->waits = self->lets_go = false;
    if (listens && status == MNOS_OK)
        wait_changed();
    pass_on();
    return status;
}

mnos_status_t wait_until(uint64_t deadline_ns)
{
    return threads_many ? wait_among_threads(thread_self(), deadline_ns) : listen(deadline_ns);
}

int64_t wait_or_signal(uint64_t deadline_ns)
{
    uint64_t timer_file = timer_files_next();
    mnos_status_t status;

    if (signals_due())
        return -LX_ERESTART;
    status = wait_until(timer_file < deadline_ns ? timer_file : deadline_ns);
    host_take_signals();
    if (signals_due())
        return -LX_ERESTART;
    return status == MNOS_ERR_DEADLINE && kinfo_time_ns() >= deadline_ns ? -LX_EAGAIN : 0;
}

int64_t wait_for_change(const struct open_file *file)
{
    return (file->flags & LINUX_O_NONBLOCK) != 0 ? -LX_EAGAIN : wait_or_signal(MNOS_DEADLINE_NEVER);
}
