// SPDX-License-Identifier: MIT
/* test_control.c - sys_thread_control, and reading the registers of a thread. */
#include <stdatomic.h>

#include "lib/base/string.h"
#include "tests/guest/claim.h"
#include "tests/guest/scene.h"

static mnos_status_t control(const struct thread *thread, enum mnos_thread_operation operation,
                             uint64_t value)
{
    return sys_thread_control(thread->thread, operation, value);
}

static mnos_status_t suspend(const struct thread *thread)
{
    uint64_t now;

    return sys_thread_block(thread->thread, 0, &now);
}

static mnos_status_t registers_get(mnos_cap_t thread, struct mnos_registers *registers)
{
    uint64_t size = 0;
    mnos_status_t status = sys_cap_inspect(thread, MNOS_VIEW_REGISTERS, 0, &size);

    if (status == MNOS_OK && CHECK_EQ(size, sizeof *registers))
        memcpy(registers, ipc_buffer()->data, sizeof *registers);
    return status;
}

static mnos_status_t registers_set(const struct thread *thread,
                                   const struct mnos_registers *registers)
{
    memcpy(ipc_buffer()->data, registers, sizeof *registers);
    return control(thread, MNOS_THREAD_REGISTERS, 0);
}

/* ---- a thread that spins ---- */

struct spinner {
    _Atomic uint64_t count;
    _Atomic bool over;
};

static void spin(void *argument)
{
    struct spinner *spinner = argument;

    while (!atomic_load(&spinner->over))
        atomic_fetch_add(&spinner->count, 1);
}

static bool counts(struct spinner *spinner)
{
    uint64_t before = atomic_load(&spinner->count), deadline = soon();

    while (atomic_load(&spinner->count) == before)
        if (kinfo_time_ns() > deadline)
            return CHECK(!"it runs");
        else
            sleep_ns(MILLISECOND_NS / 10);
    return true;
}

static void spinner_end(struct spinner *spinner, struct thread *thread)
{
    atomic_store(&spinner->over, true);
    helper_finish(thread);
}

/* ---- errors that all operations share ---- */

TEST(control, handles_rights_and_operations_are_checked)
{
    struct spinner spinner = {0};
    struct thread thread;
    mnos_cap_t weak, endpoint = endpoint_new();

    helper_start_at(&thread, spin, &spinner, 1, MNOS_AFFINITY_ANY);
    CHECK_ERROR(thread_control, ERR_HANDLE, 1, 0,
                sys_thread_control(handle_stale(), MNOS_THREAD_PRIORITY, 1));
    CHECK_ERROR(thread_control, ERR_TYPE, 1, MNOS_TYPE_ENDPOINT,
                sys_thread_control(endpoint, MNOS_THREAD_PRIORITY, 1));
    weak = cap_copy(thread.thread, MNOS_RIGHTS_ALL & ~MNOS_RIGHT_WRITE);
    for (uint64_t operation = 1; operation < 5; operation++)
        CHECK_ERROR(thread_control, ERR_RIGHTS, 1, MNOS_RIGHT_WRITE,
                    sys_thread_control(weak, operation, 0));
    CHECK_ERROR(thread_control, ERR_STATE, 1, 0, sys_thread_control(weak, MNOS_THREAD_CANCEL, 0));
    cap_drop(weak);
    weak = cap_copy(thread.thread, MNOS_RIGHT_WRITE);
    CHECK_ERROR(thread_control, ERR_RIGHTS, 1, MNOS_RIGHT_EXECUTE,
                sys_thread_control(weak, MNOS_THREAD_CANCEL, 0));
    CHECK_FAILS(sys_cap_inspect(weak, MNOS_VIEW_REGISTERS, 0, &(uint64_t){0}), MNOS_ERR_RIGHTS, 1,
                MNOS_RIGHT_READ);
    CHECK_OK(sys_thread_control(weak, MNOS_THREAD_PRIORITY, 2));
    cap_drop(weak);
    CHECK_ERROR(thread_control, ERR_ARGUMENT, 2, 0, control(&thread, 0, 0));
    CHECK_ERROR(thread_control, ERR_ARGUMENT, 2, 0, control(&thread, 6, 0));
    CHECK_ERROR(thread_control, ERR_ARGUMENT, 3, 0, control(&thread, MNOS_THREAD_CANCEL, 1));
    CHECK_ERROR(thread_control, ERR_ARGUMENT, 3, 0, control(&thread, MNOS_THREAD_REGISTERS, 1));
    spinner_end(&spinner, &thread);
    cap_drop(endpoint);
}

