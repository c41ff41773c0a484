// SPDX-License-Identifier: MIT
/*
 * native - what the kernel knows of a process of the container: made, given capabilities, begun, ended, and all of it
 * taken back. See host.h.
 *
 * Every process is a child of lxhost's, so its memory, and what lxhost allocates for it, are the container's.
 */
#include "personality/linux/lxhost/host.h"

#include "abi/inspect.h"
#include "abi/process.h"
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/layout.h"
#include "lib/mnos/syscall.h"
#include "personality/linux/lx/abi.h"
#include "personality/linux/lx/layout.h"

/* What a process has to begin with: page tables, IPC buffer, a few pages; it asks for more. */
#define FRAMES 64u
#define OBJECT_BYTES 16384u
#define GROW_FRAMES_MAX (1ull << 32)
#define GROW_BYTES_MAX (1ull << 40)
#define STACK_PAGES (LX_STACK_BYTES / MNOS_PAGE_BYTES)

static mnos_status_t create(struct process *process)
{
    struct mnos_process_params params = {
        .frames_quota = FRAMES,
        .bytes_quota = OBJECT_BYTES,
        .priority_ceiling = host.priority,
        .exit_endpoint = host.endpoint,
        .exit_events = EVENT_ENDED,
    };

    mnos_snprintf(params.name, sizeof params.name, "lx %d", process->pid);
    memcpy(ipc_buffer()->data, &params, sizeof params);
    return sys_proc_create(sizeof params, &process->native.process);
}

mnos_status_t native_make(struct birth *birth, uint64_t pages)
{
    struct native *native = &birth->process->native;
    void *address;
    mnos_status_t status = create(birth->process);

    birth->table = NULL;
    if (status == MNOS_OK)
        status = sys_mem_alloc(pages, 0, &native->memory);
    if (status == MNOS_OK)
        status = memory_map(native->memory, 0, pages, MNOS_MAP_READ | MNOS_MAP_WRITE, &address);
    if (status != MNOS_OK)
        return status;
    birth->table = address;
    birth->table_pages = pages;
    birth->table->magic = MNOS_BOOTSTRAP_MAGIC;
    return MNOS_OK;
}

mnos_status_t native_give(struct birth *birth, const char *name, mnos_cap_t cap,
                          mnos_rights_t rights)
{
    struct mnos_bootstrap *table = birth->table;
    struct mnos_bootstrap_entry *entry = &table->entries[table->entry_count];
    mnos_status_t status;

    if (table->entry_count == MNOS_BOOTSTRAP_ENTRIES)
        return MNOS_ERR_END;
    status = sys_cap_transfer(birth->process->native.process, cap, rights, &entry->cap);
    if (status != MNOS_OK)
        return status;
    string_copy(entry->name, name, sizeof entry->name);
    table->entry_count++;
    return MNOS_OK;
}

static mnos_status_t give_host(struct birth *birth)
{
    mnos_cap_t minted;
    mnos_status_t status =
        sys_cap_create(MNOS_CREATE_MINT, host.endpoint, MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT,
                       process_badge(birth->process), 0, &minted);

    if (status != MNOS_OK)
        return status;
    status = native_give(birth, "host", minted, MNOS_RIGHT_WRITE);
    (void)!sys_cap_delete(minted);
    return status;
}

/* What each process has that the container was given. */
static mnos_status_t give_shared(struct birth *birth)
{
    mnos_cap_t entropy = bootstrap_lookup(BOOTSTRAP_OPTIONAL("entropy"));
    mnos_cap_t clock = bootstrap_lookup(BOOTSTRAP_OPTIONAL("clock"));
    mnos_status_t status = MNOS_OK;

    if (entropy != 0)
        status = native_give(birth, "entropy", entropy, MNOS_RIGHT_WRITE);
    if (status == MNOS_OK && clock != 0)
        status = native_give(birth, "clock", clock, MNOS_RIGHT_READ);
    return status;
}

mnos_status_t native_give_all(struct birth *birth)
{
    struct native *native = &birth->process->native;
    mnos_status_t status = memory_allocate(LXHOST_WINDOW_PAGES, &native->window);

    process_note(birth->process);
    if (status == MNOS_OK)
        status = give_host(birth);
    if (status == MNOS_OK)
        status = native_give(birth, "hostwindow", native->window.memory,
                             MNOS_RIGHT_READ | MNOS_RIGHT_WRITE);
    return status == MNOS_OK ? give_shared(birth) : status;
}

mnos_status_t native_map(const struct birth *birth, uint64_t address, uint64_t first,
                         uint64_t count, uint64_t flags)
{
    const struct native *native = &birth->process->native;

    return count == 0 ? MNOS_OK
                      : sys_mem_map(native->process, native->memory, address, first, count, flags);
}

static void forget_pages(struct birth *birth)
{
    if (birth->table != NULL)
        memory_unmap(birth->table, birth->table_pages);
    birth->table = NULL;
}

