// SPDX-License-Identifier: MIT
/* test_lasting.c - lasting mints: what they live on, what ends them, and when they can be made anew. */
#include "cap/lasting.h"

#include "cap/derive.h"
#include "mm/frame.h"
#include "tests/unit/kernel_world.h"

enum {
    RESERVE = 3,
    LASTING = MNOS_CREATE_MINT | MNOS_MINT_LASTING,
    SERVES = MNOS_RIGHT_READ | MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT,
};

static struct thread *keeper; /* made the endpoint, and pays */
static struct process *service;
static mnos_cap_t trunk, service_handle;

static void init(uint32_t reserve)
{
    world_init();
    keeper = world_thread(world_root, WORLD_PRIORITY);
    trunk = CALL_VALUE(keeper, cap_create, MNOS_CREATE_ENDPOINT, 0, 0, reserve, 0);
}

/* A thread of a new process that serves the endpoint; *served is its capability. */
static struct thread *serve(uint64_t bytes, mnos_cap_t *served)
{
    service = world_process(world_root, 100, bytes, &service_handle);
    *served = CALL_VALUE(keeper, cap_transfer, service_handle, trunk, SERVES);
    return world_thread(service, WORLD_PRIORITY);
}

static mnos_cap_t mint(struct thread *minter, mnos_cap_t source, mnos_badge_t badge)
{
    return CALL_VALUE(minter, cap_create, LASTING, source, MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT,
                      badge, 0x30);
}

static uint64_t try_mint(struct thread *minter, mnos_cap_t source, mnos_badge_t badge)
{
    return CALL(minter, cap_create, LASTING, source, MNOS_RIGHT_WRITE, badge, 0);
}

static bool lives(mnos_badge_t badge)
{
    return CALL_VALUE(keeper, cap_inspect, trunk, MNOS_VIEW_BADGE, badge) == 1;
}

static bool told(mnos_badge_t badge)
{
    return world_receive(keeper, trunk, 0, MNOS_DEADLINE_POLL) == 0 &&
           MNOS_INFO_GET_KIND(keeper->frame.rsi) == MNOS_KIND_CLIENT_GONE &&
           keeper->frame.rdi == badge;
}

static bool told_nothing(void)
{
    return STATUS_OF(world_receive(keeper, trunk, 0, MNOS_DEADLINE_POLL)) == MNOS_ERR_DEADLINE;
}

static void drop(struct thread *thread, mnos_cap_t cap)
{
    CHECK_EQ(CALL(thread, cap_delete, cap), 0);
}

static struct lasting *reserve(void)
{
    return (endpoint_of(world_object(world_root, trunk)))->lasting;
}

/* What another process was given of it. */
static mnos_cap_t hand_on(mnos_cap_t handle)
{
    struct cap_view view = world_view(service, handle);
    mnos_cap_t given;

    CHECK_EQ(cap_give(world_root, &view, &given), MNOS_OK);
    return given;
}

TEST(lasting, outlives_who_minted_it)
{
    init(RESERVE);
    mnos_cap_t served, kept;
    struct thread *server = serve(50000, &served);
    kept = hand_on(mint(server, served, 7));
    (void)mint(server, served, 8);
    mnos_cap_t ordinary = hand_on(
        CALL_VALUE(server, cap_create, MNOS_CREATE_MINT, served, MNOS_RIGHTS_ALL & SERVES, 9, 0));
    world_check();
    CHECK_EQ(CALL(keeper, proc_destroy, service_handle), 0);
    CHECK(lives(7) && !lives(8) && !lives(9));
    CHECK(world_object(world_root, ordinary) == NULL);
    CHECK_EQ(world_view(world_root, kept).badge, 7);
    CHECK_EQ(world_view(world_root, kept).event_mask, 0x30);
    CHECK(told(9) && told(8) && told_nothing());
    world_check();
    drop(keeper, kept);
    CHECK(!lives(7) && told(7) && told_nothing());
    world_check();
}

TEST(lasting, survives_the_end_of_the_capability_that_it_was_minted_through)
{
    init(RESERVE);
    mnos_cap_t served, copy;
    struct thread *server = serve(50000, &served);
    mnos_cap_t minted = mint(server, served, 7);
    CHECK_EQ(STATUS_OF(CALL(server, cap_revoke, served)), MNOS_ERR_RIGHTS);
    copy = CALL_VALUE(keeper, cap_create, MNOS_CREATE_COPY, trunk, MNOS_RIGHTS_ALL);
    mnos_cap_t below = CALL_VALUE(keeper, cap_create, LASTING, copy, MNOS_RIGHT_WRITE, 8, 0);
    CHECK_EQ(CALL(keeper, cap_revoke, copy), 0);
    drop(keeper, copy);
    drop(server, served);
    CHECK(lives(7) && lives(8));
    world_check();
    CHECK_EQ(CALL(keeper, cap_revoke, trunk), 0); /* the first takes all */
    CHECK(!lives(7) && !lives(8));
    CHECK(world_object(world_root, below) == NULL && world_object(service, minted) == NULL);
    CHECK(told(8) && told(7) && told_nothing());
    CHECK_EQ(reserve()->minted + reserve()->news, 0);
    world_check();
}

