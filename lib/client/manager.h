// SPDX-License-Identifier: MIT
/*
 * manager.h - requests to the service manager (protocols/manager.def), by the capability "manager" or, what
 * needs no control, "observer" that the program was started with: without it they are MNOS_ERR_NOT_FOUND.
 */
#pragma once

#include "abi/bootstrap.h"
#include "abi/inspect.h"
#include "protocols/manager.h"
#include "protocols/region.h"

/* What the manager has at an index; MNOS_ERR_END past the last. */
mnos_status_t manager_entry(uint64_t index, struct manager_service *service);

/* In one word. */
const char *manager_state_text(uint32_t state);

/* The entry of this name; MNOS_ERR_END when there is none. */
mnos_status_t manager_find(const char *name, uint64_t *index, struct manager_service *service);

/* Which build of its program the service at an index has, and its last fault. MNOS_ERR_NOT_FOUND: it has no program.
 * MNOS_ERR_DENIED: the client may not control all services. */
mnos_status_t manager_last_fault(uint64_t index, struct manager_fault *fault);

/* A new capability to inspect its process; the caller deletes it. */
mnos_status_t manager_open_process(uint64_t index, mnos_cap_t *process);

/* The names that its process was started with, and their handles there; *count of them. MNOS_ERR_STATE: it is not running. */
mnos_status_t manager_names(uint64_t index,
                            struct mnos_bootstrap_entry names[MNOS_BOOTSTRAP_ENTRIES],
                            unsigned *count);

/* What the answer to NAMES holds, the manager's or the launcher's; returns how many. */
struct message;
unsigned manager_take_names(const struct message *answer,
                            struct mnos_bootstrap_entry names[MNOS_BOOTSTRAP_ENTRIES]);

/* START, RESTART, KILL or FAULT by name. */
mnos_status_t manager_command(enum manager_request request, const char *name);

/* The region at an index of the manager's list; MNOS_ERR_END past the last. */
mnos_status_t manager_region_entry(uint64_t index, struct region_list_entry *region);

/* The name of the region that the object is a part of; MNOS_ERR_NOT_FOUND: of none. */
mnos_status_t manager_region_of(uint64_t object_id, struct manager_name *name);

/* Which devices services drive: the manifest's entry at an index; MNOS_ERR_END past the last. */
mnos_status_t manager_match_entry(uint64_t index, struct manager_match *match);

/* REGION, GROW, PART or RELEASE; `answer` is the new capability, and NULL for RELEASE; `size` of REGION and GROW,
 * or NULL. Programs use lib/client/region.h. */
mnos_status_t manager_region(enum manager_request request, const struct region_request *argument,
                             mnos_cap_t *answer, struct region_answer *size);

/* The service behind this capability has not answered for long: the manager sees to it. What is in the IPC
 * buffer to be sent stays, but for the first capability. */
mnos_status_t manager_ask_alive(mnos_cap_t endpoint);

mnos_status_t process_inspect(mnos_cap_t process, struct mnos_process_info *info);

/* The processes that run, in the manager's order. */
#define PROCESSES_MAX 160
struct process_list {
    unsigned count;
    uint64_t index[PROCESSES_MAX]; /* in the manager's list */
    struct mnos_process_info info[PROCESSES_MAX];
};

/* Collects them. An error is the manager's; the list then has those before it. */
mnos_status_t manager_processes(struct process_list *list);
/* One more process, of which the capability stays the caller's. */
void process_list_add(struct process_list *list, uint64_t index, mnos_cap_t process);
/* When all are there, once: what a process has handed on to its children as their quota is not counted as used by it. */
void process_list_settle(struct process_list *list);
