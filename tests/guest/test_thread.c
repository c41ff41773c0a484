// SPDX-License-Identifier: MIT
/* test_thread.c - creating, parking, suspending and destroying threads. */
#include "lib/base/string.h"
#include "tests/guest/child.h"

#define MEMORY_LIMIT 0x0000800000000000ull

static struct mnos_thread_params params_at(uint64_t buffer)
{
    return (struct mnos_thread_params){.name = "t",
                                       .ipc_buffer = buffer,
                                       .priority = TEST_PRIORITY,
                                       .affinity = MNOS_AFFINITY_ANY,
                                       .flags = MNOS_THREAD_SUSPENDED};
}

static void check_refused(mnos_cap_t process, const struct mnos_thread_params *params,
                          mnos_status_t wanted)
{
    mnos_cap_t thread;

    CHECK_FAILS(thread_create_raw(process, params, &thread), wanted, 2, 0);
}

/* ---- sys_thread_create ---- */

TEST(thread, create_refuses_bad_parameters)
{
    mnos_cap_t process = process_new(), thread;
    const uint64_t bad[] = {0, 1, ARENA + 8, MNOS_USER_END, MEMORY_LIMIT, 0xFFFF800000000000ull};
    struct mnos_thread_params params = params_at(ARENA);

    CHECK_FAILS(sys_thread_create(process, 0, &thread), MNOS_ERR_SIZE, 2, 0);
    CHECK_FAILS(sys_thread_create(process, sizeof params + 1, &thread), MNOS_ERR_SIZE, 2, 0);
    CHECK_FAILS(sys_thread_create(process, UINT64_MAX, &thread), MNOS_ERR_SIZE, 2, 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        params.ipc_buffer = bad[i];
        check_refused(process, &params, MNOS_ERR_ADDRESS);
    }
    params = params_at(MNOS_KINFO_ADDRESS);
    check_refused(process, &params, MNOS_ERR_OVERLAP);
    params = params_at(ARENA);
    params.priority = TEST_PRIORITY + 1;
    check_refused(process, &params, MNOS_ERR_CEILING);
    params.priority = UINT32_MAX;
    check_refused(process, &params, MNOS_ERR_CEILING);
    params = params_at(ARENA);
    params.affinity = core_count();
    check_refused(process, &params, MNOS_ERR_ARGUMENT);
    params = params_at(ARENA);
    params.flags = 2;
    check_refused(process, &params, MNOS_ERR_ARGUMENT);
    CHECK_EQ(process_info(process).thread_count, 0);
    process_end(process);
}

TEST(thread, create_refuses_registers_outside_user_space)
{
    mnos_cap_t process = process_new();
    struct mnos_thread_params params = params_at(ARENA);

    params.registers.rip = MNOS_USER_END;
    check_refused(process, &params, MNOS_ERR_ADDRESS);
    params.registers.rip = 0xFFFFFFFF80200000ull;
    check_refused(process, &params, MNOS_ERR_ADDRESS);
    params = params_at(ARENA);
    params.registers.fs_base = MEMORY_LIMIT; /* not canonical */
    check_refused(process, &params, MNOS_ERR_ADDRESS);
    params = params_at(ARENA);
    params.registers.gs_base = UINT64_MAX >> 1;
    check_refused(process, &params, MNOS_ERR_ADDRESS);
    process_end(process);
}

TEST(thread, two_cannot_share_a_buffer)
{
    mnos_cap_t process = process_new(), thread = 0;
    struct mnos_thread_params params = params_at(ARENA);

    CHECK_OK(thread_create_raw(process, &params, &thread));
    check_refused(process, &params, MNOS_ERR_OVERLAP);
    CHECK_OK(sys_thread_destroy(thread));
    cap_drop(thread);
    CHECK_OK(thread_create_raw(process, &params, &thread)); /* the page is free again */
    process_end(process);
}

TEST(thread, the_process_pays_until_its_quota_is_spent)
{
    mnos_cap_t process = process_new(), thread;
    mnos_status_t status = MNOS_OK;
    uint64_t count = 0;

    while (status == MNOS_OK && count < 100) {
        struct mnos_thread_params params = params_at(ARENA + count * PAGE);

        status = thread_create_raw(process, &params, &thread);
        count += status == MNOS_OK;
    }
    CHECK_EQ(status, MNOS_ERR_QUOTA);
    CHECK(count > 5 && count < 32);
    CHECK_EQ(process_info(process).thread_count, count);
    process_end(process);
}

