// SPDX-License-Identifier: MIT
/* test_syscall.c - dispatch, error details, parameter records, inspection. */
#include <string.h>

#include "abi/inspect.h"
#include "abi/process.h"
#include "syscall/calls.h"
#include "tests/unit/kernel_world.h"

static struct thread *actor;

static void init(void)
{
    world_init();
    actor = world_thread(world_root, WORLD_PRIORITY);
}

TEST(syscall, an_unknown_native_number_is_an_error)
{
    const uint64_t none[6] = {0};

    init();
    CHECK_EQ(world_call(actor, MNOS_SYS_proc_quota + 1, none), MNOS_ERR_SYSCALL);
    CHECK_EQ(world_call(actor, MNOS_SYSCALL_BASE + 0xFFFF, none), MNOS_ERR_SYSCALL);
    CHECK_EQ(world_root->state, MNOS_PROCESS_ALIVE);
}

TEST(syscall, a_foreign_number_ends_the_process)
{
    const uint64_t numbers[] = {0,
                                1,
                                231,
                                MNOS_SYSCALL_BASE - 1,
                                MNOS_SYSCALL_BASE + 0x10000,
                                MNOS_SYSCALL_BASE | 1ull << 32,
                                UINT64_MAX};
    const uint64_t none[6] = {0};

    init();
    for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct process *process = world_process(world_root, 100, 100000, NULL);
        struct thread *thread = world_thread(process, WORLD_PRIORITY + 1);
        (void)world_call(thread, numbers[i], none);
        CHECK_EQ(process->state, MNOS_PROCESS_DYING);
        for (unsigned k = 0; k < 20; k++)
            (void)host_leave_kernel();
        CHECK_EQ(process->state, MNOS_PROCESS_DEAD);
        CHECK_EQ(process->exit_reason, MNOS_EXIT_FAULT);
        CHECK_EQ(process->exit_code >> 32, 256);
    }
    world_check();
}

TEST(syscall, init_making_a_foreign_call_is_a_panic)
{
    init();
    EXPECT_PANIC(world_call(actor, 60, (const uint64_t[6]){0}));
}

TEST(syscall, details_are_of_this_call_only)
{
    init();
    mnos_cap_t endpoint = CALL_VALUE(actor, cap_create, MNOS_CREATE_ENDPOINT);
    mnos_cap_t weak = CALL_VALUE(actor, cap_create, MNOS_CREATE_COPY, endpoint, 0);
    uint64_t rax = CALL(actor, ipc_notify, weak, 1);
    CHECK_EQ(rax, MNOS_ERR_RIGHTS | 1ull << 32 | (uint64_t)MNOS_RIGHT_WRITE << 40);
    rax = CALL(actor, cap_delete, 999);
    CHECK_EQ(rax, MNOS_ERR_HANDLE | 1ull << 32);
    rax = CALL(actor, mem_grant, MNOS_SELF, endpoint, 0, 1, 0);
    CHECK_EQ(rax, MNOS_ERR_TYPE | 2ull << 32 | (uint64_t)MNOS_TYPE_ENDPOINT << 40);
    CHECK_EQ(CALL(actor, ipc_notify, endpoint, 1), 0);
}

static struct thread *urgent;

static void wake_urgent(void)
{
    if (urgent->state == THREAD_SUSPENDED)
        thread_resume(urgent, STOP_SUSPEND);
}

TEST(syscall, setting_the_registers_drops_what_an_interrupted_call_has_done)
{
    const uint64_t arguments[6] = {2000};
    struct mnos_registers registers;
    uint64_t rax, frames;

    init();
    urgent = world_thread_with(world_root, 60, MNOS_AFFINITY_ANY, MNOS_THREAD_SUSPENDED, NULL);
    frames = world_free_frames();
    host_on_poll = wake_urgent;
    CHECK(world_call_once(actor, MNOS_SYS_mem_alloc, arguments, &rax));
    host_on_poll = NULL;
    CHECK(actor->record.memory != NULL);
    thread_suspend(actor, STOP_SUSPEND);
    world_act(urgent);
    CHECK_EQ(thread_registers(actor, &registers, false), MNOS_OK);
    CHECK_EQ(registers.rax, MNOS_SYS_mem_alloc); /* before the instruction */
    CHECK_EQ(thread_registers(actor, &registers, true), MNOS_OK);
    CHECK_EQ(actor->stop, STOP_SUSPEND);
    CHECK_PTR_EQ(actor->record.memory, NULL);
    CHECK_EQ(actor->record.number, 0);
    thread_resume(actor, STOP_SUSPEND);
    CHECK_EQ(world_free_frames(), frames);
    mnos_cap_t large = CALL_VALUE(actor, mem_alloc, 200);
    CHECK_EQ((memory_of(world_object(world_root, large)))->page_count, 200);
    world_check();
}

