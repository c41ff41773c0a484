// SPDX-License-Identifier: MIT
/* test_sched.c - which thread the scheduler chooses on one and on more cores. */
#include "sched/sched.h"

#include "ipc/wait.h"
#include "object/endpoint.h"
#include "tests/unit/kernel_world.h"

#define NEVER MNOS_DEADLINE_NEVER

static struct thread *current(void)
{
    return this_core()->current;
}

static void park(struct thread *thread)
{
    CHECK_EQ(CALL(thread, thread_block, MNOS_SELF, NEVER), WORLD_WAITS);
}

/* ---- choosing on one core ---- */

TEST(sched, the_most_urgent_thread_runs)
{
    world_init();
    struct thread *low = world_thread(world_root, 5);
    CHECK(host_leave_kernel());
    CHECK_PTR_EQ(current(), low);
    struct thread *high = world_thread(world_root, 6);
    CHECK(host_leave_kernel());
    CHECK_PTR_EQ(current(), high);
    CHECK_EQ(low->state, THREAD_READY);
    park(high);
    CHECK(host_leave_kernel());
    CHECK_PTR_EQ(current(), low);
    world_check();
}

TEST(sched, equals_take_turns_when_the_slice_is_over)
{
    world_init();
    struct thread *one = world_thread(world_root, 5);
    CHECK(host_leave_kernel());
    CHECK_EQ(host_cores[0].timer_ns, UINT64_MAX); /* alone: no timer at all */
    struct thread *two = world_thread(world_root, 5);
    CHECK(host_leave_kernel());
    CHECK_PTR_EQ(current(), one);
    CHECK_EQ(host_cores[0].timer_ns, arch_time_ns() + SCHED_SLICE_NS);
    host_time_pass(SCHED_SLICE_NS - 1);
    CHECK_PTR_EQ(current(), one);
    host_time_pass(1);
    CHECK_PTR_EQ(current(), two);
    host_time_pass(SCHED_SLICE_NS);
    CHECK_PTR_EQ(current(), one);
    CHECK(two->cpu_cycles >= SCHED_SLICE_NS);
    world_check();
}

TEST(sched, a_preempted_thread_keeps_its_turn)
{
    world_init();
    struct thread *one = world_thread(world_root, 5);
    struct thread *two = world_thread(world_root, 5);
    CHECK(host_leave_kernel());
    CHECK_PTR_EQ(current(), one);
    struct thread *high = world_thread(world_root, 9);
    CHECK(host_leave_kernel());
    CHECK_PTR_EQ(current(), high);
    park(high);
    CHECK(host_leave_kernel());
    CHECK_PTR_EQ(current(), one);
    CHECK_EQ(two->state, THREAD_READY);
}

TEST(sched, a_thread_that_is_preempted_often_comes_to_the_end_of_its_turn)
{
    world_init();
    struct thread *one = world_thread(world_root, 5);
    struct thread *two = world_thread(world_root, 5);
    CHECK(host_leave_kernel());
    struct thread *high = world_thread(world_root, 9);
    for (unsigned i = 0; i < 4; i++) {
        CHECK(host_leave_kernel());
        CHECK_PTR_EQ(current(), high);
        park(high);
        CHECK(host_leave_kernel());
        CHECK_PTR_EQ(current(), one);
        CHECK_EQ(host_cores[0].timer_ns, arch_time_ns() + (4 - i) * (SCHED_SLICE_NS / 4));
        host_time_pass(SCHED_SLICE_NS / 4);
        wait_unpark(high);
    }
    CHECK(host_leave_kernel());
    park(high);
    CHECK(host_leave_kernel());
    CHECK_PTR_EQ(current(), two);
    world_check();
}

/* A thread of this priority that waits on an endpoint, which has its id in *port. */
static struct thread *waiter(unsigned priority, mnos_cap_t *port)
{
    struct thread *thread = world_thread(world_root, priority);

    *port = CALL_VALUE(thread, cap_create, MNOS_CREATE_ENDPOINT);
    CHECK_EQ(world_receive(thread, *port, 0, MNOS_DEADLINE_NEVER), WORLD_WAITS);
    return thread;
}

