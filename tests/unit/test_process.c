// SPDX-License-Identifier: MIT
/* test_process.c - processes: what they may have, and that nothing of them is left behind. */
#include "object/process.h"

#include <string.h>

#include "abi/process.h"
#include "cap/derive.h"
#include "sched/sched.h"
#include "abi/inspect.h"
#include "tests/unit/kernel_world.h"

#define NEVER MNOS_DEADLINE_NEVER
#define FRAMES 500
#define BYTES 1000000

static struct thread *actor;

static void init(void)
{
    world_init();
    actor = world_thread(world_root, WORLD_PRIORITY);
    /* What the first of each makes the kernel allocate for good is allocated now. */
    mnos_cap_t warm;
    struct process *process = world_process(world_root, FRAMES, BYTES, &warm);
    world_thread(process, WORLD_PRIORITY);
    CHECK_EQ(CALL(actor, proc_destroy, warm), 0);
    CHECK_EQ(CALL(actor, cap_delete, warm), 0);
}

struct balance {
    uint64_t frames, bytes, free;
    uint32_t slots;
};

static struct balance account(void)
{
    return (struct balance){.free = world_free_frames(),
                            .frames = quota_used(&world_root->quota.frames),
                            .bytes = quota_used(&world_root->quota.bytes),
                            .slots = world_root->captable.used};
}

static void check_same(struct balance before)
{
    struct balance now = account();

    CHECK_EQ(now.frames, before.frames);
    CHECK_EQ(now.bytes, before.bytes);
    CHECK_EQ(now.slots, before.slots);
    CHECK_EQ(now.free, before.free);
    world_check();
}

static void destroy(mnos_cap_t handle)
{
    CHECK_EQ(CALL(actor, proc_destroy, handle), 0);
    CHECK_EQ(CALL(actor, cap_delete, handle), 0);
}

/* A bit of everything that a process can have. */
static void furnish(struct process *process)
{
    struct thread *thread = world_thread(process, WORLD_PRIORITY);
    mnos_cap_t memory = CALL_VALUE(thread, mem_alloc, 20);
    mnos_cap_t endpoint = CALL_VALUE(thread, cap_create, MNOS_CREATE_ENDPOINT);

    CHECK_EQ(CALL(thread, mem_map, MNOS_SELF, memory, 0x400000, 0, 20, MNOS_MAP_READ), 0);
    CHECK_EQ(CALL(thread, mem_map, MNOS_SELF, memory, 0x7f0000000000, 3, 4,
                  MNOS_MAP_READ | MNOS_MAP_WRITE),
             0);
    for (unsigned i = 0; i < 100; i++)
        CALL_VALUE(thread, cap_create, MNOS_CREATE_MINT, endpoint, 0, 1 + i, 0);
    CHECK_EQ(CALL(thread, ipc_notify, endpoint, 1), 0);
}

TEST(process, an_empty_process_returns_everything)
{
    mnos_cap_t handle;

    init();
    struct balance before = account();
    world_process(world_root, FRAMES, BYTES, &handle);
    CHECK_EQ(quota_used(&world_root->quota.frames), before.frames + FRAMES);
    destroy(handle);
    check_same(before);
}

TEST(process, a_furnished_process_returns_everything)
{
    mnos_cap_t handle;

    init();
    struct balance before = account();
    struct process *process = world_process(world_root, FRAMES, BYTES, &handle);
    furnish(process);
    world_check();
    CHECK(account().free < before.free - 20);
    destroy(handle);
    check_same(before);
}

TEST(process, its_account_is_zero_when_it_is_dead)
{
    mnos_cap_t handle;

    init();
    struct process *process = world_process(world_root, FRAMES, BYTES, &handle);
    furnish(process);
    CHECK_EQ(CALL(actor, proc_destroy, handle, 99), 0);
    CHECK_EQ(process->state, MNOS_PROCESS_DEAD);
    CHECK_EQ(quota_used(&process->quota.frames), 0);
    CHECK_EQ(quota_used(&process->quota.bytes), 0);
    CHECK_EQ(process->exit_reason, MNOS_EXIT_DESTROYED);
    CHECK_EQ(process->exit_code, 99);
    /* Destroying it again is harmless, and does not change why it ended. */
    CHECK_EQ(CALL(actor, proc_destroy, handle, 100), 0);
    CHECK_EQ(process->exit_code, 99);
    world_check();
}

