// SPDX-License-Identifier: MIT
/*
 * test_gone.c - clients that are gone: how the server learns of more than its endpoint has room for, and that
 * nobody else pays for the news.
 */
#include "lib/base/string.h"
#include "tests/guest/child.h"
#include "tests/guest/claim.h"

#define ROOM 8u /* badges that an endpoint remembers */
#define CYCLES 10u

static bool badge_lives(mnos_cap_t endpoint, mnos_badge_t badge)
{
    uint64_t lives = 2;

    CHECK_OK(sys_cap_inspect(endpoint, MNOS_VIEW_BADGE, badge, &lives));
    CHECK(lives <= 1);
    return lives == 1;
}

TEST(events, hundreds_of_badges_go_at_once)
{
    mnos_cap_t endpoint = endpoint_new(), kept = cap_mint(endpoint, 1000, 0);
    mnos_cap_t others = cap_copy(endpoint, MNOS_RIGHTS_ALL);
    struct message msg = {0};
    uint64_t seen = 0;

    for (uint64_t badge = 1; badge <= 300; badge++)
        (void)cap_mint(others, badge, 0);
    CHECK(badge_lives(endpoint, 1) && badge_lives(endpoint, 300) && badge_lives(endpoint, 1000));
    CHECK_OK(sys_cap_revoke(others));
    /* Once for those that found no room, and each of the others. */
    for (unsigned i = 0; i <= ROOM && !check_failed(); i++) {
        CHECK_OK(receive_now(endpoint, &msg));
        CHECK_EQ(msg.kind, MNOS_KIND_CLIENT_GONE);
        CHECK_EQ(msg.badge == 0, i == 0);
        CHECK(msg.badge <= 300);
        seen += msg.badge != 0;
        CHECK(ipc_client_is_gone(endpoint, msg.badge, msg.badge == 0 ? 150 : msg.badge));
        CHECK(!ipc_client_is_gone(endpoint, msg.badge, 1000));
    }
    CHECK_EQ(seen, ROOM);
    CHECK_STATUS(receive_now(endpoint, &msg), MNOS_ERR_DEADLINE);
    for (uint64_t badge = 1; badge <= 300; badge++)
        CHECK(!badge_lives(endpoint, badge));
    CHECK(badge_lives(endpoint, 1000));
    cap_drop(kept);
    CHECK(!badge_lives(endpoint, 1000));
    CHECK_OK(receive_now(endpoint, &msg));
    CHECK_EQ(msg.badge, 1000);
    cap_drop(others);
    cap_drop(endpoint);
}

TEST(events, a_badge_lives_in_another_process_as_well)
{
    mnos_cap_t endpoint = endpoint_new(), minted = cap_mint(endpoint, 7, 0), given = 0;
    mnos_cap_t process = process_new(), weak = cap_copy(endpoint, MNOS_RIGHT_WRITE);
    struct message msg = {0};

    CHECK_OK(sys_cap_transfer(process, minted, MNOS_RIGHT_WRITE, &given));
    cap_drop(minted);
    CHECK(badge_lives(endpoint, 7));
    process_end(process);
    CHECK(!badge_lives(endpoint, 7));
    CHECK_OK(receive_now(endpoint, &msg));
    CHECK_EQ(msg.badge, 7);
    CHECK_ERROR(cap_inspect, ERR_ARGUMENT, 3, 0,
                sys_cap_inspect(endpoint, MNOS_VIEW_BADGE, 0, &(uint64_t){0}));
    CHECK_FAILS(sys_cap_inspect(weak, MNOS_VIEW_BADGE, 7, &(uint64_t){0}), MNOS_ERR_RIGHTS, 1,
                MNOS_RIGHT_READ);
    cap_drop(weak);
    cap_drop(endpoint);
}

/* ---- who pays ---- */

/* A server: hands its endpoint out, and never receives. */
static uint64_t deaf_server(uint64_t introduction, uint64_t b, uint64_t c, uint64_t d)
{
    struct message msg = {0};
    mnos_cap_t endpoint;

    (void)b, (void)c, (void)d;
    if (sys_cap_create(MNOS_CREATE_ENDPOINT, 0, 0, 0, 0, &endpoint) != MNOS_OK)
        return 1;
    message_put(&msg, 0, NULL, 0);
    message_add_cap(&msg, endpoint, MNOS_RIGHTS_ALL);
    if (ipc_send(introduction, &msg, soon()) != MNOS_OK)
        return 2;
    (void)!ipc_receive(introduction, &msg, MNOS_DEADLINE_NEVER); /* until it is ended */
    return 3;
}

/* Mints until its quota is spent, and ends with all of it. */
static uint64_t mint_everything(uint64_t endpoint, uint64_t b, uint64_t c, uint64_t d)
{
    uint64_t badge = 1;
    mnos_cap_t minted;

    (void)b, (void)c, (void)d;
    while (sys_cap_create(MNOS_CREATE_MINT, endpoint, MNOS_RIGHTS_ALL, badge, 0, &minted) ==
           MNOS_OK)
        badge++;
    return badge;
}

static void accomplice_cycle(mnos_cap_t endpoint)
{
    struct child accomplice;

    if (child_create(&accomplice)) {
        mnos_cap_t given = child_give(&accomplice, endpoint, MNOS_RIGHTS_ALL);

        if (child_start(&accomplice, mint_everything, given, 0, 0, 0))
            CHECK(child_result(&accomplice) > 1000);
    }
    child_drop(&accomplice);
}

TEST(events, badges_that_a_deaf_server_never_hears_of_cost_no_ancestor)
{
    mnos_cap_t introduction = endpoint_new(), endpoint = 0;
    struct mnos_process_info before, after;
    struct message msg = {.accept = 1};
    struct child server;

    if (child_create(&server) &&
        child_start(&server, deaf_server, child_give(&server, introduction, MNOS_RIGHTS_ALL), 0, 0,
                    0) &&
        CHECK_OK(ipc_receive(introduction, &msg, soon())))
        endpoint = message_cap(&msg, 0);
    accomplice_cycle(endpoint); /* after which tables are as large as they get */
    before = process_info(MNOS_SELF);
    for (unsigned i = 0; i < CYCLES && !check_failed(); i++)
        accomplice_cycle(endpoint);
    after = process_info(MNOS_SELF);
    CHECK_EQ(after.frames_used, before.frames_used);
    CHECK_EQ(after.bytes_used, before.bytes_used);
    CHECK_EQ(after.cap_count, before.cap_count);
    child_drop(&server);
    cap_drop(introduction);
}
