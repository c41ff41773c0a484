// SPDX-License-Identifier: MIT
/* names - see names.h. */
#include "programs/monitor/names.h"

#include "lib/base/string.h"
#include "lib/mnos/syscall.h"

static struct wait_names names;

/* A process, its threads, and the endpoints that it can receive on. */
static void add_names(mnos_cap_t process, const struct mnos_process_info *owner)
{
    struct mnos_thread_info thread;
    struct mnos_cap_info cap;
    uint64_t size;

    waits_add(&names, owner->id, owner->name, "");
    for (uint64_t i = 0; sys_cap_inspect(process, MNOS_VIEW_PROCESS_THREAD, i, &size) == MNOS_OK;
         i++) {
        memcpy(&thread, ipc_buffer()->data, sizeof thread);
        waits_add(&names, thread.id, owner->name, thread.name);
    }
    for (uint64_t at = 0; sys_cap_inspect(process, MNOS_VIEW_PROCESS_CAP, at, &size) == MNOS_OK;
         at = MNOS_HANDLE_INDEX(cap.handle) + 1) {
        memcpy(&cap, ipc_buffer()->data, sizeof cap);
        if (cap.type == MNOS_TYPE_ENDPOINT && (cap.rights & MNOS_RIGHT_READ) != 0)
            waits_add(&names, cap.object_id, owner->name, "");
    }
}

/* In the manager's order: init, which keeps every service's endpoint, first, and so the services count. */
const struct wait_names *names_collect(const struct process_list *processes)
{
    mnos_cap_t process;

    names.count = 0;
    for (unsigned i = 0; i < processes->count; i++) {
        if (task_open_process(processes->index[i], &process) != MNOS_OK)
            continue; /* ended meanwhile */
        add_names(process, &processes->info[i]);
        (void)!sys_cap_delete(process);
    }
    return &names;
}
