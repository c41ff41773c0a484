// SPDX-License-Identifier: MIT
/* test_ipc.c - messages between simulated threads: send, call, receive, reply, and what goes wrong. */
#include "ipc/ipc.h"

#include <string.h>

#include "sched/sched.h"
#include "tests/unit/kernel_world.h"

#define NEVER MNOS_DEADLINE_NEVER
#define POLL MNOS_DEADLINE_POLL

static struct process *client_process;
static struct thread *server, *client, *other;
static mnos_cap_t port;   /* the server's, all rights */
static mnos_cap_t remote; /* the client's: to send, badge 7 */

static void init(void)
{
    mnos_cap_t process, minted;

    world_init();
    client_process = world_process(world_root, 200, 400000, &process);
    server = world_thread(world_root, WORLD_PRIORITY);
    client = world_thread(client_process, WORLD_PRIORITY);
    other = world_thread(client_process, WORLD_PRIORITY);
    port = CALL_VALUE(server, cap_create, MNOS_CREATE_ENDPOINT);
    minted = CALL_VALUE(server, cap_create, MNOS_CREATE_MINT, port,
                        MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT, 7, 0xFF);
    remote = CALL_VALUE(server, cap_transfer, process, minted, MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT);
}

static void set_words(struct thread *thread, uint64_t first)
{
    thread->frame.rdx = first;
    thread->frame.r10 = first + 1;
    thread->frame.r8 = first + 2;
    thread->frame.r9 = first + 3;
}

static void check_words(const struct thread *thread, uint64_t first)
{
    CHECK_EQ(thread->frame.rdx, first);
    CHECK_EQ(thread->frame.r10, first + 1);
    CHECK_EQ(thread->frame.r8, first + 2);
    CHECK_EQ(thread->frame.r9, first + 3);
}

static struct endpoint *endpoint(void)
{
    return (struct endpoint *)world_object(world_root, port);
}

/* ---- registers and bytes ---- */

TEST(ipc, a_waiting_receiver_gets_registers_label_and_badge)
{
    init();
    CHECK_EQ(world_receive(server, port, 0, NEVER), WORLD_WAITS);
    CHECK_EQ(server->state, THREAD_RECEIVING);
    endpoint_check(endpoint());
    set_words(client, 100);
    CHECK_EQ(world_send(client, remote, MNOS_INFO(0x12345678, 32), NEVER), 0);
    CHECK(world_woke_with(server, MNOS_OK));
    check_words(server, 100);
    CHECK_EQ(server->frame.rsi, MNOS_INFO(0x12345678, 32));
    CHECK_EQ(server->frame.rdi, 7);
    CHECK_EQ(server->frame.r12, 0);
    world_check();
}

TEST(ipc, a_sender_waits_for_a_receiver)
{
    init();
    set_words(client, 5);
    CHECK_EQ(world_send(client, remote, MNOS_INFO(1, 32), NEVER), WORLD_WAITS);
    CHECK_EQ(client->state, THREAD_SENDING);
    endpoint_check(endpoint());
    CHECK_EQ(world_receive(server, port, 0, NEVER), 0);
    check_words(server, 5);
    CHECK(world_woke_with(client, MNOS_OK));
    CHECK_EQ(endpoint()->state, EP_IDLE);
    world_check();
}

TEST(ipc, a_message_of_4000_bytes_arrives_whole)
{
    init();
    for (unsigned i = 0; i < MNOS_BUFFER_DATA_BYTES; i++)
        client->buffer->data[i] = (uint8_t)(i * 7 + 1);
    memset(server->buffer->data, 0xEE, sizeof(server->buffer->data));
    CHECK_EQ(world_send(client, remote, MNOS_INFO(1, MNOS_MESSAGE_MAX_BYTES), NEVER), WORLD_WAITS);
    CHECK_EQ(world_receive(server, port, 0, NEVER), 0);
    CHECK_EQ(MNOS_INFO_GET_LENGTH(server->frame.rsi), MNOS_MESSAGE_MAX_BYTES);
    CHECK(memcmp(server->buffer->data, client->buffer->data, MNOS_MESSAGE_MAX_BYTES - 32) == 0);
    for (unsigned i = MNOS_MESSAGE_MAX_BYTES - 32; i < MNOS_BUFFER_DATA_BYTES; i++)
        CHECK_EQ(server->buffer->data[i], 0xEE); /* the first 32 travel in registers */
    CHECK_EQ(server->buffer->send_caps[0], 0);
}

