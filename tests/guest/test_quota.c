// SPDX-License-Identifier: MIT
/* test_quota.c - limits that are moved between the account of a process and that of its child. */
#include "lib/mnos/bootstrap.h"
#include "tests/guest/child.h"
#include "tests/guest/claim.h"

#define LEAST INT64_MIN

static uint64_t frames_left(mnos_cap_t process)
{
    struct mnos_process_info info = process_info(process);

    return info.frames_quota - info.frames_used;
}

static uint64_t bytes_left(mnos_cap_t process)
{
    struct mnos_process_info info = process_info(process);

    return info.bytes_quota - info.bytes_used;
}

/* The limits of both, the child's as part of what the parent has charged. */
static void check_moved(mnos_cap_t child, struct mnos_process_info own,
                        struct mnos_process_info of_child, int64_t frames, int64_t bytes)
{
    struct mnos_process_info own_now = process_info(MNOS_SELF), now = process_info(child);

    CHECK_EQ(now.frames_quota, of_child.frames_quota + (uint64_t)frames);
    CHECK_EQ(now.bytes_quota, of_child.bytes_quota + (uint64_t)bytes);
    CHECK_EQ(now.frames_used, of_child.frames_used);
    CHECK_EQ(now.bytes_used, of_child.bytes_used);
    CHECK_EQ(own_now.frames_used, own.frames_used + (uint64_t)frames);
    CHECK_EQ(own_now.bytes_used, own.bytes_used + (uint64_t)bytes);
    CHECK_EQ(own_now.frames_quota, own.frames_quota);
    CHECK_EQ(own_now.bytes_quota, own.bytes_quota);
}

TEST(quota, moves_to_a_child_and_back)
{
    static const struct {
        int64_t frames, bytes;
    } moves[] = {{10, 0}, {0, 5000}, {3, -3000}, {-13, 2000}, {-1, -1}, {0, 0}};
    mnos_cap_t process = process_new();

    for (size_t i = 0; i < sizeof moves / sizeof moves[0]; i++) {
        struct mnos_process_info own = process_info(MNOS_SELF), before = process_info(process);

        CHECK_OK(sys_proc_quota(process, moves[i].frames, moves[i].bytes));
        check_moved(process, own, before, moves[i].frames, moves[i].bytes);
    }
    process_end(process);
}

TEST(quota, all_that_is_left_to_a_child_can_be_taken_and_no_more)
{
    mnos_cap_t process = process_new(), weak = cap_copy(process, MNOS_RIGHT_WRITE);
    mnos_cap_t memory = memory_new(1), granted;
    struct mnos_process_info own, before;
    int64_t frames, bytes;

    CHECK_OK(sys_mem_grant(process, memory, 0, 1, MNOS_RIGHT_READ, &granted)); /* charges a table */
    own = process_info(MNOS_SELF);
    before = process_info(process);
    frames = (int64_t)(before.frames_quota - before.frames_used);
    bytes = (int64_t)(before.bytes_quota - before.bytes_used);
    CHECK_ERROR(proc_quota, ERR_QUOTA, 2, MNOS_QUOTA_FRAMES, sys_proc_quota(weak, -frames - 1, 0));
    CHECK_ERROR(proc_quota, ERR_QUOTA, 3, MNOS_QUOTA_BYTES,
                sys_proc_quota(weak, -frames, -bytes - 1));
    check_moved(process, own, before, 0, 0); /* neither kind */
    CHECK_OK(sys_proc_quota(weak, -frames, -bytes));
    check_moved(process, own, before, -frames, -bytes);
    CHECK_FAILS(sys_mem_map(process, memory, ARENA, 0, 1, MAP_RW), MNOS_ERR_QUOTA, 0,
                MNOS_QUOTA_BYTES);
    CHECK_OK(sys_proc_quota(weak, frames, bytes));
    CHECK_OK(sys_mem_map(process, memory, ARENA, 0, 1, MAP_RW));
    process_end(process);
    cap_drop(weak);
    cap_drop(memory);
}

