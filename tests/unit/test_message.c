// SPDX-License-Identifier: MIT
/* test_message.c - capabilities in messages: accepted, refused, as badges, paid for by the receiver. */
#include "ipc/message.h"

#include <string.h>

#include "abi/memory.h"
#include "cap/derive.h"
#include "sched/sched.h"
#include "tests/unit/kernel_world.h"

#define NEVER MNOS_DEADLINE_NEVER
#define POLL MNOS_DEADLINE_POLL
#define ALL_MINE 0xFF

static struct process *peer_process;
static struct thread *server, *peer;
static mnos_cap_t port;   /* the peer's process has a badge to it */
static mnos_cap_t remote; /* badge 7 */

/* The receiver is `server`, with all quota there is; `peer` sends. */
static void init(void)
{
    mnos_cap_t process, minted;

    world_init();
    peer_process = world_process(world_root, 200, 400000, &process);
    server = world_thread(world_root, WORLD_PRIORITY);
    peer = world_thread(peer_process, WORLD_PRIORITY);
    port = CALL_VALUE(server, cap_create, MNOS_CREATE_ENDPOINT);
    minted = CALL_VALUE(server, cap_create, MNOS_CREATE_MINT, port,
                        MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT, 7, 0xFF);
    remote = CALL_VALUE(server, cap_transfer, process, minted, MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT);
}

static void put(struct thread *thread, unsigned i, mnos_cap_t cap, uint8_t rights)
{
    thread->buffer->send_caps[i] = cap;
    thread->buffer->send_rights[i] = rights;
}

TEST(message, capabilities_arrive_as_children)
{
    init();
    mnos_cap_t memory = CALL_VALUE(peer, mem_alloc, 4);
    mnos_cap_t own = CALL_VALUE(peer, cap_create, MNOS_CREATE_ENDPOINT);
    put(peer, 0, memory, MNOS_RIGHT_READ);
    put(peer, 1, own, ALL_MINE);
    CHECK_EQ(world_send(peer, remote, MNOS_INFO(0, 0) | MNOS_INFO_CAPS(2), NEVER), WORLD_WAITS);
    CHECK_EQ(world_receive(server, port, 4, NEVER), 0);
    CHECK_EQ(MNOS_INFO_GET_CAPS(server->frame.rsi), 2);
    CHECK_EQ(server->buffer->recv_kinds[0], MNOS_RECEIVED_HANDLE);
    struct cap_view view = world_view(world_root, server->buffer->recv_caps[0]);
    CHECK_PTR_EQ(view.object, world_object(peer_process, memory));
    CHECK_EQ(view.rights, MNOS_RIGHT_READ);
    CHECK_EQ(view.count, 4);
    CHECK_PTR_EQ(cap_at(view.slot->parent), world_view(peer_process, memory).slot);
    CHECK_EQ(world_view(world_root, server->buffer->recv_caps[1]).rights, MNOS_RIGHTS_ALL);
    CHECK_EQ(CALL(peer, cap_revoke, memory), 0);
    CHECK_PTR_EQ(world_object(world_root, server->buffer->recv_caps[0]), NULL);
    world_check();
}

TEST(message, a_capability_to_its_own_endpoint_arrives_as_its_badge)
{
    init();
    uint32_t used = world_root->captable.used;
    put(peer, 0, remote, ALL_MINE);
    CHECK_EQ(world_send(peer, remote, MNOS_INFO_CAPS(1), NEVER), WORLD_WAITS);
    CHECK_EQ(world_receive(server, port, 1, NEVER), 0);
    CHECK_EQ(server->buffer->recv_kinds[0], MNOS_RECEIVED_BADGE);
    CHECK_EQ(server->buffer->recv_caps[0], 7);
    CHECK_EQ(world_root->captable.used, used);
    world_check();
}

TEST(message, more_capabilities_than_accepted_fail_at_the_sender_and_the_receiver_waits_on)
{
    init();
    put(peer, 0, CALL_VALUE(peer, mem_alloc, 1), ALL_MINE);
    CHECK_EQ(world_receive(server, port, 0, NEVER), WORLD_WAITS);
    uint32_t used = world_root->captable.used;
    CHECK_EQ(STATUS_OF(world_send(peer, remote, MNOS_INFO_CAPS(1), NEVER)), MNOS_ERR_ACCEPT);
    CHECK_EQ(server->state, THREAD_RECEIVING);
    CHECK_EQ(world_root->captable.used, used);
    world_check();
    CHECK_EQ(world_send(peer, remote, MNOS_INFO(3, 0), NEVER), 0);
    CHECK(world_woke_with(server, MNOS_OK));
    CHECK_EQ(MNOS_INFO_GET_LABEL(server->frame.rsi), 3);
    world_check();
}

