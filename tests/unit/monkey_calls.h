// SPDX-License-Identifier: MIT
/* monkey_calls.h - which call a hostile process makes, and with which arguments: mostly such that mean something. A part of
 * test_monkey.c. */
#pragma once

/* Handles that some process had at some time. */
static mnos_cap_t handles[HANDLES];
static unsigned handle_count;
static struct thread *keeper; /* of the root process; never does anything by chance */

static void remember(mnos_cap_t handle)
{
    handles[handle_count++ % HANDLES] = handle;
}

static uint64_t number(uint64_t below)
{
    switch (world_random(12)) {
    case 0: return UINT64_MAX - world_random(3);
    case 1: return below;
    case 2: return (uint64_t)world_random(UINT32_MAX) << 32 | world_random(UINT32_MAX);
    default: return world_random((uint32_t)below);
    }
}

/* Mostly a handle of the process itself, and of the type asked for. */
static mnos_cap_t handle_of(struct process *process, enum mnos_cap_type type)
{
    uint32_t start = world_random(process->captable.page_count * CAPTABLE_PAGE_SLOTS + 1);
    const struct capability *slot;
    mnos_cap_t last = 0;

    if (world_random(30) == 0)
        return handles[world_random(HANDLES)];
    if (world_random(30) == 0)
        return MNOS_SELF;
    for (unsigned pass = 0; pass < 2; pass++, start = 0)
        for (uint32_t at = start; (slot = world_next_slot(process, at)) != NULL;
             at = MNOS_HANDLE_INDEX(last) + 1) {
            last = slot->key;
            if (slot->type == type || type == MNOS_TYPE_NONE || world_random(20) == 0)
                return last;
        }
    return last;
}

/* The type that the first argument of a call should have. */
static enum mnos_cap_type type_for(uint64_t call)
{
    switch (call) {
    case MNOS_SYS_mem_map:
    case MNOS_SYS_mem_unmap:
    case MNOS_SYS_mem_grant:
    case MNOS_SYS_cap_transfer:
    case MNOS_SYS_proc_destroy:
    case MNOS_SYS_proc_quota:
    case MNOS_SYS_thread_create: return MNOS_TYPE_PROCESS;
    case MNOS_SYS_ipc_send:
    case MNOS_SYS_ipc_recv:
    case MNOS_SYS_ipc_call:
    case MNOS_SYS_ipc_reply:
    case MNOS_SYS_ipc_notify: return MNOS_TYPE_ENDPOINT;
    case MNOS_SYS_thread_destroy:
    case MNOS_SYS_thread_block:
    case MNOS_SYS_thread_wake:
    case MNOS_SYS_thread_control: return MNOS_TYPE_THREAD;
    case MNOS_SYS_irq_bind:
    case MNOS_SYS_irq_ack: return MNOS_TYPE_INTERRUPT;
    default: return MNOS_TYPE_NONE;
    }
}

static uint64_t address(void)
{
    return world_random(30) == 0 ? number(1ull << 31)
                                 : MAP_BASE + world_random(BASE_PAGES) * (uint64_t)MNOS_PAGE_BYTES;
}

static uint64_t deadline(void)
{
    switch (world_random(3)) {
    case 0: return MNOS_DEADLINE_POLL;
    case 1: return arch_time_ns() + world_random(2000);
    default: return MNOS_DEADLINE_NEVER;
    }
}

static uint64_t info(struct thread *thread)
{
    for (unsigned i = 0; i < MNOS_MESSAGE_MAX_CAPS; i++) {
        thread->buffer->send_caps[i] = handle_of(thread->process, MNOS_TYPE_NONE);
        thread->buffer->send_rights[i] = (uint8_t)(world_random(2) == 0 ? 0xFF : world_random(32));
    }
    return MNOS_INFO(world_random(100), world_random(4100)) | MNOS_INFO_CAPS(world_random(5)) |
           MNOS_INFO_ACCEPT(world_random(5)) | (world_random(10) == 0 ? MNOS_INFO_DROP : 0);
}

/* ---- parameter records ---- */

static void put_process_params(struct thread *thread)
{
    struct mnos_process_params params = {.name = "monkey",
                                         .frames_quota = number(100),
                                         .bytes_quota = number(100000),
                                         .priority_ceiling = world_random(65)};

    if (world_random(2) == 0) {
        params.exit_endpoint = handle_of(thread->process, MNOS_TYPE_ENDPOINT);
        params.exit_events = 1 + world_random(4);
    }
    if (world_random(2) == 0)
        params.fault_endpoint = handle_of(thread->process, MNOS_TYPE_ENDPOINT);
    memcpy(thread->buffer->data, &params, sizeof(params));
}

static void put_thread_params(struct thread *thread)
{
    const struct mnos_thread_params params = {
        .name = "monkey",
        .registers = {.rip = 0x1000},
        .ipc_buffer = world_random(2) == 0 ? address() : 0x30000000 + number(100) * 4096,
        .priority = world_random(64),
        .affinity = world_random(10) == 0 ? 0 : MNOS_AFFINITY_ANY,
        .flags = world_random(2)};

    memcpy(thread->buffer->data, &params, sizeof(params));
}

/* ---- one call ---- */

static bool is_message(uint64_t call)
{
    return call >= MNOS_SYS_ipc_send && call <= MNOS_SYS_ipc_reply;
}

