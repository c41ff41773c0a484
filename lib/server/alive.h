// SPDX-License-Identifier: MIT
/*
 * alive.h - a service shows that it works. When a client has waited long, the manager asks by event bit 63
 * (MANAGER_EVENT_ALIVE) at the endpoint, and looks at this word some seconds later: unchanged, the service
 * has stopped working, and is started again.
 *
 * Whoever receives calls alive_show() when the event comes; lib/server/loop does. What takes longer than the
 * manifest's `grace` in one piece calls it in between.
 */
#pragma once

#include "lib/mnos/bootstrap.h"
#include "lib/mnos/ipc.h"
#include "protocols/manager.h"

static inline void alive_show(void)
{
    const struct mnos_bootstrap *table = bootstrap_table();

    if (table != NULL && table->alive_address != 0)
        __atomic_fetch_add((uint64_t *)table->alive_address, 1, __ATOMIC_RELEASE);
}

/* For each message that was received: shows it if that is what was asked. */
static inline void alive_answer(const struct message *message)
{
    if (message->kind == MNOS_KIND_EVENTS && (message->words[0] & MANAGER_EVENT_ALIVE) != 0)
        alive_show();
}