/* ---- priority ---- */

static void raise_flag(void *flag)
{
    atomic_store((_Atomic bool *)flag, true);
}

TEST(control, a_priority_takes_effect_at_once_and_stays_under_the_ceiling)
{
    struct mnos_thread_info self = thread_info(MNOS_SELF);
    _Atomic bool ran = false;
    struct thread thread;

    CHECK_OK(sys_thread_control(MNOS_SELF, MNOS_THREAD_AFFINITY, self.core));
    helper_start_at(&thread, raise_flag, &ran, 1, self.core);
    CHECK_OK(control(&thread, MNOS_THREAD_PRIORITY, TEST_PRIORITY - 1));
    CHECK_EQ(thread_info(thread.thread).priority, TEST_PRIORITY - 1);
    CHECK(!atomic_load(&ran));
    CHECK_OK(sys_thread_control(MNOS_SELF, MNOS_THREAD_PRIORITY, 1)); /* now it is better than us */
    CHECK(atomic_load(&ran));
    CHECK_EQ(thread_info(MNOS_SELF).effective_priority, 1);
    CHECK_OK(sys_thread_control(MNOS_SELF, MNOS_THREAD_PRIORITY, TEST_PRIORITY));
    CHECK_EQ(thread_info(MNOS_SELF).effective_priority, TEST_PRIORITY);
    CHECK_ERROR(thread_control, ERR_CEILING, 3, 0,
                sys_thread_control(MNOS_SELF, MNOS_THREAD_PRIORITY, MNOS_PRIORITY_COUNT));
    CHECK_ERROR(thread_control, ERR_CEILING, 3, 0,
                sys_thread_control(MNOS_SELF, MNOS_THREAD_PRIORITY, UINT64_MAX));
    CHECK_OK(sys_thread_control(MNOS_SELF, MNOS_THREAD_AFFINITY, MNOS_AFFINITY_ANY));
    helper_finish(&thread);
}

/* ---- affinity ---- */

TEST(control, a_running_thread_moves_to_its_core)
{
    struct spinner spinner = {0};
    struct thread thread;

    helper_start_at(&thread, spin, &spinner, 5, MNOS_AFFINITY_ANY);
    for (uint32_t core = 0; core < core_count() && !check_failed(); core++) {
        uint64_t deadline = soon();

        CHECK_OK(control(&thread, MNOS_THREAD_AFFINITY, core));
        while (thread_info(thread.thread).core != core && kinfo_time_ns() < deadline)
            sleep_ns(MILLISECOND_NS / 10);
        CHECK_EQ(thread_info(thread.thread).core, core);
        CHECK_EQ(thread_info(thread.thread).affinity, core);
        counts(&spinner);
        CHECK_EQ(thread_info(thread.thread).core, core);
    }
    CHECK_ERROR(thread_control, ERR_ARGUMENT, 3, 0,
                control(&thread, MNOS_THREAD_AFFINITY, core_count()));
    CHECK_ERROR(thread_control, ERR_ARGUMENT, 3, 0,
                control(&thread, MNOS_THREAD_AFFINITY, 1ull << 32));
    CHECK_OK(control(&thread, MNOS_THREAD_AFFINITY, MNOS_AFFINITY_ANY));
    spinner_end(&spinner, &thread);
}

TEST(control, the_caller_moves_itself)
{
    for (uint32_t core = 0; core < core_count(); core++) {
        CHECK_OK(sys_thread_control(MNOS_SELF, MNOS_THREAD_AFFINITY, core));
        CHECK_EQ(thread_info(MNOS_SELF).core, core);
    }
    CHECK_OK(sys_thread_control(MNOS_SELF, MNOS_THREAD_AFFINITY, MNOS_AFFINITY_ANY));
}

/* ---- registers ---- */

static _Atomic uint64_t landed;

/* The stack is the thread's own, wherever it was interrupted. */
static void land(struct spinner *spinner, uint64_t value)
{
    atomic_store(&landed, value);
    while (!atomic_load(&spinner->over))
        atomic_fetch_add(&spinner->count, 1);
    for (;;)
        (void)!sys_thread_destroy(MNOS_SELF);
}

