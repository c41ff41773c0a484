// SPDX-License-Identifier: MIT
/* test_capability.c - deriving, deleting and revoking capabilities. */
#include "lib/mnos/bootstrap.h"
#include "tests/guest/child.h"
#include "tests/guest/claim.h"

#define READ_ONLY MNOS_RIGHT_READ
#define DEPTH_MAX 250       /* the kernel's CAP_DEPTH_MAX */
#define DEPTH_GIVEN_MAX 218 /* and CAP_DEPTH_GIVEN_MAX */

/* ---- sys_cap_create ---- */

TEST(capability, create_refuses_an_unknown_kind)
{
    mnos_cap_t cap;

    CHECK_FAILS(sys_cap_create(0, 0, 0, 0, 0, &cap), MNOS_ERR_ARGUMENT, 1, 0);
    CHECK_FAILS(sys_cap_create(5, 0, 0, 0, 0, &cap), MNOS_ERR_ARGUMENT, 1, 0);
    CHECK_FAILS(sys_cap_create(UINT64_MAX, 0, 0, 0, 0, &cap), MNOS_ERR_ARGUMENT, 1, 0);
}

TEST(capability, a_new_endpoint_has_every_right_and_no_parent)
{
    mnos_cap_t endpoint = endpoint_new();
    struct mnos_cap_info info = cap_info(endpoint);

    CHECK_EQ(info.handle, endpoint);
    CHECK_EQ(info.type, MNOS_TYPE_ENDPOINT);
    CHECK_EQ(info.rights, MNOS_RIGHTS_ALL);
    CHECK_EQ(info.parent_process_id, 0);
    CHECK_EQ(info.parent_handle, 0);
    CHECK_EQ(info.child_count, 0);
    CHECK_EQ(info.badge, 0);
    CHECK_EQ(info.event_mask, MNOS_EVENTS_ALL);
    cap_drop(endpoint);
}

TEST(capability, a_copy_is_a_child_with_the_rights_asked_for)
{
    mnos_cap_t memory = memory_new(3);
    mnos_cap_t copy = cap_copy(memory, MNOS_RIGHT_READ | MNOS_RIGHT_GRANT);
    mnos_cap_t none = cap_copy(copy, 0);
    struct mnos_cap_info info = cap_info(copy);

    CHECK_EQ(info.rights, MNOS_RIGHT_READ | MNOS_RIGHT_GRANT);
    CHECK_EQ(info.object_id, cap_info(memory).object_id);
    CHECK_EQ(info.parent_handle, memory);
    CHECK_EQ(info.parent_process_id, process_info(MNOS_SELF).id);
    CHECK_EQ(info.count, 3);
    CHECK_EQ(cap_info(memory).child_count, 1);
    CHECK_EQ(cap_info(none).rights, 0);
    CHECK_EQ(cap_info(none).parent_handle, copy);
    cap_drop(none);
    cap_drop(copy);
    cap_drop(memory);
}

TEST(capability, rights_only_shrink)
{
    mnos_cap_t memory = memory_new(1);
    mnos_cap_t weak = cap_copy(memory, MNOS_RIGHT_READ | MNOS_RIGHT_GRANT);
    mnos_cap_t cap;

    for (mnos_rights_t rights = 0; rights <= MNOS_RIGHTS_ALL; rights++) {
        mnos_rights_t missing = rights & ~(mnos_rights_t)(MNOS_RIGHT_READ | MNOS_RIGHT_GRANT);

        if (missing == 0)
            continue;
        CHECK_FAILS(sys_cap_create(MNOS_CREATE_COPY, weak, rights, 0, 0, &cap), MNOS_ERR_RIGHTS, 3,
                    missing);
        CHECK_FAILS(sys_cap_create(MNOS_CREATE_RANGE, weak, rights, 0, 1, &cap), MNOS_ERR_RIGHTS, 3,
                    missing);
        CHECK_FAILS(sys_cap_transfer(MNOS_SELF, weak, rights, &cap), MNOS_ERR_RIGHTS, 3, missing);
        CHECK_FAILS(sys_mem_grant(MNOS_SELF, weak, 0, 1, rights, &cap), MNOS_ERR_RIGHTS, 5,
                    missing);
    }
    /* Bits that are no right. */
    CHECK_FAILS(sys_cap_create(MNOS_CREATE_COPY, memory, 0x20, 0, 0, &cap), MNOS_ERR_RIGHTS, 3,
                0x20);
    CHECK_STATUS(sys_cap_create(MNOS_CREATE_COPY, memory, 1ull << 40, 0, 0, &cap), MNOS_ERR_RIGHTS);
    cap_drop(weak);
    cap_drop(memory);
}

