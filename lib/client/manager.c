// SPDX-License-Identifier: MIT
/* manager - see manager.h. */
#include "lib/client/manager.h"

#include "lib/mnos/bootstrap.h"
#include "lib/mnos/ipc.h"
#include "lib/base/string.h"
#include "lib/mnos/syscall.h"

static mnos_cap_t manager(void)
{
    mnos_cap_t cap = bootstrap_find("manager");

    return cap != 0 ? cap : bootstrap_find("observer");
}

static mnos_status_t ask(struct message *msg)
{
    return manager() == 0 ? MNOS_ERR_NOT_FOUND : ipc_request(manager(), msg);
}

/* A request about the entry at an index; `msg` becomes the answer. */
static mnos_status_t ask_index(enum manager_request label, uint64_t index, struct message *msg)
{
    struct manager_index request = {index};

    message_put(msg, label, &request, sizeof request);
    return ask(msg);
}

/* The answer is a record. */
static mnos_status_t ask_entry(enum manager_request label, uint64_t index, void *entry, size_t size)
{
    struct message msg = {0};
    mnos_status_t status = ask_index(label, index, &msg);

    if (status == MNOS_OK)
        message_get(&msg, entry, size);
    return status;
}

mnos_status_t manager_entry(uint64_t index, struct manager_service *service)
{
    return ask_entry(MANAGER_LIST, index, service, sizeof *service);
}

mnos_status_t manager_last_fault(uint64_t index, struct manager_fault *fault)
{
    return ask_entry(MANAGER_LAST_FAULT, index, fault, sizeof *fault);
}

mnos_status_t manager_region_entry(uint64_t index, struct region_list_entry *region)
{
    return ask_entry(MANAGER_LIST_REGION, index, region, sizeof *region);
}

mnos_status_t manager_region_of(uint64_t object_id, struct manager_name *name)
{
    return ask_entry(MANAGER_REGION_OF, object_id, name, sizeof *name);
}

mnos_status_t manager_match_entry(uint64_t index, struct manager_match *match)
{
    return ask_entry(MANAGER_MATCH, index, match, sizeof *match);
}

mnos_status_t manager_find(const char *name, uint64_t *index, struct manager_service *service)
{
    for (uint64_t i = 0;; i++) {
        mnos_status_t status = manager_entry(i, service);

        if (status != MNOS_OK)
            return status;
        if (strncmp(service->name, name, sizeof service->name) == 0) {
            *index = i;
            return MNOS_OK;
        }
    }
}

mnos_status_t manager_open_process(uint64_t index, mnos_cap_t *process)
{
    struct message msg = {.accept = 1};
    mnos_status_t status = ask_index(MANAGER_PROCESS, index, &msg);

    if (status == MNOS_OK)
        *process = message_cap(&msg, 0);
    return status;
}

unsigned manager_take_names(const struct message *answer,
                            struct mnos_bootstrap_entry names[MNOS_BOOTSTRAP_ENTRIES])
{
    size_t bytes = message_get(answer, names, MNOS_BOOTSTRAP_ENTRIES * sizeof names[0]);

    return bytes / sizeof names[0] < MNOS_BOOTSTRAP_ENTRIES ? (unsigned)(bytes / sizeof names[0])
                                                            : MNOS_BOOTSTRAP_ENTRIES;
}

mnos_status_t manager_names(uint64_t index,
                            struct mnos_bootstrap_entry names[MNOS_BOOTSTRAP_ENTRIES],
                            unsigned *count)
{
    struct message msg = {0};
    mnos_status_t status = ask_index(MANAGER_NAMES, index, &msg);

    if (status == MNOS_OK)
        *count = manager_take_names(&msg, names);
    return status;
}

mnos_status_t manager_command(enum manager_request request, const char *name)
{
    struct manager_name argument = {0};
    struct message msg = {0};

    string_copy(argument.name, name, sizeof argument.name);
    message_put(&msg, request, &argument, sizeof argument);
    return ask(&msg);
}

mnos_status_t manager_region(enum manager_request request, const struct region_request *argument,
                             mnos_cap_t *answer, struct region_answer *size)
{
    struct message msg = {.accept = answer != NULL};
    mnos_status_t status;

    message_put(&msg, request, argument, sizeof *argument);
    status = ask(&msg);
    if (status == MNOS_OK && answer != NULL)
        *answer = message_cap(&msg, 0);
    if (status == MNOS_OK && size != NULL)
        message_get(&msg, size, sizeof *size);
    return status;
}

/* By the name that the manifest gives the capability; one that was got later is sent itself. */
mnos_status_t manager_ask_alive(mnos_cap_t endpoint)
{
    const struct mnos_bootstrap *table = bootstrap_table();
    struct manager_name argument = {0};
    struct message msg = {0};

    for (uint32_t i = 0; table != NULL && i < table->entry_count; i++) {
        if (table->entries[i].cap == endpoint)
            memcpy(argument.name, table->entries[i].name, sizeof argument.name);
    }
    message_put(&msg, MANAGER_ASK_ALIVE, &argument, sizeof argument);
    if (argument.name[0] == 0)
        message_add_cap(&msg, endpoint, MNOS_RIGHT_WRITE);
    return ask(&msg);
}

mnos_status_t process_inspect(mnos_cap_t process, struct mnos_process_info *info)
{
    uint64_t size;
    mnos_status_t status = sys_cap_inspect(process, MNOS_VIEW_PROCESS, 0, &size);

    if (status == MNOS_OK)
        memcpy(info, ipc_buffer()->data, sizeof *info);
    return status;
}

void process_list_add(struct process_list *list, uint64_t index, mnos_cap_t process)
{
    if (list->count < PROCESSES_MAX &&
        process_inspect(process, &list->info[list->count]) == MNOS_OK)
        list->index[list->count++] = index;
}

void process_list_settle(struct process_list *list)
{
    for (unsigned parent = 0; parent < list->count; parent++) {
        struct mnos_process_info *info = &list->info[parent];

        for (unsigned child = 0; child < list->count; child++) {
            if (list->info[child].parent_id != info->id)
                continue;
            info->frames_used -= list->info[child].frames_quota;
            info->bytes_used -= list->info[child].bytes_quota;
        }
    }
}

mnos_status_t manager_processes(struct process_list *list)
{
    struct manager_service service;
    mnos_status_t status = MNOS_OK;
    mnos_cap_t process;

    list->count = 0;
    for (uint64_t i = 0; list->count < PROCESSES_MAX; i++) {
        status = manager_entry(i, &service);
        if (status != MNOS_OK)
            break;
        if (manager_open_process(i, &process) != MNOS_OK)
            continue; /* not running */
        process_list_add(list, i, process);
        (void)!sys_cap_delete(process);
    }
    return status == MNOS_ERR_END ? MNOS_OK : status;
}

const char *manager_state_text(uint32_t state)
{
    switch (state) {
    case MANAGER_STOPPED: return "stopped";
    case MANAGER_RUNNING: return "running";
    case MANAGER_WAITING: return "waiting";
    case MANAGER_FAILED: return "failed";
    default: return "unknown";
    }
}
