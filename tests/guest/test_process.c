// SPDX-License-Identifier: MIT
/* test_process.c - creating and ending processes, their accounts, and who is told. */
#include "lib/base/string.h"
#include "lib/mnos/bootstrap.h"
#include "tests/guest/child.h"

static struct mnos_process_params params_of(uint64_t frames, uint64_t bytes)
{
    return (struct mnos_process_params){.name = "p",
                                        .frames_quota = frames,
                                        .bytes_quota = bytes,
                                        .priority_ceiling = TEST_PRIORITY};
}

static void check_refused(const struct mnos_process_params *params, mnos_status_t wanted,
                          unsigned detail)
{
    mnos_cap_t process;

    CHECK_FAILS(process_create(params, &process), wanted, 1, detail);
}

/* ---- sys_proc_create ---- */

TEST(process, create_refuses_bad_parameters)
{
    struct mnos_process_params params = params_of(0, 65536);
    mnos_cap_t process;

    CHECK_FAILS(sys_proc_create(0, &process), MNOS_ERR_SIZE, 1, 0);
    CHECK_FAILS(sys_proc_create(sizeof params - 1, &process), MNOS_ERR_SIZE, 1, 0);
    check_refused(&params, MNOS_ERR_ARGUMENT, 0);
    params = params_of(32, 0);
    check_refused(&params, MNOS_ERR_ARGUMENT, 0);
    params = params_of(32, 65536);
    params.priority_ceiling = MNOS_PRIORITY_COUNT;
    check_refused(&params, MNOS_ERR_CEILING, 0);
    params.priority_ceiling = UINT32_MAX;
    check_refused(&params, MNOS_ERR_CEILING, 0);
    params = params_of(UINT64_MAX, 65536);
    check_refused(&params, MNOS_ERR_QUOTA, MNOS_QUOTA_FRAMES);
    params = params_of(32, UINT64_MAX);
    check_refused(&params, MNOS_ERR_QUOTA, MNOS_QUOTA_BYTES);
    params = params_of(1, 65536); /* not enough for its own page tables */
    check_refused(&params, MNOS_ERR_QUOTA, MNOS_QUOTA_FRAMES);
}

TEST(process, no_quota_for_a_capability_table_shows_when_it_gets_one)
{
    struct mnos_process_params params = params_of(32, 1);
    mnos_cap_t memory = memory_new(1), process, granted;

    CHECK_OK(process_create(&params, &process));
    CHECK_FAILS(sys_mem_grant(process, memory, 0, 1, MNOS_RIGHT_READ, &granted), MNOS_ERR_QUOTA, 0,
                MNOS_QUOTA_BYTES);
    CHECK_OK(sys_proc_destroy(process, 0));
    cap_drop(process);
    cap_drop(memory);
}

TEST(process, create_checks_the_exit_endpoint)
{
    mnos_cap_t endpoint = endpoint_new(), minted = cap_mint(endpoint, 1, 2);
    mnos_cap_t weak = cap_copy(endpoint, MNOS_RIGHT_READ), memory = memory_new(1), process;
    struct mnos_process_params params = params_of(32, 65536);

    params.exit_events = 1;
    check_refused(&params, MNOS_ERR_ARGUMENT, 0); /* events and nobody to tell */
    params.exit_endpoint = endpoint;
    params.exit_events = 0;
    check_refused(&params, MNOS_ERR_ARGUMENT, 0);
    params.exit_events = 1;
    params.exit_endpoint = minted;
    check_refused(&params, MNOS_ERR_ARGUMENT, 0); /* not in the mask */
    params.exit_endpoint = weak;
    CHECK_FAILS(process_create(&params, &process), MNOS_ERR_RIGHTS, 1, MNOS_RIGHT_WRITE);
    params.exit_endpoint = memory;
    CHECK_FAILS(process_create(&params, &process), MNOS_ERR_TYPE, 1, MNOS_TYPE_MEMORY);
    params.exit_endpoint = handle_stale();
    check_refused(&params, MNOS_ERR_HANDLE, 0);
    CHECK_OK(sys_cap_revoke(endpoint));
    cap_drop(endpoint);
    cap_drop(memory);
}

