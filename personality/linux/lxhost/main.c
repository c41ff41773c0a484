// SPDX-License-Identifier: MIT
/*
 * main - lxhost: the server of one container of programs of Linux (docs/linux.md), which keeps what its processes have
 * together. It is started by `run`, makes the first process with the words that it was started with
 * (personality/linux/lx/main.c), and ends as that one does; with it end all others. Who has started it may ask at the same
 * endpoint what the container has, and take some of it away (control.c).
 */
#include "abi/inspect.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/syscall.h"
#include "personality/linux/lx/layout.h"
#include "personality/linux/lxhost/host.h"

BOOTSTRAP_LAUNCHED;

/* What `run` is told that its program has ended with: as a shell of Linux would show it. */
static int exit_code(uint32_t status)
{
    if ((status & LXHOST_END_OF_LX) != 0)
        return (int)(status & 0xFFFF);
    return (status & 0x7F) != 0 ? (int)(128 + (status & 0x7F)) : (int)(status >> 8 & 0xFF);
}

static uint32_t own_priority(void)
{
    const struct mnos_process_info *info = (const void *)ipc_buffer()->data;
    uint64_t size;

    return sys_cap_inspect(MNOS_SELF, MNOS_VIEW_PROCESS, 0, &size) == MNOS_OK
               ? info->priority_ceiling
               : 0;
}

static mnos_status_t start(void)
{
    const struct mnos_bootstrap *table = bootstrap_table();
    struct words words = {(const char *)table->arguments_address, table->arguments_bytes,
                          table->argument_count};
    mnos_status_t status;

    /* The launcher's, by which who has started the container reaches it. */
    host.endpoint = bootstrap_cap("control");
    control_take_words(&words);
    host.priority = own_priority();
    status = image_open(bootstrap_cap("lx"));
    if (status == MNOS_OK)
        status = sessions_open();
    if (status != MNOS_OK)
        return status;
    terminal_open();
    return native_first(&words);
}

static void take(struct message *message)
{
    if (message->kind == MNOS_KIND_EVENTS) {
        if ((message->words[0] & EVENT_ENDED) != 0)
            native_collect();
        if ((message->words[0] & EVENT_TERMINAL) != 0)
            terminal_look(false);
    } else if (message->kind == MNOS_KIND_CLIENT_GONE) {
        if (ipc_client_is_gone(host.endpoint, message->badge, BADGE_TERMINAL))
            terminal_look(true);
    } else {
        requests_handle(message);
        return;
    }
    *message = (struct message){.accept = 1};
}

static uint64_t deadline(void)
{
    uint64_t first = timers_deadline(), interrupt = interrupt_deadline();
    uint64_t control = control_deadline();

    first = interrupt < first ? interrupt : first;
    return control < first ? control : first;
}

int main(void)
{
    struct message message = {.accept = 1};
    mnos_status_t status = start();

    if (status != MNOS_OK) {
        log_error(status, "start the first process");
        return LX_EXIT_START;
    }
    while (host.processes[0].state != PROCESS_ZOMBIE || control_lingers()) {
        status = ipc_reply_receive(host.endpoint, &message, deadline());
        if (status == MNOS_OK)
            take(&message);
        else
            message = (struct message){.accept = 1};
        timers_look();
        interrupt_look();
    }
    return exit_code(host.processes[0].status);
}