TEST(process, descendants_die_with_it)
{
    mnos_cap_t handle;

    init();
    struct balance before = account();
    struct process *process = world_process(world_root, 4000, 8 * BYTES, &handle);
    struct process *parent = process;
    for (unsigned i = 0; i < 5; i++) {
        furnish(parent);
        furnish(world_process(parent, 200, 300000, NULL));
        parent = world_process(parent, 3500 - 600 * i, (7 - i) * BYTES, NULL);
    }
    world_check();
    destroy(handle);
    check_same(before);
}

TEST(process, quotas_are_carved_out_of_the_parents)
{
    mnos_cap_t handle;

    init();
    struct process *process = world_process(world_root, FRAMES, BYTES, &handle);
    struct mnos_process_params params = {
        .frames_quota = FRAMES, .bytes_quota = 1000, .priority_ceiling = 5};
    struct process *child;
    struct balance before = account();

    CHECK_EQ(process_create(process, &params, &child), QUOTA_SPENT(MNOS_QUOTA_FRAMES));
    params = (struct mnos_process_params){.frames_quota = 10, .bytes_quota = BYTES};
    CHECK_EQ(process_create(process, &params, &child), QUOTA_SPENT(MNOS_QUOTA_BYTES));
    params = (struct mnos_process_params){.frames_quota = 2, .bytes_quota = 10000};
    CHECK_EQ(process_create(process, &params, &child),
             QUOTA_SPENT(MNOS_QUOTA_FRAMES)); /* nor for page tables */
    params = (struct mnos_process_params){
        .frames_quota = 10, .bytes_quota = 10000, .priority_ceiling = 64};
    CHECK_EQ(process_create(process, &params, &child), MNOS_ERR_CEILING);
    params.bytes_quota = 0;
    CHECK_EQ(process_create(process, &params, &child), MNOS_ERR_ARGUMENT);
    check_same(before);
}

TEST(process, no_room_for_a_table_is_found_out_by_the_first_capability)
{
    struct capability *slot;
    mnos_cap_t handle;

    init();
    struct balance before = account();
    struct process *process = world_process(world_root, 10, 2 * MNOS_PAGE_BYTES - 1, &handle);
    CHECK_EQ(quota_used(&process->quota.bytes), 0);
    for (unsigned i = 0; i < 3; i++) /* a root, but no page of slots */
        CHECK_EQ(captable_alloc(&process->captable, &slot), QUOTA_SPENT(MNOS_QUOTA_BYTES));
    CHECK_EQ(quota_used(&process->quota.bytes), captable_bytes(&process->captable));
    world_check();
    destroy(handle);
    check_same(before);
}

TEST(process, creation_fails_cleanly_wherever_memory_ends)
{
    const struct mnos_process_params params = {.frames_quota = 10, .bytes_quota = 20000};
    struct process *child;
    mnos_status_t status = MNOS_ERR_MEMORY;

    init();
    struct balance before = account();
    for (uint64_t left = 0; status != MNOS_OK && left < 50; left++) {
        world_take_frames(left);
        status = process_create(world_root, &params, &child);
        CHECK(status == MNOS_OK || status == MNOS_ERR_MEMORY);
        world_give_back();
        if (status != MNOS_OK)
            check_same(before);
    }
    CHECK_EQ(status, MNOS_OK);
}