TEST(capability, a_range_lies_inside_its_parent)
{
    mnos_cap_t memory = memory_new(10);
    mnos_cap_t part = cap_range(memory, MNOS_RIGHTS_ALL, 2, 6);
    mnos_cap_t last = cap_range(part, MNOS_RIGHTS_ALL, 5, 1);
    mnos_cap_t cap;

    CHECK_EQ(cap_info(part).first, 2);
    CHECK_EQ(cap_info(part).count, 6);
    CHECK_EQ(cap_info(last).first, 7);
    CHECK_EQ(cap_info(last).count, 1);
    CHECK_FAILS(sys_cap_create(MNOS_CREATE_RANGE, part, 0, 6, 1, &cap), MNOS_ERR_ARGUMENT, 4, 0);
    CHECK_FAILS(sys_cap_create(MNOS_CREATE_RANGE, part, 0, 5, 2, &cap), MNOS_ERR_ARGUMENT, 4, 0);
    CHECK_FAILS(sys_cap_create(MNOS_CREATE_RANGE, part, 0, 0, 7, &cap), MNOS_ERR_ARGUMENT, 4, 0);
    CHECK_FAILS(sys_cap_create(MNOS_CREATE_RANGE, part, 0, 0, 0, &cap), MNOS_ERR_ARGUMENT, 4, 0);
    CHECK_FAILS(sys_cap_create(MNOS_CREATE_RANGE, part, 0, UINT64_MAX, 2, &cap), MNOS_ERR_ARGUMENT,
                4, 0);
    CHECK_FAILS(sys_cap_create(MNOS_CREATE_RANGE, part, 0, 1, UINT64_MAX, &cap), MNOS_ERR_ARGUMENT,
                4, 0);
    cap_drop(last);
    cap_drop(part);
    cap_drop(memory);
}

TEST(capability, a_range_of_interrupt_lines)
{
    mnos_cap_t some = cap_range(bootstrap_cap("interrupts"), READ_ONLY, 3, 4);
    mnos_cap_t one = cap_range(some, READ_ONLY, 2, 1);

    CHECK_EQ(cap_info(one).type, MNOS_TYPE_INTERRUPT);
    CHECK_EQ(cap_info(one).first, 5);
    CHECK_EQ(cap_info(one).count, 1);
    cap_drop(one);
    cap_drop(some);
}

TEST(capability, a_badge_is_minted_once_and_never_zero)
{
    mnos_cap_t endpoint = endpoint_new();
    mnos_cap_t minted = cap_mint(endpoint, 77, 0xF0);
    mnos_cap_t copy = cap_copy(minted, MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT);
    mnos_cap_t cap;

    CHECK_EQ(cap_info(minted).badge, 77);
    CHECK_EQ(cap_info(minted).event_mask, 0xF0);
    CHECK_EQ(cap_info(copy).badge, 77);
    CHECK_EQ(cap_info(copy).event_mask, 0xF0);
    CHECK_FAILS(sys_cap_create(MNOS_CREATE_MINT, minted, 0, 5, 0, &cap), MNOS_ERR_STATE, 2, 0);
    CHECK_FAILS(sys_cap_create(MNOS_CREATE_MINT, copy, 0, 5, 0, &cap), MNOS_ERR_STATE, 2, 0);
    CHECK_FAILS(sys_cap_create(MNOS_CREATE_MINT, endpoint, 0, 0, 1, &cap), MNOS_ERR_ARGUMENT, 4, 0);
    cap_drop(copy);
    cap_drop(minted);
    cap_drop(endpoint);
}

TEST(capability, who_may_only_receive_or_send_cannot_mint)
{
    mnos_cap_t endpoint = endpoint_new(), cap;
    mnos_cap_t receiver = cap_copy(endpoint, MNOS_RIGHT_READ);
    mnos_cap_t sender = cap_copy(endpoint, MNOS_RIGHTS_ALL & ~MNOS_RIGHT_GRANT);

    CHECK_ERROR(cap_create, ERR_RIGHTS, 2, MNOS_RIGHT_GRANT,
                sys_cap_create(MNOS_CREATE_MINT, receiver, 0, 5, 0, &cap));
    CHECK_ERROR(cap_create, ERR_RIGHTS, 2, MNOS_RIGHT_GRANT,
                sys_cap_create(MNOS_CREATE_MINT, sender, MNOS_RIGHT_WRITE, 5, 0, &cap));
    cap_drop(receiver);
    cap_drop(sender);
    cap_drop(endpoint);
}

/* ---- depth ---- */