TEST(lasting, is_one_of_those_set_aside_until_the_server_has_been_told)
{
    init(RESERVE);
    mnos_cap_t minted[RESERVE];
    for (unsigned i = 0; i < RESERVE; i++)
        minted[i] = mint(keeper, trunk, 1 + i);
    uint64_t rax = try_mint(keeper, trunk, 9);
    CHECK_EQ(STATUS_OF(rax), MNOS_ERR_QUOTA);
    CHECK_EQ(MNOS_DETAIL_ARGUMENT(rax), 2);
    drop(keeper, minted[1]);
    CHECK_EQ(STATUS_OF(try_mint(keeper, trunk, 9)), MNOS_ERR_QUOTA);
    world_check();
    CHECK(told(2));
    minted[1] = mint(keeper, trunk, 9);
    CHECK_EQ(STATUS_OF(try_mint(keeper, trunk, 10)), MNOS_ERR_QUOTA);
    /* A receiver that waits is told at once, and there is one again at once. */
    struct thread *waiter = world_thread(world_root, WORLD_PRIORITY);
    CHECK_EQ(world_receive(waiter, trunk, 0, MNOS_DEADLINE_NEVER), WORLD_WAITS);
    drop(keeper, minted[1]);
    CHECK(world_woke_with(waiter, MNOS_OK));
    CHECK_EQ(waiter->frame.rdi, 9);
    (void)mint(keeper, trunk, 11);
    CHECK(told_nothing());
    world_check();
}

TEST(lasting, badges_are_told_one_by_one_however_many_go)
{
    enum { MANY = 200 };
    uint64_t seen = 0;
    init(MANY);
    for (unsigned i = 0; i < MANY; i++)
        (void)mint(keeper, trunk, 1 + i);
    world_check();
    CHECK_EQ(CALL(keeper, cap_revoke, trunk), 0);
    world_check();
    for (unsigned i = 0; i < MANY; i++) {
        CHECK_EQ(world_receive(keeper, trunk, 0, MNOS_DEADLINE_POLL), 0);
        CHECK_EQ(MNOS_INFO_GET_KIND(keeper->frame.rsi), MNOS_KIND_CLIENT_GONE);
        seen += keeper->frame.rdi;
    }
    CHECK_EQ(seen, MANY * (MANY + 1) / 2);
    CHECK(told_nothing());
    for (unsigned i = 0; i < MANY; i++)
        (void)mint(keeper, trunk, 1 + i);
    world_check();
}

TEST(lasting, is_paid_for_by_who_made_the_endpoint)
{
    init(0);
    uint64_t before = quota_used(&world_root->quota.bytes), frames = world_free_frames();
    mnos_cap_t plain = CALL_VALUE(keeper, cap_create, MNOS_CREATE_ENDPOINT);
    uint64_t endpoint_bytes = quota_used(&world_root->quota.bytes) - before;
    mnos_cap_t rich =
        CALL_VALUE(keeper, cap_create, MNOS_CREATE_ENDPOINT, 0, 0, MNOS_LASTING_MAX, 0);
    CHECK_EQ(quota_used(&world_root->quota.bytes) - before,
             2 * endpoint_bytes + 65 * MNOS_PAGE_BYTES);
    mnos_cap_t handle, served;
    struct process *process = world_process(world_root, 100, 50000, &handle);
    struct thread *minter = world_thread(process, WORLD_PRIORITY);
    served = CALL_VALUE(keeper, cap_transfer, handle, rich, SERVES);
    uint64_t root_used = quota_used(&world_root->quota.bytes),
             used = quota_used(&process->quota.bytes);
    for (unsigned i = 0; i < 50; i++)
        (void)mint(minter, served, 1 + i);
    CHECK_EQ(quota_used(&world_root->quota.bytes), root_used);
    CHECK_EQ(quota_used(&process->quota.bytes), used); /* one page of its table has room for all */
    CHECK_EQ(CALL(keeper, proc_destroy, handle), 0);
    drop(keeper, rich);
    drop(keeper, plain);
    drop(keeper, handle);
    CHECK_EQ(world_free_frames(), frames);
    CHECK_EQ(quota_used(&world_root->quota.bytes), before);
    world_check();
}