TEST(message, a_receiver_put_back_is_still_the_first)
{
    init();
    struct thread *second = world_thread(world_root, WORLD_PRIORITY);
    put(peer, 0, CALL_VALUE(peer, mem_alloc, 1), ALL_MINE);
    CHECK_EQ(world_receive(server, port, 0, NEVER), WORLD_WAITS);
    CHECK_EQ(world_receive(second, port, 0, NEVER), WORLD_WAITS);
    CHECK_EQ(STATUS_OF(world_send(peer, remote, MNOS_INFO_CAPS(1), NEVER)), MNOS_ERR_ACCEPT);
    world_check();
    CHECK_EQ(world_send(peer, remote, MNOS_INFO(3, 0), NEVER), 0);
    CHECK(world_woke_with(server, MNOS_OK));
    CHECK_EQ(second->state, THREAD_RECEIVING);
    world_check();
}

TEST(message, a_receiver_skips_senders_whose_message_fails)
{
    init();
    struct thread *good = world_thread(peer_process, WORLD_PRIORITY);
    put(peer, 0, CALL_VALUE(peer, mem_alloc, 1), ALL_MINE);
    CHECK_EQ(world_ipc_call(peer, remote, MNOS_INFO_CAPS(1), NEVER), WORLD_WAITS);
    CHECK_EQ(world_send(good, remote, MNOS_INFO(8, 0), NEVER), WORLD_WAITS);
    CHECK_EQ(world_receive(server, port, 0, NEVER), 0);
    CHECK_EQ(MNOS_INFO_GET_LABEL(server->frame.rsi), 8);
    CHECK(world_woke_with(peer, MNOS_ERR_ACCEPT));
    CHECK(world_woke_with(good, MNOS_OK));
    world_check();
}

TEST(message, a_bad_capability_undoes_the_good_ones_before_it)
{
    init();
    mnos_cap_t good = CALL_VALUE(peer, mem_alloc, 1);
    mnos_cap_t kept = CALL_VALUE(peer, cap_create, MNOS_CREATE_COPY, good, MNOS_RIGHT_READ);
    CHECK_EQ(world_receive(server, port, 4, NEVER), WORLD_WAITS);
    uint32_t used = world_root->captable.used;
    put(peer, 0, good, ALL_MINE);
    put(peer, 1, good, MNOS_RIGHT_READ);
    put(peer, 2, kept, ALL_MINE); /* no Grant */
    CHECK_EQ(STATUS_OF(world_send(peer, remote, MNOS_INFO_CAPS(3), NEVER)), MNOS_ERR_RIGHTS);
    put(peer, 2, 12345, ALL_MINE);
    CHECK_EQ(STATUS_OF(world_send(peer, remote, MNOS_INFO_CAPS(3), NEVER)), MNOS_ERR_HANDLE);
    CHECK_EQ(server->state, THREAD_RECEIVING);
    CHECK_EQ(world_root->captable.used, used);
    CHECK_EQ(cap_at(world_view(peer_process, good).slot->child)->next, 0); /* `kept` alone */
    world_check();
}

TEST(message, no_more_rights_are_handed_on_than_held)
{
    init();
    mnos_cap_t good = CALL_VALUE(peer, mem_alloc, 1);
    mnos_cap_t weak =
        CALL_VALUE(peer, cap_create, MNOS_CREATE_COPY, good, MNOS_RIGHT_READ | MNOS_RIGHT_GRANT);
    CHECK_EQ(world_receive(server, port, 4, NEVER), WORLD_WAITS);
    put(peer, 0, weak, MNOS_RIGHT_READ | MNOS_RIGHT_WRITE);
    uint64_t rax = world_send(peer, remote, MNOS_INFO_CAPS(1), NEVER);
    CHECK_EQ(STATUS_OF(rax), MNOS_ERR_RIGHTS);
    CHECK_EQ(MNOS_DETAIL_RIGHTS(rax), MNOS_RIGHT_WRITE);
    world_check();
}

/* Uses up the bytes of a process, but for less than a page. */
static void spend_bytes(struct process *process)
{
    uint64_t left = process->quota.bytes.limit - quota_used(&process->quota.bytes);

    CHECK_EQ(quota_charge_bytes(&process->quota, left), MNOS_OK);
}

