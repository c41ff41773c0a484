// SPDX-License-Identifier: MIT
/* test_quota.c - limits that are moved between the account of a process and that of its child. */
#include <pthread.h>
#include <stdatomic.h>

#include "mm/quota.h"
#include "tests/unit/kernel_world.h"

#define LIMIT 100u
#define ROUNDS 200000u

static struct quota parent, child;

/* Half of the parent's is the child's. */
static void init(void)
{
    quota_init(&parent, 2 * LIMIT, 2 * LIMIT);
    quota_init(&child, LIMIT, LIMIT);
    CHECK_EQ(quota_charge_frames(&parent, LIMIT), MNOS_OK);
    CHECK_EQ(quota_charge_bytes(&parent, LIMIT), MNOS_OK);
}

static void check(uint64_t child_frames, uint64_t child_bytes)
{
    CHECK_EQ(child.frames.limit, child_frames);
    CHECK_EQ(child.bytes.limit, child_bytes);
    CHECK_EQ(quota_used(&parent.frames), child_frames);
    CHECK_EQ(quota_used(&parent.bytes), child_bytes);
    CHECK_EQ(parent.frames.limit, 2 * LIMIT);
    CHECK_EQ(parent.bytes.limit, 2 * LIMIT);
}

static void check_refused(int64_t frames, int64_t bytes, mnos_status_t status,
                          enum mnos_quota_kind kind)
{
    uint64_t child_frames = child.frames.limit, child_bytes = child.bytes.limit;
    enum mnos_quota_kind failed;

    CHECK_EQ(quota_move(&parent, &child, frames, bytes, &failed),
             status == MNOS_ERR_QUOTA ? QUOTA_SPENT(kind) : status);
    CHECK_EQ(failed, kind);
    check(child_frames, child_bytes);
}

TEST(quota, moves_each_kind_in_its_own_direction)
{
    enum mnos_quota_kind failed;

    init();
    CHECK_EQ(quota_move(&parent, &child, 30, -20, &failed), MNOS_OK);
    check(LIMIT + 30, LIMIT - 20);
    CHECK_EQ(quota_move(&parent, &child, -130, 120, &failed), MNOS_OK);
    check(0, 2 * LIMIT);
    CHECK_EQ(quota_move(&parent, &child, 0, 0, &failed), MNOS_OK);
    check(0, 2 * LIMIT);
}

TEST(quota, both_kinds_are_moved_or_neither)
{
    init();
    CHECK_EQ(quota_charge_frames(&child, 60), MNOS_OK);
    CHECK_EQ(quota_charge_bytes(&child, LIMIT), MNOS_OK);
    check_refused(-41, 0, MNOS_ERR_QUOTA, MNOS_QUOTA_FRAMES);
    check_refused(-40, -1, MNOS_ERR_QUOTA, MNOS_QUOTA_BYTES);
    check_refused(LIMIT, -1, MNOS_ERR_QUOTA, MNOS_QUOTA_BYTES);
    check_refused(LIMIT + 1, 1, MNOS_ERR_QUOTA, MNOS_QUOTA_FRAMES);
    check_refused(-40, LIMIT + 1, MNOS_ERR_QUOTA, MNOS_QUOTA_BYTES);
    CHECK_EQ(quota_used(&child.frames), 60);
    CHECK_EQ(quota_used(&child.bytes), LIMIT);
}

TEST(quota, an_amount_beyond_the_limit_is_no_amount)
{
    init();
    check_refused(INT64_MIN, 0, MNOS_ERR_ARGUMENT, MNOS_QUOTA_FRAMES);
    check_refused(INT64_MAX, 0, MNOS_ERR_ARGUMENT, MNOS_QUOTA_FRAMES);
    check_refused(-(int64_t)LIMIT - 1, 0, MNOS_ERR_ARGUMENT, MNOS_QUOTA_FRAMES);
    check_refused(2 * LIMIT + 1, 0, MNOS_ERR_ARGUMENT, MNOS_QUOTA_FRAMES);
    check_refused(1, INT64_MIN, MNOS_ERR_ARGUMENT, MNOS_QUOTA_BYTES);
    check_refused(-1, 2 * LIMIT + 1, MNOS_ERR_ARGUMENT, MNOS_QUOTA_BYTES);
}

/* ---- two cores ---- */

static _Atomic bool over;

static void *charge_and_return(void *)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t amount = 1 + i % LIMIT;

        if (quota_charge_frames(&child, amount) == MNOS_OK)
            quota_return_frames(&child, amount);
        if (quota_charge_bytes(&child, LIMIT - amount) == MNOS_OK)
            quota_return_bytes(&child, LIMIT - amount);
    }
    over = true;
    return NULL;
}

TEST(quota, sums_stay_while_one_core_charges_and_another_moves)
{
    enum mnos_quota_kind failed;
    pthread_t charger;

    init();
    over = false;
    CHECK_EQ(pthread_create(&charger, NULL, charge_and_return, NULL), 0);
    for (unsigned i = 0; !over; i++) {
        (void)quota_move(&parent, &child, (int64_t)(i % 7) - 3, 3 - (int64_t)(i % 5), &failed);
        check(child.frames.limit, child.bytes.limit);
        CHECK(quota_used(&child.frames) <= child.frames.limit);
        CHECK(quota_used(&child.bytes) <= child.bytes.limit);
    }
    CHECK_EQ(pthread_join(charger, NULL), 0);
    CHECK_EQ(quota_used(&child.frames), 0);
    CHECK_EQ(quota_used(&child.bytes), 0);
    check(child.frames.limit, child.bytes.limit);
}
