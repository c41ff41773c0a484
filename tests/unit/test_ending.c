// SPDX-License-Identifier: MIT
/* test_ending.c - who ends a process or thread, and how urgently; docs/ending.md. */
#include "object/ending.h"

#include "ipc/wait.h"
#include "sched/sched.h"
#include "tests/unit/kernel_world.h"

#define NEVER MNOS_DEADLINE_NEVER

static int best_work(uint32_t core)
{
    return runqueue_best_work(&cores[core].runqueue);
}

/* ---- work ---- */

static unsigned steps[2];

static void step_first(struct work *work)
{
    steps[0]++;
    work_enter(work, 0);
}

static void step_second(struct work *work)
{
    (void)work;
    steps[1]++;
}

TEST(ending, work_goes_before_worse_threads_and_behind_better_ones)
{
    static struct work first, second;

    world_init();
    work_init(&first, step_first);
    work_init(&second, step_second);
    struct thread *thread = world_thread(world_root, 20);
    (void)host_leave_kernel();
    work_move(&first, 19);
    work_enter(&first, 0);
    CHECK(!cores[0].need_resched);
    (void)host_leave_kernel();
    CHECK_EQ(steps[0], 0);
    work_move(&second, 21);
    work_enter(&second, 0);
    CHECK(cores[0].need_resched);
    (void)host_leave_kernel();
    CHECK_EQ(steps[1], 1);
    CHECK_EQ(steps[0], 0);
    CHECK_PTR_EQ(cores[0].current, thread);
    CHECK_EQ(best_work(0), 19);
    world_check();
}

TEST(ending, work_and_threads_of_one_priority_take_turns)
{
    static struct work work;

    world_init();
    work_init(&work, step_first);
    struct thread *thread = world_thread(world_root, 20);
    (void)host_leave_kernel();
    work_enter(&work, 20);
    (void)host_leave_kernel();
    CHECK_PTR_EQ(cores[0].current, thread); /* its turn begins */
    CHECK_EQ(steps[0], 0);
    CHECK_EQ(host_cores[0].timer_ns, arch_time_ns() + SCHED_SLICE_NS);
    /* Then it is the work's, which in this test takes no time, so the clock ends the turn at once.
     * */
    host_on_poll = NULL;
    cores[0].slice_end_ns = 1;
    cores[0].work_end_ns = 1;
    cores[0].need_resched = true;
    (void)host_leave_kernel();
    CHECK_PTR_EQ(cores[0].current, thread);
    CHECK_EQ(cores[0].work_end_ns, 0);
    world_check();
}

TEST(ending, an_entry_moves_with_its_priority_and_stays_with_its_core)
{
    static struct work work;

    world_init();
    host_core_start(1);
    work_init(&work, step_second);
    work_enter(&work, 3);
    CHECK_EQ(best_work(0), 3);
    host_core_select(1);
    work_move(&work, 9);
    CHECK_EQ(best_work(0), 9);
    CHECK_EQ(best_work(1), -1);
    CHECK(host_cores[0].reschedules > 0);
    work_move(&work, 4);
    work_enter(&work, 63); /* it is entered */
    CHECK_EQ(best_work(0), 4);
    host_core_select(0);
    (void)host_leave_kernel();
    CHECK_EQ(steps[1], 1);
    CHECK_EQ(best_work(0), -1);
    host_core_select(1);
    work_enter(&work, 0); /* put back by another core */
    CHECK_EQ(best_work(0), 4);
    world_check();
}

/* ---- processes ---- */

TEST(ending, processes_nest_so_deep_and_no_deeper)
{
    const struct mnos_process_params params = {
        .frames_quota = 20, .bytes_quota = 20000, .priority_ceiling = 1};
    struct process *process, *deepest;
    mnos_cap_t handle;

    world_init();
    struct thread *actor = world_thread(world_root, WORLD_PRIORITY);
    process = world_process(world_root, 4000, 2000000, &handle);
    deepest = process;
    for (unsigned i = 1; i < PROCESS_DEPTH_MAX; i++)
        deepest = world_process(deepest, 4000 - 40 * i, 2000000 - 20000 * i, NULL);
    CHECK_EQ(deepest->depth, PROCESS_DEPTH_MAX);
    uint64_t frames = quota_used(&deepest->quota.frames), bytes = quota_used(&deepest->quota.bytes);
    CHECK_EQ(process_create(deepest, &params, &process), MNOS_ERR_STATE);
    CHECK_EQ(quota_used(&deepest->quota.frames), frames);
    CHECK_EQ(quota_used(&deepest->quota.bytes), bytes);
    world_check();
    CHECK_EQ(CALL(actor, proc_destroy, handle), 0);
    CHECK_EQ(CALL(actor, cap_delete, handle), 0);
    world_check();
}

