// SPDX-License-Identifier: MIT
/* test_lasting.c - lasting mints: badges that outlive who minted them. */
#include "tests/guest/child.h"
#include "tests/guest/claim.h"

#define LASTING (MNOS_CREATE_MINT | MNOS_MINT_LASTING)
#define SERVES (MNOS_RIGHT_READ | MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT)
#define SESSION (MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT)
#define RESERVE 4u
#define CYCLES 20u

static mnos_cap_t mint_lasting(mnos_cap_t endpoint, mnos_badge_t badge)
{
    mnos_cap_t minted = 0;

    CHECK_OK(sys_cap_create(LASTING, endpoint, SESSION, badge, 0, &minted));
    return minted;
}

static bool badge_lives(mnos_cap_t endpoint, mnos_badge_t badge)
{
    uint64_t lives = 2;

    CHECK_OK(sys_cap_inspect(endpoint, MNOS_VIEW_BADGE, badge, &lives));
    return lives == 1;
}

static bool is_told(mnos_cap_t endpoint, mnos_badge_t badge)
{
    struct message msg = {0};

    return CHECK_OK(receive_now(endpoint, &msg)) && CHECK_EQ(msg.kind, MNOS_KIND_CLIENT_GONE) &&
           CHECK_EQ(msg.badge, badge);
}

/* ---- a service that dies ---- */

/* Answers each call with a session, a lasting one and one that is not, until it is ended; the badges count on from
 * what the call says. */
static uint64_t serve(uint64_t endpoint, uint64_t b, uint64_t c, uint64_t d)
{
    struct message msg = {0};
    mnos_cap_t lasting, other;

    (void)b, (void)c, (void)d;
    for (;;) {
        if (ipc_receive(endpoint, &msg, MNOS_DEADLINE_NEVER) != MNOS_OK)
            return 1;
        if (msg.kind != MNOS_KIND_MESSAGE)
            continue;
        if (sys_cap_create(LASTING, endpoint, SESSION, msg.label, 0, &lasting) != MNOS_OK ||
            sys_cap_create(MNOS_CREATE_MINT, endpoint, SESSION, msg.label + 1, 0, &other) !=
                MNOS_OK)
            return 2;
        message_put(&msg, 0, NULL, 0);
        message_add_cap(&msg, lasting, SESSION);
        message_add_cap(&msg, other, SESSION);
        if (ipc_reply(&msg) != MNOS_OK || sys_cap_delete(lasting) != MNOS_OK)
            return 3;
    }
}

static bool service_start(struct child *service, mnos_cap_t endpoint)
{
    return child_create(service) &&
           child_start(service, serve, child_give(service, endpoint, SERVES), 0, 0, 0);
}

static bool open_session(mnos_cap_t endpoint, uint32_t badge, mnos_cap_t *lasting,
                         mnos_cap_t *other)
{
    struct message msg = {.accept = 2};

    message_put(&msg, badge, NULL, 0);
    if (!CHECK_OK(ipc_call(endpoint, &msg, soon())))
        return false;
    *lasting = message_cap(&msg, 0);
    *other = message_cap(&msg, 1);
    return CHECK(*lasting != 0 && *other != 0);
}

static void call_with_label_5(void *session)
{
    struct message msg = {0};

    message_put(&msg, 5, NULL, 0);
    CHECK_OK(ipc_call((mnos_cap_t)session, &msg, soon()));
}

TEST(lasting, sessions_survive_the_death_of_the_service)
{
    mnos_cap_t endpoint = endpoint_with_reserve(RESERVE), lasting = 0, other = 0;
    struct message msg = {0};
    struct thread client;
    struct child service;

    if (service_start(&service, endpoint) && open_session(endpoint, 100, &lasting, &other)) {
        child_drop(&service); /* and the badge 101 with it */
        CHECK(badge_lives(endpoint, 100) && !badge_lives(endpoint, 101));
        CHECK(is_told(endpoint, 101));
        helper_start(&client, call_with_label_5, (void *)lasting);
        CHECK_OK(ipc_receive(endpoint, &msg, soon()));
        CHECK_EQ(msg.badge, 100);
        CHECK_EQ(msg.label, 5);
        ipc_reply_status(msg.reply_id, MNOS_OK);
        helper_finish(&client);
        CHECK_FAILS(sys_ipc_notify(other, 1), MNOS_ERR_HANDLE, 1, 0);
        cap_drop(lasting);
        CHECK(is_told(endpoint, 100));
    }
    cap_drop(endpoint);
}

/* Each run of the service mints one; the client keeps the last only. Nobody's account grows. */
TEST(lasting, sessions_of_many_runs_cost_nobody_else_anything)
{
    mnos_cap_t endpoint = endpoint_with_reserve(2), lasting = 0, before = 0, other = 0;
    struct mnos_process_info first = {0}, last;
    struct child service;

    for (uint32_t i = 0; i < CYCLES && !check_failed(); i++) {
        if (i == 2)
            first = process_info(MNOS_SELF);
        if (!service_start(&service, endpoint) ||
            !open_session(endpoint, 100 + 2 * i, &lasting, &other))
            break;
        child_drop(&service);
        CHECK(is_told(endpoint, 101 + 2 * i));
        if (i != 0) {
            cap_drop(before);
            CHECK(is_told(endpoint, 98 + 2 * i));
        }
        before = lasting;
    }
    last = process_info(MNOS_SELF);
    CHECK_EQ(last.bytes_used, first.bytes_used);
    CHECK_EQ(last.frames_used, first.frames_used);
    CHECK_EQ(last.cap_count, first.cap_count);
    cap_drop(before);
    cap_drop(endpoint);
}