/* Reports registers as they are at the first instruction: stores them behind the FS base. */
__asm__(".text\n"
        "store_registers:\n"
        "    movq %rax, %fs:0\n    movq %rbx, %fs:8\n    movq %rcx, %fs:16\n"
        "    movq %rdx, %fs:24\n   movq %rsi, %fs:32\n    movq %rdi, %fs:40\n"
        "    movq %rbp, %fs:48\n   movq %rsp, %fs:56\n    movq %r8, %fs:64\n"
        "    movq %r9, %fs:72\n    movq %r10, %fs:80\n    movq %r11, %fs:88\n"
        "    movq %r12, %fs:96\n   movq %r13, %fs:104\n   movq %r14, %fs:112\n"
        "    movq %r15, %fs:120\n  movq %gs:0, %rax\n     movq %rax, %fs:128\n"
        "    pushfq\n    popq %rax\n    movq %rax, %fs:136\n"
        "    movq $1, %fs:144\n"
        "1:  pause\n    jmp 1b\n");
void store_registers(void);

#define FLAGS_SET 0xCD5ull /* arithmetic flags and DF */

TEST(thread, it_starts_with_the_registers_given)
{
    static uint64_t gs_word = 0x6513;
    volatile uint64_t *seen = (volatile uint64_t *)(ARENA + PAGE);
    struct mnos_thread_params params = params_at(ARENA);
    mnos_cap_t memory = memory_new(2), thread = 0;
    uint64_t deadline = soon();
    uint64_t *all = &params.registers.rax;

    CHECK_OK(sys_mem_map(MNOS_SELF, memory, ARENA + PAGE, 0, 2, MAP_RW));
    for (uint64_t i = 0; i < 16; i++)
        all[i] = 0x1000 + i;
    params.registers.rsp = ARENA + 3 * PAGE;
    params.registers.rip = (uint64_t)store_registers;
    params.registers.rflags = FLAGS_SET | 1ull << 9 | 1ull << 12 | 1ull << 17; /* IOPL, VM */
    params.registers.fs_base = ARENA + PAGE;
    params.registers.gs_base = (uint64_t)&gs_word;
    params.flags = 0;
    CHECK_OK(thread_create_raw(MNOS_SELF, &params, &thread));
    while (seen[18] != 1 && kinfo_time_ns() < deadline)
        CHECK_OK(sys_thread_yield());
    for (unsigned i = 0; i < 16; i++)
        CHECK_EQ(seen[i], i == 7 ? ARENA + 3 * PAGE : 0x1000 + i);
    CHECK_EQ(seen[16], 0x6513);
    CHECK_EQ(seen[17] & ~0x2ull, FLAGS_SET | 1ull << 9); /* IF, and no privilege */
    CHECK_OK(sys_thread_destroy(thread));
    cap_drop(thread);
    CHECK_OK(sys_mem_unmap(MNOS_SELF, ARENA + PAGE, 2));
    cap_drop(memory);
}

/* ---- cores ---- */

static void note_core(void *argument)
{
    for (unsigned i = 0; i < 20; i++)
        (void)!sys_thread_yield();
    *(uint32_t *)argument = thread_info(MNOS_SELF).core;
}

TEST(thread, a_pinned_one_runs_on_its_core_and_nowhere_else)
{
    uint32_t cores[MNOS_CORES_MAX];
    struct thread threads[MNOS_CORES_MAX];

    for (uint32_t i = 0; i < core_count(); i++)
        helper_start_at(&threads[i], note_core, &cores[i], TEST_PRIORITY, i);
    for (uint32_t i = 0; i < core_count(); i++) {
        CHECK_EQ(thread_info(threads[i].thread).affinity, i);
        helper_finish(&threads[i]);
        CHECK_EQ(cores[i], i);
    }
}

static void count_up(void *argument)
{
    for (;;)
        ++*(volatile uint64_t *)argument;
}

static bool moves(volatile uint64_t *counter)
{
    uint64_t before = *counter, deadline = soon();

    while (*counter == before && kinfo_time_ns() < deadline)
        sleep_ns(MILLISECOND_NS / 10);
    return *counter != before;
}

TEST(thread, two_of_one_priority_share_a_core)
{
    volatile uint64_t counts[2] = {0};
    struct thread threads[2];

    for (unsigned i = 0; i < 2; i++)
        helper_start_at(&threads[i], count_up, (void *)&counts[i], TEST_PRIORITY - 1,
                        core_count() - 1);
    for (uint64_t deadline = soon(); counts[0] == 0 || counts[1] == 0;) {
        if (!CHECK(kinfo_time_ns() < deadline))
            break;
        sleep_ns(MILLISECOND_NS);
    }
    for (unsigned i = 0; i < 2; i++)
        helper_end(&threads[i]);
}

