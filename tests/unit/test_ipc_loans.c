// SPDX-License-Identifier: MIT
/* test_ipc_loans.c - priorities: who is received first, and what a server inherits from its callers, along chains. */
#include "sched/sched.h"
#include "tests/unit/ipc_scene.h"

/* ---- priorities ---- */

TEST(ipc, the_most_urgent_sender_comes_first)
{
    struct thread *senders[6];
    const unsigned priorities[6] = {5, 20, 5, 30, 20, 30};
    const unsigned order[6] = {3, 5, 1, 4, 0, 2};

    init();
    for (unsigned i = 0; i < 6; i++) {
        senders[i] = world_thread(client_process, priorities[i]);
        CHECK_EQ(world_send(senders[i], remote, MNOS_INFO(i, 0), NEVER), WORLD_WAITS);
        endpoint_check(endpoint());
    }
    for (unsigned i = 0; i < 6; i++) {
        CHECK_EQ(world_receive(server, port, 0, POLL), 0);
        CHECK_EQ(MNOS_INFO_GET_LABEL(server->frame.rsi), order[i]);
        endpoint_check(endpoint());
    }
}

TEST(ipc, a_server_inherits_the_priority_of_its_callers)
{
    init();
    struct thread *high = world_thread(client_process, 40);
    uint64_t low_id = call_received(client, 1);
    CHECK_EQ(server->effective, WORLD_PRIORITY);
    uint64_t high_id = call_received(high, 2);
    CHECK_EQ(server->effective, 40);
    CHECK_EQ(server->priority, WORLD_PRIORITY);
    CHECK_EQ(world_reply(server, low_id, MNOS_INFO(0, 0), 0), 0);
    CHECK_EQ(server->effective, 40);
    CHECK_EQ(world_reply(server, high_id, MNOS_INFO(0, 0), 0), 0);
    CHECK_EQ(server->effective, WORLD_PRIORITY);
    world_check();
}

TEST(ipc, an_inherited_priority_ends_with_the_callers_deadline)
{
    init();
    struct thread *high = world_thread(client_process, 40);
    CHECK_EQ(world_ipc_call(high, remote, MNOS_INFO(0, 0), arch_time_ns() + 100), WORLD_WAITS);
    CHECK_EQ(world_receive(server, port, 0, NEVER), 0);
    CHECK_EQ(server->effective, 40);
    host_time_pass(100);
    CHECK_EQ(server->effective, WORLD_PRIORITY);
    world_check();
}

/* Servers that call one another: chain[0] is the last one, which calls nobody. */
enum { CHAIN = 6, LOW = 5, TOP = 40 };
static struct thread *chain[CHAIN], *top;
static mnos_cap_t ports[CHAIN];

/* `top` has called the first of the chain, with this deadline, and each of them the next. */
static void chain_init(uint64_t after_ns)
{
    struct thread *caller;

    init();
    caller = top = world_thread(world_root, TOP);
    for (unsigned i = CHAIN; i-- > 0; caller = chain[i], after_ns = NEVER) {
        uint64_t deadline = after_ns == NEVER ? NEVER : arch_time_ns() + after_ns;
        chain[i] = world_thread(world_root, LOW + i);
        ports[i] = CALL_VALUE(chain[i], cap_create, MNOS_CREATE_ENDPOINT);
        CHECK_EQ(world_ipc_call(caller, ports[i], MNOS_INFO(0, 0), deadline), WORLD_WAITS);
        CHECK_EQ(world_receive(chain[i], ports[i], 0, NEVER), 0);
    }
    for (unsigned i = 0; i < CHAIN; i++)
        CHECK_EQ(chain[i]->effective, TOP);
}

/* chain[first] and those it has called run at its own priority, the others at TOP. */
static void check_chain(unsigned first)
{
    for (unsigned i = 0; i < CHAIN; i++)
        CHECK_EQ(chain[i]->effective, i <= first ? LOW + first : TOP);
    world_check();
}

TEST(ipc, a_loan_ends_along_the_whole_chain_with_a_deadline)
{
    chain_init(100);
    host_time_pass(100);
    CHECK(world_woke_with(top, MNOS_ERR_DEADLINE));
    check_chain(CHAIN - 1);
}

TEST(ipc, a_loan_ends_along_the_whole_chain_with_the_death_of_a_caller)
{
    chain_init(NEVER);
    world_kill(top);
    world_finish_work();
    check_chain(CHAIN - 1);
    for (unsigned i = CHAIN - 1; i > 0; i--) {
        world_kill(chain[i]);
        world_finish_work();
        CHECK_EQ(chain[i - 1]->effective, LOW + i - 1);
    }
    world_check();
}

TEST(ipc, a_reply_given_in_the_middle_of_a_chain_ends_the_loan_below)
{
    chain_init(NEVER);
    /* The reply to chain[3] comes from another thread than the one that waits further down. */
    CHECK_EQ(world_reply(server, chain[3]->reply_id, MNOS_INFO(0, 0), 0), 0);
    CHECK(world_woke_with(chain[3], MNOS_OK));
    check_chain(2);
}

TEST(ipc, a_loan_reaches_who_is_queued_at_an_endpoint)
{
    uint64_t id;

    chain_init(100);
    id = chain[1]->reply_id;
    CHECK_EQ(world_reply(chain[0], id, MNOS_INFO(0, 0), 0), 0);
    mnos_cap_t last = CALL_VALUE(server, cap_create, MNOS_CREATE_ENDPOINT);
    struct thread *rival = world_thread(world_root, 20);
    CHECK_EQ(world_send(rival, last, MNOS_INFO(20, 0), NEVER), WORLD_WAITS);
    CHECK_EQ(world_send(chain[1], last, MNOS_INFO(1, 0), NEVER), WORLD_WAITS);
    struct endpoint *queue = endpoint_of(world_object(world_root, last));
    CHECK_PTR_EQ(thread_queue_first(&queue->queue), chain[1]);
    host_time_pass(100);
    CHECK_PTR_EQ(thread_queue_first(&queue->queue), rival);
    CHECK_EQ(chain[1]->effective, LOW + CHAIN - 1);
    world_check();
}

TEST(ipc, a_loan_goes_as_far_as_the_kernel_goes_at_once_and_ends_with_the_reply)
{
    enum { LONG = 40 };
    struct thread *threads[LONG];
    mnos_cap_t to[LONG];

    init();
    for (unsigned i = 0; i < LONG; i++) {
        threads[i] = world_thread(world_root, i == 0 ? TOP : LOW);
        to[i] = CALL_VALUE(threads[i], cap_create, MNOS_CREATE_ENDPOINT);
        if (i == 0)
            continue;
        CHECK_EQ(world_ipc_call(threads[i - 1], to[i], MNOS_INFO(0, 0), NEVER), WORLD_WAITS);
        CHECK_EQ(world_receive(threads[i], to[i], 0, NEVER), 0);
        CHECK_EQ(threads[i]->effective, TOP);
    }
    world_kill(threads[0]);
    world_finish_work();
    CHECK_EQ(threads[1]->effective, LOW);
    CHECK_EQ(threads[32]->effective, LOW);
    CHECK_EQ(threads[33]->effective, TOP);
    CHECK_EQ(threads[LONG - 1]->effective, TOP);
    for (unsigned i = LONG - 1; i > 1; i--) {
        CHECK_EQ(world_reply(threads[i], threads[i - 1]->reply_id, MNOS_INFO(0, 0), 0), 0);
        CHECK_EQ(threads[i]->effective, LOW);
    }
    world_check();
}
