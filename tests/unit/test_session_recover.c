// SPDX-License-Identifier: MIT
/* test_session_recover - sessions and lanes that a run of a service finds after the death of another. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "lib/server/session.h"

#define SESSIONS 16u
#define HANDLES 32u

enum { ALICE = 0x10005, BOB = 0x10006 };

static unsigned dropped;

static void drop(void *, uint32_t)
{
    dropped++;
}

static void ended(void *, uint32_t)
{
}

static const struct session_owner owner = {.drop = drop, .ended = ended};

static bool bob_is_gone(void *, mnos_badge_t badge)
{
    return badge == BOB;
}

static struct sessions *make(void)
{
    struct sessions *sessions =
        sessions_format(malloc(sessions_bytes(SESSIONS, HANDLES)), SESSIONS, HANDLES, 1);

    CHECK(session_make(sessions, ALICE, NULL, 1, 0) != NULL);
    dropped = 0;
    return sessions;
}

static enum lane_verdict begin(struct sessions *sessions, uint32_t sequence)
{
    uint64_t stale;

    return lane_begin(&session_of(sessions, ALICE)->lanes[3], sequence, 77, &stale);
}

TEST(session_recover, a_request_that_was_running_is_carried_out_when_it_is_sent_again)
{
    struct sessions *sessions = make();

    CHECK_EQ(begin(sessions, 1), LANE_RUN);
    for (unsigned death = 0; death < 5; death++) {
        CHECK_EQ(sessions_recover(sessions, &owner, bob_is_gone, true), 1);
        CHECK_EQ(begin(sessions, 1), LANE_RUN);
    }
    lane_done(&session_of(sessions, ALICE)->lanes[3], MNOS_OK, (uint64_t[4]){0}, 0);
    CHECK_EQ(sessions_recover(sessions, &owner, bob_is_gone, true), 0);
    CHECK_EQ(begin(sessions, 1), LANE_REPLAY);
    CHECK_EQ(begin(sessions, 2), LANE_RUN);
    free(sessions);
}

TEST(session_recover, what_the_service_dies_of_is_not_carried_out_a_third_time)
{
    struct sessions *sessions = make();
    struct server_lane *lane = &session_of(sessions, ALICE)->lanes[3];

    CHECK_EQ(begin(sessions, 1), LANE_RUN);
    CHECK_EQ(sessions_recover(sessions, &owner, bob_is_gone, false), 1);
    CHECK_EQ(begin(sessions, 1), LANE_RUN);
    CHECK_EQ(sessions_recover(sessions, &owner, bob_is_gone, false), 1 + SESSION_RUNNING_LOST);
    CHECK_EQ(begin(sessions, 1), LANE_REPLAY);
    CHECK_EQ(lane->status, MNOS_ERR_LOST);
    /* The next one has not killed anybody yet. */
    CHECK_EQ(begin(sessions, 2), LANE_RUN);
    CHECK_EQ(sessions_recover(sessions, &owner, bob_is_gone, false), 1);
    CHECK_EQ(begin(sessions, 2), LANE_RUN);
    free(sessions);
}

TEST(session_recover, what_has_been_done_in_part_does_not_go_on_where_the_part_is_lost)
{
    struct sessions *sessions = make();
    struct server_lane *lane = &session_of(sessions, ALICE)->lanes[3];

    CHECK_EQ(begin(sessions, 1), LANE_RUN);
    CHECK_EQ(sessions_recover(sessions, &owner, bob_is_gone, true), 1);
    sessions_lose_parts(sessions); /* nothing of it was done */
    CHECK_EQ(begin(sessions, 1), LANE_RUN);
    lane->begun = 1;
    CHECK_EQ(sessions_recover(sessions, &owner, bob_is_gone, true), 1);
    sessions_lose_parts(sessions);
    CHECK_EQ(begin(sessions, 1), LANE_REPLAY);
    CHECK_EQ(lane->status, MNOS_ERR_LOST);
    CHECK_EQ(begin(sessions, 2), LANE_RUN);
    CHECK_EQ(lane->begun, 0);
    free(sessions);
}

TEST(session_recover, clients_that_have_gone_meanwhile_are_forgotten)
{
    struct sessions *sessions = make();
    struct server_session *bob = session_make(sessions, BOB, NULL, 1, 0);
    struct server_session *below = session_make(sessions, SESSION_EXPORTED | 9, bob, 2, 0);
    uint64_t handle;

    CHECK_EQ(handle_make(sessions, bob, 3, 0, 0, &handle), MNOS_OK);
    CHECK_EQ(sessions_recover(sessions, &owner, bob_is_gone, false), 0);
    CHECK_EQ(dropped, 2);
    CHECK(session_of(sessions, BOB) == NULL);
    /* What it has handed on stays. */
    CHECK_PTR_EQ(session_of(sessions, SESSION_EXPORTED | 9), below);
    CHECK(session_of(sessions, ALICE) != NULL);
    CHECK_PTR_EQ(sessions_check(sessions), NULL);
    free(sessions);
}

