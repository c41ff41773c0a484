// SPDX-License-Identifier: MIT
/* test_ring.c - sys_ipc_reply that sets events and waits: two that wake one another in turn. */
#include "tests/guest/child.h"

#define TRIPS 1000u
#define DATA_EVENT 1u
#define ROOM_EVENT 2u

struct ends {
    mnos_cap_t near, far; /* where the test waits, and the helper */
    uint64_t seen;        /* by the helper */
    volatile bool over, bystander_ran;
};

static void answer_events(void *argument)
{
    struct ends *ends = argument;
    struct message msg = {0};

    CHECK_OK(ipc_receive(ends->far, &msg, soon()));
    while (!check_failed() && CHECK_EQ(msg.kind, MNOS_KIND_EVENTS)) {
        ends->seen++;
        if (ends->seen == TRIPS)
            break;
        CHECK_OK(ipc_notify_receive(ends->near, ROOM_EVENT, ends->far, &msg, soon()));
        CHECK_EQ(msg.words[0], DATA_EVENT);
    }
    CHECK_OK(sys_ipc_notify(ends->near, ROOM_EVENT));
}

static void trips(uint32_t affinity)
{
    struct ends ends = {.near = endpoint_new(), .far = endpoint_new()};
    struct message msg = {0};
    struct thread helper;

    helper_start_at(&helper, answer_events, &ends, TEST_PRIORITY, affinity);
    for (unsigned i = 0; i < TRIPS && !check_failed(); i++) {
        CHECK_OK(ipc_notify_receive(ends.far, DATA_EVENT, ends.near, &msg, soon()));
        CHECK_EQ(msg.kind, MNOS_KIND_EVENTS);
        CHECK_EQ(msg.words[0], ROOM_EVENT);
        CHECK_EQ(msg.badge, 0);
    }
    helper_finish(&helper);
    CHECK_EQ(ends.seen, TRIPS);
    cap_drop(ends.near);
    cap_drop(ends.far);
}

TEST(ring, two_wake_one_another_in_turn)
{
    trips(MNOS_AFFINITY_ANY);
}

TEST(ring, two_wake_one_another_from_core_to_core)
{
    for (uint32_t core = 0; core < core_count(); core++)
        trips(core);
}

TEST(ring, who_is_the_receiver_gets_its_own_events_at_once)
{
    mnos_cap_t endpoint = endpoint_new();
    struct message msg = {0};

    CHECK_OK(ipc_notify_receive(endpoint, 0x50, endpoint, &msg, MNOS_DEADLINE_POLL));
    CHECK_EQ(msg.kind, MNOS_KIND_EVENTS);
    CHECK_EQ(msg.words[0], 0x50);
    CHECK_STATUS(receive_now(endpoint, &msg), MNOS_ERR_DEADLINE);
    cap_drop(endpoint);
}

TEST(ring, events_stay_set_when_the_wait_ends_with_an_error)
{
    mnos_cap_t target = endpoint_new(), own = endpoint_new();
    struct message msg = {0};

    CHECK_STATUS(ipc_notify_receive(target, 4, own, &msg, kinfo_time_ns() + MILLISECOND_NS),
                 MNOS_ERR_DEADLINE);
    CHECK_OK(receive_now(target, &msg));
    CHECK_EQ(msg.words[0], 4);
    CHECK_STATUS(receive_now(target, &msg), MNOS_ERR_DEADLINE); /* and were set once */
    cap_drop(target);
    cap_drop(own);
}

static void send_memory(void *argument)
{
    const struct ends *ends = argument;
    struct message msg = {0};
    mnos_cap_t memory = memory_new(1);

    CHECK_OK(ipc_receive(ends->far, &msg, soon()));
    message_put(&msg, 9, NULL, 0);
    message_add_cap(&msg, memory, MNOS_RIGHT_READ);
    CHECK_OK(ipc_send(ends->near, &msg, soon()));
    cap_drop(memory);
}

TEST(ring, a_message_with_a_capability_may_be_what_comes)
{
    struct ends ends = {.near = endpoint_new(), .far = endpoint_new()};
    struct message msg = {.accept = 1};
    struct thread helper;

    helper_start(&helper, send_memory, &ends);
    CHECK_OK(ipc_notify_receive(ends.far, 1, ends.near, &msg, soon()));
    CHECK_EQ(msg.kind, MNOS_KIND_MESSAGE);
    CHECK_EQ(msg.label, 9);
    CHECK(message_cap(&msg, 0) != 0);
    cap_drop(message_cap(&msg, 0));
    helper_finish(&helper);
    cap_drop(ends.near);
    cap_drop(ends.far);
}

/* ---- fairness ---- */

static void run_beside(void *argument)
{
    struct ends *ends = argument;

    ends->bystander_ran = true;
}

static void answer_until_over(void *argument)
{
    struct ends *ends = argument;
    struct message msg = {0};

    CHECK_OK(ipc_receive(ends->far, &msg, soon()));
    while (!ends->over && !check_failed())
        CHECK_OK(ipc_notify_receive(ends->near, ROOM_EVENT, ends->far, &msg, soon()));
    CHECK_OK(sys_ipc_notify(ends->near, ROOM_EVENT));
}

/* All of one priority, on one core: the pair has one turn between them, and then it is the third's. */
static void pair_with_bystander(void *argument)
{
    struct ends *ends = argument;
    struct thread other, bystander;
    struct message msg = {0};

    helper_start_at(&other, answer_until_over, ends, TEST_PRIORITY - 1, 0);
    CHECK(thread_reaches(other.thread, MNOS_STATE_RECEIVING));
    helper_start_at(&bystander, run_beside, ends, TEST_PRIORITY - 1, 0);
    for (uint64_t until = soon(); !ends->bystander_ran && kinfo_time_ns() < until;)
        CHECK_OK(ipc_notify_receive(ends->far, DATA_EVENT, ends->near, &msg, soon()));
    CHECK(ends->bystander_ran);
    ends->over = true;
    CHECK_OK(ipc_notify_receive(ends->far, DATA_EVENT, ends->near, &msg, soon()));
    helper_finish(&bystander);
    helper_finish(&other);
}

TEST(ring, a_pair_does_not_keep_its_core_from_a_third)
{
    struct ends ends = {.near = endpoint_new(), .far = endpoint_new()};
    struct thread pair;

    helper_start_at(&pair, pair_with_bystander, &ends, TEST_PRIORITY - 1, 0);
    helper_finish(&pair);
    cap_drop(ends.near);
    cap_drop(ends.far);
}