TEST(quota, a_parent_gives_no_more_than_it_has_left)
{
    mnos_cap_t process = process_new();
    struct mnos_process_info own = process_info(MNOS_SELF), before = process_info(process);
    int64_t frames = (int64_t)frames_left(MNOS_SELF), bytes = (int64_t)bytes_left(MNOS_SELF);

    CHECK_FAILS(sys_proc_quota(process, frames + 1, 0), MNOS_ERR_QUOTA, 2, MNOS_QUOTA_FRAMES);
    CHECK_FAILS(sys_proc_quota(process, 1, bytes + 1), MNOS_ERR_QUOTA, 3, MNOS_QUOTA_BYTES);
    CHECK_FAILS(sys_proc_quota(process, -1, bytes + 1), MNOS_ERR_QUOTA, 3, MNOS_QUOTA_BYTES);
    check_moved(process, own, before, 0, 0);
    CHECK_OK(sys_proc_quota(process, frames, 0));
    CHECK_EQ(frames_left(MNOS_SELF), 0);
    CHECK_OK(sys_proc_quota(process, -frames, 0));
    check_moved(process, own, before, 0, 0);
    process_end(process);
}

TEST(quota, an_amount_beyond_the_limit_of_who_gives_is_refused)
{
    mnos_cap_t process = process_new();
    struct mnos_process_info own = process_info(MNOS_SELF), child = process_info(process);
    int64_t own_frames = (int64_t)own.frames_quota, own_bytes = (int64_t)own.bytes_quota;
    int64_t frames = (int64_t)child.frames_quota, bytes = (int64_t)child.bytes_quota;

    CHECK_ERROR(proc_quota, ERR_ARGUMENT, 2, 0, sys_proc_quota(process, LEAST, 0));
    CHECK_FAILS(sys_proc_quota(process, INT64_MAX, 0), MNOS_ERR_ARGUMENT, 2, 0);
    CHECK_FAILS(sys_proc_quota(process, own_frames + 1, 0), MNOS_ERR_ARGUMENT, 2, 0);
    CHECK_FAILS(sys_proc_quota(process, -frames - 1, 0), MNOS_ERR_ARGUMENT, 2, 0);
    CHECK_ERROR(proc_quota, ERR_ARGUMENT, 3, 0, sys_proc_quota(process, 0, LEAST));
    CHECK_FAILS(sys_proc_quota(process, 1, INT64_MAX), MNOS_ERR_ARGUMENT, 3, 0);
    CHECK_FAILS(sys_proc_quota(process, -1, own_bytes + 1), MNOS_ERR_ARGUMENT, 3, 0);
    CHECK_FAILS(sys_proc_quota(process, 1, -bytes - 1), MNOS_ERR_ARGUMENT, 3, 0);
    check_moved(process, own, child, 0, 0);
    process_end(process);
}

static uint64_t grow(uint64_t process, uint64_t, uint64_t, uint64_t)
{
    return sys_proc_quota(process, 1, 0);
}

TEST(quota, only_the_parent_moves_and_only_while_the_child_lives)
{
    mnos_cap_t process = process_new();
    struct child child;

    CHECK_ERROR(proc_quota, ERR_ARGUMENT, 1, 0, sys_proc_quota(MNOS_SELF, 0, 0));
    CHECK_ERROR(proc_quota, ERR_STATE, 1, 0, sys_proc_quota(bootstrap_cap("process"), 0, 0));
    /* Neither its own account, nor a sibling's, whatever it holds. */
    if (child_create(&child) &&
        child_start(&child, grow, child_give(&child, child.process, MNOS_RIGHTS_ALL), 0, 0, 0))
        CHECK_EQ(child_result(&child), MNOS_ERR_STATE);
    child_drop(&child);
    if (child_create(&child) &&
        child_start(&child, grow, child_give(&child, process, MNOS_RIGHTS_ALL), 0, 0, 0))
        CHECK_EQ(child_result(&child), MNOS_ERR_STATE);
    child_drop(&child);
    CHECK_OK(sys_thread_block(process, 0, &(uint64_t){0})); /* suspended */
    CHECK_OK(sys_proc_quota(process, 1, 1));
    CHECK_OK(sys_proc_destroy(process, 0));
    CHECK_FAILS(sys_proc_quota(process, 0, 0), MNOS_ERR_STATE, 1, 0);
    CHECK_FAILS(sys_proc_quota(process, 1, 0), MNOS_ERR_STATE, 1, 0);
    cap_drop(process);
}

