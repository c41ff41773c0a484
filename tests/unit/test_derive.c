// SPDX-License-Identifier: MIT
/* test_derive.c - the derivation tree through the system calls that change it. */
#include "tests/unit/derive_scene.h"

TEST(derive, rights_only_shrink)
{
    init();
    mnos_cap_t root = make_endpoint();
    mnos_cap_t reader = copy(root, MNOS_RIGHT_READ);
    uint64_t rax = CALL(actor, cap_create, MNOS_CREATE_COPY, reader,
                        MNOS_RIGHT_READ | MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT);

    CHECK_EQ(STATUS_OF(rax), MNOS_ERR_RIGHTS);
    CHECK_EQ(MNOS_DETAIL_ARGUMENT(rax), 3);
    CHECK_EQ(MNOS_DETAIL_RIGHTS(rax), MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT);
    CHECK_EQ(world_view(world_root, reader).rights, MNOS_RIGHT_READ);
    CHECK_EQ(STATUS_OF(CALL(actor, cap_create, MNOS_CREATE_COPY, root, 0x20)), MNOS_ERR_RIGHTS);
    CHECK_EQ(STATUS_OF(CALL(actor, cap_create, MNOS_CREATE_COPY, root, 1ull << 32)),
             MNOS_ERR_RIGHTS);
    world_check();
}

TEST(derive, a_badge_is_minted_once)
{
    init();
    mnos_cap_t root = make_endpoint();
    mnos_cap_t badged = mint(root, 77, 3);
    uint64_t rax = CALL(actor, cap_create, MNOS_CREATE_MINT, badged, MNOS_RIGHT_WRITE, 78, 3);

    CHECK_EQ(STATUS_OF(rax), MNOS_ERR_STATE);
    CHECK_EQ(MNOS_DETAIL_ARGUMENT(rax), 2);
    rax = CALL(actor, cap_create, MNOS_CREATE_MINT, root, MNOS_RIGHT_WRITE, 0, 3);
    CHECK_EQ(STATUS_OF(rax), MNOS_ERR_ARGUMENT);
    mnos_cap_t child = copy(badged, MNOS_RIGHT_WRITE);
    CHECK_EQ(world_view(world_root, child).badge, 77);
    CHECK_EQ(world_view(world_root, child).event_mask, 3);
    world_check();
}

TEST(derive, a_range_lies_inside_its_parent)
{
    init();
    mnos_cap_t memory = CALL_VALUE(actor, mem_alloc, 16);
    mnos_cap_t part =
        CALL_VALUE(actor, cap_create, MNOS_CREATE_RANGE, memory, MNOS_RIGHTS_ALL, 4, 8);
    mnos_cap_t inner =
        CALL_VALUE(actor, cap_create, MNOS_CREATE_RANGE, part, MNOS_RIGHT_READ, 2, 6);

    CHECK_EQ(world_view(world_root, inner).first, 6);
    CHECK_EQ(world_view(world_root, inner).count, 6);
    const uint64_t bad[][2] = {{0, 0}, {8, 1}, {0, 9}, {7, 2}, {UINT64_MAX, 1}, {1, UINT64_MAX}};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK_EQ(STATUS_OF(CALL(actor, cap_create, MNOS_CREATE_RANGE, part, MNOS_RIGHT_READ,
                                bad[i][0], bad[i][1])),
                 MNOS_ERR_ARGUMENT);
    uint64_t rax = CALL(actor, cap_create, MNOS_CREATE_RANGE, make_endpoint(), 0, 0, 1);
    CHECK_EQ(STATUS_OF(rax), MNOS_ERR_TYPE);
    CHECK_EQ(MNOS_DETAIL_TYPE(rax), MNOS_TYPE_ENDPOINT);
    world_check();
}

TEST(derive, depth_is_limited)
{
    init();
    mnos_cap_t cap = make_endpoint();
    for (unsigned i = 0; i < CAP_DEPTH_MAX; i++)
        cap = copy(cap, MNOS_RIGHTS_ALL);
    uint64_t used = quota_used(&world_root->quota.bytes);
    uint32_t slots = world_root->captable.used;
    CHECK_EQ(STATUS_OF(CALL(actor, cap_create, MNOS_CREATE_COPY, cap, 0)), MNOS_ERR_STATE);
    CHECK_EQ(STATUS_OF(CALL(actor, cap_create, MNOS_CREATE_MINT, cap, 0, 5, 1)), MNOS_ERR_STATE);
    CHECK_EQ(quota_used(&world_root->quota.bytes), used);
    CHECK_EQ(world_root->captable.used, slots);
    world_check();
}

