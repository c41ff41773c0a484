// SPDX-License-Identifier: MIT
/* tasks - see tasks.h. */
#include "programs/monitor/tasks.h"

#include "lib/base/string.h"
#include "lib/client/launcher.h"
#include "lib/format/net/ipv4.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/syscall.h"
#include "programs/monitor/console.h"

/* Of indexes: the rest is one of the launcher's list. */
#define PROGRAM (1ull << 32)
/* Of processes and threads, as a person types them. */
#define ID_MAX 99999999u
/* A bound for somebody else's list. */
#define SERVICES_MAX 4096u

struct process_list command_processes;
static struct process_list all; /* for looking up, in whatever command */

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

static bool read_number(const char *word, uint32_t *number)
{
    return ipv4_read_number(&word, ID_MAX, number) && *word == 0;
}

/* That ps shows of a process. */
static mnos_status_t find_number(const char *word, uint64_t *index, struct manager_service *task)
{
    mnos_status_t status;
    uint32_t id;

    if (!read_number(word, &id))
        return MNOS_ERR_END;
    status = task_processes(&all);
    for (unsigned i = 0; i < all.count; i++) {
        if (all.info[i].id != id)
            continue;
        *index = all.index[i];
        return task_entry(*index, task);
    }
    return status == MNOS_OK ? MNOS_ERR_END : status;
}

mnos_status_t task_find(const char *name, uint64_t *index, struct manager_service *task)
{
    struct manager_service program;
    uint64_t program_index;
    mnos_status_t status = manager_find(name, index, task);

    if (status == MNOS_OK && task->state == MANAGER_RUNNING)
        return MNOS_OK;
    if (find_program(name, &program_index, &program) == MNOS_OK) {
        *index = program_index;
        *task = program;
        return MNOS_OK;
    }
    return status == MNOS_ERR_END ? find_number(name, index, task) : status;
}

bool task_is_program(uint64_t index)
{
    return (index & PROGRAM) != 0;
}

mnos_status_t task_last_fault(uint64_t index, struct launcher_fault *fault)
{
    return task_is_program(index) ? launcher_last_fault(index & ~PROGRAM, fault) : MNOS_ERR_STATE;
}

mnos_status_t task_names(uint64_t index, struct mnos_bootstrap_entry names[MNOS_BOOTSTRAP_ENTRIES],
                         unsigned *count)
{
    return task_is_program(index) ? launcher_names(index & ~PROGRAM, names, count)
                                  : manager_names(index, names, count);
}

/* The name of the thread with this id, if it is the process's. */
static bool has_thread(uint64_t index, uint32_t id, char name[MNOS_NAME_BYTES])
{
    const struct mnos_thread_info *info = (const void *)ipc_buffer()->data;
    bool found = false;
    mnos_cap_t process;
    uint64_t size;

    if (task_open_process(index, &process) != MNOS_OK)
        return false;
    for (uint64_t i = 0; !found; i++) {
        if (sys_cap_inspect(process, MNOS_VIEW_PROCESS_THREAD, i, &size) != MNOS_OK)
            break;
        found = info->id == id;
    }
    if (found)
        string_copy(name, info->name, MNOS_NAME_BYTES);
    (void)!sys_cap_delete(process);
    return found;
}

void task_print_unknown(const char *command, const char *word)
{
    char thread[MNOS_NAME_BYTES];
    uint32_t id;

    (void)task_processes(&all);
    for (unsigned i = 0; read_number(word, &id) && i < all.count; i++) {
        const struct mnos_process_info *info = &all.info[i];

        if (!has_thread(all.index[i], id, thread))
            continue;
        console_print("%s: %u is the thread \"%s\" of %s, whose process is %llu\n", command, id,
                      thread, info->name, (unsigned long long)info->id);
        return;
    }
    console_print("%s: there is no process \"%s\"; ps lists those that run\n", command, word);
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

mnos_status_t task_open_control(uint64_t index, mnos_cap_t *control)
{
    return task_is_program(index) ? launcher_open_control(index & ~PROGRAM, control)
                                  : MNOS_ERR_STATE;
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
