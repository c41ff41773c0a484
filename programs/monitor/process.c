// SPDX-License-Identifier: MIT
/*
 * process - the commands about processes: ps and caps. What they show comes from Process
 * capabilities with Read that the manager gives out.
 */
#include "abi/memory.h"
#include "lib/libmnos/bootstrap.h"
#include "lib/libmnos/status.h"
#include "lib/libmnos/string.h"
#include "lib/libmnos/syscall.h"
#include "programs/monitor/command.h"
#include "programs/monitor/console.h"
#include "programs/monitor/manager_client.h"

#define KIB_PER_FRAME 4
#define PROCESS_NAMES 64

/* Names of processes by id, for the origin of capabilities. */
struct process_name {
    uint64_t id;
    char name[MNOS_NAME_BYTES];
};

static const char *thread_state_text(uint32_t state)
{
    static const char *const names[] = {
        "ready",  "running",   "sending", "receiving", "calling",
        "parked", "suspended", "faulted", "dead",
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
    uint64_t size;

    for (uint64_t i = 0;; i++) {
        if (sys_cap_inspect(process, MNOS_VIEW_PROCESS_THREAD, i, &size) != MNOS_OK)
            return; /* past the last, or the process has ended meanwhile */
        memcpy(&info, ipc_buffer()->data, sizeof info);
        console_print("%5llu   %-14.23s %-10s %4u %4u ", (unsigned long long)info.id, info.name,
                      thread_state_text(info.state), info.core, info.effective_priority);
        print_cpu_time(info.cpu_time_ns);
        console_print("\n");
    }
}

static void print_process(mnos_cap_t process)
{
    struct mnos_process_info info;
    mnos_status_t status = process_inspect(process, &info);

    if (status != MNOS_OK) {
        console_error(status, "ps: inspect a process");
        return;
    }
    console_print("%5llu %-16.23s %-10s %4s %4u ", (unsigned long long)info.id, info.name,
                  process_state_text(info.state), "", info.priority_ceiling);
    print_cpu_time(info.cpu_time_ns);
    console_print(" %7llu %8llu %5llu\n", (unsigned long long)info.frames_used * KIB_PER_FRAME,
                  (unsigned long long)info.bytes_used, (unsigned long long)info.cap_count);
    print_threads(process);
}

void command_ps(const struct words *)
{
    struct manager_service service;
    mnos_cap_t process;
    mnos_status_t status;

    if (!manager_available("ps"))
        return;
    console_print("%5s %-16s %-10s %4s %4s %10s %7s %8s %5s\n", "ID", "PROCESS, THREAD", "STATE",
                  "CORE", "PRIO", "CPU ms", "MEM KiB", "OBJECT B", "CAPS");
    for (uint64_t i = 0;; i++) {
        status = manager_entry(i, &service);
        if (status != MNOS_OK)
            break;
        if (manager_open_process(i, &process) != MNOS_OK)
            continue; /* not running */
        print_process(process);
        (void)!sys_cap_delete(process);
    }
    if (status != MNOS_ERR_END)
        console_error(status, "ps: list the services");
}

static unsigned collect_names(struct process_name names[PROCESS_NAMES])
{
    struct manager_service service;
    struct mnos_process_info info;
    mnos_cap_t process;
    unsigned count = 0;

    for (uint64_t i = 0; count < PROCESS_NAMES && manager_entry(i, &service) == MNOS_OK; i++) {
        if (manager_open_process(i, &process) != MNOS_OK)
            continue;
        if (process_inspect(process, &info) == MNOS_OK) {
            names[count].id = info.id;
            string_copy(names[count].name, service.name, sizeof names[count].name);
            count++;
        }
        (void)!sys_cap_delete(process);
    }
    return count;
}

static const char *bootstrap_name(mnos_cap_t handle)
{
    const struct mnos_bootstrap *table = bootstrap_table();

    for (uint32_t i = 0; table != NULL && i < table->entry_count; i++) {
        if (table->entries[i].cap == handle)
            return table->entries[i].name;
    }
    return "";
}

/* What is particular to the type. */
static void print_details(const struct mnos_cap_info *info)
{
    static const char *const flavours[] = {"RAM pages", "device pages", "ports"};
    unsigned long long first = info->first, count = info->count;

    switch (info->type) {
    case MNOS_TYPE_MEMORY:
        console_print(" %s 0x%llx+0x%llx",
                      info->flavour <= MNOS_MEMORY_PORTS ? flavours[info->flavour] : "unknown",
                      first, count);
        break;
    case MNOS_TYPE_ENDPOINT:
        if (info->badge != 0)
            console_print(" badge 0x%llx", (unsigned long long)info->badge);
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

static void print_origin(const struct mnos_cap_info *info, const struct process_name *names,
                         unsigned name_count)
{
    if (info->parent_process_id == 0) {
        console_print("%-24s", "original");
        return;
    }
    for (unsigned i = 0; i < name_count; i++) {
        if (names[i].id == info->parent_process_id) {
            console_print("%-10.10s %13llx", names[i].name,
                          (unsigned long long)info->parent_handle);
            return;
        }
    }
    console_print("process %-4llu %11llx", (unsigned long long)info->parent_process_id,
                  (unsigned long long)info->parent_handle);
}

static void print_caps(mnos_cap_t process)
{
    static struct process_name names[PROCESS_NAMES];
    unsigned name_count = collect_names(names);
    struct mnos_cap_info info;
    char rights[6];
    uint64_t size;

    console_print("%12s %-9s %-6s %6s %-24s %s\n", "HANDLE", "TYPE", "RIGHTS", "OBJECT",
                  "DERIVED FROM", "DETAILS");
    for (uint64_t index = 0;; index = MNOS_HANDLE_INDEX(info.handle) + 1) {
        if (sys_cap_inspect(process, MNOS_VIEW_PROCESS_CAP, index, &size) != MNOS_OK)
            return;
        memcpy(&info, ipc_buffer()->data, sizeof info);
        console_print("%12llx %-9s %-6s %6llu ", (unsigned long long)info.handle,
                      cap_type_text(info.type), rights_text(info.rights, rights),
                      (unsigned long long)info.object_id);
        print_origin(&info, names, name_count);
        print_details(&info);
        if (process == MNOS_SELF)
            console_print(" %s", bootstrap_name(info.handle));
        console_print("\n");
    }
}

void command_caps(const struct words *words)
{
    const char *name = words->word[1];
    struct manager_service service;
    mnos_cap_t process;
    mnos_status_t status;
    uint64_t index;

    if (words->count == 1) {
        print_caps(MNOS_SELF);
        return;
    }
    if (!manager_available("caps"))
        return;
    status = manager_find(name, &index, &service);
    if (status == MNOS_ERR_END) {
        console_print("caps: there is no process \"%s\"; services lists what can run\n", name);
        return;
    }
    if (status == MNOS_OK)
        status = manager_open_process(index, &process);
    if (status == MNOS_ERR_STATE) {
        console_print("caps: %s is not running\n", name);
    } else if (status != MNOS_OK) {
        console_error(status, "caps: open the process");
    } else {
        print_caps(process);
        (void)!sys_cap_delete(process);
    }
}
