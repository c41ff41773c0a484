// SPDX-License-Identifier: MIT
/* services - the commands about services: services, restart, kill, run and reboot. */
#include "lib/libmnos/bootstrap.h"
#include "lib/libmnos/ipc.h"
#include "lib/libmnos/time.h"
#include "programs/monitor/command.h"
#include "programs/monitor/console.h"
#include "programs/monitor/manager_client.h"
#include "protocols/manifest_format.h"
#include "protocols/power.h"

static const char *state_text(uint32_t state)
{
    switch (state) {
    case MANAGER_STOPPED: return "stopped";
    case MANAGER_RUNNING: return "running";
    case MANAGER_WAITING: return "waiting";
    default: return "unknown";
    }
}

static const char *policy_text(uint32_t policy)
{
    switch (policy) {
    case MANIFEST_RESTART_NEVER: return "never";
    case MANIFEST_RESTART_ALWAYS: return "always";
    case MANIFEST_RESTART_ON_DEMAND: return "on-demand";
    default: return "unknown";
    }
}

void command_services(const char *argument)
{
    struct manager_service service;
    mnos_status_t status;

    (void)argument;
    if (!manager_available("services"))
        return;
    console_print("%-12s %-12s %-8s %-10s %8s  %s\n", "NAME", "FILE", "STATE", "RESTART",
                  "RESTARTS", "LAST END");
    for (uint64_t i = 1;; i++) {
        status = manager_entry(i, &service);
        if (status != MNOS_OK)
            break;
        console_print("%-12.23s %-12.23s %-8s %-10s %8u  %.63s\n", service.name, service.file,
                      state_text(service.state), policy_text(service.policy),
                      service.starts > 0 ? service.starts - 1 : 0,
                      service.last_end[0] != 0 ? service.last_end : "-");
    }
    if (status != MNOS_ERR_END)
        console_error(status, "services");
}

static void control(const char *command, enum manager_request request, const char *name,
                    const char *done)
{
    mnos_status_t status;

    if (!manager_available(command))
        return;
    status = manager_command(request, name);
    if (status == MNOS_OK)
        console_print("%s: %s\n", name, done);
    else if (status == MNOS_ERR_NOT_FOUND)
        console_print("%s: there is no service \"%s\"; services lists them\n", command, name);
    else if (status == MNOS_ERR_STATE)
        console_print("%s: %s %s\n", command, name,
                      request == MANAGER_KILL ? "is not running" : "is running already");
    else
        console_error(status, command);
}

void command_restart(const char *argument)
{
    control("restart", MANAGER_RESTART, argument, "restarted");
}

void command_kill(const char *argument)
{
    control("kill", MANAGER_KILL, argument, "killed");
}

void command_run_service(const char *argument)
{
    control("run", MANAGER_START, argument, "started");
}

void command_reboot(const char *argument)
{
    struct message msg = {0};
    mnos_status_t status;

    (void)argument;
    if (bootstrap_cap("power") == 0) {
        console_print("reboot: this monitor has no capability \"power\"; the manifest must grant "
                      "uses = { power = \"power\" }\n");
        return;
    }
    console_print("The machine resets now.\n");
    console_flush();
    message_put(&msg, POWER_RESET, NULL, 0);
    status = ipc_request(bootstrap_cap("power"), &msg);
    console_error(status, "reboot: see the log for what was tried");
}