TEST(control, a_suspended_thread_gets_other_registers)
{
    struct spinner spinner = {0};
    struct mnos_registers registers, again, bad;
    struct thread thread;

    helper_start_at(&thread, spin, &spinner, 5, MNOS_AFFINITY_ANY);
    counts(&spinner);
    CHECK_ERROR(thread_control, ERR_STATE, 1, 0, control(&thread, MNOS_THREAD_REGISTERS, 0));
    CHECK_ERROR(cap_inspect, ERR_STATE, 1, 0, registers_get(thread.thread, &registers));
    CHECK_ERROR(thread_control, ERR_STATE, 1, 0,
                sys_thread_control(MNOS_SELF, MNOS_THREAD_REGISTERS, 0));
    CHECK_OK(suspend(&thread));
    CHECK_OK(registers_get(thread.thread, &registers));
    CHECK(registers.rip != 0 && registers.rip < MNOS_USER_END);
    CHECK(registers.rsp > thread.address && registers.rsp < thread.address + 20 * PAGE);
    bad = registers;
    bad.gs_base = 1ull << 47;
    CHECK_ERROR(thread_control, ERR_ADDRESS, 3, 0, registers_set(&thread, &bad));
    bad = registers;
    bad.rip = MNOS_USER_END;
    CHECK_ERROR(thread_control, ERR_ADDRESS, 3, 0, registers_set(&thread, &bad));
    CHECK_OK(registers_get(thread.thread, &again));
    CHECK_EQ(memcmp(&registers, &again, sizeof registers), 0);
    atomic_store(&landed, 0);
    registers.rip = (uint64_t)land;
    registers.rsp = ((registers.rsp - 256) & ~15ull) - 8;
    registers.rdi = (uint64_t)&spinner;
    registers.rsi = 4242;
    registers.r15 = 15;
    CHECK_OK(registers_set(&thread, &registers));
    CHECK_OK(registers_get(thread.thread, &again));
    CHECK_EQ(again.rsi, 4242);
    CHECK_EQ(again.r15, 15);
    CHECK_EQ(thread_info(thread.thread).state, MNOS_STATE_SUSPENDED);
    CHECK_OK(sys_thread_wake(thread.thread));
    counts(&spinner);
    CHECK_EQ(atomic_load(&landed), 4242);
    helper_end(&thread);
}

static void park(void *argument)
{
    uint64_t now;

    *(mnos_status_t *)argument = sys_thread_block(MNOS_SELF, MNOS_DEADLINE_NEVER, &now);
}

TEST(control, a_thread_that_waits_is_not_stopped_until_its_wait_is_cancelled)
{
    mnos_status_t status = MNOS_OK;
    struct mnos_registers registers;
    struct thread thread;

    helper_start(&thread, park, &status);
    thread_reaches(thread.thread, MNOS_STATE_PARKED);
    CHECK_OK(suspend(&thread));
    CHECK_ERROR(cap_inspect, ERR_STATE, 1, 0, registers_get(thread.thread, &registers));
    CHECK_OK(control(&thread, MNOS_THREAD_CANCEL, 0));
    CHECK_EQ(thread_info(thread.thread).state, MNOS_STATE_SUSPENDED);
    CHECK_OK(registers_get(thread.thread, &registers));
    CHECK_EQ((uint32_t)registers.rax, MNOS_ERR_CANCELLED);
    CHECK_OK(registers_set(&thread, &registers));
    CHECK_OK(sys_thread_wake(thread.thread));
    helper_finish(&thread);
    CHECK_EQ(status, MNOS_ERR_CANCELLED);
}

/* ---- cancelling ---- */

static void wait_send(void *endpoint)
{
    struct message msg = {0};

    CHECK_ERROR(ipc_send, ERR_CANCELLED, 0, 0,
                ipc_send((mnos_cap_t)endpoint, &msg, MNOS_DEADLINE_NEVER));
}

static void wait_receive(void *endpoint)
{
    struct message msg = {0};

    CHECK_ERROR(ipc_recv, ERR_CANCELLED, 0, 0,
                ipc_receive((mnos_cap_t)endpoint, &msg, MNOS_DEADLINE_NEVER));
}

