// SPDX-License-Identifier: MIT
/* process - see process.h. */
#include "services/launcher/process.h"

#include "abi/inspect.h"
#include "abi/process.h"
#include "lib/base/string.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/layout.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/syscall.h"

#define TABLE_PAGES 1u
/* What a process needs to load anything: page tables, its IPC buffer, the pages of a small program. */
#define OWN_FRAMES_MIN 24u

static uint64_t pages_of(uint64_t bytes)
{
    return (bytes + MNOS_PAGE_BYTES - 1) / MNOS_PAGE_BYTES;
}

static mnos_status_t create(struct process *process, const struct process_plan *plan,
                            uint64_t frames, uint64_t *number)
{
    struct mnos_process_params params = {
        .frames_quota = frames,
        .bytes_quota = plan->start->bytes,
        .priority_ceiling = plan->start->priority,
        .exit_endpoint = plan->exit_endpoint,
        .exit_events = plan->exit_events,
    };
    const struct mnos_process_info *info = (const void *)ipc_buffer()->data;
    uint64_t size;
    mnos_status_t status = sys_cap_create(MNOS_CREATE_MINT, plan->exit_endpoint, MNOS_RIGHT_WRITE,
                                          plan->fault_badge, 0, &params.fault_endpoint);

    if (status != MNOS_OK)
        return status;
    string_copy(params.name, plan->name, sizeof params.name);
    memcpy(ipc_buffer()->data, &params, sizeof params);
    status = sys_proc_create(sizeof params, &process->process);
    /* The kernel has its own, as long as the process. */
    (void)!sys_cap_delete(params.fault_endpoint);
    if (status == MNOS_OK)
        status = sys_cap_inspect(process->process, MNOS_VIEW_PROCESS, 0, &size);
    if (status == MNOS_OK)
        *number = info->id;
    return status;
}

static mnos_status_t allocate(struct process *process, const struct process_plan *plan)
{
    void *address;
    mnos_status_t status =
        sys_mem_alloc(process->filled_pages + process->stack_pages, 0, &process->memory);

    if (status == MNOS_OK)
        status = memory_map(process->memory, 0, process->filled_pages,
                            MNOS_MAP_READ | MNOS_MAP_WRITE, &address);
    if (status != MNOS_OK)
        return status;
    process->filling = address;
    process->filling->magic = MNOS_BOOTSTRAP_MAGIC;
    string_copy(process->filling->program, plan->name, sizeof process->filling->program);
    if (plan->argument_bytes != 0) {
        process->filling->arguments_address = LAYOUT_ARGUMENTS;
        process->filling->argument_count = plan->start->argument_count;
        process->filling->arguments_bytes = plan->argument_bytes;
        memcpy((uint8_t *)address + TABLE_PAGES * MNOS_PAGE_BYTES, plan->arguments,
               plan->argument_bytes);
    }
    return MNOS_OK;
}

/* An endpoint to wait at. It is the launcher's, as those of services are init's, and so it can tell. */
static mnos_status_t give_endpoint(struct process *process, const char *name, mnos_cap_t *endpoint)
{
    mnos_status_t status = sys_cap_create(MNOS_CREATE_ENDPOINT, 0, MNOS_RIGHTS_ALL, 0, 0, endpoint);

    return status != MNOS_OK ? status
                             : process_give(process, name, *endpoint,
                                            MNOS_RIGHT_READ | MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT);
}

static mnos_status_t give_endpoints(struct process *process, uint32_t flags)
{
    mnos_status_t status = MNOS_OK;

    if ((flags & LAUNCHER_EVENTS) != 0)
        status = give_endpoint(process, "events", &process->endpoint);
    if (status == MNOS_OK && (flags & LAUNCHER_CONTROLLED) != 0)
        status = give_endpoint(process, "control", &process->control);
    if (status == MNOS_OK && process->control != 0)
        status =
            sys_cap_create(MNOS_CREATE_MINT, process->control, MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT,
                           LAUNCHER_BADGE_CONTROL, 0, &process->controller);
    return status;
}

mnos_status_t process_make(struct process *process, const struct process_plan *plan,
                           uint64_t *number)
{
    uint64_t own;
    mnos_status_t status;

    *process = (struct process){
        .filled_pages = TABLE_PAGES + pages_of(plan->argument_bytes) + plan->loader->data_pages,
        .stack_pages = plan->start->stack_pages,
        .priority = plan->start->priority,
    };
    own = process->filled_pages + process->stack_pages;
    if (plan->start->frames < own + OWN_FRAMES_MIN)
        return MNOS_ERR_QUOTA;
    status = create(process, plan, plan->start->frames - own, number);
    if (status == MNOS_OK)
        status = allocate(process, plan);
    if (status == MNOS_OK)
        status = sys_cap_transfer(process->process, plan->image, plan->image_rights,
                                  &process->filling->image);
    if (status == MNOS_OK)
        status = give_endpoints(process, plan->start->flags);
    if (status != MNOS_OK)
        process_release(process);
    return status;
}

