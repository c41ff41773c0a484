// SPDX-License-Identifier: MIT
/*
 * test_errors.c - the errors of every system call that are not about a handle (those: test_handles.c),
 * each with the argument at fault and the details, as abi/syscalls.toml promises them.
 */
#include "abi/log.h"
#include "lib/mnos/bootstrap.h"
#include "tests/guest/child.h"
#include "tests/guest/claim.h"

#define DEPTH_MAX 250   /* the kernel's CAP_DEPTH_MAX */
#define FILL_MAX 20000u /* no table of a test's process has so many slots */
#define READ_ONLY MNOS_RIGHT_READ

/* ---- memory ---- */

TEST(errors, of_mem_map)
{
    mnos_cap_t memory = memory_new(2), device = bootstrap_cap("device");

    CHECK_ERROR(mem_map, ERR_ARGUMENT, 4, 0, /* the first MiB's RAM */
                sys_mem_map(MNOS_SELF, device, ARENA, 0x200, 1, MNOS_MAP_READ));
    CHECK_ERROR(mem_map, ERR_ARGUMENT, 5, 0, sys_mem_map(MNOS_SELF, memory, ARENA, 0, 0, MAP_RW));
    CHECK_ERROR(mem_map, ERR_ARGUMENT, 5, 0, sys_mem_map(MNOS_SELF, memory, ARENA, 2, 1, MAP_RW));
    CHECK_ERROR(mem_map, ERR_ARGUMENT, 5, 0,
                sys_mem_map(MNOS_SELF, memory, ARENA, 1, UINT64_MAX, MAP_RW));
    CHECK_ERROR(mem_map, ERR_ARGUMENT, 6, 0, sys_mem_map(MNOS_SELF, memory, ARENA, 0, 1, 0));
    CHECK_ERROR(mem_map, ERR_ARGUMENT, 6, 0,
                sys_mem_map(MNOS_SELF, memory, ARENA, 0, 1, UINT64_MAX));
    CHECK_ERROR(mem_map, ERR_ARGUMENT, 6, 0,
                sys_mem_map(MNOS_SELF, memory, ARENA, 0, 1, MAP_RW | MNOS_MAP_EXECUTE));
    CHECK_ERROR(mem_map, ERR_ADDRESS, 3, 0,
                sys_mem_map(MNOS_SELF, memory, ARENA + 1, 0, 1, MAP_RW));
    CHECK_ERROR(mem_map, ERR_ADDRESS, 3, 0, sys_mem_map(MNOS_SELF, memory, 0, 0, 1, MAP_RW));
    CHECK_ERROR(mem_map, ERR_ADDRESS, 3, 0,
                sys_mem_map(MNOS_SELF, memory, MNOS_USER_END - PAGE, 0, 2, MAP_RW));
    CHECK_ERROR(mem_map, ERR_ADDRESS, 3, 0, sys_mem_map(MNOS_SELF, memory, 0 - PAGE, 0, 2, MAP_RW));
    CHECK_ERROR(mem_map, ERR_OVERLAP, 3, 0,
                sys_mem_map(MNOS_SELF, memory, MNOS_KINFO_ADDRESS, 0, 1, MAP_RW));
    cap_drop(memory);
}

TEST(errors, of_mem_unmap)
{
    CHECK_ERROR(mem_unmap, ERR_ADDRESS, 2, 0, sys_mem_unmap(MNOS_SELF, ARENA, 0));
    CHECK_ERROR(mem_unmap, ERR_ADDRESS, 2, 0, sys_mem_unmap(MNOS_SELF, ARENA + 1, 1));
    CHECK_ERROR(mem_unmap, ERR_ADDRESS, 2, 0, sys_mem_unmap(MNOS_SELF, 0, 1));
    CHECK_ERROR(mem_unmap, ERR_ADDRESS, 2, 0, sys_mem_unmap(MNOS_SELF, MNOS_USER_END, 1));
    CHECK_ERROR(mem_unmap, ERR_ADDRESS, 2, 0, sys_mem_unmap(MNOS_SELF, ARENA, UINT64_MAX));
    CHECK_ERROR(mem_unmap, ERR_NOT_MAPPED, 2, 0, sys_mem_unmap(MNOS_SELF, ARENA, 1));
}

