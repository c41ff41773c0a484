// SPDX-License-Identifier: MIT
/*
 * denials - the command denials: what the kernel has refused a process, and who further up holds the right that was missing;
 * of a container of programs of Linux also what those say (container.h).
 * The kernel keeps the last of each process; a capability of it with Read, as the manager gives it out, shows them.
 */
#include "abi/inspect.h"
#include "lib/base/string.h"
#include "lib/mnos/status.h"
#include "lib/mnos/syscall.h"
#include "programs/monitor/command.h"
#include "programs/monitor/console.h"
#include "programs/monitor/container.h"
#include "programs/monitor/services.h"
#include "programs/monitor/tasks.h"

#define TEXT_BYTES 240
/* As deep as derivations go: abi's limit, of which a chain may be a part. */
#define CHAIN_MAX 64u

static mnos_status_t denial_at(mnos_cap_t process, uint64_t index, struct mnos_denial *denial)
{
    uint64_t size;
    mnos_status_t status = sys_cap_inspect(process, MNOS_VIEW_PROCESS_DENIAL, index, &size);

    if (status == MNOS_OK)
        memcpy(denial, ipc_buffer()->data, sizeof *denial);
    return status;
}

/* The capability with this handle in the table of the process with this id, and the process's number in the list. */
static bool find_cap(uint64_t process_id, mnos_cap_t handle, unsigned *which,
                     struct mnos_cap_info *info)
{
    bool found = false;
    mnos_cap_t process;
    uint64_t size;

    for (*which = 0;
         *which < command_processes.count && command_processes.info[*which].id != process_id;)
        ++*which;
    if (*which == command_processes.count ||
        task_open_process(command_processes.index[*which], &process) != MNOS_OK)
        return false;
    if (sys_cap_inspect(process, MNOS_VIEW_PROCESS_CAP, MNOS_HANDLE_INDEX(handle), &size) ==
        MNOS_OK) {
        memcpy(info, ipc_buffer()->data, sizeof *info);
        found = info->handle == handle;
    }
    (void)!sys_cap_delete(process);
    return found;
}

/* From what was refused up to the first from which it is derived that has the rights. */
static void print_holder(uint64_t process_id, const struct mnos_denial *denial)
{
    mnos_rights_t missing = MNOS_DETAIL_RIGHTS(denial->rax);
    struct mnos_cap_info info;
    mnos_cap_t handle = denial->handle;
    unsigned which;

    for (unsigned i = 0; i < CHAIN_MAX && find_cap(process_id, handle, &which, &info); i++) {
        if ((info.rights & missing) == missing) {
            console_print("%*s%s has it, as 0x%llx\n", 16, "", command_processes.info[which].name,
                          (unsigned long long)handle);
            return;
        }
        if (info.parent_process_id == 0)
            break;
        process_id = info.parent_process_id;
        handle = info.parent_handle;
    }
    console_print("%*snobody above it has it now\n", 16, "");
}

static void print_denial(uint64_t process_id, const struct mnos_denial *denial)
{
    char text[TEXT_BYTES];

    console_print_time(denial->time_ns);
    console_print("%s", error_describe(text, sizeof text, "refused", denial->call, denial->rax));
    if (denial->handle != 0)
        console_print(", %s 0x%llx",
                      denial->type == MNOS_TYPE_NONE ? "handle" : cap_type_text(denial->type),
                      (unsigned long long)denial->handle);
    if (denial->type != MNOS_TYPE_NONE)
        console_print(", object %llu", (unsigned long long)denial->object_id);
    console_print("\n");
    if ((uint32_t)denial->rax == MNOS_ERR_RIGHTS && denial->handle != 0)
        print_holder(process_id, denial);
}

static void print_denials(unsigned which, bool even_none)
{
    const struct mnos_process_info *info = &command_processes.info[which];
    struct mnos_denial denials[MNOS_DENIALS_KEPT];
    unsigned count = 0;
    mnos_cap_t process;

    if (task_open_process(command_processes.index[which], &process) != MNOS_OK)
        return; /* ended meanwhile */
    while (count < MNOS_DENIALS_KEPT && denial_at(process, count, &denials[count]) == MNOS_OK)
        count++;
    (void)!sys_cap_delete(process);
    if (count != 0 || even_none)
        console_print("%s: %s\n", info->name,
                      count == 0 ? "the kernel has refused nothing" : "refused last");
    while (count-- > 0)
        print_denial(info->id, &denials[count]);
}

void command_denials(const struct words *words)
{
    const char *word = words->word[1];
    struct manager_service task;
    mnos_status_t status;
    uint64_t index = 0;
    bool found = false;

    if (!manager_available("denials"))
        return;
    if (words->count > 1) {
        status = task_find(word, &index, &task);
        if (status == MNOS_ERR_END) {
            task_print_unknown("denials", word);
            return;
        }
        if (status != MNOS_OK) { /* whose they would be is not known */
            console_error(status, "denials");
            return;
        }
    }
    status = task_processes(&command_processes);
    if (status != MNOS_OK)
        console_error(status, "denials: list the processes");
    for (unsigned i = 0; i < command_processes.count; i++) {
        if (words->count == 1 || command_processes.index[i] == index) {
            print_denials(i, words->count > 1);
            found = true;
        }
    }
    if (words->count > 1 && !found && status == MNOS_OK)
        console_print("denials: %s is not running, and what it was refused went with it\n", word);
    if (words->count > 1)
        container_print_denials(index, word);
}