mnos_status_t native_start(struct birth *birth, uint64_t rip, uint64_t rsp)
{
    struct mnos_thread_params params = {
        .ipc_buffer = LAYOUT_IPC_BUFFER,
        .priority = host.priority,
        .affinity = MNOS_AFFINITY_ANY,
    };
    mnos_status_t status;

    forget_pages(birth);
    string_copy(params.name, "main", sizeof params.name);
    params.registers.rip = rip;
    params.registers.rdi = LAYOUT_BOOTSTRAP;
    params.registers.rsi = LAYOUT_IPC_BUFFER;
    params.registers.rsp = rsp;
    params.registers.fs_base = LAYOUT_IPC_BUFFER;
    memcpy(ipc_buffer()->data, &params, sizeof params);
    birth->process->state = PROCESS_RUN;
    status = sys_thread_create(birth->process->native.process, sizeof params,
                               &birth->process->native.thread);
    if (status != MNOS_OK)
        birth->process->state = PROCESS_NEW;
    return status;
}

static void drop_cap(mnos_cap_t *cap)
{
    if (*cap != 0)
        (void)!sys_cap_delete(*cap);
    *cap = 0;
}

void native_drop(struct process *process)
{
    struct native *native = &process->native;

    if (native->process != 0)
        (void)!sys_proc_destroy(native->process, 0); /* fails when it is dead, which is as good */
    sessions_drop(process);
    if (native->window.page_count != 0)
        memory_free(&native->window);
    native->window = (struct memory_block){0};
    drop_cap(&native->thread);
    drop_cap(&native->process);
    drop_cap(&native->memory);
    drop_cap(&native->image);
    drop_cap(&process->listener);
    drop_cap(&process->fork_memory);
}

/* ---- The first process ---- */

/* Its pages: the table, the words, data of lx, stack. */
static mnos_status_t fill_first(struct birth *birth, const struct words *words, uint64_t word_pages)
{
    uint64_t data = 1 + word_pages, stack = data + image_data_pages();
    mnos_cap_t process = birth->process->native.process;
    mnos_status_t status = native_map(birth, LAYOUT_BOOTSTRAP, 0, 1, MNOS_MAP_READ);

    string_copy(birth->table->program, bootstrap_program(), sizeof birth->table->program);
    birth->table->arguments_address = LAYOUT_ARGUMENTS;
    birth->table->argument_count = words->count;
    birth->table->arguments_bytes = (uint32_t)words->bytes;
    memcpy((uint8_t *)birth->table + MNOS_PAGE_BYTES, words->text, words->bytes);
    if (status == MNOS_OK)
        status = native_map(birth, LAYOUT_ARGUMENTS, 1, word_pages, MNOS_MAP_READ);
    if (status == MNOS_OK)
        status = image_map_shared(process);
    if (status == MNOS_OK)
        status = image_map_data(process, birth->process->native.memory, birth->table, data);
    if (status == MNOS_OK)
        status = native_map(birth, LAYOUT_STACK_TOP - LX_STACK_BYTES, stack, STACK_PAGES,
                            MNOS_MAP_READ | MNOS_MAP_WRITE);
    return status;
}

mnos_status_t native_first(const struct words *words)
{
    uint64_t word_pages = (words->bytes + MNOS_PAGE_BYTES - 1) / MNOS_PAGE_BYTES;
    struct birth birth = {.process = process_new()};
    mnos_status_t status = native_make(&birth, 1 + word_pages + image_data_pages() + STACK_PAGES);

    birth.process->group = birth.process->session = birth.process->pid;
    if (status == MNOS_OK)
        status = native_give_all(&birth);
    if (status == MNOS_OK)
        status = sessions_give(&birth);
    if (status == MNOS_OK)
        status = network_give(&birth); /* a session of the network is one process' */
    if (status == MNOS_OK)
        status = fill_first(&birth, words, word_pages);
    if (status == MNOS_OK)
        status = native_start(&birth, image_entry(), LAYOUT_STACK_TOP - LAYOUT_STACK_RESERVED);
    forget_pages(&birth);
    return status;
}

/* ---- Ends ---- */

static uint32_t status_of(const struct mnos_process_info *info)
{
    if (info->exit_reason == MNOS_EXIT_DESTROYED)
        return LINUX_SIGKILL;
    return info->exit_reason == MNOS_EXIT_SELF ? (uint32_t)info->exit_code : LINUX_SIGSEGV;
}

void native_collect(void)
{
    EACH_PROCESS(process)
    {
        struct mnos_process_info info;
        uint64_t size;

        if (!process_lives(process) ||
            sys_cap_inspect(process->native.process, MNOS_VIEW_PROCESS, 0, &size) != MNOS_OK)
            continue;
        memcpy(&info, ipc_buffer()->data, sizeof info);
        if (info.state != MNOS_PROCESS_DEAD)
            continue;
        process->cpu_time_ns = info.cpu_time_ns;
        process_ended(process, status_of(&info));
    }
}

mnos_status_t native_grow(struct process *process, const struct lxhost_grow *wanted)
{
    if (wanted->frames > GROW_FRAMES_MAX || wanted->bytes > GROW_BYTES_MAX)
        return MNOS_ERR_QUOTA;
    return sys_proc_quota(process->native.process, (int64_t)wanted->frames, (int64_t)wanted->bytes);
}
