// SPDX-License-Identifier: MIT
/* test_deferred.c - what other cores may still be looking at is freed later. */
#include "sync/deferred.h"

#include "tests/unit/kernel_world.h"

static unsigned released;

static void release(struct deferred *deferred)
{
    (void)deferred;
    released++;
}

TEST(deferred, nothing_is_freed_before_the_other_cores_have_passed_a_quiescent_point)
{
    static struct deferred items[DEFERRED_MAX];

    world_init();
    host_core_start(1);
    for (unsigned i = 0; i < DEFERRED_MAX - 1; i++)
        deferred_add(&items[i], release);
    uint64_t passed = cores[1].quiescent_points;
    deferred_leave_kernel();
    CHECK_EQ(released, 0);
    deferred_add(&items[DEFERRED_MAX - 1], release);
    deferred_leave_kernel();
    CHECK_EQ(released, DEFERRED_MAX);
    CHECK(cores[1].quiescent_points > passed);
}

TEST(deferred, nothing_is_freed_before_what_another_core_has_unmapped_is_flushed)
{
    static struct deferred item;
    uint32_t flushes;

    world_init();
    host_core_start(1);
    flushes = host_cores[1].flushes;
    cores[1].tlb_pending = true; /* it is in the middle of unmapping something */
    deferred_add(&item, release);
    deferred_flush();
    CHECK_EQ(host_cores[1].flushes, flushes + 1);
    cores[1].tlb_pending = false;
    deferred_add(&item, release);
    deferred_flush();
    CHECK_EQ(host_cores[1].flushes, flushes + 1);
}

TEST(deferred, another_core_can_be_urged)
{
    static struct deferred item;

    world_init();
    host_core_start(1);
    deferred_add(&item, release);
    host_core_select(1);
    deferred_urge();
    CHECK_EQ(released, 0);
    CHECK(cores[0].deferred_urged && host_cores[0].reschedules > 0);
    host_core_select(0);
    (void)host_leave_kernel();
    CHECK_EQ(released, 1);
}
