// SPDX-License-Identifier: MIT
/* lock - see lock.h. */
#include "lib/mnos/lock.h"

#include "lib/mnos/ipc.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"

#define RELEASED_EVENT 1ull
/* How often to look when the quota does not allow an endpoint. */
#define RETRY_NS 1000000ull

/* 0 when there is none and none can be made. */
static mnos_cap_t mutex_endpoint(struct mutex *mutex)
{
    uint64_t made, present = atomic_load_explicit(&mutex->endpoint, memory_order_acquire);

    if (present != 0)
        return present;
    if (sys_cap_create(MNOS_CREATE_ENDPOINT, 0, MNOS_RIGHT_READ | MNOS_RIGHT_WRITE, 0, 0, &made) !=
        MNOS_OK)
        return 0;
    if (atomic_compare_exchange_strong(&mutex->endpoint, &present, made))
        return made;
    (void)!sys_cap_delete(made); /* another thread was first */
    return present;
}

static void mutex_wait(mnos_cap_t endpoint)
{
    struct message msg = {0};
    uint64_t now;

    if (endpoint == 0 || ipc_receive(endpoint, &msg, MNOS_DEADLINE_NEVER) != MNOS_OK)
        (void)!sys_thread_block(MNOS_SELF, deadline_after_ns(RETRY_NS), &now);
}

void mutex_lock_taken(struct mutex *mutex)
{
    /* There is an endpoint before the state says WAITED, so whoever reads WAITED finds it (M1). */
    mnos_cap_t endpoint = mutex_endpoint(mutex);

    /* Whoever waited takes the mutex as WAITED: there may be others, so its unlock must tell. */
    while (atomic_exchange_explicit(&mutex->state, MUTEX_WAITED, memory_order_acq_rel) !=
           MUTEX_FREE)
        mutex_wait(endpoint);
}

void mutex_tell(struct mutex *mutex)
{
    mnos_cap_t endpoint = atomic_load_explicit(&mutex->endpoint, memory_order_acquire);

    if (endpoint != 0)
        (void)!sys_ipc_notify(endpoint, RELEASED_EVENT);
}