TEST(derive, deleting_hands_children_to_the_parent)
{
    init();
    mnos_cap_t root = make_endpoint();
    mnos_cap_t middle = copy(root, MNOS_RIGHTS_ALL);
    mnos_cap_t leaves[100];
    for (unsigned i = 0; i < 100; i++)
        leaves[i] = copy(middle, MNOS_RIGHT_READ);
    CHECK_EQ(CALL(actor, cap_delete, middle), 0);
    CHECK(!is_alive(middle));
    for (unsigned i = 0; i < 100; i++)
        CHECK_PTR_EQ(cap_at(slot_of(leaves[i])->parent), slot_of(root));
    world_check();
    CHECK_EQ(CALL(actor, cap_revoke, root), 0);
    for (unsigned i = 0; i < 100; i++)
        CHECK(!is_alive(leaves[i]));
    CHECK(is_alive(root));
    CHECK_EQ(slot_of(root)->child, 0);
    world_check();
}

TEST(derive, deleting_a_root_leaves_its_children_as_roots)
{
    init();
    mnos_cap_t root = make_endpoint();
    mnos_cap_t one = copy(root, MNOS_RIGHTS_ALL);
    mnos_cap_t other = copy(root, MNOS_RIGHTS_ALL);
    struct kobject *endpoint = world_object(world_root, root);
    CHECK_EQ(CALL(actor, cap_delete, root), 0);
    CHECK_PTR_EQ(world_object(world_root, one), endpoint);
    CHECK_EQ(slot_of(other)->parent, 0);
    world_check();
    CHECK_EQ(CALL(actor, cap_revoke, one), 0);
    CHECK(is_alive(other));
    CHECK_EQ(CALL(actor, cap_delete, one), 0);
    CHECK_EQ(CALL(actor, cap_delete, other), 0);
    world_check();
}

TEST(derive, the_last_capability_takes_the_object_with_it)
{
    init();
    uint64_t bytes = quota_used(&world_root->quota.bytes);
    mnos_cap_t root = make_endpoint();
    uint64_t with_table = quota_used(&world_root->quota.bytes);
    mnos_cap_t child = mint(root, 9, 0);
    CHECK_EQ(CALL(actor, cap_delete, root), 0);
    CHECK(is_alive(child));
    CHECK_EQ(CALL(actor, cap_delete, child), 0);
    CHECK(with_table > bytes);
    CHECK_EQ(quota_used(&world_root->quota.bytes), bytes);
    world_check();
}

TEST(derive, revoking_needs_the_right)
{
    init();
    mnos_cap_t root = make_endpoint();
    mnos_cap_t weak = copy(root, MNOS_RIGHTS_ALL & ~MNOS_RIGHT_REVOKE);
    mnos_cap_t child = copy(weak, 0);
    uint64_t rax = CALL(actor, cap_revoke, weak);
    CHECK_EQ(STATUS_OF(rax), MNOS_ERR_RIGHTS);
    CHECK_EQ(MNOS_DETAIL_RIGHTS(rax), MNOS_RIGHT_REVOKE);
    CHECK(is_alive(child));
    world_check();
}

TEST(derive, revoking_removes_descendants_in_other_processes)
{
    init();
    mnos_cap_t handle;
    struct process *child = world_process(world_root, 100, 100000, &handle);
    struct thread *thread = world_thread(child, WORLD_PRIORITY);
    mnos_cap_t root = make_endpoint();
    mnos_cap_t given = CALL_VALUE(actor, cap_transfer, handle, root, MNOS_RIGHTS_ALL);
    mnos_cap_t deeper = CALL_VALUE(thread, cap_create, MNOS_CREATE_COPY, given, MNOS_RIGHT_WRITE);
    uint32_t used = child->captable.used;
    world_check();
    CHECK_EQ(CALL(actor, cap_revoke, root), 0);
    CHECK_PTR_EQ(world_object(child, given), NULL);
    CHECK_PTR_EQ(world_object(child, deeper), NULL);
    CHECK_EQ(child->captable.used, used - 2);
    CHECK_EQ(STATUS_OF(CALL(thread, ipc_notify, given, 1)), MNOS_ERR_HANDLE);
    world_check();
}

/* ---- kernel-held capabilities and badges ---- */