TEST(sched, who_is_woken_by_an_event_takes_over_without_the_queue)
{
    mnos_cap_t ports[3];

    world_init();
    struct thread *high = waiter(9, &ports[0]);
    struct thread *higher = waiter(10, &ports[1]);
    struct thread *low = waiter(4, &ports[2]);
    struct thread *one = world_thread(world_root, 5);
    CHECK(host_leave_kernel());
    struct thread *two = world_thread(world_root, 5);
    CHECK_PTR_EQ(current(), one);
    cores[0].slice_end_ns = 0; /* as if nobody had waited */
    for (unsigned i = 0; i < 3; i++)
        endpoint_notify(endpoint_of(world_object(world_root, ports[i])), 1);
    CHECK_PTR_EQ(cores[0].next, high);
    CHECK_EQ(higher->state, THREAD_READY); /* only one does */
    CHECK_EQ(low->state, THREAD_READY);
    CHECK(sched_preempt_point());
    CHECK(host_leave_kernel());
    CHECK_PTR_EQ(current(), higher);
    world_check();
    park(higher);
    CHECK(host_leave_kernel());
    CHECK_PTR_EQ(current(), high);
    CHECK_EQ(world_receive(high, ports[0], 0, MNOS_DEADLINE_NEVER), WORLD_WAITS);
    CHECK(host_leave_kernel());
    CHECK_PTR_EQ(current(), one); /* it kept its place */
    cores[0].slice_end_ns = 0;
    endpoint_notify(endpoint_of(world_object(world_root, ports[0])), 1);
    CHECK(host_leave_kernel());
    CHECK_PTR_EQ(current(), high);
    CHECK_EQ(cores[0].runqueue.running_priority, 9);
    CHECK_EQ(one->state, THREAD_READY);
    CHECK_EQ(two->state, THREAD_READY);
    world_check();
}

TEST(sched, who_is_woken_by_an_event_and_stopped_does_not_run)
{
    mnos_cap_t port;

    world_init();
    struct thread *one = world_thread(world_root, 5);
    struct thread *high = waiter(9, &port);
    CHECK(host_leave_kernel());
    endpoint_notify(endpoint_of(world_object(world_root, port)), 1);
    CHECK_PTR_EQ(cores[0].next, high);
    atomic_fetch_or(&high->stop, STOP_SUSPEND);
    CHECK(host_leave_kernel());
    CHECK_PTR_EQ(current(), one);
    CHECK_EQ(high->state, THREAD_SUSPENDED);
    world_check();
}

TEST(sched, yielding_lets_equals_run)
{
    world_init();
    struct thread *one = world_thread(world_root, 5);
    struct thread *two = world_thread(world_root, 5);
    struct thread *low = world_thread(world_root, 4);
    CHECK(host_leave_kernel());
    uint64_t turn_end = cores[0].slice_end_ns;
    CHECK_EQ(CALL(one, thread_yield), 0);
    CHECK(host_leave_kernel());
    CHECK_PTR_EQ(current(), two); /* at once, for the rest of the turn */
    CHECK_EQ(one->frame.rax, 0);
    CHECK_EQ(one->state, THREAD_READY);
    CHECK_EQ(cores[0].slice_end_ns, turn_end);
    world_check();
    park(two);
    CHECK(host_leave_kernel());
    CHECK_EQ(CALL(one, thread_yield), 0);
    CHECK(host_leave_kernel());
    CHECK_PTR_EQ(current(), one);
    CHECK_EQ(low->state, THREAD_READY);
}

