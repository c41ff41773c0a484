// SPDX-License-Identifier: MIT
/*
 * main - a service for tests: what its manifest lets it do to the keeper and ask of the manager, and what it is
 * told about it.
 */
#include "abi/process.h"
#include "lib/base/string.h"
#include "lib/client/manager.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/layout.h"
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

static void try_faults(void)
{
    struct manager_fault fault;

    log_line("registers of another: %u", manager_last_fault(1, &fault));
}

/* A process of this service's faults, and has the manager as its handler, by the capability that this service has of it. */
static void forge_fault(void)
{
    struct mnos_process_params forger = {.name = "forger",
                                         .frames_quota = 24,
                                         .bytes_quota = 8192,
                                         .priority_ceiling = 10,
                                         .fault_endpoint = bootstrap_cap("manager")};
    /* It begins where nothing is mapped. */
    struct mnos_thread_params first = {.name = "main",
                                       .registers.rip = LAYOUT_PROGRAM_LOWEST,
                                       .ipc_buffer = LAYOUT_IPC_BUFFER,
                                       .priority = 10,
                                       .affinity = MNOS_AFFINITY_ANY};
    mnos_cap_t process, thread;
    mnos_status_t status;

    memcpy(ipc_buffer()->data, &forger, sizeof forger);
    status = sys_proc_create(sizeof forger, &process);
    memcpy(ipc_buffer()->data, &first, sizeof first);
    if (status == MNOS_OK)
        status = sys_thread_create(process, sizeof first, &thread);
    if (status != MNOS_OK)
        log_error(status, "forge a fault");
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
    try_faults();
    forge_fault();
    while (ipc_receive(bootstrap_cap("requests"), &msg, MNOS_DEADLINE_NEVER) == MNOS_OK) {
        if (msg.kind == MNOS_KIND_EVENTS && (msg.words[0] & MANAGER_EVENT_PEER_RESTARTED) != 0)
            log_line("told %u times of a start", ++restarts);
    }
    return 1;
}
