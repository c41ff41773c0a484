// SPDX-License-Identifier: MIT
/*
 * test_revoke.c - what is left on other cores when a revocation returns: nothing; and revocations that
 * meet each other or a capability on its way.
 */
#include <stdatomic.h>

#include "tests/guest/child.h"

#define ROUNDS 20
#define KEPT 50

/* ---- pages ---- */

/* What a reader and the test tell each other, one page for each reader. */
struct reader {
    volatile uint64_t turns;
    volatile uint64_t saw; /* something in the page that the test wrote after the revocation */
};

#define PAGE_OF_ALL ARENA
#define READERS (ARENA + PAGE)

static uint64_t read_for_ever(uint64_t, uint64_t, uint64_t, uint64_t)
{
    struct reader *reader = (struct reader *)READERS;

    while (reader->saw == 0) {
        reader->saw = *(volatile uint64_t *)PAGE_OF_ALL;
        reader->turns++;
    }
    return 0;
}

/* A process on `core` that reads `memory` through a capability of its own. */
static bool reader_start(struct child *child, mnos_cap_t memory, mnos_cap_t notes, uint32_t core)
{
    mnos_cap_t copy = cap_copy(memory, MNOS_RIGHT_READ);

    return child_create(child) &&
           CHECK_OK(sys_mem_map(child->process, copy, PAGE_OF_ALL, 0, 1, MNOS_MAP_READ)) &&
           CHECK_OK(sys_mem_map(child->process, notes, READERS, core, 1, MAP_RW)) &&
           child_start_at(child, read_for_ever, 0, 0, TEST_PRIORITY - 1, core);
}

static bool turns(const struct reader *reader)
{
    uint64_t before = reader->turns, deadline = soon();

    while (reader->turns == before && kinfo_time_ns() < deadline)
        sleep_ns(MILLISECOND_NS / 10);
    return CHECK(reader->turns != before);
}

static const struct reader *reader_of(uint32_t core)
{
    return (const struct reader *)(READERS + core * PAGE);
}

TEST(revoke, no_core_sees_a_page_that_is_written_afterwards)
{
    mnos_cap_t memory = memory_new(1), notes = memory_new(core_count());
    struct child children[MNOS_CORES_MAX];

    CHECK_OK(sys_mem_map(MNOS_SELF, memory, PAGE_OF_ALL, 0, 1, MAP_RW));
    CHECK_OK(sys_mem_map(MNOS_SELF, notes, READERS, 0, core_count(), MNOS_MAP_READ));
    for (uint32_t core = 0; core < core_count(); core++)
        reader_start(&children[core], memory, notes, core);
    for (uint32_t core = 0; core < core_count(); core++)
        turns(reader_of(core)); /* it has the page in its TLB */
    CHECK_OK(sys_cap_revoke(memory));
    *(volatile uint64_t *)PAGE_OF_ALL = 1;
    for (uint32_t core = 0; core < core_count(); core++) {
        CHECK_EQ(child_wait(&children[core]).exit_reason, MNOS_EXIT_FAULT);
        CHECK_EQ(reader_of(core)->saw, 0);
        child_drop(&children[core]);
    }
    CHECK_OK(sys_mem_unmap(MNOS_SELF, PAGE_OF_ALL, 1 + core_count()));
    cap_drop(memory);
    cap_drop(notes);
}

/* ---- messages ---- */

struct sender {
    mnos_cap_t endpoint, carried;
    mnos_status_t status;
};

static void send_often(void *argument)
{
    struct sender *s = argument;

    do {
        struct message msg = {.label = 1};

        if (s->carried != 0)
            message_add_cap(&msg, s->carried, MNOS_RIGHT_READ | MNOS_RIGHT_GRANT);
        s->status = ipc_send(s->endpoint, &msg, soon());
    } while (s->status == MNOS_OK);
}

static void check_queued(struct sender *s, mnos_cap_t receive_from, mnos_cap_t root,
                         mnos_status_t status)
{
    struct message msg = {.accept = 1};
    struct thread thread;

    helper_start(&thread, send_often, s);
    thread_reaches(thread.thread, MNOS_STATE_SENDING);
    CHECK_OK(sys_cap_revoke(root));
    CHECK_STATUS(receive_now(receive_from, &msg), MNOS_ERR_DEADLINE);
    helper_finish(&thread);
    CHECK_EQ(s->status, status);
}