TEST(process, a_thread_is_created_whole_or_not_at_all)
{
    const struct mnos_thread_params params = {.ipc_buffer = 0x500000000, .affinity = UINT32_MAX};
    mnos_status_t status = MNOS_ERR_MEMORY;
    struct thread *thread;
    mnos_cap_t handle;

    init();
    struct process *process = world_process(world_root, FRAMES, BYTES, &handle);
    for (uint64_t left = 0; status != MNOS_OK && left < 50; left++) {
        world_take_frames(left);
        uint64_t bytes = quota_used(&process->quota.bytes);
        status = thread_create(process, &params, &thread);
        CHECK(status == MNOS_OK || status == MNOS_ERR_MEMORY);
        CHECK(status == MNOS_OK || quota_used(&process->quota.bytes) == bytes);
        world_give_back();
        world_check();
    }
    CHECK_EQ(status, MNOS_OK);
    CHECK_EQ(thread_create(process, &params, &thread), MNOS_ERR_OVERLAP);
    CHECK_EQ(process->thread_count, 1);
    world_check();
}

/* ---- destroyed while its threads wait ---- */

TEST(process, threads_blocked_everywhere_die_with_it)
{
    struct thread *threads[7];
    mnos_cap_t handle;

    init();
    struct thread *server = world_thread(world_root, WORLD_PRIORITY);
    mnos_cap_t port = CALL_VALUE(actor, cap_create, MNOS_CREATE_ENDPOINT);
    mnos_cap_t inbox = CALL_VALUE(actor, cap_create, MNOS_CREATE_ENDPOINT);
    struct endpoint *endpoint = endpoint_of(world_object(world_root, port));
    struct balance before = account();
    struct process *process = world_process(world_root, FRAMES, BYTES, &handle);
    mnos_cap_t remote = CALL_VALUE(actor, cap_transfer, handle, port, MNOS_RIGHT_WRITE);
    mnos_cap_t from = CALL_VALUE(actor, cap_transfer, handle, inbox, MNOS_RIGHT_READ);

    for (unsigned i = 0; i < 6; i++)
        threads[i] = world_thread(process, WORLD_PRIORITY);
    threads[6] = world_thread_with(process, 5, MNOS_AFFINITY_ANY, MNOS_THREAD_SUSPENDED, NULL);
    CHECK_EQ(world_ipc_call(threads[0], remote, 0, NEVER), WORLD_WAITS);
    CHECK_EQ(world_receive(server, port, 0, NEVER), 0);
    uint64_t id = server->frame.r12;
    CHECK_EQ(world_send(threads[1], remote, 0, NEVER), WORLD_WAITS);
    CHECK_EQ(world_ipc_call(threads[2], remote, 0, arch_time_ns() + 1000), WORLD_WAITS);
    CHECK_EQ(world_receive(threads[3], from, 0, NEVER), WORLD_WAITS);
    CHECK_EQ(CALL(threads[4], thread_block, MNOS_SELF, NEVER), WORLD_WAITS);
    world_act(threads[5]);
    world_check();

    destroy(handle);
    CHECK_EQ(endpoint->state, EP_IDLE);
    CHECK(thread_queue_empty(&server->callers));
    CHECK_EQ(STATUS_OF(world_reply(server, id, 0, 0)), MNOS_ERR_REPLY);
    CHECK_EQ(cores[0].timer_queue.earliest, UINT64_MAX);
    check_same(before);
}

TEST(process, callers_of_its_threads_wake_with_peer)
{
    mnos_cap_t handle;

    init();
    struct thread *client = world_thread(world_root, WORLD_PRIORITY);
    mnos_cap_t port = CALL_VALUE(actor, cap_create, MNOS_CREATE_ENDPOINT);
    struct process *process = world_process(world_root, FRAMES, BYTES, &handle);
    struct thread *server = world_thread(process, WORLD_PRIORITY);
    mnos_cap_t inbox = CALL_VALUE(actor, cap_transfer, handle, port, MNOS_RIGHT_READ);
    CHECK_EQ(world_ipc_call(client, port, 0, NEVER), WORLD_WAITS);
    CHECK_EQ(world_receive(server, inbox, 0, NEVER), 0);
    CHECK_EQ(CALL(actor, proc_destroy, handle), 0);
    CHECK(world_woke_with(client, MNOS_ERR_PEER));
    world_check();
}

