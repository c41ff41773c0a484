// SPDX-License-Identifier: MIT
/*
 * test_monkey.c - hostile processes make random system calls with handles that are sometimes good; all
 * invariants hold all the time, and nothing is left behind when they are gone.
 */
#include <string.h>

#include "abi/inspect.h"
#include "abi/fault.h"
#include "abi/process.h"
#include "cap/derive.h"
#include "object/interrupt.h"
#include "sched/sched.h"
#include "object/fault.h"
#include "tests/unit/kernel_world.h"

enum {
    PROCESSES = 3,
    STEPS = 20000,
    HANDLES = 64,
    CHECK_EVERY = 25,
    BASE_PAGES = 40,
    MAP_BASE = 0x400000,
};

#include "tests/unit/monkey_calls.h"

static void act(struct thread *thread)
{
    uint64_t arguments[6] = {0};
    uint64_t call = choose_call(thread);
    uint64_t rax;

    if (!world_try_act(thread))
        return;
    if (thread->process != world_root && world_random(20) == 0) {
        thread->frame.vector = 14;
        fault_raise(thread, number(1ull << 31));
        return;
    }
    if (is_message(call)) {
        choose_message(thread, call);
        (void)world_call_again(thread, call);
        return;
    }
    choose_arguments(thread, call, arguments);
    rax = world_call(thread, call, arguments);
    if (rax == 0 && gives_handle(call))
        remember(world_value);
}

/* ---- whose turn it is ---- */

static struct thread *find_ready(struct process *process, unsigned *skip)
{
    struct thread *found;

    if (process->state == MNOS_PROCESS_DYING)
        return NULL;
    for (struct list *l = process->threads.next; l != &process->threads; l = l->next) {
        struct thread *thread = container_of(l, struct thread, process_link);
        bool can = (thread->state == THREAD_READY || thread == this_core()->current) &&
                   thread->stop == 0 && thread != keeper;

        if (can && (*skip)-- == 0)
            return thread;
    }
    for (struct list *l = process->children.next; l != &process->children; l = l->next) {
        found = find_ready(container_of(l, struct process, sibling_link), skip);
        if (found != NULL)
            return found;
    }
    return NULL;
}

static struct thread *somebody(void)
{
    unsigned skip = world_random(8);
    struct thread *thread = find_ready(world_root, &skip);

    if (thread == NULL) {
        skip = 0;
        thread = find_ready(world_root, &skip);
    }
    return thread;
}

/* What all processes get: an endpoint, and all interrupt lines. */
static mnos_cap_t shared, lines;

static void share(void)
{
    shared = CALL_VALUE(keeper, cap_create, MNOS_CREATE_ENDPOINT, 0, 0, 100, 0);
    CHECK_EQ(
        cap_create_root(world_root, interrupt_object(), MNOS_RIGHTS_ALL, 0, HOST_LINES, &lines),
        MNOS_OK);
    remember(shared);
}

/* A new hostile process, with something to play with that it shares with its siblings. */
static void add_process(void)
{
    mnos_cap_t handle, again;
    struct process *process = world_process(world_root, 400, 300000, &handle);

    if (world_random(2) == 0) { /* whoever receives there handles its faults */
        struct cap_view view = world_view(world_root, shared);

        CHECK_EQ(cap_derive_kernel(&process->fault_cap, &view), MNOS_OK);
    }
    for (unsigned i = 0; i < 3; i++)
        (void)world_thread(process, 10 + i);
    again = CALL_VALUE(keeper, cap_create, MNOS_CREATE_COPY, handle, MNOS_RIGHTS_ALL);
    (void)CALL_VALUE(keeper, cap_transfer, handle, shared, MNOS_RIGHTS_ALL);
    (void)CALL_VALUE(keeper, cap_transfer, handle, lines, MNOS_RIGHTS_ALL);
    (void)CALL_VALUE(keeper, cap_transfer, handle, again, MNOS_RIGHTS_ALL);
}

/* Children of the root that are still alive. */
static unsigned alive(void)
{
    unsigned count = 0;

    for (struct list *l = world_root->children.next; l != &world_root->children; l = l->next)
        count++;
    return count;
}

static void settle(void)
{
    for (unsigned i = 0; i < 20; i++)
        world_settle();
}

/* Destroys all processes, and takes all capabilities of the root, except the keeper's and, when
 * `but_shared`, the shared ones. */
static void clear(bool but_shared)
{
    struct capability *slot;

    for (uint32_t i = 1; (slot = world_next_slot(world_root, i)) != NULL; i++) {
        mnos_cap_t handle = slot->key;

        i = MNOS_HANDLE_INDEX(handle);
        if (slot->object == &keeper->obj)
            continue;
        if (but_shared && (handle == shared || handle == lines))
            continue;
        if (slot->type == MNOS_TYPE_PROCESS)
            CHECK_EQ(CALL(keeper, proc_destroy, handle), 0);
        if (world_object(world_root, handle) != NULL)
            CHECK_EQ(CALL(keeper, cap_delete, handle), 0);
    }
}

/* At preemption points devices interrupt now and then, and the core is asked to look at its queue. */
static void interrupt_by_chance(void)
{
    if (world_random(4) != 0)
        return;
    interrupt_deliver(world_random(HOST_LINES), arch_cycles());
    this_core()->need_resched = true;
}

static void play(void)
{
    host_on_poll = interrupt_by_chance;
    for (unsigned step = 0; step < STEPS; step++) {
        struct thread *thread;

        host_core_select(world_random(core_count));
        if (alive() < PROCESSES || world_random(50) == 0)
            world_give_back();
        while (alive() < PROCESSES)
            add_process();
        thread = somebody();
        if (world_random(200) == 0) /* for a while there is next to no memory */
            world_take_frames(world_random(30));
        if (thread != NULL)
            act(thread);
        if (world_random(10) == 0)
            settle();
        if (thread == NULL || world_random(10) == 0)
            host_time_pass(world_random(1000));
        if (world_random(10) == 0)
            interrupt_deliver(world_random(HOST_LINES), arch_cycles());
        if (thread == NULL) { /* all are blocked or suspended: make room for others */
            world_give_back();
            clear(true);
        }
        if (step % CHECK_EVERY == 0)
            world_check();
    }
}

static void run(uint32_t seed, uint32_t core_total)
{
    world_init();
    for (uint32_t i = 1; i < core_total; i++)
        host_core_start(i);
    world_seed(seed);
    keeper = world_thread(world_root, 50);
    /* Once for what stays: numbers of threads, pages of the root's capability table. */
    share();
    for (unsigned i = 0; i < 1000; i++)
        (void)CALL_VALUE(keeper, cap_create, MNOS_CREATE_COPY, shared, 0);
    add_process();
    clear(false);
    CHECK_EQ(alive(), 0);
    uint64_t free = world_free_frames(), bytes = quota_used(&world_root->quota.bytes);
    share();
    play();
    host_on_poll = NULL;
    world_give_back();
    host_core_select(0);
    clear(false);
    settle();
    CHECK_EQ(alive(), 0);
    CHECK_EQ(world_free_frames(), free);
    CHECK_EQ(quota_used(&world_root->quota.bytes), bytes);
    world_check();
}

TEST(monkey, random_calls_break_nothing_and_leave_nothing_behind)
{
    run(1, 1);
}

TEST(monkey, nor_do_others)
{
    run(987654321, 1);
}
TEST(monkey, nor_do_they_on_two_cores)
{
    run(2, 2);
}

TEST(monkey, nor_do_they_on_five_cores)
{
    run(77, 5);
}