TEST(errors, of_mem_alloc)
{
    const uint64_t left =
        process_info(MNOS_SELF).frames_quota - process_info(MNOS_SELF).frames_used;
    mnos_cap_t memory;

    CHECK_ERROR(mem_alloc, ERR_ARGUMENT, 1, 0, sys_mem_alloc(0, 0, &memory));
    CHECK_ERROR(mem_alloc, ERR_ARGUMENT, 1, 0, sys_mem_alloc(1ull << 32, 0, &memory));
    CHECK_ERROR(mem_alloc, ERR_ARGUMENT, 1, 0, sys_mem_alloc(UINT64_MAX, 0, &memory));
    CHECK_ERROR(mem_alloc, ERR_ARGUMENT, 2, 0, sys_mem_alloc(1, UINT64_MAX, &memory));
    CHECK_ERROR(mem_alloc, ERR_QUOTA, 0, MNOS_QUOTA_FRAMES, sys_mem_alloc(UINT32_MAX, 0, &memory));
    /* All that is left is never in one piece. */
    CHECK_ERROR(mem_alloc, ERR_MEMORY, 0, 0,
                sys_mem_alloc(left - 64, MNOS_ALLOC_CONTIGUOUS, &memory));
}

TEST(errors, of_mem_grant)
{
    mnos_cap_t memory = memory_new(2), weak = cap_copy(memory, MNOS_RIGHT_GRANT), given;

    CHECK_ERROR(mem_grant, ERR_ARGUMENT, 4, 0, sys_mem_grant(MNOS_SELF, memory, 0, 0, 0, &given));
    CHECK_ERROR(mem_grant, ERR_ARGUMENT, 4, 0, sys_mem_grant(MNOS_SELF, memory, 2, 1, 0, &given));
    CHECK_ERROR(mem_grant, ERR_ARGUMENT, 4, 0,
                sys_mem_grant(MNOS_SELF, memory, UINT64_MAX, 2, 0, &given));
    CHECK_ERROR(mem_grant, ERR_RIGHTS, 5, MNOS_RIGHT_WRITE,
                sys_mem_grant(MNOS_SELF, weak, 0, 1, MNOS_RIGHT_WRITE, &given));
    cap_drop(weak);
    cap_drop(memory);
}

/* ---- capabilities ---- */

TEST(errors, of_cap_create_and_cap_transfer)
{
    mnos_cap_t memory = memory_new(1), endpoint = endpoint_new(), minted = cap_mint(endpoint, 1, 1);
    mnos_cap_t weak = cap_copy(memory, MNOS_RIGHT_GRANT), cap;

    CHECK_ERROR(cap_create, ERR_ARGUMENT, 1, 0, sys_cap_create(0, memory, 0, 0, 0, &cap));
    CHECK_ERROR(cap_create, ERR_ARGUMENT, 1, 0, sys_cap_create(UINT64_MAX, 0, 0, 0, 0, &cap));
    CHECK_ERROR(cap_create, ERR_ARGUMENT, 4, 0,
                sys_cap_create(MNOS_CREATE_MINT, endpoint, 0, 0, 1, &cap));
    CHECK_ERROR(cap_create, ERR_ARGUMENT, 4, 0,
                sys_cap_create(MNOS_CREATE_RANGE, memory, 0, 1, 1, &cap));
    CHECK_ERROR(cap_create, ERR_RIGHTS, 3, READ_ONLY,
                sys_cap_create(MNOS_CREATE_COPY, weak, READ_ONLY, 0, 0, &cap));
    CHECK_ERROR(cap_create, ERR_STATE, 2, 0,
                sys_cap_create(MNOS_CREATE_MINT, minted, 0, 2, 1, &cap));
    CHECK_ERROR(cap_transfer, ERR_RIGHTS, 3, READ_ONLY,
                sys_cap_transfer(MNOS_SELF, weak, READ_ONLY, &cap));
    cap_drop(weak);
    cap_drop(minted);
    cap_drop(endpoint);
    cap_drop(memory);
}