TEST(derive, a_kernel_held_capability_dies_with_its_parent)
{
    struct kobject *endpoint;
    struct cap_view view;

    init();
    mnos_cap_t root = make_endpoint();
    mnos_cap_t middle = copy(root, MNOS_RIGHT_WRITE);
    struct process *holder = world_process(world_root, 100, 100000, NULL);
    struct cap_view parent = world_view(world_root, middle);
    CHECK_EQ(cap_derive_kernel(&holder->exit_cap, &parent), MNOS_OK);
    CHECK(cap_read(&holder->exit_cap, &view));
    endpoint = view.object;
    endpoint_notify_cap(&holder->exit_cap, 5);
    CHECK_EQ(((struct endpoint *)endpoint)->events, 5);
    CHECK_EQ(CALL(actor, cap_revoke, root), 0);
    CHECK(!cap_read(&holder->exit_cap, &view));
    endpoint_notify_cap(&holder->exit_cap, 8);
    CHECK_EQ(((struct endpoint *)endpoint)->events, 5);
    /* The slot can be used again, and emptied by its holder. */
    parent = world_view(world_root, root);
    CHECK_EQ(cap_derive_kernel(&holder->exit_cap, &parent), MNOS_OK);
    cap_delete_kernel(&holder->exit_cap);
    CHECK(!cap_read(&holder->exit_cap, &view));
    cap_delete_kernel(&holder->exit_cap);
    CHECK_EQ(slot_of(root)->child, 0);
    world_check();
}

TEST(derive, the_server_learns_that_the_last_capability_with_a_badge_is_gone)
{
    init();
    struct thread *server = world_thread(world_root, WORLD_PRIORITY);
    mnos_cap_t root = make_endpoint();
    mnos_cap_t client = mint(root, 42, 0);
    mnos_cap_t second = copy(client, MNOS_RIGHT_WRITE);
    CHECK_EQ(CALL(actor, cap_delete, client), 0);
    CHECK_EQ(STATUS_OF(world_receive(server, root, 0, MNOS_DEADLINE_POLL)), MNOS_ERR_DEADLINE);
    CHECK_EQ(CALL(actor, cap_delete, second), 0);
    CHECK_EQ(world_receive(server, root, 0, MNOS_DEADLINE_POLL), 0);
    CHECK_EQ(MNOS_INFO_GET_KIND(server->frame.rsi), MNOS_KIND_CLIENT_GONE);
    CHECK_EQ(server->frame.rdi, 42);
    CHECK_EQ(STATUS_OF(world_receive(server, root, 0, MNOS_DEADLINE_POLL)), MNOS_ERR_DEADLINE);
    /* A server that waits already is woken. */
    client = mint(root, 43, 0);
    CHECK_EQ(world_receive(server, root, 0, MNOS_DEADLINE_NEVER), WORLD_WAITS);
    CHECK_EQ(CALL(actor, cap_revoke, root), 0);
    CHECK(world_woke_with(server, MNOS_OK));
    CHECK_EQ(server->frame.rdi, 43);
    world_check();
}

TEST(derive, the_slot_of_a_minted_capability_stays_until_the_last_with_its_badge_goes)
{
    init();
    struct thread *server = world_thread(world_root, WORLD_PRIORITY);
    mnos_cap_t root = make_endpoint();
    uint32_t used = world_root->captable.used;
    mnos_cap_t minted = mint(root, 42, 5);
    mnos_cap_t child = copy(minted, MNOS_RIGHT_WRITE);
    CHECK_EQ(CALL(actor, cap_delete, minted), 0);
    CHECK(!is_alive(minted));
    CHECK_EQ(world_root->captable.used, used + 2);
    CHECK_EQ(world_view(world_root, child).event_mask, 5);
    world_check();
    CHECK_EQ(CALL(actor, cap_delete, child), 0);
    CHECK_EQ(world_root->captable.used, used);
    CHECK_EQ(world_receive(server, root, 0, MNOS_DEADLINE_POLL), 0);
    CHECK_EQ(server->frame.rdi, 42);
    world_check();
}

/* What the next message says, which must be that clients are gone; 0: several. */
static uint64_t next_gone(struct thread *server, mnos_cap_t endpoint)
{
    CHECK_EQ(world_receive(server, endpoint, 0, MNOS_DEADLINE_POLL), 0);
    CHECK_EQ(MNOS_INFO_GET_KIND(server->frame.rsi), MNOS_KIND_CLIENT_GONE);
    return server->frame.rdi;
}

