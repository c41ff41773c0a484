// SPDX-License-Identifier: MIT
/*
 * process - the commands about processes: ps and caps. What they show comes from Process
 * capabilities with Read that the manager gives out.
 */
#include "abi/memory.h"
#include "lib/mnos/bootstrap.h"
#include "lib/base/printf.h"
#include "lib/mnos/status.h"
#include "lib/base/string.h"
#include "lib/mnos/syscall.h"
#include "programs/monitor/command.h"
#include "programs/monitor/console.h"
#include "programs/monitor/tasks.h"
#include "programs/monitor/names.h"
#include "programs/monitor/services.h"

#define KIB_PER_FRAME 4

static const struct wait_names *wait_names;

static const char *thread_state_text(uint32_t state)
{
    static const char *const names[] = {
        "ready",  "running",   "sending", "receiving", "calling",
        "parked", "suspended", "faulted", "dead",      "ending",
    };

    return state < sizeof names / sizeof names[0] ? names[state] : "unknown";
}

static const char *process_state_text(uint32_t state)
{
    static const char *const names[] = {"alive", "suspended", "dying", "dead"};

    return state < sizeof names / sizeof names[0] ? names[state] : "unknown";
}

static void print_cpu_time(uint64_t ns)
{
    console_print("%6llu.%03u", (unsigned long long)ns / 1000000, (unsigned)(ns / 1000 % 1000));
}

static void print_threads(mnos_cap_t process)
{
    struct mnos_thread_info info;
    char waits[96];
    uint64_t size;

    for (uint64_t i = 0;; i++) {
        if (sys_cap_inspect(process, MNOS_VIEW_PROCESS_THREAD, i, &size) != MNOS_OK)
            return; /* past the last, or the process has ended meanwhile */
        memcpy(&info, ipc_buffer()->data, sizeof info);
        waits_text(wait_names, &info, waits, sizeof waits);
        console_print("%5llu   %-14.23s %-10s %4u %6u ", (unsigned long long)info.id, info.name,
                      thread_state_text(info.state), info.core, info.effective_priority);
        print_cpu_time(info.cpu_time_ns);
        console_print("%s%s\n", waits[0] != 0 ? "  " : "", waits);
    }
}

static void print_process(const struct mnos_process_info *info)
{
    console_print("%5llu %-16.23s %-10s %4s max %2u ", (unsigned long long)info->id, info->name,
                  process_state_text(info->state), "", info->priority_ceiling);
    print_cpu_time(info->cpu_time_ns);
    console_print(" %8llu %8llu %5llu\n", (unsigned long long)info->frames_used * KIB_PER_FRAME,
                  (unsigned long long)info->bytes_used, (unsigned long long)info->cap_count);
}

void command_ps(const struct words *)
{
    mnos_cap_t process;
    mnos_status_t status;

    if (!manager_available("ps"))
        return;
    status = task_processes(&command_processes);
    wait_names = names_collect(&command_processes);
    console_print("%5s %-16s %-10s %4s %6s %10s %8s %8s %5s\n", "ID", "PROCESS, THREAD", "STATE",
                  "CORE", "PRIO", "CPU ms", "USED KiB", "OBJECT B", "CAPS");
    for (unsigned i = 0; i < command_processes.count; i++) {
        print_process(&command_processes.info[i]);
        if (task_open_process(command_processes.index[i], &process) != MNOS_OK)
            continue; /* ended meanwhile */
        print_threads(process);
        (void)!sys_cap_delete(process);
    }
    if (status != MNOS_OK)
        console_error(status, "ps: list the processes");
}

static const char *bootstrap_name(const struct mnos_bootstrap_entry *names, unsigned count,
                                  mnos_cap_t handle)
{
    for (unsigned i = 0; i < count; i++) {
        if (names[i].cap == handle)
            return names[i].name;
    }
    return "";
}

static void print_memory(const struct mnos_cap_info *info)
{
    unsigned long long first = info->first, count = info->count;
    struct manager_name region;

    switch (info->flavour) {
    case MNOS_MEMORY_RAM:
        console_print(" %llu KiB of RAM", count * KIB_PER_FRAME);
        if (manager_region_of(info->object_id, &region) == MNOS_OK)
            console_print(", region %.23s", region.name);
        break;
    case MNOS_MEMORY_DEVICE:
        console_print(" %llu KiB of device memory from 0x%llx", count * KIB_PER_FRAME,
                      first * MNOS_PAGE_BYTES);
        break;
    default: console_print(" ports 0x%llx to 0x%llx", first, first + count - 1); break;
    }
}

