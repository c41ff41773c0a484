// SPDX-License-Identifier: MIT
/* test_badge.c - the search for a badge in the tree of an endpoint, and what happens around it meanwhile. */
#include "cap/badge.h"

#include "cap/derive.h"
#include "sched/sched.h"
#include "tests/unit/kernel_world.h"

enum { CLIENTS = 300, BADGE = 77 };

static struct thread *actor, *colleague;
static mnos_cap_t trunk;

static void init(void)
{
    world_init();
    actor = world_thread(world_root, WORLD_PRIORITY);
    trunk = CALL_VALUE(actor, cap_create, MNOS_CREATE_ENDPOINT);
}

static mnos_cap_t copy(mnos_cap_t source, mnos_rights_t rights)
{
    return CALL_VALUE(actor, cap_create, MNOS_CREATE_COPY, source, rights);
}

static mnos_cap_t mint(mnos_cap_t source, mnos_badge_t badge)
{
    return CALL_VALUE(actor, cap_create, MNOS_CREATE_MINT, source, MNOS_RIGHTS_ALL, badge, 0);
}

static bool lives(struct thread *thread, mnos_badge_t badge)
{
    return CALL_VALUE(thread, cap_inspect, trunk, MNOS_VIEW_BADGE, badge) == 1;
}

static void drop(struct thread *thread, mnos_cap_t cap)
{
    CHECK_EQ(CALL(thread, cap_delete, cap), 0);
}

TEST(badge, lives_as_long_as_a_capability_has_it)
{
    init();
    CHECK(!lives(actor, BADGE));
    mnos_cap_t minted = mint(trunk, BADGE), other = mint(copy(trunk, MNOS_RIGHTS_ALL), BADGE + 1);
    mnos_cap_t child = copy(minted, 0);
    CHECK(lives(actor, BADGE) && lives(actor, BADGE + 1) && !lives(actor, BADGE + 2));
    drop(actor, minted);
    CHECK(lives(actor, BADGE)); /* the copy has it */
    drop(actor, other);
    drop(actor, child);
    CHECK(!lives(actor, BADGE) && !lives(actor, BADGE + 1));
    world_check();
}

TEST(badge, is_told_with_read_only)
{
    init();
    mnos_cap_t sender = copy(trunk, MNOS_RIGHT_WRITE), process;
    uint64_t rax = CALL(actor, cap_inspect, sender, MNOS_VIEW_BADGE, BADGE);
    (void)world_process(world_root, 100, 50000, &process);
    CHECK_EQ(STATUS_OF(rax), MNOS_ERR_RIGHTS);
    CHECK_EQ(MNOS_DETAIL_RIGHTS(rax), MNOS_RIGHT_READ);
    rax = CALL(actor, cap_inspect, trunk, MNOS_VIEW_BADGE, 0);
    CHECK_EQ(STATUS_OF(rax), MNOS_ERR_ARGUMENT);
    CHECK_EQ(MNOS_DETAIL_ARGUMENT(rax), 3);
    CHECK_EQ(STATUS_OF(CALL(actor, cap_inspect, process, MNOS_VIEW_BADGE, BADGE)), MNOS_ERR_TYPE);
}

TEST(badge, of_who_is_ending_has_gone)
{
    init();
    mnos_cap_t handle, given;
    struct process *minter = world_process(world_root, 100, 50000, &handle);
    struct thread *thread = world_thread(minter, WORLD_PRIORITY);
    given = CALL_VALUE(actor, cap_transfer, handle, trunk, MNOS_RIGHTS_ALL);
    mnos_cap_t minted =
        CALL_VALUE(thread, cap_create, MNOS_CREATE_MINT, given, MNOS_RIGHTS_ALL, BADGE, 0);
    struct cap_view view = world_view(minter, minted);
    CHECK_EQ(cap_derive(world_root, &view, 0, &given), MNOS_OK);
    CHECK(lives(actor, BADGE));
    uint8_t state = minter->state;
    minter->state = MNOS_PROCESS_DYING;
    CHECK(!lives(actor, BADGE));
    minter->state = state;
    CHECK_EQ(CALL(actor, proc_destroy, handle), 0);
    CHECK(!lives(actor, BADGE));
    world_check();
}

/* ---- between two steps, from another core ---- */

static mnos_cap_t branches[CLIENTS];
static unsigned polls, act_at;
static bool found_by_colleague;

enum between {
    DELETE_PASSED,
    DELETE_NEXT,
    DELETE_BRANCHES,
    DELETE_OTHERS,
    MAKE_MORE,
    SEARCH,
    BETWEEN_COUNT,
};
static enum between between;

static void delete_some(unsigned first, unsigned end)
{
    for (unsigned i = first; i < end; i++)
        drop(colleague, branches[i]);
}

