// SPDX-License-Identifier: MIT
/*
 * service.h - one request to a service that may die, or stop working, before it answers.
 *
 * Needs "manager" or "observer" to ask whether a service works; without it, who waits for one that does not
 * waits until somebody ends it.
 */
#pragma once

#include "lib/mnos/ipc.h"
#include "lib/mnos/time.h"

#define SERVICE_PATIENCE_NS 2000000000ull

/* Until when a service is waited for before the manager is asked. In place: each call takes it. */
static inline uint64_t service_deadline(void)
{
    const struct mnos_kinfo *info = kinfo();

    return info->tsc_usable == 1 ? kinfo_time_of(info, tsc_read()) + SERVICE_PATIENCE_NS
                                 : deadline_after_ns(SERVICE_PATIENCE_NS);
}

/* The rest of service_call(), when `status` is what the first call has ended with. */
mnos_status_t service_call_on(mnos_cap_t endpoint, struct message *msg, mnos_status_t status);

/*
 * Sends `msg`, whose request is of class I or, with lane and sequence in its label, N, and waits for the reply,
 * which replaces it. What the service answered is the result.
 *
 * When the service dies (MNOS_ERR_PEER) the request is sent again, to its next run, at the same endpoint; one
 * that was given up is answered for by the manager (MNOS_ERR_STOPPED), so this ends. When it has not answered
 * after two seconds the manager is asked, once, whether it works, and the request is sent again to wait on; one
 * that does not is ended and started again by the manager.
 */
static inline mnos_status_t service_call(mnos_cap_t endpoint, struct message *msg)
{
    mnos_status_t status = ipc_call(endpoint, msg, service_deadline());

    if (__builtin_expect(status == MNOS_OK && msg->label == MNOS_OK, 1))
        return MNOS_OK;
    return service_call_on(endpoint, msg, status);
}

/* The same for a request of class I_PARKS or N_PARKS, which may wait as long as it takes: nobody is asked. */
mnos_status_t service_call_parking(mnos_cap_t endpoint, struct message *msg);

/* As listen_to() (lib/mnos/listener.h), of a service that may stop working before it has answered. */
mnos_status_t service_listen(mnos_cap_t service, uint32_t label, mnos_cap_t endpoint,
                             mnos_badge_t badge, uint64_t events);