static void wait_call(void *endpoint)
{
    struct message msg = {0};

    CHECK_ERROR(ipc_call, ERR_CANCELLED, 0, 0,
                ipc_call((mnos_cap_t)endpoint, &msg, MNOS_DEADLINE_NEVER));
}

static void wait_reply_receive(void *endpoint)
{
    struct raw_registers regs = {.r12 = MNOS_DEADLINE_NEVER, .r13 = (mnos_cap_t)endpoint};

    CHECK_ERROR_RAW(ipc_reply, ERR_CANCELLED, 0, 0, &regs);
}

static void wait_park(void *)
{
    uint64_t now;

    CHECK_ERROR(thread_block, ERR_CANCELLED, 0, 0,
                sys_thread_block(MNOS_SELF, MNOS_DEADLINE_NEVER, &now));
}

static void check_cancelled(thread_function *function, enum mnos_thread_state state)
{
    mnos_cap_t endpoint = endpoint_new();
    struct message msg = {0};
    struct thread thread;

    helper_start(&thread, function, (void *)endpoint);
    if (state == MNOS_STATE_CALLING)
        CHECK_OK(ipc_receive(endpoint, &msg, soon()));
    thread_reaches(thread.thread, state);
    CHECK_OK(control(&thread, MNOS_THREAD_CANCEL, 0));
    helper_finish(&thread);
    if (state == MNOS_STATE_CALLING)
        CHECK_FAILS(ipc_reply(&msg), MNOS_ERR_REPLY, 1, 0);
    else /* nothing of it is left */
        CHECK_STATUS(receive_now(endpoint, &msg), MNOS_ERR_DEADLINE);
    cap_drop(endpoint);
}

TEST(control, every_wait_can_be_cancelled)
{
    check_cancelled(wait_send, MNOS_STATE_SENDING);
    check_cancelled(wait_receive, MNOS_STATE_RECEIVING);
    check_cancelled(wait_reply_receive, MNOS_STATE_RECEIVING);
    check_cancelled(wait_call, MNOS_STATE_SENDING);
    check_cancelled(wait_call, MNOS_STATE_CALLING);
    check_cancelled(wait_park, MNOS_STATE_PARKED);
}

TEST(control, what_does_not_wait_cannot_be_cancelled)
{
    struct spinner spinner = {0};
    struct thread thread;

    CHECK_ERROR(thread_control, ERR_STATE, 1, 0,
                sys_thread_control(MNOS_SELF, MNOS_THREAD_CANCEL, 0));
    helper_start_at(&thread, spin, &spinner, 5, MNOS_AFFINITY_ANY);
    CHECK_ERROR(thread_control, ERR_STATE, 1, 0, control(&thread, MNOS_THREAD_CANCEL, 0));
    CHECK_OK(suspend(&thread));
    CHECK_ERROR(thread_control, ERR_STATE, 1, 0, control(&thread, MNOS_THREAD_CANCEL, 0));
    CHECK_OK(sys_thread_wake(thread.thread));
    spinner_end(&spinner, &thread);
}

/* ---- turns ---- */

static void say_so(void *argument)
{
    *(_Atomic bool *)argument = true;
}

/* Without a system call, which would be a way out of the kernel. */
static bool comes_to_run(const _Atomic bool *ran)
{
    uint64_t deadline = soon();

    while (!*ran && kinfo_time_ns() < deadline)
        ;
    return *ran;
}

TEST(control, who_lowers_itself_to_the_priority_of_another_takes_turns_with_it)
{
    _Atomic bool ran = false;
    struct thread other;

    CHECK_OK(sys_thread_control(MNOS_SELF, MNOS_THREAD_AFFINITY, 0));
    helper_start_at(&other, say_so, (void *)&ran, TEST_PRIORITY - 1, 0);
    CHECK_OK(sys_thread_control(MNOS_SELF, MNOS_THREAD_PRIORITY, TEST_PRIORITY - 1));
    CHECK(comes_to_run(&ran));
    CHECK_OK(sys_thread_control(MNOS_SELF, MNOS_THREAD_PRIORITY, TEST_PRIORITY));
    helper_finish(&other);
    CHECK_OK(sys_thread_control(MNOS_SELF, MNOS_THREAD_AFFINITY, MNOS_AFFINITY_ANY));
}