TEST(syscall, an_interrupted_call_goes_on_before_its_thread_leaves_the_kernel)
{
    const uint64_t arguments[6] = {2000};
    uint64_t rax;

    init();
    urgent = world_thread_with(world_root, 60, MNOS_AFFINITY_ANY, MNOS_THREAD_SUSPENDED, NULL);
    host_on_poll = wake_urgent;
    CHECK(world_call_once(actor, MNOS_SYS_mem_alloc, arguments, &rax));
    host_on_poll = NULL;
    atomic_fetch_or(&actor->stop, STOP_CALL); /* which the scene has taken off */
    uint64_t rip = actor->frame.rip;
    CHECK(host_leave_kernel());
    CHECK_PTR_EQ(this_core()->current, urgent);
    CHECK(actor->record.memory != NULL);
    thread_suspend(urgent, STOP_SUSPEND);
    CHECK(host_leave_kernel());
    CHECK_PTR_EQ(this_core()->current, actor);
    CHECK_EQ(actor->stop, 0);
    CHECK_EQ(actor->frame.rip, rip + 2);
    CHECK_EQ(actor->frame.rax, MNOS_OK);
    CHECK_EQ(world_view(world_root, actor->frame.rdx).count, 2000);
    world_check();
}

/* ---- processes and threads through their records ---- */

TEST(syscall, a_process_is_made_of_a_record)
{
    struct mnos_process_params params = {
        .name = "worker", .frames_quota = 50, .bytes_quota = 50000, .priority_ceiling = 20};

    init();
    memcpy(actor->buffer->data, &params, sizeof(params));
    mnos_cap_t handle = CALL_VALUE(actor, proc_create, sizeof(params));
    struct process *process = process_of(world_object(world_root, handle));
    CHECK_STR_EQ(process->name, "worker");
    CHECK_PTR_EQ(process->parent, world_root);
    CHECK_EQ(process->quota.frames.limit, 50);
    uint64_t rax = CALL(actor, proc_create, sizeof(params) - 1);
    CHECK_EQ(STATUS_OF(rax), MNOS_ERR_SIZE);
    params.exit_events = 1; /* without an endpoint */
    memcpy(actor->buffer->data, &params, sizeof(params));
    CHECK_EQ(STATUS_OF(CALL(actor, proc_create, sizeof(params))), MNOS_ERR_ARGUMENT);
    params.exit_endpoint = CALL_VALUE(actor, cap_create, MNOS_CREATE_ENDPOINT);
    memset(params.name, 'x', sizeof(params.name));
    memcpy(actor->buffer->data, &params, sizeof(params));
    mnos_cap_t second = CALL_VALUE(actor, proc_create, sizeof(params));
    process = process_of(world_object(world_root, second));
    CHECK_EQ(strlen(process->name), MNOS_NAME_BYTES - 1);
    CHECK_EQ(CALL(actor, proc_destroy, second), 0);
    struct endpoint *endpoint = endpoint_of(world_object(world_root, params.exit_endpoint));
    CHECK_EQ(endpoint->events, 1);
    world_check();
}

TEST(syscall, a_thread_is_made_in_another_process)
{
    struct mnos_thread_params params = {.name = "main",
                                        .registers = {.rip = 0x1234, .rsp = 0x8000, .rdi = 77},
                                        .ipc_buffer = 0x200000,
                                        .priority = 12,
                                        .affinity = MNOS_AFFINITY_ANY,
                                        .flags = MNOS_THREAD_SUSPENDED};
    mnos_cap_t process;

    init();
    struct process *child = world_process(world_root, 100, 100000, &process);
    memcpy(actor->buffer->data, &params, sizeof(params));
    mnos_cap_t handle = CALL_VALUE(actor, thread_create, process, sizeof(params));
    CHECK_EQ(child->thread_count, 1);
    struct thread *thread = container_of(world_object(world_root, handle), struct thread, obj);
    CHECK_PTR_EQ(thread->process, child);
    CHECK_EQ(thread->state, THREAD_SUSPENDED);
    CHECK_EQ(thread->frame.rdi, 77);
    CHECK_EQ(CALL(actor, thread_wake, handle), 0);
    CHECK(host_leave_kernel());
    CHECK_PTR_EQ(cores[0].current, thread);
    mnos_cap_t weak = CALL_VALUE(actor, cap_create, MNOS_CREATE_COPY, process, MNOS_RIGHT_READ);
    CHECK_EQ(STATUS_OF(CALL(actor, thread_create, weak, sizeof(params))), MNOS_ERR_RIGHTS);
    world_check();
}

/* ---- inspection ---- */