TEST(process, a_name_that_forges_lines_is_cleaned)
{
    struct mnos_process_params params = {.name = "a\n[ 0.1] E b\033[2J\xc3\xa4\xc3",
                                         .frames_quota = 32,
                                         .bytes_quota = 64 * 1024,
                                         .priority_ceiling = TEST_PRIORITY};
    struct mnos_thread_params thread_params = {
        .ipc_buffer = ARENA, .affinity = MNOS_AFFINITY_ANY, .flags = MNOS_THREAD_SUSPENDED};
    const char *cleaned = "a?[ 0.1] E b?[2J\xc3\xa4?";
    mnos_cap_t process = 0, thread = 0;

    CHECK_OK(process_create(&params, &process));
    CHECK_EQ(strcmp(process_info(process).name, cleaned), 0);
    memcpy(thread_params.name, params.name, sizeof params.name);
    CHECK_OK(thread_create_raw(process, &thread_params, &thread));
    CHECK_EQ(strcmp(thread_info(thread).name, cleaned), 0);
    process_end(process);
}

TEST(process, its_quota_is_carved_out_and_comes_back)
{
    struct mnos_process_info before = process_info(MNOS_SELF), during;
    struct mnos_process_params params = params_of(1000, 1 << 20);
    mnos_cap_t process = 0;

    CHECK_OK(process_create(&params, &process));
    during = process_info(MNOS_SELF);
    CHECK_EQ(during.frames_used, before.frames_used + 1000);
    CHECK(during.bytes_used >= before.bytes_used + (1 << 20));
    CHECK(process_info(process).frames_used > 0);
    CHECK_OK(sys_proc_destroy(process, 0));
    CHECK_EQ(process_info(MNOS_SELF).frames_used, before.frames_used);
    CHECK_EQ(process_info(process).frames_used, 0);
    CHECK_EQ(process_info(process).bytes_used, 0);
    cap_drop(process);
}

/* ---- ends ---- */

TEST(process, destroying_tells_why_and_the_exit_endpoint)
{
    struct mnos_process_params params = params_of(32, 65536);
    mnos_cap_t endpoint = endpoint_new(), process = 0;
    struct mnos_process_info info;
    struct message msg = {0};

    params.exit_endpoint = cap_mint(endpoint, 3, 0xF00);
    params.exit_events = 0x500;
    CHECK_OK(process_create(&params, &process));
    CHECK_STATUS(receive_now(endpoint, &msg), MNOS_ERR_DEADLINE);
    CHECK_OK(sys_proc_destroy(process, 0xFEEDull << 40));
    info = process_info(process);
    CHECK_EQ(info.state, MNOS_PROCESS_DEAD);
    CHECK_EQ(info.exit_reason, MNOS_EXIT_DESTROYED);
    CHECK_EQ(info.exit_code, 0xFEEDull << 40);
    CHECK_OK(receive_now(endpoint, &msg));
    CHECK_EQ(msg.kind, MNOS_KIND_EVENTS);
    CHECK_EQ(msg.words[0], 0x500);
    CHECK_OK(sys_proc_destroy(process, 1)); /* dead already: the first reason stays */
    CHECK_EQ(process_info(process).exit_code, 0xFEEDull << 40);
    CHECK_OK(sys_cap_revoke(endpoint));
    cap_drop(endpoint);
    cap_drop(process);
}

TEST(process, a_revoked_exit_endpoint_is_not_told)
{
    struct mnos_process_params params = params_of(32, 65536);
    mnos_cap_t endpoint = endpoint_new(), process = 0;
    struct message msg = {0};

    params.exit_endpoint = endpoint;
    params.exit_events = 1;
    CHECK_OK(process_create(&params, &process));
    CHECK_OK(sys_cap_revoke(endpoint));
    process_end(process);
    CHECK_STATUS(receive_now(endpoint, &msg), MNOS_ERR_DEADLINE);
    cap_drop(endpoint);
}