TEST(errors, of_cap_inspect)
{
    uint64_t size;

    CHECK_ERROR(cap_inspect, ERR_ARGUMENT, 2, 0, sys_cap_inspect(MNOS_SELF, UINT64_MAX, 0, &size));
    CHECK_ERROR(cap_inspect, ERR_END, 3, 0,
                sys_cap_inspect(MNOS_SELF, MNOS_VIEW_PROCESS_THREAD, UINT64_MAX, &size));
    CHECK_ERROR(cap_inspect, ERR_END, 3, 0,
                sys_cap_inspect(MNOS_SELF, MNOS_VIEW_PROCESS_CAP, UINT64_MAX, &size));
}

/* A capability at the end of the longest chain; revoking and deleting `root` frees it. */
static mnos_cap_t deepest(mnos_cap_t root)
{
    mnos_cap_t cap = root;

    for (unsigned i = 0; i < DEPTH_MAX && !check_failed(); i++)
        cap = cap_copy(cap, MNOS_RIGHTS_ALL);
    return cap;
}

static void chain_drop(mnos_cap_t root)
{
    CHECK_OK(sys_cap_revoke(root));
    cap_drop(root);
}

TEST(errors, of_what_is_derived_too_deep)
{
    mnos_cap_t endpoint = endpoint_new(), memory = memory_new(1), cap;
    mnos_cap_t deep_endpoint = deepest(endpoint), deep_memory = deepest(memory);
    mnos_cap_t line = cap_range(bootstrap_cap("interrupts"), MNOS_RIGHT_WRITE, 7, 1);
    const struct mnos_process_params params = {
        .frames_quota = 32, .bytes_quota = 65536, .exit_endpoint = deep_endpoint, .exit_events = 1};

    CHECK_ERROR(cap_create, ERR_STATE, 0, 0,
                sys_cap_create(MNOS_CREATE_COPY, deep_endpoint, 0, 0, 0, &cap));
    CHECK_ERROR(cap_transfer, ERR_STATE, 0, 0, sys_cap_transfer(MNOS_SELF, deep_memory, 0, &cap));
    CHECK_ERROR(mem_grant, ERR_STATE, 0, 0, sys_mem_grant(MNOS_SELF, deep_memory, 0, 1, 0, &cap));
    CHECK_ERROR(irq_bind, ERR_STATE, 0, 0, sys_irq_bind(line, deep_endpoint, 1));
    CHECK_ERROR(proc_create, ERR_STATE, 0, 0, process_create(&params, &cap));
    cap_drop(line);
    chain_drop(memory);
    chain_drop(endpoint);
}

/* ---- processes and threads ---- */

TEST(errors, of_a_process_that_is_gone)
{
    const struct mnos_thread_params params = {.ipc_buffer = ARENA};
    mnos_cap_t process = process_new(), memory = memory_new(1), cap;
    uint64_t now;

    CHECK_OK(sys_proc_destroy(process, 0));
    CHECK_ERROR(mem_map, ERR_STATE, 1, 0, sys_mem_map(process, memory, ARENA, 0, 1, MAP_RW));
    CHECK_ERROR(mem_unmap, ERR_STATE, 1, 0, sys_mem_unmap(process, ARENA, 1));
    CHECK_ERROR(mem_grant, ERR_STATE, 1, 0, sys_mem_grant(process, memory, 0, 1, 0, &cap));
    CHECK_ERROR(cap_transfer, ERR_STATE, 1, 0, sys_cap_transfer(process, memory, 0, &cap));
    CHECK_ERROR(thread_create, ERR_STATE, 1, 0, thread_create_raw(process, &params, &cap));
    CHECK_ERROR(thread_block, ERR_STATE, 1, 0, sys_thread_block(process, 0, &now));
    CHECK_ERROR(thread_wake, ERR_STATE, 1, 0, sys_thread_wake(process));
    cap_drop(memory);
    cap_drop(process);
}