TEST(revoke, a_queued_message_is_gone_with_its_way_or_its_capability)
{
    mnos_cap_t endpoint = endpoint_new(), memory = memory_new(1);
    struct sender through = {.endpoint = cap_copy(endpoint, MNOS_RIGHT_WRITE)};
    struct sender with = {.endpoint = endpoint, .carried = cap_copy(memory, MNOS_RIGHTS_ALL)};

    check_queued(&through, endpoint, endpoint, MNOS_ERR_REVOKED);
    check_queued(&with, endpoint, memory, MNOS_ERR_HANDLE);
    CHECK_EQ(cap_info(memory).child_count, 0);
    cap_drop(memory);
    cap_drop(endpoint);
}

/* Takes what comes and keeps the first capabilities, until it is told to stop. */
static void take_often(void *argument)
{
    struct message msg = {.accept = 1};

    for (unsigned i = 0; ipc_receive((mnos_cap_t)argument, &msg, soon()) == MNOS_OK; i++) {
        if (msg.label == 0)
            return;
        if (msg.cap_count == 1 && i >= KEPT)
            (void)!sys_cap_delete(message_cap(&msg, 0));
        msg.accept = 1;
    }
}

/* The sender's capability and all that have arrived go; what is on its way arrives before and goes as
 * well, or not at all. */
static void revoke_in_flight(mnos_cap_t memory, uint64_t delay_ns)
{
    struct sender s = {.endpoint = endpoint_new(), .carried = cap_copy(memory, MNOS_RIGHTS_ALL)};
    struct message stop = {.label = 0};
    struct thread sender, taker;

    helper_start(&taker, take_often, (void *)s.endpoint);
    helper_start(&sender, send_often, &s);
    sleep_ns(delay_ns);
    CHECK_OK(sys_cap_revoke(memory));
    CHECK_EQ(cap_info(memory).child_count, 0);
    helper_finish(&sender);
    CHECK(s.status == MNOS_ERR_HANDLE || s.status == MNOS_ERR_STATE); /* gone, or going */
    CHECK_OK(ipc_send(s.endpoint, &stop, soon()));
    helper_finish(&taker);
    CHECK_EQ(cap_info(memory).child_count, 0);
    cap_drop(s.endpoint);
}

TEST(revoke, a_transfer_in_flight_arrives_before_or_not_at_all)
{
    mnos_cap_t memory = memory_new(1);

    for (unsigned i = 0; i < 2 * KEPT; i++) /* so that the table has room, whatever arrives */
        (void)cap_copy(memory, 0);
    CHECK_OK(sys_cap_revoke(memory));
    for (unsigned i = 0; i < ROUNDS && !check_failed(); i++)
        revoke_in_flight(memory, 50000 + 37000 * i);
    cap_drop(memory);
}

/* ---- two at once ---- */

struct revoker {
    mnos_cap_t cap, leaf;
    mnos_status_t status;
    bool leaf_was_left;
};

static void revoke_and_look(void *argument)
{
    struct revoker *r = argument;

    r->status = sys_cap_revoke(r->cap);
    r->leaf_was_left = sys_cap_delete(r->leaf) == MNOS_OK;
}

/* A chain of `CHAIN` with `WIDTH` leaves at each capability; returns the last. */
enum { CHAIN = 8, WIDTH = 16 };

static mnos_cap_t grow(mnos_cap_t root, mnos_cap_t *middle)
{
    mnos_cap_t at = root;

    for (unsigned depth = 0; depth < CHAIN; depth++) {
        at = cap_copy(at, MNOS_RIGHTS_ALL);
        if (depth == CHAIN / 2)
            *middle = at;
        for (unsigned leaf = 0; leaf < WIDTH; leaf++)
            (void)cap_copy(at, 0);
    }
    return at;
}

/* On the last two cores; the other is told OK, or that its capability is gone already. */
static void revoke_twice(mnos_cap_t root, bool same)
{
    struct revoker r[2] = {{.cap = root}, {.cap = root}};
    struct thread threads[2];

    r[0].leaf = r[1].leaf = grow(root, &r[1].cap);
    if (same)
        r[1].cap = root;
    for (uint32_t i = 0; i < 2; i++)
        helper_start_at(&threads[i], revoke_and_look, &r[i], TEST_PRIORITY,
                        core_count() > i ? core_count() - 1 - i : 0);
    for (uint32_t i = 0; i < 2; i++) {
        helper_finish(&threads[i]);
        CHECK(!r[i].leaf_was_left || r[i].status != MNOS_OK);
    }
    CHECK_OK(r[0].status);
    CHECK(r[1].status == MNOS_OK || (!same && r[1].status == MNOS_ERR_HANDLE));
    CHECK_EQ(cap_info(root).child_count, 0);
}

TEST(revoke, two_at_once_of_one_capability_or_of_one_below_the_other)
{
    mnos_cap_t root = endpoint_new();

    for (unsigned i = 0; i < ROUNDS && !check_failed(); i++)
        revoke_twice(root, i % 2 == 0);
    cap_drop(root);
}