TEST(lasting, needs_read_grant_and_no_badge)
{
    init(RESERVE);
    mnos_cap_t weak = CALL_VALUE(keeper, cap_create, MNOS_CREATE_COPY, trunk, MNOS_RIGHT_WRITE);
    mnos_cap_t badged = mint(keeper, trunk, 5);
    uint64_t rax = try_mint(keeper, weak, 6);
    CHECK_EQ(STATUS_OF(rax), MNOS_ERR_RIGHTS);
    CHECK_EQ(MNOS_DETAIL_ARGUMENT(rax), 2);
    CHECK_EQ(MNOS_DETAIL_RIGHTS(rax), MNOS_RIGHT_READ | MNOS_RIGHT_GRANT);
    CHECK_EQ(STATUS_OF(try_mint(keeper, badged, 6)), MNOS_ERR_RIGHTS);
    rax = try_mint(keeper, trunk, 0);
    CHECK_EQ(STATUS_OF(rax), MNOS_ERR_ARGUMENT);
    CHECK_EQ(MNOS_DETAIL_ARGUMENT(rax), 4);
    rax = CALL(keeper, cap_create, MNOS_CREATE_ENDPOINT, 0, 0, MNOS_LASTING_MAX + 1, 0);
    CHECK_EQ(STATUS_OF(rax), MNOS_ERR_ARGUMENT);
    CHECK_EQ(MNOS_DETAIL_ARGUMENT(rax), 4);
    rax = CALL(keeper, cap_create, MNOS_CREATE_COPY | MNOS_MINT_LASTING, trunk, 0);
    CHECK_EQ(STATUS_OF(rax), MNOS_ERR_ARGUMENT);
    CHECK_EQ(MNOS_DETAIL_ARGUMENT(rax), 1);
    mnos_cap_t all = CALL_VALUE(keeper, cap_create, LASTING, trunk, MNOS_RIGHTS_ALL, 7, 0);
    CHECK_EQ(STATUS_OF(try_mint(keeper, all, 8)), MNOS_ERR_STATE); /* a badge is minted once */
    mnos_cap_t none = CALL_VALUE(keeper, cap_create, MNOS_CREATE_ENDPOINT);
    CHECK_EQ(STATUS_OF(try_mint(keeper, none, 8)), MNOS_ERR_QUOTA);
    world_check();
}

TEST(lasting, is_not_to_be_had_when_the_first_capability_has_been_deleted)
{
    init(RESERVE);
    mnos_cap_t served;
    struct thread *server = serve(50000, &served);
    mnos_cap_t before = mint(server, served, 7);
    drop(keeper, trunk);
    uint64_t rax = try_mint(server, served, 8);
    CHECK_EQ(STATUS_OF(rax), MNOS_ERR_STATE);
    CHECK_EQ(MNOS_DETAIL_ARGUMENT(rax), 2);
    world_check();
    drop(server, before); /* the others live on, and are told */
    CHECK_EQ(world_receive(server, served, 0, MNOS_DEADLINE_POLL), 0);
    CHECK_EQ(server->frame.rdi, 7);
    world_check();
}

TEST(lasting, is_kept_in_reserve_when_the_minter_has_no_room)
{
    init(RESERVE);
    mnos_cap_t served;
    struct thread *server = serve(20000, &served);
    while (CALL(server, cap_create, MNOS_CREATE_COPY, served, 0) == 0)
        ;
    uint64_t rax = try_mint(server, served, 7);
    CHECK_EQ(STATUS_OF(rax), MNOS_ERR_QUOTA);
    CHECK_EQ(MNOS_DETAIL_ARGUMENT(rax), 0);
    CHECK_EQ(reserve()->minted, 0);
    for (unsigned i = 0; i < RESERVE; i++)
        (void)mint(keeper, trunk, 1 + i);
    world_check();
}

TEST(lasting, takes_no_memory_when_there_is_none)
{
    init(0);
    uint64_t before = quota_used(&world_root->quota.bytes);
    world_take_frames(8);
    uint64_t rax = CALL(keeper, cap_create, MNOS_CREATE_ENDPOINT, 0, 0, MNOS_LASTING_MAX, 0);
    CHECK_EQ(STATUS_OF(rax), MNOS_ERR_MEMORY);
    world_give_back();
    (void)world_free_frames();
    CHECK_EQ(quota_used(&world_root->quota.bytes), before);
    world_check();
}

TEST(lasting, goes_with_the_endpoint)
{
    init(0);
    mnos_cap_t handle, given;
    struct process *maker = world_process(world_root, 100, 60000, &handle);
    struct thread *thread = world_thread(maker, WORLD_PRIORITY);
    mnos_cap_t own = CALL_VALUE(thread, cap_create, MNOS_CREATE_ENDPOINT, 0, 0, RESERVE, 0);
    struct cap_view view = world_view(maker, mint(thread, own, 7));
    CHECK_EQ(cap_give(world_root, &view, &given), MNOS_OK);
    mnos_cap_t second = mint(thread, own, 8);
    drop(thread, second); /* news that nobody hears */
    CHECK_EQ(CALL(keeper, proc_destroy, handle), 0);
    CHECK(world_object(world_root, given) == NULL);
    world_check();
}