static mnos_status_t create_with(mnos_cap_t exit_endpoint, uint64_t events, uint64_t frames,
                                 uint32_t ceiling)
{
    const struct mnos_process_params params = {.frames_quota = frames,
                                               .bytes_quota = 65536,
                                               .priority_ceiling = ceiling,
                                               .exit_endpoint = exit_endpoint,
                                               .exit_events = events};
    mnos_cap_t process;

    return process_create(&params, &process);
}

TEST(errors, of_proc_create)
{
    mnos_cap_t endpoint = endpoint_new(), memory = memory_new(1), process;
    mnos_cap_t weak = cap_copy(endpoint, MNOS_RIGHTS_ALL & ~MNOS_RIGHT_WRITE);
    mnos_cap_t minted = cap_mint(endpoint, 1, 2);

    CHECK_ERROR(proc_create, ERR_ARGUMENT, 1, 0, create_with(minted, 1, 32, 0));
    CHECK_ERROR(proc_create, ERR_SIZE, 1, 0, sys_proc_create(0, &process));
    CHECK_ERROR(proc_create, ERR_SIZE, 1, 0,
                sys_proc_create(sizeof(struct mnos_process_params) + 1, &process));
    CHECK_ERROR(proc_create, ERR_HANDLE, 1, 0, create_with(handle_stale(), 1, 32, 0));
    CHECK_ERROR(proc_create, ERR_TYPE, 1, MNOS_TYPE_MEMORY, create_with(memory, 1, 32, 0));
    CHECK_ERROR(proc_create, ERR_RIGHTS, 1, MNOS_RIGHT_WRITE, create_with(weak, 1, 32, 0));
    CHECK_ERROR(proc_create, ERR_ARGUMENT, 1, 0, create_with(endpoint, 0, 32, 0));
    CHECK_ERROR(proc_create, ERR_ARGUMENT, 1, 0, create_with(0, 1, 32, 0));
    CHECK_ERROR(proc_create, ERR_ARGUMENT, 1, 0, create_with(0, 0, 0, 0));
    CHECK_ERROR(proc_create, ERR_CEILING, 1, 0, create_with(0, 0, 32, MNOS_PRIORITY_COUNT));
    CHECK_ERROR(proc_create, ERR_CEILING, 1, 0, create_with(0, 0, 32, UINT32_MAX));
    CHECK_ERROR(proc_create, ERR_QUOTA, 1, MNOS_QUOTA_FRAMES, create_with(0, 0, UINT64_MAX, 0));
    CHECK_ERROR(proc_create, ERR_QUOTA, 1, MNOS_QUOTA_FRAMES, create_with(0, 0, 1, 0));
    cap_drop(minted);
    cap_drop(weak);
    cap_drop(memory);
    cap_drop(endpoint);
}

static uint64_t destroy_ancestor(uint64_t ancestor, uint64_t, uint64_t, uint64_t)
{
    return claim_rax(sys_proc_destroy(ancestor, 0), MNOS_SYS_proc_destroy);
}

TEST(errors, of_proc_destroy)
{
    struct child child;

    if (child_create(&child)) {
        mnos_cap_t parent = child_give(&child, bootstrap_cap("process"), MNOS_RIGHTS_ALL);

        if (child_start(&child, destroy_ancestor, parent, 0, 0, 0))
            CHECK_ERROR_RAX(proc_destroy, ERR_STATE, 1, 0, child_result(&child));
    }
    child_drop(&child);
}

static struct mnos_thread_params thread_at(uint64_t buffer)
{
    return (struct mnos_thread_params){
        .ipc_buffer = buffer, .affinity = MNOS_AFFINITY_ANY, .flags = MNOS_THREAD_SUSPENDED};
}