/* ---- a child that allocates while its limits are moved ---- */

#define ALLOCATIONS 100u
#define PATIENCE 100000u
#define FRAMES_MOVED 16
#define BYTES_MOVED 1024
#define NEVER_REFUSED 1
#define NEVER_GRANTED 2
#define FAILED_OTHERWISE 3

/* Takes what it has, and as much as is moved, and gives it back, over and over. */
static uint64_t take_and_give_back(uint64_t pages, uint64_t, uint64_t, uint64_t)
{
    unsigned granted = 0, refused = 0;

    for (unsigned i = 0; i < ALLOCATIONS || (i < PATIENCE && (granted == 0 || refused == 0)); i++) {
        mnos_cap_t first = 0, second = 0;
        mnos_status_t status = sys_mem_alloc(pages, 0, &first);

        if (status == MNOS_OK)
            status = sys_mem_alloc(FRAMES_MOVED, 0, &second);
        if (status != MNOS_OK && status != MNOS_ERR_QUOTA)
            return FAILED_OTHERWISE;
        granted += status == MNOS_OK;
        refused += status != MNOS_OK;
        if (first != 0)
            cap_drop(first);
        if (second != 0)
            cap_drop(second);
        (void)!sys_thread_yield(); /* on one core the limits are moved now */
    }
    return granted == 0 ? NEVER_GRANTED : refused == 0 ? NEVER_REFUSED : 0;
}

/* One move there or back, as far as the child has anything left. */
static void move_and_check(mnos_cap_t process, bool *raised, uint64_t frames_between,
                           uint64_t bytes_between)
{
    const int64_t sign = *raised ? -1 : 1;
    mnos_status_t status = sys_proc_quota(process, sign * FRAMES_MOVED, -sign * BYTES_MOVED);
    struct mnos_process_info own = process_info(MNOS_SELF), child = process_info(process);

    CHECK(status == MNOS_OK || (status == MNOS_ERR_QUOTA && *raised) ||
          (status == MNOS_ERR_STATE && child.state != MNOS_PROCESS_ALIVE));
    CHECK_EQ(own.frames_used - child.frames_quota, frames_between);
    CHECK_EQ(own.bytes_used - child.bytes_quota, bytes_between);
    CHECK(child.frames_used <= child.frames_quota);
    CHECK(child.bytes_used <= child.bytes_quota);
    if (status == MNOS_OK)
        *raised = !*raised;
}

TEST(quota, sums_stay_while_one_core_charges_and_another_moves)
{
    struct mnos_process_info own, before;
    struct child child;

    if (child_create(&child)) {
        const int64_t kept = 2 * FRAMES_MOVED; /* little, so that it does not take long to zero */
        uint64_t deadline = soon();
        bool raised = false;

        CHECK_OK(sys_proc_quota(child.process, kept - (int64_t)frames_left(child.process), 0));
        own = process_info(MNOS_SELF);
        before = process_info(child.process);
        if (child_start_at(&child, take_and_give_back, kept - FRAMES_MOVED / 2, 0, TEST_PRIORITY,
                           MNOS_AFFINITY_ANY)) {
            while (process_info(child.process).state == MNOS_PROCESS_ALIVE && !check_failed() &&
                   CHECK(kinfo_time_ns() < deadline)) {
                move_and_check(child.process, &raised, own.frames_used - before.frames_quota,
                               own.bytes_used - before.bytes_quota);
                (void)!sys_thread_yield();
            }
            if (!check_failed())
                CHECK_EQ(child_result(&child), 0);
        }
    }
    child_drop(&child);
}