TEST(process, senders_to_its_endpoint_wake_with_revoked)
{
    mnos_cap_t handle, own;

    init();
    struct thread *client = world_thread(world_root, WORLD_PRIORITY);
    struct process *process = world_process(world_root, FRAMES, BYTES, &handle);
    struct thread *server = world_thread(process, WORLD_PRIORITY);
    mnos_cap_t inbox = CALL_VALUE(server, cap_create, MNOS_CREATE_ENDPOINT);
    struct cap_view view = world_view(process, inbox);
    view.rights = MNOS_RIGHT_WRITE;
    CHECK_EQ(cap_derive(world_root, &view, 0, &own), MNOS_OK);
    CHECK_EQ(world_send(client, own, 0, NEVER), WORLD_WAITS);
    CHECK_EQ(CALL(actor, proc_destroy, handle), 0);
    CHECK(world_woke_with(client, MNOS_ERR_REVOKED));
    CHECK_EQ(STATUS_OF(world_send(client, own, 0, NEVER)), MNOS_ERR_HANDLE);
    world_check();
}

TEST(process, memory_it_granted_is_unmapped_everywhere)
{
    mnos_cap_t handle, own;
    paddr_t frame;
    unsigned rights;

    init();
    struct balance before = account();
    struct process *process = world_process(world_root, FRAMES, BYTES, &handle);
    struct thread *thread = world_thread(process, WORLD_PRIORITY);
    mnos_cap_t memory = CALL_VALUE(thread, mem_alloc, 8);
    struct cap_view view = world_view(process, memory);
    view.rights = MNOS_RIGHT_READ;
    CHECK_EQ(cap_derive(world_root, &view, 0, &own), MNOS_OK);
    CHECK_EQ(CALL(actor, mem_map, MNOS_SELF, own, 0x10000, 0, 8, MNOS_MAP_READ), 0);
    uint64_t tables = quota_used(&world_root->quota.frames) - before.frames - FRAMES;
    destroy(handle);
    CHECK(!arch_aspace_lookup(&world_root->aspace.arch, 0x10000, &frame, &rights));
    CHECK_PTR_EQ(world_object(world_root, own), NULL);
    before.frames += tables; /* page tables stay with their address space */
    before.free -= tables;
    check_same(before);
}

/* ---- ending itself ---- */

TEST(process, a_process_can_end_itself)
{
    mnos_cap_t handle;

    init();
    struct balance before = account();
    mnos_cap_t port = CALL_VALUE(actor, cap_create, MNOS_CREATE_ENDPOINT);
    struct process *process = world_process(world_root, FRAMES, BYTES, &handle);
    struct cap_view view = world_view(world_root, port);
    process->exit_events = 4;
    CHECK_EQ(cap_derive_kernel(&process->exit_cap, &view), MNOS_OK);
    furnish(process);
    furnish(world_process(process, 100, 200000, NULL));
    struct thread *thread = world_thread(process, 30);
    CHECK_EQ(CALL(thread, proc_destroy, MNOS_SELF, 7), WORLD_WAITS);
    CHECK_EQ(process->state, MNOS_PROCESS_DYING);
    for (unsigned i = 0; i < 100 && process->state != MNOS_PROCESS_DEAD; i++)
        (void)host_leave_kernel();
    CHECK_EQ(process->state, MNOS_PROCESS_DEAD);
    CHECK_EQ(process->exit_reason, MNOS_EXIT_SELF);
    CHECK_EQ(process->exit_code, 7);
    CHECK_EQ((endpoint_of(world_object(world_root, port)))->events, 4);
    CHECK_EQ(CALL(actor, cap_delete, handle), 0);
    CHECK_EQ(CALL(actor, cap_delete, port), 0);
    check_same(before);
}