/* All but the one that the search is in. */
static void delete_others(void)
{
    const struct capability *at = (endpoint_of(world_object(world_root, trunk)))->search.next;

    for (unsigned i = 0; i < CLIENTS; i++)
        if (at == NULL ||
            (branches[i] != at->key && branches[i] != cap_at(at->parent)->key && at->depth == 2))
            drop(colleague, branches[i]);
}

static void act_between(void)
{
    void (*self)(void) = host_on_poll;

    if (++polls != act_at)
        return;
    host_on_poll = NULL;
    host_core_select(1);
    switch (between) {
    case DELETE_PASSED: delete_some(CLIENTS - 20, CLIENTS); break;
    case DELETE_NEXT: {
        /* Whatever the search stands on, and what comes after it. */
        struct endpoint *endpoint = endpoint_of(world_object(world_root, trunk));

        for (unsigned i = 0; i < 3 && endpoint->search.next != NULL; i++) {
            const struct capability *at = endpoint->search.next;

            if (at->badge != BADGE && at->type != MNOS_TYPE_NONE)
                drop(colleague, at->key);
        }
        break;
    }
    case DELETE_BRANCHES: delete_some(0, CLIENTS); break;
    case DELETE_OTHERS: delete_others(); break;
    case MAKE_MORE:
        for (unsigned i = 0; i < CLIENTS; i++)
            (void)CALL_VALUE(colleague, cap_create, MNOS_CREATE_COPY, trunk, MNOS_RIGHTS_ALL);
        break;
    default: found_by_colleague = lives(colleague, BADGE); break;
    }
    world_check();
    host_core_select(0);
    host_on_poll = self;
}

static void init_two_cores(void)
{
    init();
    actor = world_thread_with(world_root, WORLD_PRIORITY, 0, 0, NULL);
    host_core_start(1);
    colleague = world_thread_with(world_root, WORLD_PRIORITY, 1, 0, NULL);
    host_core_select(0);
}

/* Branches with a client each, one of which has the badge; it stays where it is through all of it. */
static void scene(unsigned at)
{
    for (unsigned i = 0; i < CLIENTS; i++) {
        branches[i] = copy(trunk, MNOS_RIGHTS_ALL);
        (void)copy(mint(branches[i], i == at ? BADGE : 1000 + i), 0);
    }
    polls = 0;
}

static void find_while(enum between what, unsigned at, unsigned poll)
{
    scene(at);
    between = what;
    act_at = poll;
    found_by_colleague = true;
    host_on_poll = act_between;
    CHECK(lives(actor, BADGE));
    host_on_poll = NULL;
    CHECK(found_by_colleague);
    CHECK_EQ(CALL(actor, cap_revoke, trunk), 0);
    world_check();
}

TEST(badge, that_lives_all_the_time_is_found_whatever_others_do_meanwhile)
{
    init_two_cores();
    for (unsigned what = 0; what < BETWEEN_COUNT; what++)
        for (unsigned at = 0; at < CLIENTS; at += 61)
            for (unsigned poll = 1; poll < 12; poll += 2)
                find_while((enum between)what, at, poll);
}

TEST(badge, the_end_of_the_endpoint_ends_the_search)
{
    uint64_t rax;

    init_two_cores();
    scene(0);
    between = DELETE_BRANCHES;
    act_at = 2;
    host_on_poll = act_between;
    CHECK(!lives(actor, BADGE + 1));
    host_on_poll = NULL;
    CHECK_EQ(CALL(actor, cap_revoke, trunk), 0);
    drop(actor, trunk);
    rax = CALL(actor, cap_inspect, trunk, MNOS_VIEW_BADGE, BADGE);
    CHECK_EQ(STATUS_OF(rax), MNOS_ERR_HANDLE);
    world_check();
}

static struct thread *urgent;

static void wake_urgent(void)
{
    if (++polls == act_at)
        thread_resume(urgent, STOP_SUSPEND);
}

TEST(badge, who_is_interrupted_goes_on_and_who_comes_meanwhile_takes_over)
{
    uint64_t rax;

    init_two_cores();
    scene(0);
    urgent = world_thread_with(world_root, WORLD_PRIORITY + 1, 0, MNOS_THREAD_SUSPENDED, NULL);
    act_at = 3;
    host_on_poll = wake_urgent;
    CHECK(world_call_once(actor, MNOS_SYS_cap_inspect,
                          (uint64_t[6]){trunk, MNOS_VIEW_BADGE, BADGE + 1}, &rax));
    host_on_poll = NULL;
    struct endpoint *endpoint = endpoint_of(world_object(world_root, trunk));
    CHECK(endpoint->search.next != NULL);
    uint64_t steps = endpoint->search.steps;
    CHECK_EQ(steps, 3);
    CHECK(lives(urgent, BADGE)); /* the other one does not run, so it does not wait for it */
    CHECK(endpoint->search.steps > steps);
    CHECK(!lives(actor, BADGE + 1));
    world_check();
}