TEST(errors, of_thread_create)
{
    struct mnos_thread_params params = thread_at(ARENA);
    mnos_cap_t process = process_new(), thread;

    CHECK_ERROR(thread_create, ERR_SIZE, 2, 0, sys_thread_create(process, 0, &thread));
    CHECK_ERROR(thread_create, ERR_SIZE, 2, 0,
                sys_thread_create(process, sizeof params + 1, &thread));
    params.priority = TEST_PRIORITY + 1;
    CHECK_ERROR(thread_create, ERR_CEILING, 2, 0, thread_create_raw(process, &params, &thread));
    params = thread_at(ARENA);
    params.affinity = MNOS_CORES_MAX;
    CHECK_ERROR(thread_create, ERR_ARGUMENT, 2, 0, thread_create_raw(process, &params, &thread));
    params = thread_at(ARENA);
    params.flags = UINT32_MAX;
    CHECK_ERROR(thread_create, ERR_ARGUMENT, 2, 0, thread_create_raw(process, &params, &thread));
    params = thread_at(ARENA + 1);
    CHECK_ERROR(thread_create, ERR_ADDRESS, 2, 0, thread_create_raw(process, &params, &thread));
    params = thread_at(ARENA);
    params.registers.rip = MNOS_USER_END;
    CHECK_ERROR(thread_create, ERR_ADDRESS, 2, 0, thread_create_raw(process, &params, &thread));
    params = thread_at(MNOS_KINFO_ADDRESS);
    CHECK_ERROR(thread_create, ERR_OVERLAP, 2, 0, thread_create_raw(process, &params, &thread));
    process_end(process);
}

TEST(errors, of_thread_destroy_block_and_wake)
{
    const struct mnos_thread_params params = thread_at(ARENA);
    mnos_cap_t process = process_new(), memory = memory_new(1), thread = 0;
    uint64_t now;

    CHECK_OK(thread_create_raw(process, &params, &thread));
    CHECK_OK(sys_thread_destroy(thread));
    CHECK_ERROR(thread_destroy, ERR_STATE, 1, 0, sys_thread_destroy(thread));
    CHECK_ERROR(thread_block, ERR_TYPE, 1, MNOS_TYPE_MEMORY, sys_thread_block(memory, 0, &now));
    CHECK_ERROR(thread_block, ERR_DEADLINE, 0, 0, sys_thread_block(MNOS_SELF, 0, &now));
    CHECK_ERROR(thread_wake, ERR_TYPE, 1, MNOS_TYPE_MEMORY, sys_thread_wake(memory));
    cap_drop(memory);
    process_end(process);
}

/* ---- interrupts, log ---- */

TEST(errors, of_interrupts_and_the_log)
{
    mnos_cap_t two = cap_range(bootstrap_cap("interrupts"), MNOS_RIGHT_WRITE, 7, 2);
    mnos_cap_t one = cap_range(two, MNOS_RIGHT_WRITE, 0, 1), memory = memory_new(1);
    mnos_cap_t endpoint = endpoint_new(), minted = cap_mint(endpoint, 1, 2);

    CHECK_ERROR(irq_bind, ERR_STATE, 1, 0, sys_irq_bind(two, endpoint, 1));
    CHECK_ERROR(irq_bind, ERR_ARGUMENT, 3, 0, sys_irq_bind(one, endpoint, 0));
    CHECK_ERROR(irq_bind, ERR_ARGUMENT, 3, 0, sys_irq_bind(one, minted, 1));
    CHECK_ERROR(irq_ack, ERR_STATE, 1, 0, sys_irq_ack(two));
    CHECK_ERROR(irq_ack, ERR_STATE, 0, 0, sys_irq_ack(one));
    CHECK_ERROR(ipc_notify, ERR_ARGUMENT, 2, 0, sys_ipc_notify(endpoint, 0));
    CHECK_ERROR(ipc_notify, ERR_ARGUMENT, 2, 0, sys_ipc_notify(minted, 1));
    CHECK_ERROR(debug_write, ERR_STATE, 1, 0, sys_debug_write(memory, 1, MNOS_LOG_INFO));
    CHECK_ERROR(debug_write, ERR_SIZE, 2, 0,
                sys_debug_write(bootstrap_cap("log"), MNOS_MESSAGE_MAX_BYTES + 1, MNOS_LOG_INFO));
    CHECK_ERROR(debug_write, ERR_ARGUMENT, 3, 0,
                sys_debug_write(bootstrap_cap("log"), 1, MNOS_LOG_LEVELS));
    cap_drop(minted);
    cap_drop(endpoint);
    cap_drop(memory);
    cap_drop(one);
    cap_drop(two);
}