TEST(capability, derivation_ends_at_the_depth_limit)
{
    static mnos_cap_t chain[DEPTH_MAX + 1];
    mnos_cap_t cap;

    chain[0] = endpoint_new();
    for (unsigned i = 1; i <= DEPTH_MAX && !check_failed(); i++)
        chain[i] = cap_copy(chain[i - 1], MNOS_RIGHTS_ALL);
    CHECK_STATUS(sys_cap_create(MNOS_CREATE_COPY, chain[DEPTH_MAX], 0, 0, 0, &cap), MNOS_ERR_STATE);
    CHECK_STATUS(sys_cap_create(MNOS_CREATE_MINT, chain[DEPTH_MAX], 0, 1, 1, &cap), MNOS_ERR_STATE);
    CHECK_OK(sys_cap_revoke(chain[0]));
    CHECK_FAILS(sys_cap_delete(chain[DEPTH_MAX]), MNOS_ERR_HANDLE, 1, 0);
    cap_drop(chain[0]);
}

struct receiving {
    mnos_cap_t endpoint;
    struct message msg;
};

static void receive_two(void *argument)
{
    struct receiving *receiving = argument;

    for (unsigned i = 0; i < 2; i++) {
        receiving->msg = (struct message){.accept = 1};
        CHECK_OK(ipc_receive(receiving->endpoint, &receiving->msg, soon()));
    }
}

static mnos_status_t send_cap(mnos_cap_t endpoint, mnos_cap_t cap)
{
    struct message msg = {0};

    message_put(&msg, 0, NULL, 0);
    message_add_cap(&msg, cap, MNOS_RIGHTS_ALL);
    return ipc_send(endpoint, &msg, soon());
}

static void send_nothing(mnos_cap_t endpoint)
{
    struct message msg = {0};

    message_put(&msg, 0, NULL, 0);
    CHECK_OK(ipc_send(endpoint, &msg, soon()));
}

/* A chain of copies; the last that can be given away, and one that is a level deeper. */
TEST(capability, what_is_given_away_can_be_derived_further)
{
    static mnos_cap_t chain[DEPTH_GIVEN_MAX + 1];
    struct receiving receiving = {.endpoint = endpoint_new()};
    mnos_cap_t process = process_new(), good, bad, given = 0;
    struct thread receiver;

    chain[0] = memory_new(1);
    for (unsigned i = 1; i <= DEPTH_GIVEN_MAX && !check_failed(); i++)
        chain[i] = cap_copy(chain[i - 1], MNOS_RIGHTS_ALL);
    good = chain[DEPTH_GIVEN_MAX - 1];
    bad = chain[DEPTH_GIVEN_MAX];
    CHECK_OK(sys_cap_transfer(process, good, MNOS_RIGHTS_ALL, &given));
    CHECK_FAILS(sys_cap_transfer(process, bad, MNOS_RIGHTS_ALL, &given), MNOS_ERR_STATE, 0, 0);
    CHECK_OK(sys_mem_grant(process, good, 0, 1, MNOS_RIGHTS_ALL, &given));
    CHECK_FAILS(sys_mem_grant(process, bad, 0, 1, MNOS_RIGHTS_ALL, &given), MNOS_ERR_STATE, 0, 0);
    helper_start(&receiver, receive_two, &receiving);
    CHECK_OK(send_cap(receiving.endpoint, good));
    CHECK_FAILS(send_cap(receiving.endpoint, bad), MNOS_ERR_STATE, 0, 0);
    send_nothing(receiving.endpoint);
    helper_finish(&receiver);
    CHECK_OK(sys_cap_transfer(MNOS_SELF, good, MNOS_RIGHTS_ALL, &given));
    for (unsigned i = DEPTH_GIVEN_MAX; i < DEPTH_MAX && !check_failed(); i++)
        given = cap_copy(given, MNOS_RIGHTS_ALL);
    CHECK_OK(sys_cap_revoke(chain[0]));
    cap_drop(chain[0]);
    process_end(process);
    cap_drop(receiving.endpoint);
}

/* ---- delete ---- */

TEST(capability, children_of_a_deleted_one_belong_to_its_parent)
{
    mnos_cap_t root = endpoint_new();
    mnos_cap_t middle = cap_copy(root, MNOS_RIGHTS_ALL);
    mnos_cap_t leaves[100];

    for (unsigned i = 0; i < 100; i++)
        leaves[i] = cap_copy(middle, READ_ONLY);
    cap_drop(middle);
    CHECK_EQ(cap_info(root).child_count, 100);
    for (unsigned i = 0; i < 100; i++)
        CHECK_EQ(cap_info(leaves[i]).parent_handle, root);
    CHECK_OK(sys_cap_revoke(root));
    CHECK_FAILS(sys_cap_delete(leaves[50]), MNOS_ERR_HANDLE, 1, 0);
    cap_drop(root);
}

