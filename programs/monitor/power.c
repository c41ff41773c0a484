// SPDX-License-Identifier: MIT
/* power - the commands that end the system: reboot, poweroff. Nothing that was written is lost by them. */
#include "lib/base/string.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/ipc.h"
#include "programs/monitor/command.h"
#include "programs/monitor/console.h"
#include "programs/monitor/mounts.h"
#include "protocols/power.h"

/* False: the system has to go on, which was told. */
static bool may_end(const char *command, const struct words *words)
{
    bool now = words->count > 1;

    if (now && strcmp(words->word[1], "now") != 0) {
        console_print("usage: %s [now]\n", command);
        return false;
    }
    if (bootstrap_find("power") == 0) {
        console_print("%s: this monitor has no capability \"power\"; the manifest must grant "
                      "uses = { power = \"power\" }\n",
                      command);
        return false;
    }
    /* Without files there is nothing to write. */
    if (now || bootstrap_find("files") == 0 || mounts_leave(command))
        return true;
    console_print("%s: not everything is written; \"%s now\" does it all the same\n", command,
                  command);
    return false;
}

static void end(const char *command, enum power_request request, const char *says)
{
    struct message msg = {0};
    mnos_status_t status;

    console_print("%s\n", says);
    console_flush();
    message_put(&msg, request, NULL, 0);
    status = ipc_request(bootstrap_find("power"), &msg);
    if (status == MNOS_ERR_STOPPED)
        console_print("%s: the service for it is stopped; services says why\n", command);
    else
        console_error(status, request == POWER_RESET ? "reboot: see the log for what was tried"
                                                     : "poweroff: the log says what was tried");
}

void command_reboot(const struct words *words)
{
    if (may_end("reboot", words))
        end("reboot", POWER_RESET, "The machine resets now.");
}

void command_poweroff(const struct words *words)
{
    if (may_end("poweroff", words))
        end("poweroff", POWER_POWER_OFF, "The machine is switched off now.");
}