TEST(sched, an_idle_core_arms_only_for_deadlines)
{
    world_init();
    struct thread *one = world_thread(world_root, 5);
    CHECK(!(park(one), host_leave_kernel()));
    CHECK_EQ(host_cores[0].timer_ns, UINT64_MAX);
    CHECK(cores[0].statistics->idle_since != 0);
    wait_unpark(one);
    CHECK(host_leave_kernel());
    CHECK_PTR_EQ(current(), one);
    CHECK_EQ(cores[0].statistics->idle_since, 0);
    uint64_t deadline = arch_time_ns() + 700;
    CHECK_EQ(CALL(one, thread_block, MNOS_SELF, deadline), WORLD_WAITS);
    CHECK(!host_leave_kernel());
    CHECK_EQ(host_cores[0].timer_ns, deadline);
    host_time_pass(700);
    CHECK_PTR_EQ(current(), one);
    CHECK_EQ(STATUS_OF(one->frame.rax), MNOS_ERR_DEADLINE);
    CHECK_EQ(cores[0].statistics->idle_ns, 700);
    world_check();
}

TEST(sched, many_deadlines_at_once_are_all_served)
{
    struct thread *threads[100];

    world_init();
    for (unsigned i = 0; i < 100; i++) {
        threads[i] = world_thread(world_root, 5);
        CHECK_EQ(CALL(threads[i], thread_block, MNOS_SELF, arch_time_ns() + 100 + i % 3),
                 WORLD_WAITS);
    }
    host_time_pass(1000);
    for (unsigned i = 0; i < 10; i++)
        host_time_pass(1); /* the timer fires again at once while some are left */
    for (unsigned i = 0; i < 100; i++)
        CHECK(world_woke_with(threads[i], MNOS_ERR_DEADLINE));
    world_check();
}

/* ---- parking ---- */

TEST(thread, a_wake_before_a_block_is_kept_once)
{
    mnos_cap_t handle;

    world_init();
    struct thread *waker = world_thread(world_root, 5);
    struct thread *thread = world_thread_with(world_root, 5, MNOS_AFFINITY_ANY, 0, &handle);
    CHECK_EQ(CALL(waker, thread_wake, handle), 0);
    CHECK_EQ(CALL(waker, thread_wake, handle), 0);
    CHECK_EQ(CALL(thread, thread_block, MNOS_SELF, NEVER), 0);
    CHECK_EQ(world_value, arch_time_ns());
    CHECK_EQ(CALL(thread, thread_block, MNOS_SELF, NEVER), WORLD_WAITS);
    CHECK_EQ(CALL(waker, thread_wake, handle), 0);
    CHECK(world_woke_with(thread, MNOS_OK));
    CHECK_EQ(CALL(thread, thread_wake, MNOS_SELF), 0);
    CHECK_EQ(CALL(thread, thread_block, MNOS_SELF, 0), 0);
    CHECK_EQ(STATUS_OF(CALL(thread, thread_block, MNOS_SELF, 0)), MNOS_ERR_DEADLINE);
    CHECK_EQ(thread->frame.rdx, arch_time_ns());
    world_check();
}

TEST(thread, a_suspended_thread_does_not_run_until_it_is_woken)
{
    mnos_cap_t handle;

    world_init();
    struct thread *boss = world_thread(world_root, 20);
    struct thread *thread = world_thread_with(world_root, 30, MNOS_AFFINITY_ANY, 0, &handle);
    CHECK_EQ(CALL(boss, thread_block, handle), 0);
    this_core()->need_resched = true; /* the more urgent one waits in the queue */
    CHECK(host_leave_kernel());
    CHECK_PTR_EQ(current(), boss);
    CHECK_EQ(thread->state, THREAD_SUSPENDED);
    CHECK_EQ(CALL(boss, thread_wake, handle), 0);
    CHECK(host_leave_kernel());
    CHECK_PTR_EQ(current(), thread);
    world_check();
}

TEST(thread, a_message_for_a_suspended_thread_waits_for_its_resumption)
{
    mnos_cap_t handle;

    world_init();
    struct thread *boss = world_thread(world_root, 20);
    struct thread *thread = world_thread_with(world_root, 30, MNOS_AFFINITY_ANY, 0, &handle);
    mnos_cap_t port = CALL_VALUE(boss, cap_create, MNOS_CREATE_ENDPOINT);
    CHECK_EQ(world_receive(thread, port, 0, NEVER), WORLD_WAITS);
    CHECK_EQ(CALL(boss, thread_block, handle), 0);
    CHECK_EQ(world_send(boss, port, MNOS_INFO(6, 0), NEVER), 0);
    CHECK(host_leave_kernel());
    CHECK_PTR_EQ(current(), boss);
    CHECK_EQ(thread->state, THREAD_SUSPENDED);
    CHECK_EQ(CALL(boss, thread_wake, handle), 0);
    CHECK(world_woke_with(thread, MNOS_OK));
    CHECK_EQ(MNOS_INFO_GET_LABEL(thread->frame.rsi), 6);
    world_check();
}