static void set_flag(void *argument)
{
    *(volatile uint64_t *)argument = 1;
}

TEST(thread, one_of_lower_priority_waits_for_a_pinned_better_one)
{
    volatile uint64_t busy = 0, flag = 0;
    uint32_t core = core_count() - 1;
    struct thread high, low;

    if (core == 0)
        return; /* this thread needs a core of its own to watch */
    helper_start_at(&high, count_up, (void *)&busy, TEST_PRIORITY + 1, core);
    CHECK(moves(&busy));
    helper_start_at(&low, set_flag, (void *)&flag, TEST_PRIORITY - 10, core);
    sleep_ns(30 * MILLISECOND_NS);
    CHECK(moves(&busy));
    CHECK_EQ(flag, 0);
    helper_end(&high);
    helper_finish(&low);
    CHECK_EQ(flag, 1);
}

/* ---- parking ---- */

TEST(thread, a_wake_before_the_block_is_kept_once)
{
    uint64_t now = 0;

    CHECK_OK(sys_thread_wake(MNOS_SELF));
    CHECK_OK(sys_thread_wake(MNOS_SELF));
    CHECK_OK(sys_thread_block(MNOS_SELF, soon(), &now));
    CHECK(now > 0 && now <= kinfo_time_ns());
    CHECK_STATUS(sys_thread_block(MNOS_SELF, 0, &now), MNOS_ERR_DEADLINE);
}

TEST(thread, a_park_ends_at_its_deadline_and_not_before)
{
    for (uint64_t delay = 1000; delay <= 10 * MILLISECOND_NS; delay *= 10) {
        uint64_t deadline = kinfo_time_ns() + delay;
        struct syscall_result result =
            syscall_raw(MNOS_SYS_thread_block, MNOS_SELF, deadline, 0, 0, 0, 0);

        CHECK_EQ(result.rax & UINT32_MAX, MNOS_ERR_DEADLINE);
        CHECK(is_in_time(deadline, result.rdx));
    }
}

static void park_for_ever(void *argument)
{
    uint64_t now;

    *(volatile uint32_t *)argument = sys_thread_block(MNOS_SELF, MNOS_DEADLINE_NEVER, &now);
}

TEST(thread, wake_ends_a_park)
{
    volatile uint32_t status = 99;
    struct thread parked;

    helper_start(&parked, park_for_ever, (void *)&status);
    thread_reaches(parked.thread, MNOS_STATE_PARKED);
    CHECK_OK(sys_thread_wake(parked.thread));
    helper_finish(&parked);
    CHECK_EQ(status, MNOS_OK);
}

/* ---- suspending ---- */

static bool stands_still(volatile uint64_t *counter)
{
    uint64_t before = *counter;

    sleep_ns(5 * MILLISECOND_NS);
    return *counter == before;
}

TEST(thread, a_suspended_one_stands_still_until_it_is_woken)
{
    volatile uint64_t counter = 0;
    struct thread busy;
    uint64_t now = 0;

    helper_start_at(&busy, count_up, (void *)&counter, TEST_PRIORITY - 1, MNOS_AFFINITY_ANY);
    CHECK(moves(&counter));
    CHECK_OK(sys_thread_block(busy.thread, 0, &now));
    CHECK(now > 0);
    CHECK_EQ(thread_info(busy.thread).state, MNOS_STATE_SUSPENDED);
    CHECK(stands_still(&counter));
    CHECK_OK(sys_thread_block(busy.thread, 0, &now)); /* twice is as once */
    CHECK_OK(sys_thread_wake(busy.thread));
    CHECK(moves(&counter));
    CHECK_OK(sys_thread_block(busy.thread, 0, &now));
    helper_end(&busy);
}

static void suspend_itself(void *argument)
{
    volatile mnos_cap_t *own = &((struct thread *)argument)->thread;
    uint64_t now;

    while (*own == 0) /* the creator has it first */
        (void)!sys_thread_yield();
    (void)!sys_thread_block(*own, 0, &now);
}

TEST(thread, it_can_suspend_itself_by_name)
{
    struct thread thread;

    helper_start_at(&thread, suspend_itself, &thread, TEST_PRIORITY - 1, MNOS_AFFINITY_ANY);
    thread_reaches(thread.thread, MNOS_STATE_SUSPENDED);
    CHECK_OK(sys_thread_wake(thread.thread));
    helper_finish(&thread);
}