TEST(ipc, only_as_many_bytes_move_as_the_message_has)
{
    init();
    memset(client->buffer->data, 0x11, sizeof(client->buffer->data));
    memset(server->buffer->data, 0xEE, sizeof(server->buffer->data));
    CHECK_EQ(world_send(client, remote, MNOS_INFO(1, 100), NEVER), WORLD_WAITS);
    CHECK_EQ(world_receive(server, port, 0, NEVER), 0);
    CHECK_EQ(server->buffer->data[67], 0x11);
    CHECK_EQ(server->buffer->data[68], 0xEE);
}

TEST(ipc, an_info_word_out_of_range_is_refused)
{
    const uint64_t bad[] = {
        MNOS_INFO(0, MNOS_MESSAGE_MAX_BYTES + 1),
        MNOS_INFO_CAPS(5),
        MNOS_INFO_ACCEPT(5),
        4ull << MNOS_INFO_KIND_SHIFT,
        1ull << 22,
        1ull << 31,
    };

    init();
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        uint64_t rax = world_send(client, remote, bad[i], NEVER);
        CHECK_EQ(STATUS_OF(rax), MNOS_ERR_ARGUMENT);
        CHECK_EQ(MNOS_DETAIL_ARGUMENT(rax), 2);
        CHECK_EQ(STATUS_OF(world_ipc_call(client, remote, bad[i], NEVER)), MNOS_ERR_ARGUMENT);
        CHECK_EQ(STATUS_OF(world_reply(server, 0, bad[i], port)), MNOS_ERR_ARGUMENT);
    }
    /* Only a reply can be a notification in its place. */
    CHECK_EQ(STATUS_OF(world_send(client, remote, MNOS_INFO_NOTIFY, NEVER)), MNOS_ERR_ARGUMENT);
    CHECK_EQ(STATUS_OF(world_ipc_call(client, remote, MNOS_INFO_NOTIFY, NEVER)), MNOS_ERR_ARGUMENT);
    world_check();
}

TEST(ipc, sending_needs_write_and_receiving_needs_read)
{
    init();
    uint64_t rax = world_receive(client, remote, 0, POLL);
    CHECK_EQ(STATUS_OF(rax), MNOS_ERR_RIGHTS);
    CHECK_EQ(MNOS_DETAIL_RIGHTS(rax), MNOS_RIGHT_READ);
    mnos_cap_t reader = CALL_VALUE(server, cap_create, MNOS_CREATE_COPY, port, MNOS_RIGHT_READ);
    rax = world_send(server, reader, MNOS_INFO(0, 0), POLL);
    CHECK_EQ(STATUS_OF(rax), MNOS_ERR_RIGHTS);
    CHECK_EQ(MNOS_DETAIL_RIGHTS(rax), MNOS_RIGHT_WRITE);
    mnos_cap_t memory = CALL_VALUE(server, mem_alloc, 1);
    rax = world_send(server, memory, MNOS_INFO(0, 0), POLL);
    CHECK_EQ(STATUS_OF(rax), MNOS_ERR_TYPE);
    CHECK_EQ(MNOS_DETAIL_TYPE(rax), MNOS_TYPE_MEMORY);
    CHECK_EQ(STATUS_OF(world_reply(client, 0, 0, remote)), MNOS_ERR_RIGHTS);
}

/* ---- calls and replies ---- */

/* `caller` calls and `server` has received it; the reply id. */
static uint64_t call_received(struct thread *caller, uint64_t word)
{
    set_words(caller, word);
    CHECK_EQ(world_ipc_call(caller, remote, MNOS_INFO(word, 32), NEVER), WORLD_WAITS);
    CHECK_EQ(world_receive(server, port, 0, NEVER), 0);
    CHECK_EQ(caller->state, THREAD_CALLING);
    check_words(server, word);
    return server->frame.r12;
}

TEST(ipc, a_call_gets_its_reply)
{
    init();
    uint64_t id = call_received(client, 40);
    CHECK(id != 0);
    set_words(server, 80);
    CHECK_EQ(world_reply(server, id, MNOS_INFO(9, 32), 0), 0);
    CHECK(world_woke_with(client, MNOS_OK));
    check_words(client, 80);
    CHECK_EQ(client->frame.rsi, MNOS_INFO(9, 32));
    CHECK_EQ(client->frame.rdi, 0);
    CHECK_EQ(client->frame.r12, 0);
    world_check();
}