/* What is particular to the type. */
static void print_details(const struct mnos_cap_info *info)
{
    unsigned long long first = info->first, count = info->count;

    switch (info->type) {
    case MNOS_TYPE_MEMORY: print_memory(info); break;
    case MNOS_TYPE_ENDPOINT:
        if (info->badge != 0)
            console_print(" badge 0x%llx", (unsigned long long)info->badge);
        else
            console_print(" no badge");
        break;
    case MNOS_TYPE_INTERRUPT:
        if (count == 1)
            console_print(" line %llu", first);
        else
            console_print(" lines %llu to %llu", first, first + count - 1);
        break;
    default: console_print(" id %llu", (unsigned long long)info->id); break;
    }
}

static void print_origin(const struct mnos_cap_info *info)
{
    char handle[32];
    unsigned i = 0;

    if (info->parent_process_id == 0) {
        console_print("%-20s", "original");
        return;
    }
    while (i < command_processes.count && command_processes.info[i].id != info->parent_process_id)
        i++;
    mnos_snprintf(handle, sizeof handle, "%llx", (unsigned long long)info->parent_handle);
    if (i < command_processes.count)
        console_print("%-10.10s %-9s", command_processes.info[i].name, handle);
    else
        console_print("id %-7llu %-9s", (unsigned long long)info->parent_process_id, handle);
}

/* A capability that came later than the process's start has no name. */
static void print_caps(mnos_cap_t process, const struct mnos_bootstrap_entry *names, unsigned count)
{
    struct mnos_cap_info info;
    char rights[6];
    uint64_t size;

    /* Without a manager the processes have numbers instead of names. */
    if (bootstrap_find("manager") == 0 || task_processes(&command_processes) != MNOS_OK)
        command_processes.count = 0;
    console_print("%-9s %-9s %-6s %6s %-20s %s\n", "HANDLE", "TYPE", "RIGHTS", "OBJECT",
                  "DERIVED FROM", "NAME, DETAILS");
    for (uint64_t index = 0;; index = MNOS_HANDLE_INDEX(info.handle) + 1) {
        if (sys_cap_inspect(process, MNOS_VIEW_PROCESS_CAP, index, &size) != MNOS_OK)
            break;
        memcpy(&info, ipc_buffer()->data, sizeof info);
        console_print("%-9llx %-9s %-6s %6llu ", (unsigned long long)info.handle,
                      cap_type_text(info.type), rights_text(info.rights, rights),
                      (unsigned long long)info.object_id);
        print_origin(&info);
        console_print(" %-10.23s", bootstrap_name(names, count, info.handle));
        print_details(&info);
        console_print("\n");
    }
    console_print(
        "Rights: r read, w write, x execute, g grant, v revoke; handles are hexadecimal.\n");
}

static void print_own_caps(void)
{
    const struct mnos_bootstrap *table = bootstrap_table();

    if (table != NULL)
        print_caps(MNOS_SELF, table->entries, table->entry_count);
}

void command_caps(const struct words *words)
{
    static struct mnos_bootstrap_entry names[MNOS_BOOTSTRAP_ENTRIES];
    const char *name = words->word[1];
    struct manager_service service;
    unsigned name_count = 0;
    mnos_cap_t process;
    mnos_status_t status;
    uint64_t index;

    if (words->count == 1) {
        print_own_caps();
        return;
    }
    if (!manager_available("caps"))
        return;
    status = task_find(name, &index, &service);
    if (status == MNOS_ERR_END) {
        task_print_unknown("caps", name);
        return;
    }
    if (status == MNOS_OK)
        status = task_open_process(index, &process);
    if (status == MNOS_ERR_STATE) {
        console_print("caps: %s is not running\n", name);
    } else if (status != MNOS_OK) {
        console_error(status, "caps: open the process");
    } else {
        /* It may end meanwhile, and then has no names. */
        (void)!task_names(index, names, &name_count);
        print_caps(process, names, name_count);
        (void)!sys_cap_delete(process);
    }
}