static void take_one_call(void *argument)
{
    struct message msg = {0};

    (void)!ipc_receive((mnos_cap_t)argument, &msg, soon());
}

TEST(thread, a_message_comes_while_it_is_suspended_in_a_wait)
{
    mnos_cap_t endpoint = endpoint_new();
    struct message msg = {.label = 1};
    struct thread server;
    uint64_t now;

    helper_start(&server, take_one_call, (void *)endpoint);
    thread_reaches(server.thread, MNOS_STATE_RECEIVING);
    CHECK_OK(sys_thread_block(server.thread, 0, &now));
    CHECK_STATUS(ipc_call(endpoint, &msg, kinfo_time_ns() + 5 * MILLISECOND_NS), MNOS_ERR_DEADLINE);
    CHECK_OK(sys_thread_wake(server.thread));
    helper_finish(&server);
    cap_drop(endpoint);
}

static uint64_t count_in_memory(uint64_t address, uint64_t, uint64_t, uint64_t)
{
    count_up((void *)address);
    return 0;
}

TEST(thread, a_suspended_process_stands_still)
{
    mnos_cap_t memory = memory_new(1);
    volatile uint64_t *counter = (volatile uint64_t *)ARENA;
    struct child child;
    uint64_t now;

    CHECK_OK(sys_mem_map(MNOS_SELF, memory, ARENA, 0, 1, MAP_RW));
    if (child_create(&child) && CHECK_OK(sys_mem_map(child.process, memory, ARENA, 0, 1, MAP_RW)) &&
        child_start(&child, count_in_memory, ARENA, 0, 0, 0)) {
        CHECK(moves(counter));
        CHECK_OK(sys_thread_block(child.process, 0, &now));
        CHECK_EQ(process_info(child.process).state, MNOS_PROCESS_SUSPENDED);
        CHECK(stands_still(counter));
        CHECK_OK(sys_thread_wake(child.process));
        CHECK_EQ(process_info(child.process).state, MNOS_PROCESS_ALIVE);
        CHECK(moves(counter));
        CHECK_OK(sys_thread_block(child.process, 0, &now)); /* and dies suspended */
    }
    child_drop(&child);
    CHECK_OK(sys_mem_unmap(MNOS_SELF, ARENA, 1));
    cap_drop(memory);
}

TEST(thread, a_dead_process_cannot_be_suspended)
{
    mnos_cap_t process = process_new();
    uint64_t now;

    CHECK_OK(sys_proc_destroy(process, 0));
    CHECK_FAILS(sys_thread_block(process, 0, &now), MNOS_ERR_STATE, 1, 0);
    CHECK_FAILS(sys_thread_wake(process), MNOS_ERR_STATE, 1, 0);
    cap_drop(process);
}

/* ---- destroying ---- */

TEST(thread, a_dead_one_cannot_be_destroyed_again)
{
    mnos_cap_t process = process_new(), thread = 0;
    struct mnos_thread_params params = params_at(ARENA);

    CHECK_OK(thread_create_raw(process, &params, &thread));
    CHECK_OK(sys_thread_destroy(thread));
    CHECK_EQ(thread_info(thread).state, MNOS_STATE_DEAD);
    CHECK_FAILS(sys_thread_destroy(thread), MNOS_ERR_STATE, 1, 0);
    CHECK_OK(sys_thread_wake(thread)); /* the dead take no notice */
    CHECK_EQ(thread_info(thread).state, MNOS_STATE_DEAD);
    CHECK_EQ(process_info(process).thread_count, 0);
    cap_drop(thread);
    process_end(process);
}

TEST(thread, deleting_the_capability_leaves_the_thread_running)
{
    mnos_cap_t memory = memory_new(1);
    volatile uint64_t *counter = (volatile uint64_t *)ARENA;
    struct child child;

    CHECK_OK(sys_mem_map(MNOS_SELF, memory, ARENA, 0, 1, MAP_RW));
    if (child_create(&child) && CHECK_OK(sys_mem_map(child.process, memory, ARENA, 0, 1, MAP_RW)) &&
        child_start(&child, count_in_memory, ARENA, 0, 0, 0)) {
        cap_drop(child.thread);
        child.thread = 0;
        CHECK(moves(counter));
        CHECK_EQ(process_info(child.process).thread_count, 1);
    }
    child_drop(&child);
    CHECK_OK(sys_mem_unmap(MNOS_SELF, ARENA, 1));
    cap_drop(memory);
}