TEST(derive, badges_die_with_who_minted_them_and_the_news_costs_no_ancestor)
{
    init();
    struct thread *server = world_thread(world_root, WORLD_PRIORITY);
    mnos_cap_t root = make_endpoint(), handle, heir;
    struct process *parent = world_process(world_root, 1000, 200000, &heir);
    struct process *minter = world_process(parent, 100, 50000, NULL);
    struct thread *thread = world_thread(minter, WORLD_PRIORITY);
    uint32_t used = parent->captable.used;
    struct cap_view view = world_view(world_root, root);
    CHECK_EQ(cap_derive(minter, &view, 0, &handle), MNOS_OK);
    mnos_cap_t minted[3], others[3];
    for (unsigned i = 0; i < 3; i++) {
        minted[i] =
            CALL_VALUE(thread, cap_create, MNOS_CREATE_MINT, handle, MNOS_RIGHTS_ALL, 50 + i, 0);
        view = world_view(minter, minted[i]);
        CHECK_EQ(cap_derive(world_root, &view, 0, &others[i]), MNOS_OK);
    }
    CHECK_EQ(CALL(thread, cap_delete, minted[0]), 0); /* a ghost */
    (void)CALL(thread, proc_destroy, MNOS_SELF, 0);
    world_settle();
    CHECK_EQ(minter->state, MNOS_PROCESS_DEAD);
    for (unsigned i = 0; i < 3; i++)
        CHECK(!is_alive(others[i]));
    CHECK_EQ(parent->captable.used, used);
    world_check();
    CHECK_EQ(CALL(actor, proc_destroy, heir), 0);
    uint64_t seen = 0;
    for (unsigned i = 0; i < 3; i++)
        seen |= 1ull << (next_gone(server, root) - 50);
    CHECK_EQ(seen, 7);
    CHECK_EQ(STATUS_OF(world_receive(server, root, 0, MNOS_DEADLINE_POLL)), MNOS_ERR_DEADLINE);
    world_check();
}

TEST(derive, badges_that_find_no_room_are_reported_together_and_once)
{
    init();
    struct thread *server = world_thread(world_root, WORLD_PRIORITY);
    mnos_cap_t root = make_endpoint(), clients[ENDPOINT_GONE_MAX + 3];
    uint32_t used = world_root->captable.used;
    for (unsigned i = 0; i < ENDPOINT_GONE_MAX + 3; i++)
        clients[i] = mint(root, 100 + i, 0);
    for (unsigned i = 0; i < ENDPOINT_GONE_MAX + 2; i++)
        CHECK_EQ(CALL(actor, cap_delete, clients[i]), 0);
    CHECK_EQ(world_root->captable.used, used + 1);
    world_check();
    CHECK_EQ(next_gone(server, root), 0);
    CHECK_EQ(next_gone(server, root), 100);
    world_check();
    CHECK_EQ(CALL(actor, cap_delete, clients[ENDPOINT_GONE_MAX + 2]), 0); /* there is room again */
    for (unsigned i = 1; i < ENDPOINT_GONE_MAX; i++)
        CHECK_EQ(next_gone(server, root), 100 + i);
    CHECK_EQ(next_gone(server, root), 100 + ENDPOINT_GONE_MAX + 2);
    CHECK_EQ(STATUS_OF(world_receive(server, root, 0, MNOS_DEADLINE_POLL)), MNOS_ERR_DEADLINE);
    world_check();
}

TEST(derive, a_mint_costs_who_makes_it_one_slot_and_nobody_else_anything)
{
    init();
    mnos_cap_t root = make_endpoint();
    mnos_cap_t handle;
    struct process *child = world_process(world_root, 100, 20000, &handle);
    struct thread *thread = world_thread(child, WORLD_PRIORITY);
    mnos_cap_t given = CALL_VALUE(actor, cap_transfer, handle, root, MNOS_RIGHTS_ALL);
    uint64_t owners = quota_used(&world_root->quota.bytes), rax = 0;
    unsigned made;
    for (made = 0; made < MANY && rax == 0; made++)
        rax = CALL(thread, cap_create, MNOS_CREATE_MINT, given, 0, 100 + made, 0);
    CHECK_EQ(STATUS_OF(rax), MNOS_ERR_QUOTA);
    CHECK_EQ(child->captable.used, made + 1); /* with the endpoint's and the thread's */
    CHECK_EQ(quota_used(&world_root->quota.bytes), owners);
    world_check();
}