mnos_status_t process_give(struct process *process, const char *name, mnos_cap_t cap,
                           mnos_rights_t rights)
{
    struct mnos_bootstrap *table = process->filling;
    struct mnos_bootstrap_entry *entry = &table->entries[table->entry_count];
    mnos_status_t status;

    for (uint32_t i = 0; i < table->entry_count; i++) {
        if (strncmp(table->entries[i].name, name, MNOS_NAME_BYTES) == 0)
            return MNOS_ERR_EXISTS;
    }
    if (table->entry_count == MNOS_BOOTSTRAP_ENTRIES)
        return MNOS_ERR_END;
    status = sys_cap_transfer(process->process, cap, rights, &entry->cap);
    if (status != MNOS_OK)
        return status;
    string_copy(entry->name, name, sizeof entry->name);
    table->entry_count++;
    return MNOS_OK;
}

/* ---- Beginning ---- */

/* Pages of the launcher's memory, from `first` on. */
static mnos_status_t map(const struct process *process, uint64_t address, uint64_t first,
                         uint64_t count, uint64_t flags)
{
    return count == 0
               ? MNOS_OK
               : sys_mem_map(process->process, process->memory, address, first, count, flags);
}

static mnos_status_t make_thread(struct process *process, const struct loader *loader)
{
    struct mnos_thread_params params = {
        .ipc_buffer = LAYOUT_IPC_BUFFER,
        .priority = process->priority,
        .affinity = MNOS_AFFINITY_ANY,
    };

    string_copy(params.name, "main", sizeof params.name);
    params.registers.rip = loader->image.entry;
    params.registers.rdi = LAYOUT_BOOTSTRAP;
    params.registers.rsi = LAYOUT_IPC_BUFFER;
    params.registers.rsp = LAYOUT_STACK_TOP - LAYOUT_STACK_RESERVED;
    params.registers.fs_base = LAYOUT_IPC_BUFFER;
    memcpy(ipc_buffer()->data, &params, sizeof params);
    return sys_thread_create(process->process, sizeof params, &process->thread);
}

mnos_status_t process_run(struct process *process, const struct loader *loader)
{
    uint64_t arguments = pages_of(process->filling->arguments_bytes);
    uint64_t data = TABLE_PAGES + arguments;
    mnos_status_t status = map(process, LAYOUT_BOOTSTRAP, 0, TABLE_PAGES, MNOS_MAP_READ);

    if (status == MNOS_OK)
        status = map(process, LAYOUT_ARGUMENTS, TABLE_PAGES, arguments, MNOS_MAP_READ);
    if (status == MNOS_OK)
        status = loader_map(loader, process, data);
    if (status == MNOS_OK)
        status = map(process, LAYOUT_STACK_TOP - process->stack_pages * MNOS_PAGE_BYTES,
                     process->filled_pages, process->stack_pages, MNOS_MAP_READ | MNOS_MAP_WRITE);
    if (status != MNOS_OK)
        return status;
    memory_unmap(process->filling, process->filled_pages);
    process->filling = NULL;
    return make_thread(process, loader);
}

static void drop(mnos_cap_t *cap)
{
    if (*cap != 0)
        (void)!sys_cap_delete(*cap);
    *cap = 0;
}

/* Also from whoever the program handed it to: the endpoint is the launcher's to pay for. */
static void drop_endpoint(mnos_cap_t *endpoint)
{
    if (*endpoint != 0)
        (void)!sys_cap_revoke(*endpoint);
    drop(endpoint);
}

void process_finish(struct process *process)
{
    if (process->filling != NULL)
        memory_unmap(process->filling, process->filled_pages);
    process->filling = NULL;
    drop(&process->thread);
    drop(&process->memory);
    drop_endpoint(&process->endpoint);
    drop(&process->controller);
    drop_endpoint(&process->control);
}

void process_release(struct process *process)
{
    if (process->process != 0) {
        /* Fails when it is dead already, which is as good. What others have to it goes, too: the process is the
         * launcher's to pay for. */
        (void)!sys_proc_destroy(process->process, 0);
        (void)!sys_cap_revoke(process->process);
    }
    process_finish(process);
    drop(&process->process);
}
