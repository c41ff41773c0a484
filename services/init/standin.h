// SPDX-License-Identifier: MIT
/*
 * standin.h - answers for a service that is stopped, so that nobody waits for it for ever: a thread
 * of init receives on the service's endpoint and answers every request with MNOS_ERR_STOPPED.
 *
 * It has no state of its own and calls nobody. What is sent without waiting for an answer is
 * dropped.
 */
#pragma once

#include <stdbool.h>

#include "lib/mnos/thread.h"
#include "services/init/grants.h"

struct standins {
    bool answers[MANIFEST_ENDPOINTS_MAX];
    struct thread threads[MANIFEST_ENDPOINTS_MAX];
};

/* Begins to answer on each endpoint that `service` provides. One that has no thread for want of
 * memory is in the log; its clients wait until the service is started. */
void standins_begin(struct standins *standins, const struct resources *resources, uint32_t service);

/* Before the service is started. A request that is being answered fails with MNOS_ERR_PEER. */
void standins_end(struct standins *standins, const struct resources *resources, uint32_t service);
