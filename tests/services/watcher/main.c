// SPDX-License-Identifier: MIT
/* main - a service for tests: what its manifest lets it do to the keeper, and what it is told about it. */
#include "lib/client/manager.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/log.h"
#include "lib/mnos/syscall.h"

static void try_control(void)
{
    mnos_status_t other = manager_command(MANAGER_START, "power");
    mnos_status_t unknown = manager_command(MANAGER_START, "nobody");
    mnos_status_t first = manager_command(MANAGER_START, "keeper.0");
    mnos_status_t again = manager_command(MANAGER_START, "keeper.0");

    log_line("start: other %u, unknown %u, first %u, again %u", other, unknown, first, again);
}

static void try_events(void)
{
    mnos_status_t granted = sys_ipc_notify(bootstrap_cap("keeper"), 1u << 3);
    mnos_status_t other = sys_ipc_notify(bootstrap_cap("keeper"), 1u << 4);
    mnos_status_t forged = sys_ipc_notify(bootstrap_cap("keeper"), MANAGER_EVENT_ALIVE);

    log_line("events: granted %u, other %u, forged %u", granted, other, forged);
}

int main(void)
{
    struct manager_match match;
    struct message msg = {0};
    unsigned restarts = 0;

    for (uint64_t i = 0; manager_match_entry(i, &match) == MNOS_OK; i++)
        log_line("match: %s, %u, 0x%x 0x%x", match.name, match.instances, match.vendor,
                 match.device);
    try_control();
    try_events();
    while (ipc_receive(bootstrap_cap("requests"), &msg, MNOS_DEADLINE_NEVER) == MNOS_OK) {
        if (msg.kind == MNOS_KIND_EVENTS && (msg.words[0] & MANAGER_EVENT_PEER_RESTARTED) != 0)
            log_line("told %u times of a start", ++restarts);
    }
    return 1;
}