TEST(process, deleting_the_capability_leaves_it_alive)
{
    mnos_cap_t process = process_new(), copy = cap_copy(process, MNOS_RIGHTS_ALL);

    cap_drop(process);
    CHECK_EQ(process_info(copy).state, MNOS_PROCESS_ALIVE);
    process_end(copy);
}

static uint64_t destroy_parent(uint64_t parent, uint64_t, uint64_t, uint64_t)
{
    return sys_proc_destroy(parent, 0);
}

TEST(process, a_child_cannot_destroy_its_ancestor)
{
    struct child child;

    if (child_create(&child)) {
        mnos_cap_t parent = child_give(&child, bootstrap_cap("process"), MNOS_RIGHTS_ALL);

        if (child_start(&child, destroy_parent, parent, 0, 0, 0))
            CHECK_EQ(child_result(&child), MNOS_ERR_STATE);
    }
    child_drop(&child);
}

/* ---- children of children ---- */

/* Makes processes in processes, as deep as told, then waits to be destroyed. */
static uint64_t make_children(uint64_t ready, uint64_t count, uint64_t, uint64_t)
{
    struct mnos_process_params params = params_of(12, 16384);
    struct mnos_thread_params thread_params = {
        .ipc_buffer = ARENA, .affinity = MNOS_AFFINITY_ANY, .flags = MNOS_THREAD_SUSPENDED};
    mnos_cap_t process, thread, memory;
    uint64_t now;

    for (uint64_t i = 0; i < count; i++) {
        if (process_create(&params, &process) != MNOS_OK ||
            thread_create_raw(process, &thread_params, &thread) != MNOS_OK ||
            sys_mem_alloc(2, 0, &memory) != MNOS_OK ||
            sys_mem_map(process, memory, ARENA + PAGE, 0, 2, MAP_RW) != MNOS_OK)
            return 1;
    }
    (void)!sys_ipc_notify(ready, 1);
    (void)!sys_thread_block(MNOS_SELF, MNOS_DEADLINE_NEVER, &now);
    return 2;
}

TEST(process, children_die_with_their_parent)
{
    mnos_cap_t ready = endpoint_new();
    struct message msg = {0};
    struct child child;

    if (child_create(&child) &&
        child_start(&child, make_children, child_give(&child, ready, MNOS_RIGHT_WRITE), 5, 0, 0) &&
        CHECK_OK(ipc_receive(ready, &msg, soon()))) {
        CHECK(process_info(child.process).frames_used > 5 * 12);
        CHECK_OK(sys_proc_destroy(child.process, 0));
        CHECK_EQ(process_info(child.process).frames_used, 0);
        CHECK_EQ(process_info(child.process).bytes_used, 0);
    }
    child_drop(&child);
    cap_drop(ready);
}

static uint64_t exit_with_children(uint64_t ready, uint64_t count, uint64_t, uint64_t)
{
    uint64_t now;

    (void)!sys_thread_wake(MNOS_SELF); /* so that it does not wait at the end */
    (void)make_children(ready, count, 0, 0);
    return sys_thread_block(MNOS_SELF, 0, &now) == MNOS_ERR_DEADLINE ? 5 : 6;
}

TEST(process, children_die_when_it_ends_itself)
{
    mnos_cap_t ready = endpoint_new();
    struct child child;

    if (child_create(&child) && child_start(&child, exit_with_children,
                                            child_give(&child, ready, MNOS_RIGHT_WRITE), 5, 0, 0)) {
        CHECK_EQ(child_result(&child), 5);
        CHECK_EQ(process_info(child.process).frames_used, 0);
        CHECK_EQ(process_info(child.process).bytes_used, 0);
    }
    child_drop(&child);
    cap_drop(ready);
}