TEST(thread, destroying_itself_leaves_only_its_record)
{
    mnos_cap_t handle;

    world_init();
    struct thread *other = world_thread(world_root, 20);
    struct thread *thread = world_thread_with(world_root, 20, MNOS_AFFINITY_ANY, 0, &handle);
    uint64_t frames = quota_used(&world_root->quota.frames);
    CHECK_EQ(CALL(thread, thread_destroy, MNOS_SELF), WORLD_WAITS);
    CHECK_EQ(thread->state, THREAD_DEAD);
    CHECK_EQ(runqueue_best_work(&cores[0].runqueue), 20); /* this core buries it */
    world_finish_work();
    CHECK_EQ(quota_used(&world_root->quota.frames), frames - 1);
    CHECK_EQ(world_root->thread_count, 1);
    CHECK_EQ(STATUS_OF(CALL(other, thread_destroy, handle)), MNOS_ERR_STATE);
    uint64_t bytes = quota_used(&world_root->quota.bytes);
    CHECK_EQ(CALL(other, cap_delete, handle), 0);
    (void)world_free_frames();
    CHECK(quota_used(&world_root->quota.bytes) < bytes);
    world_check();
}

TEST(thread, parameters_are_checked)
{
    const struct mnos_thread_params good = {.ipc_buffer = 0x500000000, .affinity = 0};
    struct mnos_thread_params params;
    struct thread *thread;

#define REFUSED(change, status)                                                                    \
    do {                                                                                           \
        params = good;                                                                             \
        change;                                                                                    \
        CHECK_EQ(thread_create(world_root, &params, &thread), status);                             \
    } while (0)
    world_init();
    uint64_t bytes = quota_used(&world_root->quota.bytes);
    REFUSED(params.priority = 64, MNOS_ERR_CEILING);
    REFUSED(params.affinity = 1, MNOS_ERR_ARGUMENT);
    REFUSED(params.flags = 2, MNOS_ERR_ARGUMENT);
    REFUSED(params.ipc_buffer = 0, MNOS_ERR_ADDRESS);
    REFUSED(params.ipc_buffer = 0x1001, MNOS_ERR_ADDRESS);
    REFUSED(params.ipc_buffer = MNOS_USER_END, MNOS_ERR_ADDRESS);
    REFUSED(params.ipc_buffer = MNOS_KINFO_ADDRESS, MNOS_ERR_OVERLAP);
    REFUSED(params.registers.rip = 1ull << 47, MNOS_ERR_ADDRESS);
    REFUSED(params.registers.fs_base = 1ull << 63, MNOS_ERR_ADDRESS);
#undef REFUSED
    CHECK_EQ(quota_used(&world_root->quota.bytes), bytes);
    CHECK_EQ(thread_create(world_root, &good, &thread), MNOS_OK);
    world_check();
}

/* ---- more cores ---- */

TEST(sched, an_idle_core_is_told_of_a_thread_for_it)
{
    world_init();
    host_core_start(1);
    struct thread *here = world_thread(world_root, 5);
    CHECK(host_leave_kernel());
    struct thread *there = world_thread_with(world_root, 5, 1, 0, NULL);
    CHECK_EQ(there->core, 1);
    CHECK_EQ(host_cores[1].reschedules, 1);
    host_core_select(1);
    CHECK(host_leave_kernel());
    CHECK_PTR_EQ(cores[1].current, there);
    CHECK_PTR_EQ(cores[0].current, here);
    world_check();
}

