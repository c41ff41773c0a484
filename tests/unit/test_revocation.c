// SPDX-License-Identifier: MIT
/* test_revocation.c - revocations and deletions that are interrupted, and what another core does meanwhile. */
#include "sched/sched.h"
#include "tests/unit/derive_scene.h"

/* ---- interrupted ---- */

static struct thread *urgent;
static unsigned polls, interrupt_at;

static void wake_urgent(void)
{
    if (++polls == interrupt_at)
        thread_resume(urgent, STOP_SUSPEND);
}

TEST(derive, a_revocation_is_interrupted_and_continued)
{
    uint64_t rax;

    init();
    urgent = world_thread_with(world_root, WORLD_PRIORITY + 1, MNOS_AFFINITY_ANY,
                               MNOS_THREAD_SUSPENDED, NULL);
    mnos_cap_t root = make_endpoint();
    mnos_cap_t middle = copy(root, MNOS_RIGHTS_ALL);
    struct kobject *endpoint = world_object(world_root, root);
    for (unsigned i = 0; i < MANY; i++)
        copy(i % 3 == 0 ? root : middle, MNOS_RIGHTS_ALL);
    uint32_t used = world_root->captable.used;

    interrupt_at = 5;
    host_on_poll = wake_urgent;
    CHECK(world_call_once(actor, MNOS_SYS_cap_revoke, (uint64_t[6]){root}, &rax));
    host_on_poll = NULL;
    CHECK(world_root->captable.used < used);
    CHECK(world_root->captable.used > used - MANY / 2);
    CHECK_EQ(endpoint->revoking, 1);
    world_check();
    /* Meanwhile nothing can be derived below the node. */
    uint64_t refused = CALL(urgent, cap_create, MNOS_CREATE_COPY, root, MNOS_RIGHT_READ);
    CHECK_EQ(STATUS_OF(refused), MNOS_ERR_STATE);
    refused = CALL(urgent, cap_create, MNOS_CREATE_MINT, root, MNOS_RIGHT_READ, 5, 5);
    CHECK_EQ(STATUS_OF(refused), MNOS_ERR_STATE);
    world_check();
    CHECK_EQ(CALL(actor, cap_revoke, root), 0);
    CHECK_EQ(endpoint->revoking, 0);
    CHECK(!is_alive(middle));
    CHECK_EQ(world_root->captable.used, used - MANY - 1);
    CHECK(is_alive(copy(root, MNOS_RIGHT_READ)));
    world_check();
}

TEST(derive, whoever_holds_the_parent_can_finish_an_abandoned_revocation)
{
    uint64_t rax;

    init();
    urgent = world_thread_with(world_root, WORLD_PRIORITY + 1, MNOS_AFFINITY_ANY,
                               MNOS_THREAD_SUSPENDED, NULL);
    mnos_cap_t root = make_endpoint();
    mnos_cap_t middle = copy(root, MNOS_RIGHTS_ALL);
    struct kobject *endpoint = world_object(world_root, root);
    for (unsigned i = 0; i < MANY; i++)
        copy(middle, MNOS_RIGHTS_ALL);
    polls = 0;
    interrupt_at = 3;
    host_on_poll = wake_urgent;
    CHECK(world_call_once(actor, MNOS_SYS_cap_revoke, (uint64_t[6]){middle}, &rax));
    host_on_poll = NULL;
    CHECK_EQ(CALL(urgent, cap_revoke, root), 0);
    CHECK(!is_alive(middle));
    CHECK_EQ(endpoint->revoking, 0);
    CHECK_EQ(slot_of(root)->child, 0);
    world_check();
}

/* Its mark is left: nothing can be derived until somebody revokes again, or deletes it. */
TEST(derive, a_revocation_whose_thread_was_killed_is_finished_by_a_deletion)
{
    uint64_t rax;

    init();
    urgent = world_thread_with(world_root, WORLD_PRIORITY + 1, MNOS_AFFINITY_ANY,
                               MNOS_THREAD_SUSPENDED, NULL);
    mnos_cap_t root = make_endpoint();
    mnos_cap_t middle = copy(root, MNOS_RIGHTS_ALL);
    struct kobject *endpoint = world_object(world_root, root);
    for (unsigned i = 0; i < MANY; i++)
        copy(middle, MNOS_RIGHTS_ALL);
    polls = 0;
    interrupt_at = 3;
    host_on_poll = wake_urgent;
    CHECK(world_call_once(actor, MNOS_SYS_cap_revoke, (uint64_t[6]){middle}, &rax));
    host_on_poll = NULL;
    world_act(urgent);
    world_kill(actor);
    world_finish_work();
    CHECK_EQ(STATUS_OF(CALL(urgent, cap_create, MNOS_CREATE_COPY, middle, 0)), MNOS_ERR_STATE);
    CHECK_EQ(CALL(urgent, cap_delete, middle), 0);
    CHECK_EQ(endpoint->revoking, 0);
    CHECK_EQ(slot_of(root)->child, 0);
    CHECK_EQ(CALL(urgent, cap_create, MNOS_CREATE_COPY, root, 0), 0);
    world_check();
}