/* ---- killing what waits ---- */

enum pastime {
    PARKS,
    SENDS,
    RECEIVES,
    CALLS,
    AWAITS_REPLY,
    SPINS,
    YIELDS,
    ALLOCATES,
    DERIVES,
    PASTIME_COUNT,
};

static void derive_many(void)
{
    mnos_cap_t root, copy;

    if (sys_cap_create(MNOS_CREATE_ENDPOINT, 0, 0, 0, 0, &root) != MNOS_OK)
        return;
    for (unsigned i = 0; i < 200; i++)
        (void)!sys_cap_create(MNOS_CREATE_COPY, root, 0, 0, 0, &copy);
    (void)!sys_cap_revoke(root);
    (void)!sys_cap_delete(root);
}

static uint64_t pass_time(uint64_t pastime, uint64_t endpoint, uint64_t ready, uint64_t)
{
    struct message msg = {0};
    mnos_cap_t memory;
    uint64_t now;

    (void)!sys_ipc_notify(ready, 1);
    for (;;) {
        switch (pastime) {
        case PARKS: (void)!sys_thread_block(MNOS_SELF, MNOS_DEADLINE_NEVER, &now); break;
        case SENDS: (void)!ipc_send(endpoint, &msg, MNOS_DEADLINE_NEVER); break;
        case RECEIVES: (void)!ipc_receive(endpoint, &msg, MNOS_DEADLINE_NEVER); break;
        case CALLS:
        case AWAITS_REPLY: (void)!ipc_call(endpoint, &msg, MNOS_DEADLINE_NEVER); break;
        case YIELDS: (void)!sys_thread_yield(); break;
        case DERIVES: derive_many(); break;
        case ALLOCATES:
            if (sys_mem_alloc(60, 0, &memory) == MNOS_OK)
                (void)!sys_cap_delete(memory);
            break;
        default: break;
        }
        if (pastime == PASTIME_COUNT)
            return 0;
    }
}

static void check_kill(enum pastime pastime, bool suspend_first)
{
    mnos_cap_t endpoint = endpoint_new(), ready = endpoint_new();
    struct message msg = {0}, call = {0};
    struct child child;
    uint64_t now;

    if (child_create(&child)) {
        mnos_cap_t theirs = child_give(&child, endpoint, MNOS_RIGHT_READ | MNOS_RIGHT_WRITE);
        mnos_cap_t told = child_give(&child, ready, MNOS_RIGHT_WRITE);

        if (child_start(&child, pass_time, pastime, theirs, told, 0))
            CHECK_OK(ipc_receive(ready, &msg, soon()));
        if (pastime == AWAITS_REPLY)
            CHECK_OK(ipc_receive(endpoint, &call, soon()));
        sleep_ns(MILLISECOND_NS);
        if (suspend_first)
            CHECK_OK(sys_thread_block(child.thread, 0, &now));
    }
    child_drop(&child); /* checks that it can be destroyed */
    if (pastime == AWAITS_REPLY)
        CHECK_FAILS(ipc_reply(&call), MNOS_ERR_REPLY, 1, 0);
    CHECK_STATUS(receive_now(endpoint, &msg), MNOS_ERR_DEADLINE); /* nothing of it is queued */
    CHECK_STATUS(ipc_send(endpoint, &msg, 0), MNOS_ERR_DEADLINE);
    cap_drop(endpoint);
    cap_drop(ready);
}

TEST(process, killing_it_in_whatever_it_does)
{
    for (enum pastime pastime = 0; pastime < PASTIME_COUNT && !check_failed(); pastime++)
        check_kill(pastime, false);
}

TEST(process, killing_it_suspended_in_whatever_it_does)
{
    for (enum pastime pastime = 0; pastime < PASTIME_COUNT && !check_failed(); pastime++)
        check_kill(pastime, true);
}

