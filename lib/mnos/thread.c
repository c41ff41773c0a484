// SPDX-License-Identifier: MIT
/*
 * thread - see thread.h. One range of addresses holds all of a thread:
 *
 *   guard page | stack | guard page | IPC buffer
 *
 * The kernel allocates and maps the IPC buffer, and takes it back when the thread is destroyed.
 */
#include "lib/mnos/thread.h"

#include "abi/process.h"
#include "lib/mnos/ipc.h"
#include "lib/base/string.h"
#include "lib/mnos/syscall.h"

#define EVENT_ENDED 1ull
#define OTHER_PAGES 3 /* two guards and the IPC buffer */

void thread_entry(void); /* crt0.S */
_Noreturn void thread_start(struct thread *thread, struct mnos_ipc_buffer *buffer);

_Noreturn void thread_start(struct thread *thread, struct mnos_ipc_buffer *buffer)
{
    mnos_cap_t ended = thread->ended;

    thread_block_init(buffer, thread);
    thread->function(thread->argument);
    (void)!sys_ipc_notify(ended, EVENT_ENDED);
    /* From the event on, thread_join() may destroy this thread and unmap this stack; that it does
     * so between instructions is harmless, because nothing is left to do. */
    for (;;)
        (void)!sys_thread_destroy(MNOS_SELF);
}

static uint64_t stack_bottom(const struct thread *thread)
{
    return thread->address + MNOS_PAGE_BYTES;
}

static mnos_status_t make_stack(struct thread *thread)
{
    mnos_status_t status = sys_mem_alloc(thread->stack_pages, 0, &thread->memory);

    if (status != MNOS_OK)
        return status;
    status = address_reserve(thread->stack_pages + OTHER_PAGES, &thread->address);
    if (status != MNOS_OK) {
        (void)!sys_cap_delete(thread->memory);
        return status;
    }
    status = sys_mem_map(MNOS_SELF, thread->memory, stack_bottom(thread), 0, thread->stack_pages,
                         MNOS_MAP_READ | MNOS_MAP_WRITE);
    if (status != MNOS_OK) {
        address_release(thread->address, thread->stack_pages + OTHER_PAGES);
        (void)!sys_cap_delete(thread->memory);
    }
    return status;
}

static void free_stack(struct thread *thread)
{
    (void)!sys_mem_unmap(MNOS_SELF, stack_bottom(thread), thread->stack_pages);
    (void)!sys_cap_delete(thread->memory);
    address_release(thread->address, thread->stack_pages + OTHER_PAGES);
}

static mnos_status_t start(struct thread *thread, const char *name, uint32_t priority,
                           uint32_t affinity)
{
    uint64_t top = stack_bottom(thread) + thread->stack_pages * MNOS_PAGE_BYTES;
    uint64_t buffer = top + MNOS_PAGE_BYTES;
    struct mnos_thread_params params = {
        .ipc_buffer = buffer, .priority = priority, .affinity = affinity};

    string_copy(params.name, name, sizeof params.name);
    params.registers.rip = (uint64_t)thread_entry;
    params.registers.rsp = top;
    params.registers.rdi = (uint64_t)thread;
    params.registers.rsi = buffer;
    params.registers.fs_base = buffer;
    memcpy(ipc_buffer()->data, &params, sizeof params);
    return sys_thread_create(MNOS_SELF, sizeof params, &thread->thread);
}

mnos_status_t thread_create(struct thread *thread, const char *name, thread_function *function,
                            void *argument, uint64_t stack_pages, uint32_t priority,
                            uint32_t affinity)
{
    mnos_status_t status;

    *thread =
        (struct thread){.function = function, .argument = argument, .stack_pages = stack_pages};
    status = sys_cap_create(MNOS_CREATE_ENDPOINT, 0, MNOS_RIGHT_READ | MNOS_RIGHT_WRITE, 0, 0,
                            &thread->ended);
    if (status != MNOS_OK)
        return status;
    status = make_stack(thread);
    if (status != MNOS_OK)
        goto no_stack;
    status = start(thread, name, priority, affinity);
    if (status == MNOS_OK)
        return MNOS_OK;
    free_stack(thread);
no_stack:
    (void)!sys_cap_delete(thread->ended);
    return status;
}

mnos_status_t thread_join(struct thread *thread, uint64_t deadline_ns)
{
    struct message msg = {0};
    mnos_status_t status = ipc_receive(thread->ended, &msg, deadline_ns);

    if (status != MNOS_OK)
        return status;
    thread_destroy(thread);
    return MNOS_OK;
}

void thread_destroy(struct thread *thread)
{
    /* Whether the thread has destroyed itself yet does not matter: after this it is gone. */
    (void)!sys_thread_destroy(thread->thread);
    (void)!sys_cap_delete(thread->thread);
    free_stack(thread);
    (void)!sys_cap_delete(thread->ended);
}