/* A process, its child, and a thread that waits for its end; the core has done nothing yet. */
static struct process *parent, *child;
static struct thread *waiter;

static void begin(unsigned priority)
{
    mnos_cap_t handle;
    uint64_t with_handle[6] = {0}, rax;

    world_init();
    waiter = world_thread(world_root, priority);
    parent = world_process(world_root, 500, 500000, &handle);
    child = world_process(parent, 100, 100000, NULL);
    with_handle[0] = handle;
    with_handle[1] = 7;
    CHECK(!world_call_once(waiter, MNOS_SYS_proc_destroy, with_handle, &rax));
    CHECK_EQ(rax, WORLD_WAITS);
    CHECK_EQ(waiter->state, THREAD_ENDING);
    CHECK_EQ(parent->state, MNOS_PROCESS_DYING);
    CHECK_EQ(best_work(0), (int)priority);
}

TEST(ending, the_child_ends_first_and_has_the_priority_of_who_waits)
{
    begin(12);
    work_run(&cores[0]);
    CHECK_EQ(child->state, MNOS_PROCESS_DYING);
    CHECK(parent->end.away);
    CHECK_EQ(best_work(0), 12);
    thread_set_priority(waiter, 33); /* passed on, a level in a step */
    CHECK(!parent->end.away);
    CHECK_EQ(best_work(0), 33);
    work_run(&cores[0]);
    CHECK(parent->end.away);
    CHECK_EQ(child->end.work.priority, 33);
    CHECK_EQ(best_work(0), 33);
    thread_set_priority(waiter, 20); /* a lower one too, before the child goes on */
    CHECK(!parent->end.away);
    work_run(&cores[0]);
    if (!parent->end.away)
        work_run(&cores[0]);
    CHECK_EQ(child->end.work.priority, 20);
    CHECK_EQ(best_work(0), 20);
    world_check();
    world_finish_work();
    CHECK(world_woke_with(waiter, MNOS_OK));
    CHECK_EQ(parent->state, MNOS_PROCESS_DEAD);
    CHECK_EQ(parent->exit_code, 7);
    world_check();
}

TEST(ending, a_waiter_that_is_cancelled_has_its_answer_and_the_end_goes_on)
{
    begin(12);
    thread_set_priority(waiter, 33);
    CHECK_EQ(best_work(0), 33);
    CHECK(wait_cancel(waiter, NEVER, MNOS_ERR_CANCELLED));
    CHECK(world_woke_with(waiter, MNOS_ERR_CANCELLED));
    CHECK_EQ(best_work(0), 12); /* of who marked it */
    world_check();
    world_finish_work();
    CHECK_EQ(parent->state, MNOS_PROCESS_DEAD);
    world_check();
}

TEST(ending, a_waiter_that_is_killed_is_buried_before_and_the_end_goes_on)
{
    begin(12);
    world_kill(waiter);
    CHECK_EQ(waiter->state, THREAD_DEAD);
    CHECK(thread_queue_empty(&parent->end.waiters));
    world_check();
    world_finish_work();
    CHECK_EQ(parent->state, MNOS_PROCESS_DEAD);
    CHECK_EQ(world_root->thread_count, 0);
    world_check();
}