TEST(sched, idle_cores_steal_what_is_not_pinned)
{
    world_init();
    struct thread *one = world_thread(world_root, 5);
    struct thread *pinned = world_thread_with(world_root, 5, 0, 0, NULL);
    CHECK(host_leave_kernel());
    CHECK_PTR_EQ(current(), one);
    host_core_start(1);
    CHECK_PTR_EQ(cores[1].current, NULL); /* what waits is pinned elsewhere */
    struct thread *two = world_thread(world_root, 4);
    host_core_select(1);
    CHECK(host_leave_kernel());
    CHECK_PTR_EQ(cores[1].current, two);
    CHECK_EQ(pinned->state, THREAD_READY);
    world_check();
}

TEST(sched, a_pinned_thread_hides_no_other_from_idle_cores)
{
    world_init();
    struct thread *one = world_thread(world_root, 9);
    struct thread *pinned = world_thread_with(world_root, 8, 0, 0, NULL);
    struct thread *movable = world_thread(world_root, 7);
    CHECK(host_leave_kernel());
    CHECK_PTR_EQ(current(), one);
    host_core_start(1);
    CHECK_PTR_EQ(cores[1].current, movable);
    CHECK_EQ(pinned->state, THREAD_READY);
    world_check();
}

TEST(sched, killing_a_thread_that_runs_elsewhere_waits_until_it_has_stopped)
{
    mnos_cap_t handle;

    world_init();
    host_core_start(1);
    struct thread *boss = world_thread_with(world_root, 5, 0, 0, NULL);
    CHECK(host_leave_kernel());
    struct thread *victim = world_thread_with(world_root, 5, 1, 0, &handle);
    host_core_select(1);
    CHECK(host_leave_kernel());
    CHECK_PTR_EQ(cores[1].current, victim);
    host_core_select(0);
    uint32_t rounds = host_cores[1].rounds;
    CHECK_EQ(CALL(boss, thread_destroy, handle), 0);
    CHECK(host_cores[1].rounds > rounds);
    CHECK_EQ(victim->state, THREAD_DEAD);
    CHECK_PTR_EQ(cores[1].current, NULL);
    world_check();
}

TEST(sched, a_process_that_runs_elsewhere_is_destroyed_and_its_address_space_left)
{
    mnos_cap_t handle;

    world_init();
    host_core_start(1);
    struct thread *boss = world_thread_with(world_root, 5, 0, 0, NULL);
    CHECK(host_leave_kernel());
    struct process *process = world_process(world_root, 100, 100000, &handle);
    (void)world_thread_with(process, 5, 1, 0, NULL);
    host_core_select(1);
    CHECK(host_leave_kernel());
    CHECK_PTR_EQ(cores[1].aspace, &process->aspace.arch);
    host_core_select(0);
    CHECK_EQ(CALL(boss, proc_destroy, handle), 0);
    CHECK_EQ(process->state, MNOS_PROCESS_DEAD);
    CHECK_PTR_EQ(cores[1].aspace, NULL);
    CHECK_EQ(CALL(boss, cap_delete, handle), 0);
    (void)world_free_frames();
    world_check();
}

TEST(sched, revoking_flushes_the_cores_that_loaded_the_address_space)
{
    world_init();
    host_core_start(1);
    host_core_start(2);
    struct thread *boss = world_thread_with(world_root, 5, 0, 0, NULL);
    mnos_cap_t memory = CALL_VALUE(boss, mem_alloc, 4);
    mnos_cap_t copy = CALL_VALUE(boss, cap_create, MNOS_CREATE_COPY, memory, MNOS_RIGHTS_ALL);
    (void)world_thread_with(world_root, 5, 1, 0, NULL);
    host_core_select(1);
    CHECK(host_leave_kernel());
    host_core_select(0);
    CHECK_EQ(CALL(boss, mem_map, MNOS_SELF, copy, 0x10000, 0, 4, MNOS_MAP_READ), 0);
    uint32_t one = host_cores[1].flushes, two = host_cores[2].flushes;
    CHECK_EQ(CALL(boss, cap_revoke, memory), 0);
    CHECK(host_cores[1].flushes > one);
    CHECK_EQ(host_cores[2].flushes, two);
    world_check();
}