TEST(ipc, reply_and_wait_is_one_call)
{
    init();
    CHECK_EQ(world_receive(server, port, 0, NEVER), WORLD_WAITS);
    for (unsigned i = 0; i < 10; i++) {
        set_words(client, i);
        CHECK_EQ(world_ipc_call(client, remote, MNOS_INFO(i, 32), NEVER), WORLD_WAITS);
        CHECK_EQ(server->state, THREAD_RUNNING); /* handed over directly */
        check_words(server, i);
        set_words(server, 1000 + i);
        CHECK_EQ(world_reply(server, server->frame.r12, MNOS_INFO(i, 32), port), WORLD_WAITS);
        CHECK_EQ(client->state, THREAD_RUNNING);
        CHECK_EQ(client->frame.rax, 0);
        check_words(client, 1000 + i);
    }
    world_check();
}

TEST(ipc, replies_can_be_given_in_any_order)
{
    uint64_t first, second;

    init();
    first = call_received(client, 1);
    second = call_received(other, 2);
    CHECK(first != second);
    set_words(server, 20);
    CHECK_EQ(world_reply(server, second, MNOS_INFO(0, 32), 0), 0);
    CHECK_EQ(client->state, THREAD_CALLING);
    CHECK(world_woke_with(other, MNOS_OK));
    check_words(other, 20);
    set_words(server, 10);
    CHECK_EQ(world_reply(server, first, MNOS_INFO(0, 32), 0), 0);
    check_words(client, 10);
    world_check();
}

TEST(ipc, forged_and_stale_reply_ids_are_refused)
{
    init();
    uint64_t id = call_received(client, 1);
    const uint64_t forged[] = {id + 1, id ^ 1ull << 40, id + (1ull << 24), UINT64_MAX,
                               1,      1ull << 24};
    for (unsigned i = 0; i < sizeof(forged) / sizeof(forged[0]); i++) {
        uint64_t rax = world_reply(server, forged[i], MNOS_INFO(0, 0), 0);
        CHECK_EQ(STATUS_OF(rax), MNOS_ERR_REPLY);
        CHECK_EQ(MNOS_DETAIL_ARGUMENT(rax), 1);
    }
    /* Another process cannot answer, though it knows the id. */
    CHECK_EQ(STATUS_OF(world_reply(other, id, MNOS_INFO(0, 0), 0)), MNOS_ERR_REPLY);
    CHECK_EQ(client->state, THREAD_CALLING);
    CHECK_EQ(world_reply(server, id, MNOS_INFO(0, 0), 0), 0);
    CHECK_EQ(STATUS_OF(world_reply(server, id, MNOS_INFO(0, 0), 0)), MNOS_ERR_REPLY);
    CHECK(call_received(client, 2) != id);
    CHECK_EQ(STATUS_OF(world_reply(server, id, MNOS_INFO(0, 0), 0)), MNOS_ERR_REPLY);
    world_check();
}

TEST(ipc, another_thread_of_the_server_can_reply)
{
    init();
    struct thread *second = world_thread(world_root, WORLD_PRIORITY);
    uint64_t id = call_received(client, 1);
    set_words(second, 33);
    CHECK_EQ(world_reply(second, id, MNOS_INFO(0, 32), 0), 0);
    CHECK(world_woke_with(client, MNOS_OK));
    check_words(client, 33);
    world_check();
}

TEST(ipc, a_dropped_reply_wakes_the_caller_with_peer)
{
    init();
    uint64_t id = call_received(client, 1);
    CHECK_EQ(world_reply(server, id, MNOS_INFO_DROP, 0), 0);
    CHECK(world_woke_with(client, MNOS_ERR_PEER));
    world_check();
}

TEST(ipc, the_death_of_a_server_wakes_its_callers)
{
    mnos_cap_t handle;

    init();
    struct thread *doomed =
        world_thread_with(world_root, WORLD_PRIORITY, MNOS_AFFINITY_ANY, 0, &handle);
    CHECK_EQ(world_ipc_call(client, remote, MNOS_INFO(0, 0), NEVER), WORLD_WAITS);
    CHECK_EQ(world_ipc_call(other, remote, MNOS_INFO(0, 0), NEVER), WORLD_WAITS);
    CHECK_EQ(world_receive(doomed, port, 0, NEVER), 0);
    CHECK_EQ(world_receive(doomed, port, 0, NEVER), 0);
    CHECK_EQ(CALL(server, thread_destroy, handle), 0);
    CHECK(world_woke_with(client, MNOS_ERR_PEER));
    CHECK(world_woke_with(other, MNOS_ERR_PEER));
    world_check();
}