TEST(ending, a_process_with_a_server_ends_at_the_priority_of_the_server_s_callers)
{
    mnos_cap_t handle;

    world_init();
    struct thread *client = world_thread(world_root, 45), *other = world_thread(world_root, 44);
    mnos_cap_t port = CALL_VALUE(client, cap_create, MNOS_CREATE_ENDPOINT);
    struct process *process = world_process(world_root, 500, 500000, &handle);
    struct thread *server = world_thread(process, 5);
    mnos_cap_t inbox = CALL_VALUE(client, cap_transfer, handle, port, MNOS_RIGHT_READ);
    CHECK_EQ(world_ipc_call(client, port, 0, NEVER), WORLD_WAITS);
    CHECK_EQ(world_receive(server, inbox, 0, NEVER), 0);
    CHECK_EQ(CALL(server, thread_block, MNOS_SELF, NEVER), WORLD_WAITS);
    CHECK_EQ(process_threads_priority(process), 45);
    CHECK(process_mark(process, MNOS_EXIT_DESTROYED, 0, 3));
    CHECK_EQ(best_work(0), 45);
    thread_set_priority(client, 48);
    CHECK_EQ(best_work(0), 48);
    (void)host_leave_kernel();
    CHECK(world_woke_with(client, MNOS_ERR_PEER));
    CHECK(process->state == MNOS_PROCESS_DYING); /* the rest is less urgent */
    CHECK_EQ(best_work(0), 3);
    CHECK_PTR_EQ(cores[0].current, client);
    (void)other;
    world_check();
}

/* ---- threads ---- */

TEST(ending, the_core_that_makes_a_thread_dead_buries_it)
{
    mnos_cap_t handle;
    uint64_t arguments[6] = {0}, rax;

    world_init();
    host_core_start(1);
    struct thread *boss = world_thread_with(world_root, 5, 0, 0, NULL);
    struct thread *victim = world_thread_with(world_root, 9, 1, 0, &handle);
    host_core_select(1);
    (void)host_leave_kernel();
    CHECK_PTR_EQ(cores[1].current, victim);
    host_core_select(0);
    arguments[0] = handle;
    CHECK(!world_call_once(boss, MNOS_SYS_thread_destroy, arguments, &rax));
    CHECK_EQ(victim->end.work.core, 1);
    world_finish_work();
    CHECK(world_woke_with(boss, MNOS_OK));
    CHECK_EQ(world_root->thread_count, 1);
    world_check();
}

TEST(ending, two_threads_that_destroy_each_other_are_both_buried)
{
    mnos_cap_t handles[2];
    uint64_t arguments[6] = {0}, rax;
    struct thread *threads[2];

    world_init();
    for (unsigned i = 0; i < 2; i++)
        threads[i] = world_thread_with(world_root, 9, MNOS_AFFINITY_ANY, 0, &handles[i]);
    arguments[0] = handles[1];
    world_act(threads[0]);
    thread_kill(threads[0]); /* by the other, on another core, just now */
    CHECK(!world_call_once(threads[0], MNOS_SYS_thread_destroy, arguments, &rax));
    CHECK_EQ(threads[0]->state, THREAD_DEAD); /* it did not wait: T9 */
    world_finish_work();
    CHECK_EQ(world_root->thread_count, 0);
    world_check();
}

/* ---- what another core runs ---- */

TEST(ending, only_a_core_itself_says_what_priority_it_runs)
{
    world_init();
    host_core_start(1);
    struct thread *runs = world_thread_with(world_root, 30, 1, 0, NULL);
    host_core_select(1);
    (void)host_leave_kernel();
    CHECK_PTR_EQ(cores[1].current, runs);
    host_core_select(0);
    uint32_t told = host_cores[1].reschedules;
    thread_set_priority(runs, 10);
    CHECK_EQ(cores[1].runqueue.running_priority, 30);
    CHECK_EQ(host_cores[1].reschedules, told + 1);
    struct thread *better = world_thread_with(world_root, 20, 1, 0, NULL);
    host_core_select(1);
    (void)host_leave_kernel();
    CHECK_PTR_EQ(cores[1].current, better);
    CHECK_EQ(cores[1].runqueue.running_priority, 20);
    world_check();
}

/* Which came when this core ran something better, and was not told. */
TEST(ending, who_falls_to_the_priority_of_a_ready_one_takes_turns_with_it)
{
    world_init();
    host_core_start(1);
    struct thread *runs = world_thread_with(world_root, 30, 1, 0, NULL);
    host_core_select(1);
    (void)host_leave_kernel();
    CHECK_PTR_EQ(cores[1].current, runs);
    host_core_select(0);
    (void)world_thread_with(world_root, 20, 1, 0, NULL);
    host_core_select(1);
    cores[1].need_resched = false;
    sched_running_priority(&cores[1], 21);
    CHECK(!cores[1].need_resched);
    sched_running_priority(&cores[1], 20);
    CHECK(cores[1].need_resched);
}