static void choose_message(struct thread *thread, uint64_t call)
{
    struct user_frame *frame = &thread->frame;
    struct thread *caller = thread_queue_first(&thread->callers);

    frame->rdi = handle_of(thread->process, MNOS_TYPE_ENDPOINT);
    frame->rsi = info(thread);
    frame->r12 = deadline();
    frame->r13 = 0;
    if (call != MNOS_SYS_ipc_reply)
        return;
    frame->rdi = caller == NULL ? number(1ull << 31) : caller->reply_id;
    if (world_random(2) == 0) /* in case that it has faulted */
        frame->rsi = MNOS_INFO(MNOS_FAULT_RESUME + world_random(4), world_random(400));
    if (world_random(2) == 0)
        frame->r13 = handle_of(thread->process, MNOS_TYPE_ENDPOINT);
}

static void choose_arguments(struct thread *thread, uint64_t call, uint64_t arguments[6])
{
    struct process *process = thread->process;

    for (unsigned i = 0; i < 6; i++)
        arguments[i] = number(30);
    arguments[0] = handle_of(process, type_for(call));
    switch (call) {
    case MNOS_SYS_mem_map:
        arguments[0] = world_random(3) == 0 ? arguments[0] : MNOS_SELF;
        arguments[1] = handle_of(process, MNOS_TYPE_MEMORY);
        arguments[2] = address();
        arguments[3] = world_random(8);
        arguments[4] = world_random(8);
        arguments[5] = 1 + world_random(6);
        if (world_random(3) == 0)
            arguments[5] |= MNOS_MAP_REPLACE;
        else if (world_random(4) == 0) /* other rights */
            arguments[1] = arguments[3] = 0;
        break;
    case MNOS_SYS_mem_unmap:
        arguments[0] = world_random(3) == 0 ? arguments[0] : MNOS_SELF;
        arguments[1] = address();
        arguments[2] = world_random(10);
        break;
    case MNOS_SYS_mem_alloc:
        arguments[0] = number(20);
        arguments[1] = world_random(4) == 0 ? number(9) : 0;
        break;
    case MNOS_SYS_mem_grant:
        arguments[1] = handle_of(process, MNOS_TYPE_MEMORY);
        arguments[2] = world_random(6);
        arguments[3] = 1 + world_random(6);
        arguments[4] = world_random(32);
        break;
    case MNOS_SYS_cap_transfer:
        arguments[1] = handle_of(process, MNOS_TYPE_NONE);
        arguments[2] = world_random(32);
        break;
    case MNOS_SYS_cap_create:
        arguments[0] = 1 + world_random(4);
        if (arguments[0] == MNOS_CREATE_ENDPOINT && world_random(2) == 0)
            arguments[3] = world_random(100);
        if (arguments[0] == MNOS_CREATE_MINT && world_random(2) == 0)
            arguments[0] |= MNOS_MINT_LASTING;
        arguments[1] = handle_of(process, (arguments[0] & MNOS_CREATE_MINT) == MNOS_CREATE_MINT
                                              ? MNOS_TYPE_ENDPOINT
                                          : arguments[0] == MNOS_CREATE_RANGE ? MNOS_TYPE_INTERRUPT
                                                                              : MNOS_TYPE_NONE);
        arguments[2] = world_random(2) == 0 ? MNOS_RIGHTS_ALL : world_random(32);
        break;
    case MNOS_SYS_proc_create:
        arguments[0] = sizeof(struct mnos_process_params);
        put_process_params(thread);
        break;
    case MNOS_SYS_thread_create:
        arguments[1] = sizeof(struct mnos_thread_params);
        put_thread_params(thread);
        break;
    case MNOS_SYS_thread_block: arguments[1] = deadline(); break;
    case MNOS_SYS_thread_control:
        arguments[1] = world_random(7);
        arguments[2] = world_random(2) == 0 ? 0 : number(70);
        break;
    case MNOS_SYS_proc_quota:
        arguments[1] = number(40) - number(40);
        arguments[2] = number(20000) - number(20000);
        break;
    case MNOS_SYS_irq_bind: arguments[1] = handle_of(process, MNOS_TYPE_ENDPOINT); break;
    default: break;
    }
}

/* Calls that end much are made seldom. */
static uint64_t choose_call(const struct thread *thread)
{
    uint64_t call = MNOS_SYSCALL_BASE + world_random(MNOS_SYS_proc_quota - MNOS_SYSCALL_BASE + 2);

    if (!thread_queue_empty(&thread->callers) && world_random(2) == 0)
        return MNOS_SYS_ipc_reply;
    if ((call == MNOS_SYS_proc_destroy || call == MNOS_SYS_thread_destroy) && world_random(8) != 0)
        return MNOS_SYS_cap_create;
    if ((call == MNOS_SYS_cap_revoke || call == MNOS_SYS_cap_delete) && world_random(3) != 0)
        return MNOS_SYS_mem_alloc;
    return call;
}

static bool gives_handle(uint64_t call)
{
    return call == MNOS_SYS_mem_alloc || call == MNOS_SYS_cap_create ||
           call == MNOS_SYS_proc_create || call == MNOS_SYS_thread_create ||
           call == MNOS_SYS_cap_transfer || call == MNOS_SYS_mem_grant;
}
