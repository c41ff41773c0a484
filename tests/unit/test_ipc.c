// SPDX-License-Identifier: MIT
/* test_ipc.c - messages between simulated threads: send, call, receive, reply, and what goes wrong. */
#include <string.h>

#include "sched/sched.h"
#include "tests/unit/ipc_scene.h"

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

TEST(ipc, a_deadline_that_wakes_a_better_thread_leaves_the_timer_armed_for_the_next)
{
    world_init();
    struct thread *low = world_thread(world_root, WORLD_PRIORITY);
    struct thread *better = world_thread(world_root, WORLD_PRIORITY + 1);
    struct thread *best = world_thread(world_root, WORLD_PRIORITY + 2);
    uint64_t now = arch_time_ns();
    CHECK_EQ(CALL(best, thread_block, MNOS_SELF, now + 1000), WORLD_WAITS);
    CHECK_EQ(CALL(better, thread_block, MNOS_SELF, now + 500), WORLD_WAITS);
    CHECK(host_leave_kernel());
    CHECK_PTR_EQ(cores[0].current, low);
    host_time_pass(500);
    CHECK_PTR_EQ(cores[0].current, better);
    CHECK_EQ(host_cores[0].timer_ns, now + 1000);
    host_time_pass(500);
    CHECK_PTR_EQ(cores[0].current, best); /* the other one runs on and on */
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