TEST(process, a_dead_process_refuses_threads_and_children)
{
    const struct mnos_thread_params params = {.ipc_buffer = 0x500000000, .affinity = UINT32_MAX};
    const struct mnos_process_params child = {.frames_quota = 10, .bytes_quota = 20000};
    struct thread *thread;
    struct process *process, *made;
    mnos_cap_t handle;

    init();
    process = world_process(world_root, FRAMES, BYTES, &handle);
    CHECK(process_mark(process, MNOS_EXIT_DESTROYED, 1, WORLD_PRIORITY));
    CHECK(!process_mark(process, MNOS_EXIT_SELF, 2, WORLD_PRIORITY));
    CHECK_EQ(thread_create(process, &params, &thread), MNOS_ERR_STATE);
    CHECK_EQ(process_create(process, &child, &made), MNOS_ERR_STATE);
    CHECK_EQ(STATUS_OF(CALL(actor, thread_block, handle)), MNOS_ERR_STATE);
    CHECK_EQ(CALL(actor, proc_destroy, handle, 3), 0);
    CHECK_EQ(process->exit_code, 1);
    world_check();
}

TEST(process, an_ancestor_cannot_be_destroyed_from_below)
{
    mnos_cap_t handle;

    init();
    struct process *process = world_process(world_root, FRAMES, BYTES, &handle);
    struct thread *thread = world_thread(process, WORLD_PRIORITY);
    struct cap_view view;
    mnos_cap_t root, given;
    CHECK_EQ(cap_create_root(world_root, &world_root->obj, MNOS_RIGHTS_ALL, 0, 0, &root), MNOS_OK);
    view = world_view(world_root, root);
    given = CALL_VALUE(actor, cap_transfer, handle, root, MNOS_RIGHTS_ALL);
    uint64_t rax = CALL(thread, proc_destroy, given);
    CHECK_EQ(STATUS_OF(rax), MNOS_ERR_STATE);
    CHECK_EQ(world_root->state, MNOS_PROCESS_ALIVE);
    (void)view;
}

/* ---- suspension ---- */

TEST(process, suspension_stops_all_its_threads)
{
    mnos_cap_t handle;

    init();
    struct process *process = world_process(world_root, FRAMES, BYTES, &handle);
    struct thread *ready = world_thread(process, 20);
    struct thread *parked = world_thread(process, 20);
    CHECK_EQ(CALL(parked, thread_block, MNOS_SELF, NEVER), WORLD_WAITS);
    CHECK_EQ(CALL(actor, thread_block, handle), 0);
    CHECK_EQ(process->state, MNOS_PROCESS_SUSPENDED);
    struct thread *late = world_thread(process, 20);
    CHECK_EQ(late->state, THREAD_SUSPENDED);
    (void)host_leave_kernel();
    CHECK_PTR_EQ(cores[0].current, actor);
    CHECK_EQ(ready->state, THREAD_SUSPENDED);
    CHECK_EQ(CALL(actor, thread_wake, handle), 0);
    CHECK_EQ(process->state, MNOS_PROCESS_ALIVE);
    CHECK_EQ(ready->state, THREAD_READY);
    CHECK_EQ(late->state, THREAD_READY);
    CHECK_EQ(parked->state, THREAD_PARKED);
    world_check();
}

/* The process is being suspended, and the core of this thread has not been told yet: whoever does that may be less urgent
 * than the one who asks, and wait for it. */
TEST(process, who_asks_for_the_registers_of_a_thread_that_is_to_stop_stops_it)
{
    uint64_t arguments[6] = {0, MNOS_VIEW_REGISTERS}, rax;
    mnos_cap_t handle;

    world_init();
    host_core_start(1);
    struct thread *asker = world_thread_with(world_root, 9, 0, 0, NULL);
    struct thread *victim = world_thread_with(world_root, 5, 1, 0, &handle);
    host_core_select(1);
    (void)host_leave_kernel();
    CHECK_PTR_EQ(cores[1].current, victim);
    host_core_select(0);
    atomic_fetch_or(&victim->stop,
                    STOP_PROCESS); /* as process_suspend() does, a step before it tells */
    arguments[0] = handle;
    CHECK(world_call_once(asker, MNOS_SYS_cap_inspect, arguments, &rax)); /* to be made again */
    CHECK_EQ(victim->state, THREAD_SUSPENDED);
    world_act(asker);
    CHECK_EQ(world_call(asker, MNOS_SYS_cap_inspect, arguments), 0);
}