TEST(process, what_it_shared_goes_with_it)
{
    mnos_cap_t process = process_new();
    mnos_cap_t memory = memory_new(4);

    CHECK_OK(sys_mem_map(process, memory, ARENA, 0, 4, MAP_RW));
    CHECK_OK(sys_mem_map(process, memory, ARENA + 4 * PAGE, 0, 4, MNOS_MAP_READ));
    CHECK_OK(sys_mem_map(MNOS_SELF, memory, ARENA, 0, 4, MAP_RW));
    process_end(process);
    *(volatile uint64_t *)ARENA = 1; /* ours stays */
    CHECK_OK(sys_cap_revoke(memory));
    CHECK_OK(sys_mem_unmap(MNOS_SELF, ARENA, 4));
    cap_drop(memory);
}

/* ---- two that destroy ---- */

static uint64_t return_at_once(uint64_t, uint64_t, uint64_t, uint64_t)
{
    return 1;
}

TEST(process, one_that_is_destroyed_while_it_ends_by_itself_ends_once)
{
    for (unsigned i = 0; i < 200 && !check_failed(); i++) {
        struct child child;
        uint64_t until_ns;

        if (!child_create(&child) || !child_start(&child, return_at_once, 0, 0, 0, 0))
            return;
        until_ns = kinfo_time_ns() + i % 50 * 4000; /* somewhere in its life */
        while (kinfo_time_ns() < until_ns)
            ;
        CHECK_OK(sys_proc_destroy(child.process, 0));
        CHECK_EQ(child_wait(&child).state, MNOS_PROCESS_DEAD);
        child_drop(&child);
    }
}

#define SPINNERS 40u /* more than are stopped in one step */

_Noreturn static void spin_without_a_stack(void)
{
    for (;;)
        __asm__ volatile("pause");
}

static bool spinners_start(const struct child *child, mnos_cap_t threads[SPINNERS])
{
    struct mnos_thread_params params = {
        .name = "spinner", .priority = TEST_PRIORITY - 2, .affinity = MNOS_AFFINITY_ANY};

    params.registers.rip = (uint64_t)spin_without_a_stack;
    for (unsigned i = 0; i < SPINNERS && !check_failed(); i++) {
        params.ipc_buffer = ARENA + i * PAGE;
        CHECK_OK(thread_create_raw(child->process, &params, &threads[i]));
    }
    return !check_failed();
}

/* When it is told to; and returns when it is told to, not in the middle of its being woken. */
static uint64_t suspend_own_process(uint64_t process, uint64_t told, uint64_t, uint64_t)
{
    struct message msg = {0};
    mnos_status_t status = MNOS_ERR_DEADLINE;
    uint64_t now;

    if (ipc_receive(told, &msg, soon()) == MNOS_OK)
        status = sys_thread_block(process, 0, &now);
    return ipc_receive(told, &msg, soon()) == MNOS_OK ? status : MNOS_ERR_DEADLINE;
}

TEST(process, one_with_many_threads_suspends_itself_whole)
{
    mnos_cap_t threads[SPINNERS], told = endpoint_new();
    struct child child;

    if (child_create(&child) &&
        child_start(&child, suspend_own_process, child_give(&child, child.process, MNOS_RIGHTS_ALL),
                    child_give(&child, told, MNOS_RIGHTS_ALL), 0, 0) &&
        spinners_start(&child, threads)) {
        CHECK_OK(sys_ipc_notify(told, 1));
        thread_reaches(child.thread, MNOS_STATE_SUSPENDED);
        for (unsigned i = 0; i < SPINNERS && !check_failed(); i++)
            CHECK_EQ(thread_info(threads[i]).state, MNOS_STATE_SUSPENDED);
        CHECK_OK(sys_thread_wake(child.process));
        CHECK_OK(sys_ipc_notify(told, 1));
        CHECK_EQ(child_result(&child), MNOS_OK);
    }
    child_drop(&child);
    cap_drop(told);
}