TEST(derive, a_deletion_with_many_children_can_be_interrupted)
{
    uint64_t rax;

    init();
    urgent = world_thread_with(world_root, WORLD_PRIORITY + 1, MNOS_AFFINITY_ANY,
                               MNOS_THREAD_SUSPENDED, NULL);
    mnos_cap_t root = make_endpoint();
    mnos_cap_t middle = copy(root, MNOS_RIGHTS_ALL);
    mnos_cap_t last = 0;
    for (unsigned i = 0; i < MANY; i++)
        last = copy(middle, MNOS_RIGHTS_ALL);
    polls = 0;
    interrupt_at = 3;
    host_on_poll = wake_urgent;
    CHECK(world_call_once(actor, MNOS_SYS_cap_delete, (uint64_t[6]){middle}, &rax));
    host_on_poll = NULL;
    CHECK(is_alive(middle));
    world_check();
    CHECK_EQ(CALL(actor, cap_delete, middle), 0);
    CHECK(!is_alive(middle));
    CHECK_PTR_EQ(cap_at(slot_of(last)->parent), slot_of(root));
    world_check();
}

/* ---- between the steps, from another core ---- */

enum { BRANCHES = 40, LEAVES = 3 };

enum between { COPY_ROOT, DELETE_BRANCH, REVOKE_BRANCH, REVOKE_ROOT, DELETE_ROOT, BETWEEN_COUNT };

static struct thread *colleague;
static mnos_cap_t trunk, branches[BRANCHES];
static enum between between;

static void act_between(void)
{
    mnos_cap_t last = branches[0]; /* the youngest child goes first */
    uint64_t rax;

    if (++polls != interrupt_at)
        return;
    host_on_poll = NULL;
    host_core_select(1);
    switch (between) {
    case COPY_ROOT:
        rax = CALL(colleague, cap_create, MNOS_CREATE_COPY, trunk, 0);
        CHECK_EQ(STATUS_OF(rax), MNOS_ERR_STATE);
        rax = CALL(colleague, cap_create, MNOS_CREATE_COPY, last, 0);
        CHECK_EQ(STATUS_OF(rax), MNOS_ERR_STATE);
        break;
    case DELETE_BRANCH: CHECK_EQ(CALL(colleague, cap_delete, last), 0); break;
    case REVOKE_BRANCH:
        CHECK_EQ(CALL(colleague, cap_revoke, last), 0);
        CHECK_EQ(slot_of(last)->child, 0);
        break;
    case REVOKE_ROOT:
        CHECK_EQ(CALL(colleague, cap_revoke, trunk), 0);
        CHECK_EQ(slot_of(trunk)->child, 0);
        break;
    default: CHECK_EQ(CALL(colleague, cap_delete, trunk), 0); break;
    }
    host_core_select(0);
}

static void init_two_cores(void)
{
    init();
    actor = world_thread_with(world_root, WORLD_PRIORITY, 0, 0, NULL);
    host_core_start(1);
    colleague = world_thread_with(world_root, WORLD_PRIORITY, 1, 0, NULL);
}

static void revoke_with(enum between what, unsigned at)
{
    uint32_t used;

    trunk = make_endpoint();
    used = world_root->captable.used;
    for (unsigned i = 0; i < BRANCHES; i++) {
        branches[i] = copy(trunk, MNOS_RIGHTS_ALL);
        for (unsigned j = 0; j < LEAVES; j++)
            (void)copy(branches[i], MNOS_RIGHTS_ALL);
    }
    between = what;
    polls = 0;
    interrupt_at = at;
    host_on_poll = act_between;
    mnos_status_t status = STATUS_OF(CALL(actor, cap_revoke, trunk));
    CHECK(status == MNOS_OK || (status == MNOS_ERR_HANDLE && what == DELETE_ROOT));
    host_on_poll = NULL;
    CHECK_EQ(polls, at);
    CHECK_EQ(world_root->captable.used, used - (what == DELETE_ROOT));
    for (unsigned i = 0; i < BRANCHES; i++)
        CHECK(!is_alive(branches[i]));
    if (what != DELETE_ROOT)
        CHECK(is_alive(copy(trunk, 0)));
    world_check();
}

TEST(derive, another_core_may_do_anything_between_the_steps_of_a_revocation)
{
    init_two_cores();
    for (unsigned at = 1; at <= 4; at++)
        for (unsigned what = 0; what < BETWEEN_COUNT; what++)
            revoke_with((enum between)what, at);
}

TEST(derive, a_revocation_flushes_what_another_core_has_unmapped_and_not_flushed)
{
    init_two_cores();
    mnos_cap_t memory = CALL_VALUE(actor, mem_alloc, 1);
    uint32_t flushes = host_cores[0].flushes;
    CHECK_EQ(CALL(actor, cap_revoke, memory), 0);
    CHECK_EQ(host_cores[0].flushes, flushes);
    cores[1].tlb_pending = true; /* it is in the middle of unmapping something */
    CHECK_EQ(CALL(actor, cap_revoke, memory), 0);
    CHECK_EQ(host_cores[0].flushes, flushes + 1);
    cores[1].tlb_pending = false;
    world_check();
}