TEST(ipc, the_death_of_a_caller_makes_its_reply_fail)
{
    mnos_cap_t handle;

    init();
    struct thread *caller =
        world_thread_with(client_process, WORLD_PRIORITY, MNOS_AFFINITY_ANY, 0, &handle);
    uint64_t id = call_received(caller, 1);
    CHECK_EQ(CALL(client, thread_destroy, handle), 0);
    CHECK_EQ(STATUS_OF(world_reply(server, id, MNOS_INFO(0, 0), 0)), MNOS_ERR_REPLY);
    CHECK(thread_queue_empty(&server->callers));
    world_check();
}

/* ---- deadlines ---- */

TEST(ipc, a_poll_does_not_wait)
{
    init();
    CHECK_EQ(STATUS_OF(world_receive(server, port, 0, POLL)), MNOS_ERR_DEADLINE);
    CHECK_EQ(STATUS_OF(world_send(client, remote, MNOS_INFO(0, 0), POLL)), MNOS_ERR_DEADLINE);
    CHECK_EQ(STATUS_OF(world_ipc_call(client, remote, MNOS_INFO(0, 0), POLL)), MNOS_ERR_DEADLINE);
    CHECK_EQ(world_receive(server, port, 0, NEVER), WORLD_WAITS);
    CHECK_EQ(world_send(client, remote, MNOS_INFO(0, 0), POLL), 0);
    CHECK(world_woke_with(server, MNOS_OK));
    world_check();
}

TEST(ipc, waits_end_at_their_deadlines)
{
    init();
    uint64_t now = arch_time_ns();
    CHECK_EQ(world_send(client, remote, MNOS_INFO(0, 0), now + 500), WORLD_WAITS);
    CHECK_EQ(world_send(other, remote, MNOS_INFO(0, 0), now + 1000), WORLD_WAITS);
    CHECK_EQ(host_cores[0].timer_ns, now + 500);
    host_time_pass(499);
    CHECK_EQ(client->state, THREAD_SENDING);
    host_time_pass(1);
    CHECK(world_woke_with(client, MNOS_ERR_DEADLINE));
    CHECK_EQ(other->state, THREAD_SENDING);
    (void)host_leave_kernel();
    CHECK_EQ(host_cores[0].timer_ns, now + 1000);
    CHECK_EQ(world_receive(server, port, 0, NEVER), 0);
    CHECK(world_woke_with(other, MNOS_OK));
    host_time_pass(1000);
    CHECK(world_woke_with(other, MNOS_OK)); /* its timer has been taken back */
    world_check();
}

TEST(ipc, the_deadline_of_a_call_covers_the_reply)
{
    init();
    uint64_t now = arch_time_ns();
    CHECK_EQ(world_ipc_call(client, remote, MNOS_INFO(0, 0), now + 500), WORLD_WAITS);
    CHECK_EQ(world_receive(server, port, 0, NEVER), 0);
    uint64_t id = server->frame.r12;
    host_time_pass(500);
    CHECK(world_woke_with(client, MNOS_ERR_DEADLINE));
    CHECK_EQ(STATUS_OF(world_reply(server, id, MNOS_INFO(0, 0), 0)), MNOS_ERR_REPLY);
    /* The same when the server was waiting already. */
    CHECK_EQ(world_receive(server, port, 0, NEVER), WORLD_WAITS);
    CHECK_EQ(world_ipc_call(client, remote, MNOS_INFO(0, 0), arch_time_ns() + 500), WORLD_WAITS);
    CHECK(world_woke_with(server, MNOS_OK));
    host_time_pass(500);
    CHECK(world_woke_with(client, MNOS_ERR_DEADLINE));
    CHECK(thread_queue_empty(&server->callers));
    world_check();
}

TEST(ipc, the_timer_of_an_earlier_wait_ends_no_later_one)
{
    init();
    uint64_t now = arch_time_ns();
    CHECK_EQ(world_receive(server, port, 0, now + 500), WORLD_WAITS);
    CHECK_EQ(CALL(client, ipc_notify, remote, 1), 0);
    CHECK_EQ(world_receive(server, port, 0, now + 2000), WORLD_WAITS);
    host_time_pass(1000);
    CHECK_EQ(server->state, THREAD_RECEIVING);
    host_time_pass(1000);
    CHECK(world_woke_with(server, MNOS_ERR_DEADLINE));
    world_check();
}