/* ---- the reserve ---- */

TEST(lasting, mints_come_back_when_the_server_has_been_told)
{
    mnos_cap_t endpoint = endpoint_with_reserve(RESERVE), minted[RESERVE], cap;

    for (unsigned i = 0; i < RESERVE; i++)
        minted[i] = mint_lasting(endpoint, 1 + i);
    CHECK_ERROR(cap_create, ERR_QUOTA, 2, 0, sys_cap_create(LASTING, endpoint, 0, 9, 0, &cap));
    cap_drop(minted[2]);
    CHECK_STATUS(sys_cap_create(LASTING, endpoint, 0, 9, 0, &cap), MNOS_ERR_QUOTA);
    CHECK(is_told(endpoint, 3));
    minted[2] = mint_lasting(endpoint, 9);
    CHECK_STATUS(sys_cap_create(LASTING, endpoint, 0, 10, 0, &cap), MNOS_ERR_QUOTA);
    CHECK_OK(sys_cap_revoke(endpoint)); /* which is the first: takes all of them */
    for (unsigned i = 0; i < RESERVE; i++) {
        struct message msg = {0};

        CHECK_OK(receive_now(endpoint, &msg));
        CHECK_EQ(msg.kind, MNOS_KIND_CLIENT_GONE);
        CHECK(msg.badge != 0);
    }
    for (unsigned i = 0; i < RESERVE; i++)
        (void)mint_lasting(endpoint, 1 + i);
    CHECK_OK(sys_cap_revoke(endpoint));
    cap_drop(endpoint);
}

TEST(lasting, mints_are_paid_for_when_the_endpoint_is_made)
{
    struct mnos_process_info before = process_info(MNOS_SELF), after;
    mnos_cap_t endpoint = endpoint_with_reserve(MNOS_LASTING_MAX);

    after = process_info(MNOS_SELF);
    CHECK(after.bytes_used - before.bytes_used >= (MNOS_LASTING_MAX + 1) * 64);
    cap_drop(endpoint);
}

/* ---- errors ---- */

static uint64_t mint_without_room(uint64_t endpoint, uint64_t b, uint64_t c, uint64_t d)
{
    mnos_cap_t cap;

    (void)b, (void)c, (void)d;
    while (sys_cap_create(MNOS_CREATE_COPY, endpoint, 0, 0, 0, &cap) == MNOS_OK)
        ;
    return sys_cap_create(LASTING, endpoint, 0, 7, 0, &cap);
}

TEST(lasting, mints_need_read_grant_and_the_first_capability)
{
    mnos_cap_t endpoint = endpoint_with_reserve(1), cap, given;
    mnos_cap_t no_read = cap_copy(endpoint, MNOS_RIGHTS_ALL & ~MNOS_RIGHT_READ);
    mnos_cap_t no_grant = cap_copy(endpoint, MNOS_RIGHTS_ALL & ~MNOS_RIGHT_GRANT);
    struct child child;

    CHECK_ERROR(cap_create, ERR_RIGHTS, 2, MNOS_RIGHT_READ,
                sys_cap_create(LASTING, no_read, 0, 7, 0, &cap));
    CHECK_ERROR(cap_create, ERR_RIGHTS, 2, MNOS_RIGHT_GRANT,
                sys_cap_create(LASTING, no_grant, 0, 7, 0, &cap));
    CHECK_ERROR(cap_create, ERR_ARGUMENT, 1, 0,
                sys_cap_create(MNOS_CREATE_COPY | MNOS_MINT_LASTING, endpoint, 0, 0, 0, &cap));
    CHECK_ERROR(cap_create, ERR_ARGUMENT, 4, 0, sys_cap_create(LASTING, endpoint, 0, 0, 0, &cap));
    CHECK_ERROR(cap_create, ERR_ARGUMENT, 4, 0,
                sys_cap_create(MNOS_CREATE_ENDPOINT, 0, 0, MNOS_LASTING_MAX + 1, 0, &cap));
    if (child_create(&child)) {
        given = child_give(&child, endpoint, SERVES);
        if (child_start(&child, mint_without_room, given, 0, 0, 0))
            CHECK_EQ(child_result(&child), MNOS_ERR_QUOTA);
    }
    child_drop(&child);
    cap_drop(mint_lasting(endpoint, 7)); /* the one that is set aside was not used */
    CHECK(is_told(endpoint, 7));
    cap_drop(endpoint);
    cap_drop(no_read);
    CHECK_STATUS(receive_now(no_grant, &(struct message){0}), MNOS_ERR_DEADLINE);
    cap_drop(no_grant);
}

TEST(lasting, mints_end_with_the_first_capability)
{
    mnos_cap_t endpoint = endpoint_with_reserve(2), copy = cap_copy(endpoint, MNOS_RIGHTS_ALL);
    mnos_cap_t minted = mint_lasting(copy, 7), cap;

    cap_drop(endpoint);
    CHECK_ERROR(cap_create, ERR_STATE, 2, 0, sys_cap_create(LASTING, copy, 0, 8, 0, &cap));
    CHECK(badge_lives(copy, 7));
    cap_drop(minted);
    CHECK(is_told(copy, 7));
    cap_drop(copy);
}