TEST(ending, a_change_of_affinity_leaves_one_core_s_bits)
{
    world_init();
    host_core_start(1);
    host_core_start(2);
    struct thread *thread = world_thread_with(world_root, 30, 1, 0, NULL);
    host_core_select(1);
    (void)host_leave_kernel();
    host_core_select(0);
    thread_set_affinity(thread, 2);
    CHECK_EQ(thread->slow & ~(uint32_t)SLOW_PROCESSOR, slow_for_affinity(2));
    world_settle();
    CHECK_PTR_EQ(cores[1].current, NULL);
    CHECK_PTR_EQ(cores[2].current, thread);
    thread_set_affinity(thread, MNOS_AFFINITY_ANY);
    CHECK_EQ(thread->slow & ~(uint32_t)SLOW_PROCESSOR, 0);
    world_check();
}

/* ---- many threads ---- */

enum { CROWD = 100 };

TEST(ending, a_process_with_many_threads_is_suspended_and_resumed_in_steps)
{
    struct thread *threads[CROWD];
    mnos_cap_t handle;
    bool again = true;
    unsigned calls = 0;

    world_init();
    struct process *process = world_process(world_root, 2000, 4000000, &handle);
    for (unsigned i = 0; i < CROWD; i++)
        threads[i] = world_thread(process, 5);
    for (bool begun = false; again; begun = true, calls++)
        CHECK_EQ(process_suspend(process, begun, &again), MNOS_OK);
    CHECK(calls >= 3);
    for (unsigned i = 0; i < CROWD; i++)
        CHECK(threads[i]->stop == STOP_PROCESS);
    CHECK_EQ(process_resume(process, false, &again), MNOS_OK);
    CHECK(again);
    /* One that leaves in between takes no other's turn. */
    world_kill(process->cursor);
    world_finish_work();
    while (again)
        CHECK_EQ(process_resume(process, true, &again), MNOS_OK);
    CHECK_EQ(process->thread_count, CROWD - 1);
    for (struct list *l = process->threads.next; l != &process->threads; l = l->next)
        CHECK_EQ(container_of(l, struct thread, process_link)->stop, 0);
    world_check();
}

/* The first was killed after a step, or stands between two: whoever asks for the same goes on where it was. */
TEST(ending, a_suspension_that_was_cut_off_is_finished_by_the_next)
{
    struct thread *threads[CROWD];
    mnos_cap_t handle;
    bool again;
    unsigned calls = 1;

    world_init();
    struct process *process = world_process(world_root, 2000, 4000000, &handle);
    for (unsigned i = 0; i < CROWD; i++)
        threads[i] = world_thread(process, 5);
    CHECK_EQ(process_suspend(process, false, &again), MNOS_OK);
    CHECK(again && process->state == MNOS_PROCESS_SUSPENDED);
    CHECK_EQ(threads[CROWD - 1]->stop, 0);
    for (; again && calls < CROWD; calls++) /* each of somebody else, who has just come */
        CHECK_EQ(process_suspend(process, false, &again), MNOS_OK);
    CHECK(!again);
    for (unsigned i = 0; i < CROWD; i++)
        CHECK_EQ(threads[i]->stop, STOP_PROCESS);
    CHECK_EQ(process_resume(process, false, &again), MNOS_OK);
    CHECK(again);
    while (again && calls++ < CROWD)
        CHECK_EQ(process_resume(process, false, &again), MNOS_OK);
    for (unsigned i = 0; i < CROWD; i++)
        CHECK_EQ(threads[i]->stop, 0);
    world_check();
}

TEST(ending, of_two_that_suspend_their_own_process_one_goes_on)
{
    struct thread *threads[CROWD];
    bool again;

    world_init();
    struct thread *stopped = world_thread(world_root, 9);
    for (unsigned i = 0; i < CROWD; i++)
        threads[i] = world_thread(world_root, 5);
    world_act(stopped);
    CHECK_EQ(process_suspend(world_root, false, &again), MNOS_OK);
    CHECK(again);
    atomic_fetch_or(&stopped->stop, STOP_PROCESS); /* the other has come to it, on another core */
    for (unsigned i = 0; i < CROWD; i++)
        CHECK_EQ(process_suspend(world_root, true, &again), MNOS_OK);
    CHECK(again);
    CHECK_EQ(threads[CROWD - 1]->stop, 0); /* perhaps the other */
}