/* ---- quotas ---- */

/* Puts capabilities into the table of a process until it has no room. */
static void table_fill(mnos_cap_t process, mnos_cap_t cap)
{
    mnos_status_t status = MNOS_OK;
    mnos_cap_t given;

    for (unsigned i = 0; i < FILL_MAX && status == MNOS_OK; i++)
        status = sys_cap_transfer(process, cap, 0, &given);
    CHECK_EQ(status, MNOS_ERR_QUOTA);
}

TEST(errors, of_a_table_without_room)
{
    mnos_cap_t process = process_new(), memory = memory_new(1), given;

    table_fill(process, memory);
    CHECK_ERROR(cap_transfer, ERR_QUOTA, 0, MNOS_QUOTA_BYTES,
                sys_cap_transfer(process, memory, 0, &given));
    CHECK_ERROR(mem_grant, ERR_QUOTA, 0, MNOS_QUOTA_BYTES,
                sys_mem_grant(process, memory, 0, 1, 0, &given));
    process_end(process);
    cap_drop(memory);
}

TEST(errors, of_a_process_without_frames_for_page_tables)
{
    mnos_cap_t process = process_new(), memory = memory_new(1);
    mnos_status_t status = MNOS_OK;
    uint64_t i;

    for (i = 0; i < 64 && status == MNOS_OK; i++)
        status = sys_mem_map(process, memory, ARENA + (i << 21), 0, 1, MNOS_MAP_READ);
    CHECK_ERROR(mem_map, ERR_QUOTA, 0, MNOS_QUOTA_FRAMES,
                sys_mem_map(process, memory, ARENA + (i << 21), 0, 1, MNOS_MAP_READ));
    process_end(process);
    cap_drop(memory);
}

TEST(errors, of_a_process_without_frames_for_threads)
{
    mnos_cap_t process = process_new(), thread;
    struct mnos_thread_params params = thread_at(ARENA);
    mnos_status_t status = MNOS_OK;

    while (status == MNOS_OK && params.ipc_buffer < ARENA + 64 * PAGE) {
        status = thread_create_raw(process, &params, &thread);
        params.ipc_buffer += PAGE;
    }
    CHECK_ERROR(thread_create, ERR_QUOTA, 2, MNOS_QUOTA_FRAMES,
                thread_create_raw(process, &params, &thread));
    process_end(process);
}

static uint64_t create_endpoints(uint64_t, uint64_t, uint64_t, uint64_t)
{
    mnos_status_t status = MNOS_OK;
    mnos_cap_t endpoint;

    for (unsigned i = 0; i < FILL_MAX && status == MNOS_OK; i++)
        status = sys_cap_create(MNOS_CREATE_ENDPOINT, 0, 0, 0, 0, &endpoint);
    return claim_rax(status, MNOS_SYS_cap_create);
}

TEST(errors, of_cap_create_beyond_the_quota)
{
    CHECK_ERROR_RAX(cap_create, ERR_QUOTA, 0, MNOS_QUOTA_BYTES,
                    child_run(create_endpoints, 0, 0, 0, 0).exit_code);
}