/* ---- revocation during a wait ---- */

TEST(ipc, revoking_wakes_those_who_wait_through_the_capability)
{
    init();
    struct thread *local = world_thread(world_root, WORLD_PRIORITY);
    CHECK_EQ(world_send(client, remote, MNOS_INFO(0, 0), NEVER), WORLD_WAITS);
    CHECK_EQ(world_ipc_call(other, remote, MNOS_INFO(0, 0), NEVER), WORLD_WAITS);
    CHECK_EQ(world_send(local, port, MNOS_INFO(0, 0), NEVER), WORLD_WAITS);
    CHECK_EQ(CALL(server, cap_revoke, port), 0);
    CHECK(world_woke_with(client, MNOS_ERR_REVOKED));
    CHECK(world_woke_with(other, MNOS_ERR_REVOKED));
    CHECK_EQ(local->state, THREAD_SENDING);
    CHECK_EQ(STATUS_OF(world_send(client, remote, MNOS_INFO(0, 0), NEVER)), MNOS_ERR_HANDLE);
    world_check();
}

TEST(ipc, a_call_that_was_received_survives_the_revocation)
{
    init();
    uint64_t id = call_received(client, 1);
    CHECK_EQ(CALL(server, cap_revoke, port), 0);
    CHECK_EQ(client->state, THREAD_CALLING);
    CHECK_EQ(world_reply(server, id, MNOS_INFO(5, 0), 0), 0);
    CHECK(world_woke_with(client, MNOS_OK));
    world_check();
}

TEST(ipc, deleting_the_endpoint_wakes_everybody)
{
    init();
    struct thread *local = world_thread(world_root, WORLD_PRIORITY);
    CHECK_EQ(world_receive(local, port, 0, NEVER), WORLD_WAITS);
    CHECK_EQ(CALL(server, cap_revoke, port), 0); /* the client's badge goes: an event */
    CHECK(world_woke_with(local, MNOS_OK));
    CHECK_EQ(MNOS_INFO_GET_KIND(local->frame.rsi), MNOS_KIND_CLIENT_GONE);
    CHECK_EQ(world_receive(local, port, 0, NEVER), WORLD_WAITS);
    CHECK_EQ(CALL(server, cap_delete, port), 0);
    CHECK(world_woke_with(local, MNOS_ERR_REVOKED));
    CHECK_EQ(STATUS_OF(world_receive(local, port, 0, NEVER)), MNOS_ERR_HANDLE);
    world_check();
}

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
    struct endpoint *queue = (struct endpoint *)world_object(world_root, last);
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

/* ---- events ---- */

TEST(ipc, events_gather_and_are_received_once)
{
    init();
    CHECK_EQ(CALL(client, ipc_notify, remote, 1), 0);
    CHECK_EQ(CALL(client, ipc_notify, remote, 0x82), 0);
    CHECK_EQ(world_receive(server, port, 0, POLL), 0);
    CHECK_EQ(MNOS_INFO_GET_KIND(server->frame.rsi), MNOS_KIND_EVENTS);
    CHECK_EQ(server->frame.rdx, 0x83);
    CHECK_EQ(server->frame.rdi, 0);
    CHECK_EQ(server->frame.r12, 0);
    CHECK_EQ(STATUS_OF(world_receive(server, port, 0, POLL)), MNOS_ERR_DEADLINE);
    CHECK_EQ(world_receive(server, port, 0, NEVER), WORLD_WAITS);
    CHECK_EQ(CALL(client, ipc_notify, remote, 4), 0);
    CHECK(world_woke_with(server, MNOS_OK));
    CHECK_EQ(server->frame.rdx, 4);
    world_check();
}

TEST(ipc, a_badge_limits_the_events)
{
    init();
    uint64_t rax = CALL(client, ipc_notify, remote, 0x100);
    CHECK_EQ(STATUS_OF(rax), MNOS_ERR_ARGUMENT);
    CHECK_EQ(MNOS_DETAIL_ARGUMENT(rax), 2);
    CHECK_EQ(STATUS_OF(CALL(client, ipc_notify, remote, 0x101)), MNOS_ERR_ARGUMENT);
    CHECK_EQ(STATUS_OF(CALL(client, ipc_notify, remote, 0)), MNOS_ERR_ARGUMENT);
    CHECK_EQ(endpoint()->events, 0);
    CHECK_EQ(CALL(server, ipc_notify, port, 1ull << 63), 0);
    CHECK_EQ(endpoint()->events, 1ull << 63);
}