TEST(capability, children_of_a_deleted_root_live_on_alone)
{
    mnos_cap_t root = memory_new(1);
    mnos_cap_t child = cap_copy(root, MNOS_RIGHTS_ALL);
    void *address;

    cap_drop(root);
    CHECK_EQ(cap_info(child).parent_handle, 0);
    CHECK_EQ(cap_info(child).parent_process_id, 0);
    CHECK_OK(memory_map(child, 0, 1, MAP_RW, &address));
    *(volatile uint64_t *)address = 7;
    memory_unmap(address, 1);
    cap_drop(child);
}

TEST(capability, a_handle_is_never_used_again)
{
    mnos_cap_t first = endpoint_new();
    mnos_cap_t next = 0;

    cap_drop(first);
    for (unsigned i = 0; i < 200 && !check_failed(); i++) {
        next = endpoint_new();
        CHECK(next != first);
        cap_drop(next);
    }
    CHECK_FAILS(sys_cap_delete(first), MNOS_ERR_HANDLE, 1, 0);
    CHECK_FAILS(sys_cap_delete(next), MNOS_ERR_HANDLE, 1, 0);
}

/* ---- revoke ---- */

TEST(capability, revoke_takes_descendants_and_leaves_the_rest)
{
    mnos_cap_t root = endpoint_new();
    mnos_cap_t a = cap_copy(root, MNOS_RIGHTS_ALL);
    mnos_cap_t b = cap_copy(root, MNOS_RIGHTS_ALL);
    mnos_cap_t a1 = cap_copy(a, MNOS_RIGHTS_ALL);
    mnos_cap_t a11 = cap_mint(a1, 9, 1);

    CHECK_OK(sys_cap_revoke(a));
    CHECK_FAILS(sys_cap_delete(a1), MNOS_ERR_HANDLE, 1, 0);
    CHECK_FAILS(sys_cap_delete(a11), MNOS_ERR_HANDLE, 1, 0);
    CHECK_EQ(cap_info(root).child_count, 2);
    CHECK_EQ(cap_info(a).child_count, 0);
    CHECK_EQ(cap_info(b).rights, MNOS_RIGHTS_ALL);
    a1 = cap_copy(a, READ_ONLY); /* and can derive again */
    CHECK_OK(sys_cap_revoke(root));
    CHECK_OK(sys_cap_revoke(root));
    CHECK_FAILS(sys_cap_delete(a1), MNOS_ERR_HANDLE, 1, 0);
    cap_drop(root);
}

/* A tree of 4000: ten branches of a chain of 20 with 19 leaves each. */
static void grow_tree(mnos_cap_t root)
{
    for (unsigned branch = 0; branch < 10; branch++) {
        mnos_cap_t at = root;

        for (unsigned depth = 0; depth < 20 && !check_failed(); depth++) {
            at = cap_copy(at, MNOS_RIGHTS_ALL);
            for (unsigned leaf = 0; leaf < 19; leaf++)
                (void)cap_copy(at, READ_ONLY);
        }
    }
}

TEST(capability, revoke_of_four_thousand_descendants)
{
    mnos_cap_t root = endpoint_new();
    uint64_t before = process_info(MNOS_SELF).cap_count;

    grow_tree(root);
    CHECK_EQ(process_info(MNOS_SELF).cap_count, before + 4000);
    CHECK_OK(sys_cap_revoke(root));
    CHECK_EQ(process_info(MNOS_SELF).cap_count, before);
    cap_drop(root);
}

TEST(capability, a_child_cannot_use_what_is_revoked)
{
    mnos_cap_t process = process_new();
    mnos_cap_t endpoint = endpoint_new();
    mnos_cap_t first = 0;

    for (unsigned i = 0; i < 300 && !check_failed(); i++)
        CHECK_OK(sys_cap_transfer(process, endpoint, MNOS_RIGHTS_ALL, &first));
    CHECK_EQ(process_info(process).cap_count, 300);
    CHECK_OK(sys_cap_revoke(endpoint));
    CHECK_EQ(process_info(process).cap_count, 0);
    process_end(process);
    cap_drop(endpoint);
}

/* ---- the table's quota ---- */

TEST(capability, the_receiver_pays_for_slots_and_refuses_beyond_its_quota)
{
    mnos_cap_t process = process_new();
    mnos_cap_t endpoint = endpoint_new();
    mnos_status_t status = MNOS_OK;
    unsigned count = 0;
    mnos_cap_t given;

    while (status == MNOS_OK && count < 5000) {
        status = sys_cap_transfer(process, endpoint, READ_ONLY, &given);
        count++;
    }
    CHECK_EQ(status, MNOS_ERR_QUOTA);
    CHECK(count > 500 && count < 1100); /* 64 KiB of 64-byte slots, less the table's root */
    CHECK(process_info(process).bytes_used <= 64 * 1024);
    CHECK_OK(sys_cap_revoke(endpoint));
    CHECK_OK(sys_cap_transfer(process, endpoint, READ_ONLY, &given));
    process_end(process);
    cap_drop(endpoint);
}
