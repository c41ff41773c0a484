// SPDX-License-Identifier: MIT
/*
 * tasks.h - all that runs, as commands name it: services, which the manager has, and behind them programs, which the
 * launcher has started for this monitor, as NAME#NUMBER or, when there is one of that name, NAME.
 */
#pragma once

#include <stdbool.h>

#include "lib/client/manager.h"
#include "protocols/launcher.h"

/* What there is at an index; MNOS_ERR_END past the last. */
mnos_status_t task_entry(uint64_t index, struct manager_service *task);
/* By name; a service that runs comes first, one that does not after programs. Else by the number that `ps` shows of its
 * process. MNOS_ERR_END: there is none. */
mnos_status_t task_find(const char *name, uint64_t *index, struct manager_service *task);
/* A new capability to inspect its process; the caller deletes it. MNOS_ERR_STATE: it does not run. */
mnos_status_t task_open_process(uint64_t index, mnos_cap_t *process);
/* Where a container of programs of Linux is asked (container.h); the caller deletes it. MNOS_ERR_STATE: it is none, or does
 * not run. */
mnos_status_t task_open_control(uint64_t index, mnos_cap_t *control);
/* Whether what is at an index that was found is a program and not a service. */
bool task_is_program(uint64_t index);
/* By which fault a program has ended; MNOS_ERR_STATE: by none. */
mnos_status_t task_last_fault(uint64_t index, struct launcher_fault *fault);
/* The names that its process was started with; their number. MNOS_ERR_STATE: it does not run. */
mnos_status_t task_names(uint64_t index, struct mnos_bootstrap_entry names[MNOS_BOOTSTRAP_ENTRIES],
                         unsigned *count);
/* Says that `word` is neither a name nor the number of a process, and whose thread it is if it is one's number. */
void task_print_unknown(const char *command, const char *word);
/* The processes that run. An error is the manager's; the list then has those before it. */
mnos_status_t task_processes(struct process_list *list);
/* For the command that runs, which fills it: it is too large for a stack, and there is one command at a time. */
extern struct process_list command_processes;
