// SPDX-License-Identifier: MIT
/* tasks - see tasks.h. */
#include "programs/monitor/tasks.h"

#include "lib/base/string.h"
#include "lib/client/launcher.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/syscall.h"

/* Of indexes: the rest is one of the launcher's list. */
#define PROGRAM (1ull << 32)
/* A bound for somebody else's list. */
#define SERVICES_MAX 4096u

static uint64_t service_count(void)
{
    static uint64_t count; /* the manifest's; it does not change */
    struct manager_service service;

    while (count < SERVICES_MAX && manager_entry(count, &service) == MNOS_OK)
        count++;
    return count;
}

mnos_status_t task_entry(uint64_t index, struct manager_service *task)
{
    uint64_t services = service_count();
    mnos_status_t status;

    if ((index & PROGRAM) == 0 && index < services)
        return manager_entry(index, task);
    status = launcher_entry((index & PROGRAM) != 0 ? index & ~PROGRAM : index - services, task);
    return status == MNOS_ERR_NOT_FOUND ? MNOS_ERR_END : status; /* there is no launcher */
}

/* NAME of NAME#NUMBER, when it runs. */
static bool is_short_name(const struct manager_service *program, const char *name)
{
    size_t bytes = strlen(name);

    return program->state == MANAGER_RUNNING && bytes < sizeof program->name &&
           strncmp(program->name, name, bytes) == 0 && program->name[bytes] == '#';
}

static mnos_status_t find_program(const char *name, uint64_t *index, struct manager_service *task)
{
    struct manager_service entry;
    unsigned found = 0;

    for (uint64_t i = 0; launcher_entry(i, &entry) == MNOS_OK; i++) {
        bool exact = strncmp(entry.name, name, sizeof entry.name) == 0;

        if (!exact && !is_short_name(&entry, name))
            continue;
        *index = i | PROGRAM;
        *task = entry;
        if (exact)
            return MNOS_OK;
        found++;
    }
    return found == 1 ? MNOS_OK : MNOS_ERR_END;
}

mnos_status_t task_find(const char *name, uint64_t *index, struct manager_service *task)
{
    struct manager_service program;
    uint64_t program_index;
    mnos_status_t status = manager_find(name, index, task);

    if (status == MNOS_OK && task->state == MANAGER_RUNNING)
        return MNOS_OK;
    if (find_program(name, &program_index, &program) != MNOS_OK)
        return status;
    *index = program_index;
    *task = program;
    return MNOS_OK;
}

bool task_is_program(const char *name)
{
    struct manager_service task;
    uint64_t index;

    return task_find(name, &index, &task) == MNOS_OK && (index & PROGRAM) != 0;
}

/* The list of programs may have changed since the index was found: its name says whose process it is. */
static bool is_process_of(mnos_cap_t process, const struct manager_service *program)
{
    const char *number = strchr(program->name, '#');
    struct mnos_process_info info;
    uint64_t id = 0;

    if (number == NULL || process_inspect(process, &info) != MNOS_OK)
        return false;
    while (*++number != 0)
        id = id * 10 + (uint64_t)(*number - '0');
    return id == info.id;
}

mnos_status_t task_open_process(uint64_t index, mnos_cap_t *process)
{
    struct manager_service program;
    mnos_status_t status;

    if ((index & PROGRAM) == 0)
        return manager_open_process(index, process);
    status = launcher_entry(index & ~PROGRAM, &program);
    if (status == MNOS_OK)
        status = launcher_open_process(index & ~PROGRAM, process);
    if (status == MNOS_OK && !is_process_of(*process, &program)) {
        (void)!sys_cap_delete(*process);
        return MNOS_ERR_STATE;
    }
    return status == MNOS_ERR_END ? MNOS_ERR_STATE : status;
}

mnos_status_t task_processes(struct process_list *list)
{
    mnos_status_t status = manager_processes(list);
    struct manager_service program;
    mnos_cap_t process;

    for (uint64_t i = 0; launcher_entry(i, &program) == MNOS_OK; i++) {
        if (task_open_process(i | PROGRAM, &process) != MNOS_OK)
            continue;
        process_list_add(list, i | PROGRAM, process);
        (void)!sys_cap_delete(process);
    }
    process_list_settle(list);
    return status;
}