TEST(inspect, a_capability_tells_what_it_is)
{
    struct mnos_cap_info info;

    init();
    mnos_cap_t memory = CALL_VALUE(actor, mem_alloc, 8, MNOS_ALLOC_CONTIGUOUS);
    mnos_cap_t part =
        CALL_VALUE(actor, cap_create, MNOS_CREATE_RANGE, memory, MNOS_RIGHT_READ, 2, 3);
    CHECK_EQ(CALL_VALUE(actor, cap_inspect, part, MNOS_VIEW_CAPABILITY), sizeof(info));
    memcpy(&info, actor->buffer->data, sizeof(info));
    CHECK_EQ(info.handle, part);
    CHECK_EQ(info.type, MNOS_TYPE_MEMORY);
    CHECK_EQ(info.rights, MNOS_RIGHT_READ);
    CHECK_EQ(info.first, 2);
    CHECK_EQ(info.count, 3);
    CHECK_EQ(info.parent_handle, memory);
    CHECK_EQ(info.parent_process_id, world_root->obj.id);
    const struct memory *object = memory_of(world_object(world_root, memory));
    CHECK_EQ(info.physical_address, object->single.frame + 2 * MNOS_PAGE_BYTES);
    (void)CALL_VALUE(actor, cap_inspect, memory, MNOS_VIEW_CAPABILITY);
    memcpy(&info, actor->buffer->data, sizeof(info));
    CHECK_EQ(info.child_count, 1);
    CHECK_EQ(info.parent_handle, 0);
}

TEST(inspect, processes_list_their_threads_and_capabilities)
{
    struct mnos_process_info info;
    struct mnos_cap_info cap;
    mnos_cap_t handle;
    unsigned threads = 0, caps = 0;

    init();
    struct process *child = world_process(world_root, 100, 100000, &handle);
    for (unsigned i = 0; i < 5; i++)
        (void)world_thread(child, WORLD_PRIORITY);
    CHECK_EQ(CALL_VALUE(actor, cap_inspect, handle, MNOS_VIEW_PROCESS), sizeof(info));
    memcpy(&info, actor->buffer->data, sizeof(info));
    CHECK_EQ(info.parent_id, world_root->obj.id);
    CHECK_EQ(info.thread_count, 5);
    CHECK_EQ(info.frames_quota, 100);
    while (CALL(actor, cap_inspect, handle, MNOS_VIEW_PROCESS_THREAD, threads) == 0)
        threads++;
    CHECK_EQ(threads, 5);
    for (uint64_t i = 0; CALL(actor, cap_inspect, handle, MNOS_VIEW_PROCESS_CAP, i) == 0; caps++) {
        memcpy(&cap, actor->buffer->data, sizeof(cap));
        CHECK_EQ(cap.type, MNOS_TYPE_THREAD);
        i = MNOS_HANDLE_INDEX(cap.handle) + 1;
    }
    CHECK_EQ(caps, info.cap_count);
    CHECK_EQ(STATUS_OF(CALL(actor, cap_inspect, handle, MNOS_VIEW_PROCESS_CAP, UINT64_MAX)),
             MNOS_ERR_END);
    CHECK_EQ(STATUS_OF(CALL(actor, cap_inspect, handle, 99)), MNOS_ERR_ARGUMENT);
    mnos_cap_t weak = CALL_VALUE(actor, cap_create, MNOS_CREATE_COPY, handle, MNOS_RIGHT_WRITE);
    CHECK_EQ(STATUS_OF(CALL(actor, cap_inspect, weak, MNOS_VIEW_PROCESS)), MNOS_ERR_RIGHTS);
}

TEST(inspect, a_thread_tells_what_it_waits_for)
{
    struct mnos_thread_info info;
    mnos_cap_t handle;

    init();
    struct thread *thread = world_thread_with(world_root, 9, MNOS_AFFINITY_ANY, 0, &handle);
    mnos_cap_t port = CALL_VALUE(actor, cap_create, MNOS_CREATE_ENDPOINT);
    CHECK_EQ(world_receive(thread, port, 0, MNOS_DEADLINE_NEVER), WORLD_WAITS);
    (void)CALL_VALUE(actor, cap_inspect, handle, MNOS_VIEW_THREAD);
    memcpy(&info, actor->buffer->data, sizeof(info));
    CHECK_EQ(info.state, MNOS_STATE_RECEIVING);
    CHECK_EQ(info.waits_for, world_object(world_root, port)->id);
    CHECK_EQ(info.priority, 9);
    (void)CALL_VALUE(actor, cap_inspect, MNOS_SELF, MNOS_VIEW_THREAD);
    memcpy(&info, actor->buffer->data, sizeof(info));
    CHECK_EQ(info.state, MNOS_STATE_RUNNING);
    CHECK_EQ(info.id, actor->obj.id);
}