/* From here on the peer receives from *inbox and the server sends through what this returns. */
static mnos_cap_t turn_round(mnos_cap_t *inbox)
{
    *inbox = CALL_VALUE(peer, cap_create, MNOS_CREATE_ENDPOINT);
    put(peer, 0, *inbox, ALL_MINE);
    CHECK_EQ(world_send(peer, remote, MNOS_INFO_CAPS(1), NEVER), WORLD_WAITS);
    CHECK_EQ(world_receive(server, port, 1, NEVER), 0);
    return server->buffer->recv_caps[0];
}

TEST(message, the_receiver_pays_for_the_slots)
{
    mnos_cap_t inbox;

    init();
    mnos_cap_t outbox = turn_round(&inbox);
    while (peer_process->captable.free != NULL) /* to the last slot */
        (void)CALL_VALUE(peer, cap_create, MNOS_CREATE_COPY, inbox, 0);
    spend_bytes(peer_process);
    CHECK_EQ(world_receive(peer, inbox, 1, NEVER), WORLD_WAITS);
    uint64_t used = quota_used(&world_root->quota.bytes);
    put(server, 0, CALL_VALUE(server, mem_alloc, 1), ALL_MINE);
    uint64_t rax = world_send(server, outbox, MNOS_INFO_CAPS(1), NEVER);
    CHECK_EQ(STATUS_OF(rax), MNOS_ERR_QUOTA);
    CHECK_EQ(peer->state, THREAD_RECEIVING);
    CHECK(quota_used(&world_root->quota.bytes) >= used);
    world_check();
}

/* The server sends four, of which one fails with `status`. */
static void check_nothing_arrives(mnos_cap_t outbox, mnos_cap_t good, mnos_status_t status)
{
    uint32_t used = peer_process->captable.used;
    struct mnos_ipc_buffer before;

    memset(peer->buffer, 0x55, sizeof(*peer->buffer));
    memcpy(&before, peer->buffer, sizeof(before));
    server->buffer->data[MNOS_MESSAGE_REGISTER_BYTES] = 1;
    uint64_t rax = world_send(
        server, outbox, MNOS_INFO(1, MNOS_MESSAGE_REGISTER_BYTES + 1) | MNOS_INFO_CAPS(4), NEVER);
    CHECK_EQ(STATUS_OF(rax), status);
    CHECK_EQ(peer->state, THREAD_RECEIVING);
    CHECK_EQ(peer_process->captable.used, used);
    CHECK_EQ(memcmp(peer->buffer, &before, sizeof(before)), 0);
    CHECK_EQ(world_view(world_root, good).slot->child, 0);
    captable_check(&peer_process->captable);
}

TEST(message, one_capability_that_fails_at_any_position_keeps_all_from_arriving)
{
    mnos_cap_t inbox;

    init();
    mnos_cap_t outbox = turn_round(&inbox);
    mnos_cap_t good = CALL_VALUE(server, mem_alloc, 1), memory = CALL_VALUE(server, mem_alloc, 1);
    mnos_cap_t mine = CALL_VALUE(server, cap_create, MNOS_CREATE_COPY, memory, MNOS_RIGHT_READ);
    mnos_cap_t weak = CALL_VALUE(server, cap_create, MNOS_CREATE_COPY, memory,
                                 MNOS_RIGHT_READ | MNOS_RIGHT_GRANT);
    mnos_cap_t deep = memory;
    for (unsigned i = 0; i < CAP_DEPTH_MAX; i++)
        deep = CALL_VALUE(server, cap_create, MNOS_CREATE_COPY, deep, MNOS_RIGHTS_ALL);
    const struct {
        mnos_cap_t cap;
        uint8_t rights;
        mnos_status_t status;
    } bad[] = {{12345, ALL_MINE, MNOS_ERR_HANDLE},
               {mine, ALL_MINE, MNOS_ERR_RIGHTS},
               {weak, MNOS_RIGHT_READ | MNOS_RIGHT_WRITE, MNOS_ERR_RIGHTS},
               {deep, ALL_MINE, MNOS_ERR_STATE}};
    CHECK_EQ(world_receive(peer, inbox, 4, NEVER), WORLD_WAITS);
    for (unsigned position = 0; position < 4; position++)
        for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
            for (unsigned at = 0; at < 4; at++)
                put(server, at, at == position ? bad[i].cap : good,
                    at == position ? bad[i].rights : ALL_MINE);
            check_nothing_arrives(outbox, good, bad[i].status);
        }
    world_check();
}

