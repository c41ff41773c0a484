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

TEST(session_recover, clients_that_have_gone_meanwhile_are_forgotten)
{
    struct sessions *sessions = make();
    struct server_session *bob = session_make(sessions, BOB, NULL, 1, 0);
    struct server_session *below = session_make(sessions, SESSION_EXPORTED | 9, bob, 2, 0);
    uint64_t handle;

    CHECK_EQ(handle_make(sessions, bob, 3, 0, &handle), MNOS_OK);
    CHECK_EQ(sessions_recover(sessions, &owner, bob_is_gone, false), 0);
    CHECK_EQ(dropped, 2);
    CHECK(session_of(sessions, BOB) == NULL);
    /* What it has handed on stays. */
    CHECK_PTR_EQ(session_of(sessions, SESSION_EXPORTED | 9), below);
    CHECK(session_of(sessions, ALICE) != NULL);
    CHECK_PTR_EQ(sessions_check(sessions), NULL);
    free(sessions);
}