TEST(session_recover, who_asked_last_is_found_as_long_as_it_is_there_and_no_longer)
{
    struct sessions *sessions = make();
    struct server_session *alice = session_of(sessions, ALICE), *last = NULL;
    struct server_session *bob = session_make(sessions, BOB, NULL, 1, 0);

    CHECK_PTR_EQ(session_of_last(sessions, 0, &last), NULL);
    CHECK_PTR_EQ(session_of_last(sessions, BOB, &last), bob);
    CHECK_PTR_EQ(session_of_last(sessions, BOB, &last), bob);
    CHECK_PTR_EQ(session_of_last(sessions, ALICE, &last), alice);
    CHECK_PTR_EQ(session_of_last(sessions, BOB, &last), bob);
    /* It stays in the tree for what it has handed on, and is no session any more. */
    CHECK(session_make(sessions, SESSION_EXPORTED | 9, bob, 2, 0) != NULL);
    session_gone(sessions, bob, &owner);
    CHECK_PTR_EQ(session_of_last(sessions, BOB, &last), NULL);
    CHECK_PTR_EQ(session_of_last(sessions, ALICE, &last), alice);
    session_gone(sessions, alice, &owner);
    CHECK_PTR_EQ(session_of_last(sessions, ALICE, &last), NULL);
    last = alice; /* its place is free: no badge is not one that all without a session have */
    CHECK_PTR_EQ(session_of_last(sessions, 0, &last), NULL);
    free(sessions);
}

TEST(session_recover, what_is_open_is_found_again_by_the_entries_alone)
{
    struct sessions *sessions = make();
    struct server_session *alice = session_of(sessions, ALICE);
    uint64_t handles[HANDLES / SESSION_SHARE], last;

    for (unsigned i = 0; i < HANDLES / SESSION_SHARE; i++)
        CHECK_EQ(handle_make(sessions, alice, 3 + i, 7, 1, &handles[i]), MNOS_OK);
    handle_close(sessions, handle_of(sessions, alice, handles[2]), &owner);
    /* All that is not noted is lost, as if it had been torn. */
    sessions->free_handle = 99;
    sessions->generation = 0;
    alice->first_handle = alice->handle_count = alice->number = 77;
    for (unsigned i = 1; i <= HANDLES; i++)
        handle_at(sessions, i)->next = handle_at(sessions, i)->previous = 55;
    sessions_rebuild(sessions);
    CHECK_PTR_EQ(sessions_check(sessions), NULL);
    CHECK_EQ(alice->handle_count, HANDLES / SESSION_SHARE - 1);
    CHECK_PTR_EQ(handle_of(sessions, alice, handles[2]), NULL);
    CHECK_EQ(handle_of(sessions, alice, handles[3])->object, 6);
    /* No handle has the name of one that was there before, closed or not. */
    CHECK_EQ(handle_make(sessions, alice, 50, 7, 1, &last), MNOS_OK);
    CHECK_EQ(handle_make(sessions, alice, 51, 7, 1, &last), MNOS_ERR_QUOTA);
    for (unsigned i = 0; i < HANDLES / SESSION_SHARE; i++)
        CHECK(last != handles[i]);
    /* A handle of a session that is none is damage, and said so. */
    handle_at(sessions, HANDLES)->session = SESSIONS;
    sessions_rebuild(sessions);
    CHECK(sessions_check(sessions) != NULL);
    free(sessions);
}

/* Damages one number of three sessions, one below the other two, and says whether it is noticed. */
static bool is_noticed(unsigned what)
{
    struct sessions *sessions = make();
    struct server_session *alice = session_of(sessions, ALICE);
    struct server_session *one = session_make(sessions, 1 | SESSION_EXPORTED, alice, 1, 0);
    struct server_session *two = session_make(sessions, 2 | SESSION_EXPORTED, alice, 1, 0);
    uint32_t *const numbers[] = {&sessions->session_count,
                                 &sessions->handle_count,
                                 &sessions->free_session,
                                 &sessions->buckets[session_bucket(ALICE)],
                                 &alice->parent,
                                 &alice->first_child,
                                 &one->parent,
                                 &one->previous_sibling,
                                 &two->next_sibling};
    bool noticed;

    CHECK_PTR_EQ(sessions_numbers(sessions, SESSIONS, HANDLES), NULL);
    if (what < sizeof numbers / sizeof numbers[0])
        *numbers[what] = 5000;
    else if (what == 9)
        alice->account = 5000;
    else if (what == 10)
        alice->next = alice->number; /* round and round */
    else if (what == 11)
        alice->parent = two->number;
    else if (what == 12)
        two->next_sibling = two->number;
    else if (what == 13)
        one->client++;
    else
        sessions->handles_at += 8;
    noticed = sessions_numbers(sessions, SESSIONS, HANDLES) != NULL;
    free(sessions);
    return noticed;
}

TEST(session_recover, numbers_that_are_none_of_the_table_are_noticed_before_they_are_used)
{
    for (unsigned what = 0; what <= 14; what++)
        CHECK(is_noticed(what));
}