TEST(message, a_table_that_is_full_at_any_position_keeps_all_from_arriving)
{
    mnos_cap_t inbox, copies[4] = {0};
    unsigned made = 0;

    init();
    struct thread *other = world_thread(peer_process, WORLD_PRIORITY);
    mnos_cap_t outbox = turn_round(&inbox), good = CALL_VALUE(server, mem_alloc, 1);
    while (peer_process->captable.free != NULL)
        copies[made++ % 4] = CALL_VALUE(peer, cap_create, MNOS_CREATE_COPY, inbox, 0);
    spend_bytes(peer_process);
    for (unsigned at = 0; at < 4; at++)
        put(server, at, good, ALL_MINE);
    CHECK_EQ(world_receive(peer, inbox, 4, NEVER), WORLD_WAITS);
    for (unsigned room = 0; room < 4; room++) {
        check_nothing_arrives(outbox, good, MNOS_ERR_QUOTA);
        CHECK_EQ(CALL(other, cap_delete, copies[room]), 0);
    }
    CHECK_EQ(world_send(server, outbox, MNOS_INFO_CAPS(4), NEVER), 0);
    CHECK(world_woke_with(peer, MNOS_OK));
    world_check();
}

TEST(message, what_was_made_of_a_capability_that_is_taken_back_goes_with_it)
{
    mnos_cap_t handle, guessed;

    init();
    struct cap_view view = world_view(world_root, CALL_VALUE(server, mem_alloc, 1));
    CHECK_EQ(cap_derive(peer_process, &view, 0, &handle), MNOS_OK);
    guessed = CALL_VALUE(peer, cap_create, MNOS_CREATE_COPY, handle, MNOS_RIGHT_READ);
    CHECK_EQ(CALL(peer, mem_map, MNOS_SELF, handle, 0x400000, 0, 1, MNOS_MAP_READ), 0);
    struct cap_view made = world_view(peer_process, handle);
    cap_undo(&made);
    CHECK_PTR_EQ(world_object(peer_process, guessed), NULL);
    CHECK_PTR_EQ(world_object(peer_process, handle), NULL);
    CHECK_EQ(view.slot->child, 0);
    world_check();
}

TEST(message, a_reply_carries_capabilities_too)
{
    init();
    CHECK_EQ(world_ipc_call(peer, remote, MNOS_INFO_ACCEPT(1), NEVER), WORLD_WAITS);
    CHECK_EQ(world_receive(server, port, 0, NEVER), 0);
    uint64_t id = server->frame.r12;
    put(server, 0, port,
        MNOS_RIGHT_WRITE); /* in a reply no badge: it travels through no endpoint */
    put(server, 1, port, MNOS_RIGHT_WRITE);
    /* Too many: the caller goes on waiting for a better reply. */
    CHECK_EQ(STATUS_OF(world_reply(server, id, MNOS_INFO_CAPS(2), 0)), MNOS_ERR_ACCEPT);
    CHECK_EQ(peer->state, THREAD_CALLING);
    world_check();
    CHECK_EQ(world_reply(server, id, MNOS_INFO_CAPS(1), 0), 0);
    CHECK(world_woke_with(peer, MNOS_OK));
    CHECK_EQ(peer->buffer->recv_kinds[0], MNOS_RECEIVED_HANDLE);
    CHECK_EQ(world_view(peer_process, peer->buffer->recv_caps[0]).rights, MNOS_RIGHT_WRITE);
    world_check();
}

TEST(message, a_failed_reply_keeps_the_callers_deadline)
{
    init();
    CHECK_EQ(world_ipc_call(peer, remote, 0, arch_time_ns() + 100), WORLD_WAITS);
    CHECK_EQ(world_receive(server, port, 0, NEVER), 0);
    uint64_t id = server->frame.r12;
    put(server, 0, port, MNOS_RIGHT_WRITE);
    CHECK_EQ(STATUS_OF(world_reply(server, id, MNOS_INFO_CAPS(1), port)), MNOS_ERR_ACCEPT);
    CHECK_EQ(server->state, THREAD_RUNNING); /* it does not wait for a message either */
    host_time_pass(100);
    CHECK(world_woke_with(peer, MNOS_ERR_DEADLINE));
    world_check();
}

TEST(message, events_come_before_messages)
{
    init();
    CHECK_EQ(world_send(peer, remote, MNOS_INFO(3, 0), NEVER), WORLD_WAITS);
    CHECK_EQ(CALL(server, ipc_notify, port, 2), 0);
    CHECK_EQ(world_receive(server, port, 0, NEVER), 0);
    CHECK_EQ(MNOS_INFO_GET_KIND(server->frame.rsi), MNOS_KIND_EVENTS);
    CHECK_EQ(world_receive(server, port, 0, NEVER), 0);
    CHECK_EQ(MNOS_INFO_GET_LABEL(server->frame.rsi), 3);
    world_check();
}
