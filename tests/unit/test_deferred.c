// SPDX-License-Identifier: MIT
/* test_deferred.c - what other cores may still be looking at is freed later. */
#include "sched/deferred.h"

#include "syscall/calls.h"
#include "tests/unit/kernel_world.h"

static unsigned released;

static bool release(struct deferred *deferred)
{
    (void)deferred;
    released++;
    return true;
}

static void add(struct deferred *items, unsigned count, uint32_t bytes)
{
    for (unsigned i = 0; i < count; i++)
        deferred_add(&items[i], bytes, release);
}

TEST(deferred, nothing_is_freed_before_the_other_cores_have_passed_a_quiescent_point)
{
    static struct deferred items[DEFERRED_MAX];

    world_init();
    host_core_start(1);
    add(items, DEFERRED_MAX, 1);
    uint64_t passed = cores[1].quiescent_points;
    CHECK(!deferred_is_due(&cores[0]));
    CHECK_EQ(runqueue_best_work(&cores[0].runqueue), 0); /* when there is time */
    CHECK(!host_leave_kernel());
    CHECK_EQ(released, DEFERRED_MAX);
    CHECK_EQ(cores[1].quiescent_points, passed + 1); /* one round for all */
    CHECK_EQ(runqueue_best_work(&cores[0].runqueue), -1);
}

TEST(deferred, more_than_so_much_is_due_some_of_it_on_each_way_out)
{
    static struct deferred items[DEFERRED_MAX + 2];

    world_init();
    host_core_start(1);
    struct thread *busy = world_thread_with(world_root, WORLD_PRIORITY, 0, 0, NULL);
    (void)host_leave_kernel();
    CHECK_PTR_EQ(cores[0].current, busy);
    add(items, DEFERRED_MAX + 2, 1);
    CHECK(deferred_is_due(&cores[0]) && cores[0].need_resched);
    (void)host_leave_kernel();
    CHECK_EQ(released, DEFERRED_STEP);
    CHECK_PTR_EQ(cores[0].current, busy);
    CHECK(!deferred_is_due(&cores[0]));
    add(items, 1, DEFERRED_BYTES + 1);
    CHECK(deferred_is_due(&cores[0]));
}

TEST(deferred, on_one_core_everything_is_due)
{
    static struct deferred items[DEFERRED_STEP + 1];

    world_init();
    struct thread *busy = world_thread(world_root, WORLD_PRIORITY);
    (void)host_leave_kernel();
    add(items, DEFERRED_STEP + 1, 1);
    (void)host_leave_kernel();
    CHECK_EQ(released, DEFERRED_STEP);
    CHECK_PTR_EQ(cores[0].current, busy);
    CHECK(cores[0].need_resched); /* the next way out is a long one */
    (void)host_leave_kernel();
    CHECK_EQ(released, DEFERRED_STEP + 1);
}

TEST(deferred, a_way_out_after_a_yield_frees_as_well)
{
    static struct deferred items[8 * DEFERRED_STEP];
    struct thread *pair[2];

    world_init();
    for (unsigned i = 0; i < 2; i++)
        pair[i] = world_thread(world_root, WORLD_PRIORITY);
    (void)host_leave_kernel();
    add(items, 8 * DEFERRED_STEP, 1);
    (void)host_leave_kernel();
    CHECK_EQ(released, DEFERRED_STEP);
    for (unsigned i = 0; i < 2; i++) {
        unsigned before = released;
        CHECK_PTR_EQ(cores[0].current, pair[i]);
        CHECK_EQ(call_thread_yield(0, 0, 0, 0, 0, 0).rax, 0);
        (void)host_leave_kernel();
        CHECK_EQ(released, before + DEFERRED_STEP);
    }
    CHECK_PTR_EQ(cores[0].current, pair[0]);
    world_check();
}

TEST(deferred, nothing_is_freed_before_what_another_core_has_unmapped_is_flushed)
{
    static struct deferred item;
    uint32_t flushes;

    world_init();
    host_core_start(1);
    flushes = host_cores[1].flushes;
    cores[1].tlb_pending = true; /* it is in the middle of unmapping something */
    deferred_add(&item, 1, release);
    CHECK(!deferred_step());
    CHECK_EQ(host_cores[1].flushes, flushes + 1);
    cores[1].tlb_pending = false;
    deferred_add(&item, 1, release);
    CHECK(!deferred_step());
    CHECK_EQ(host_cores[1].flushes, flushes + 1);
}

TEST(deferred, whoever_needs_it_takes_over_what_others_have_collected)
{
    static struct deferred items[3];

    world_init();
    host_core_start(1);
    host_core_start(2);
    add(items, 2, 1);
    host_core_select(1);
    deferred_add(&items[2], 1, release);
    host_core_select(2);
    CHECK(deferred_anywhere());
    deferred_take_over();
    CHECK(!deferred_step());
    CHECK_EQ(released, 3);
    CHECK(!deferred_anywhere());
}

static unsigned pieces;

static bool release_in_pieces(struct deferred *deferred)
{
    (void)deferred;
    return ++pieces == 3;
}

TEST(deferred, what_is_freed_in_pieces_comes_again)
{
    static struct deferred item;

    world_init();
    host_core_start(1);
    deferred_add(&item, 1, release_in_pieces);
    (void)host_leave_kernel();
    CHECK_EQ(pieces, 3);
    CHECK(!deferred_anywhere());
}
