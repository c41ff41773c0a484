// SPDX-License-Identifier: MIT
/* test_wait.c - how waits on endpoints and for replies end; replies; events. */
#include "tests/guest/child.h"

struct waiting {
    mnos_cap_t endpoint;
    uint64_t deadline_ns;
    mnos_status_t status;
    uint64_t ended_ns;
    struct message msg;
};

static void do_send(void *argument)
{
    struct waiting *w = argument;

    w->status = ipc_send(w->endpoint, &w->msg, w->deadline_ns);
    w->ended_ns = kinfo_time_ns();
}

static void do_call(void *argument)
{
    struct waiting *w = argument;

    w->status = ipc_call(w->endpoint, &w->msg, w->deadline_ns);
    w->ended_ns = kinfo_time_ns();
}

static void do_receive(void *argument)
{
    struct waiting *w = argument;

    w->status = ipc_receive(w->endpoint, &w->msg, w->deadline_ns);
    w->ended_ns = kinfo_time_ns();
}

/* ---- deadlines ---- */

TEST(wait, a_poll_does_not_wait)
{
    mnos_cap_t endpoint = endpoint_new();
    struct message msg = {0};

    CHECK_STATUS(ipc_receive(endpoint, &msg, 0), MNOS_ERR_DEADLINE);
    CHECK_STATUS(ipc_send(endpoint, &msg, 0), MNOS_ERR_DEADLINE);
    CHECK_STATUS(ipc_call(endpoint, &msg, 0), MNOS_ERR_DEADLINE);
    CHECK_STATUS(ipc_receive(endpoint, &msg, kinfo_time_ns() - 1), MNOS_ERR_DEADLINE);
    CHECK_STATUS(ipc_reply_receive(endpoint, &msg, 0), MNOS_ERR_DEADLINE);
    cap_drop(endpoint);
}

static void check_deadline(thread_function *function, uint64_t delay_ns)
{
    struct waiting w = {.endpoint = endpoint_new(), .deadline_ns = kinfo_time_ns() + delay_ns};
    struct thread helper;

    helper_start(&helper, function, &w);
    helper_finish(&helper);
    CHECK_EQ(w.status, MNOS_ERR_DEADLINE);
    CHECK(is_in_time(w.deadline_ns, w.ended_ns));
    cap_drop(w.endpoint);
}

TEST(wait, a_deadline_ends_each_kind_of_wait_and_not_before)
{
    for (uint64_t delay_ns = 10000; delay_ns <= 20 * MILLISECOND_NS; delay_ns *= 10) {
        check_deadline(do_send, delay_ns);
        check_deadline(do_call, delay_ns);
        check_deadline(do_receive, delay_ns);
    }
}

/* Whether the call was received before its deadline, which then ended the wait for the reply. */
static bool call_and_wait_in_vain(uint64_t patience_ns)
{
    struct waiting w = {.endpoint = endpoint_new(), .deadline_ns = kinfo_time_ns() + patience_ns};
    struct message msg = {0};
    struct thread caller;
    bool received;

    helper_start(&caller, do_call, &w);
    received = ipc_receive(w.endpoint, &msg, w.deadline_ns) == MNOS_OK;
    CHECK(!received || msg.reply_id != 0);
    helper_finish(&caller);
    CHECK_EQ(w.status, MNOS_ERR_DEADLINE);
    if (received)
        CHECK_FAILS(ipc_reply(&msg), MNOS_ERR_REPLY, 1, 0);
    cap_drop(w.endpoint);
    return received;
}

TEST(wait, a_deadline_ends_the_wait_for_a_reply)
{
    uint64_t patience_ns = 20 * MILLISECOND_NS;

    while (!call_and_wait_in_vain(patience_ns) && !check_failed()) /* on a busy machine */
        patience_ns *= 2;
}

TEST(wait, for_ever_lasts_until_a_message_comes)
{
    struct waiting w = {.endpoint = endpoint_new(), .deadline_ns = MNOS_DEADLINE_NEVER};
    struct message msg = {.label = 5};
    struct thread receiver;

    helper_start(&receiver, do_receive, &w);
    thread_reaches(receiver.thread, MNOS_STATE_RECEIVING);
    CHECK_OK(ipc_send(w.endpoint, &msg, 0)); /* a receiver waits, so a poll succeeds */
    helper_finish(&receiver);
    CHECK_OK(w.status);
    CHECK_EQ(w.msg.label, 5);
    cap_drop(w.endpoint);
}

/* ---- order ---- */

TEST(wait, the_receiver_takes_the_highest_priority_sender)
{
    static const uint32_t priorities[] = {10, 30, 20, 30};
    static const uint32_t order[] = {1, 3, 2, 0};
    mnos_cap_t endpoint = endpoint_new();
    struct waiting w[4];
    struct thread senders[4];

    for (uint32_t i = 0; i < 4; i++) {
        w[i] = (struct waiting){.endpoint = endpoint, .deadline_ns = soon(), .msg = {.label = i}};
        helper_start_at(&senders[i], do_send, &w[i], priorities[i], MNOS_AFFINITY_ANY);
        thread_reaches(senders[i].thread, MNOS_STATE_SENDING);
    }
    for (uint32_t i = 0; i < 4; i++) {
        struct message msg = {0};

        CHECK_OK(receive_now(endpoint, &msg));
        CHECK_EQ(msg.label, order[i]);
    }
    for (uint32_t i = 0; i < 4; i++)
        helper_finish(&senders[i]);
    cap_drop(endpoint);
}

/* ---- replies ---- */

TEST(reply, put_aside_and_answered_out_of_order)
{
    mnos_cap_t endpoint = endpoint_new();
    struct waiting w[8];
    struct thread callers[8];
    uint64_t ids[8] = {0};

    for (uint32_t i = 0; i < 8; i++) {
        w[i] = (struct waiting){
            .endpoint = endpoint, .deadline_ns = soon(), .msg = {.label = i, .length = 8}};
        helper_start(&callers[i], do_call, &w[i]);
    }
    for (uint32_t i = 0; i < 8; i++) {
        struct message msg = {0};

        CHECK_OK(ipc_receive(endpoint, &msg, soon()));
        ids[msg.label & 7] = msg.reply_id;
    }
    for (uint32_t i = 8; i-- > 0;) {
        struct message msg = {.label = 100 + i, .reply_id = ids[i]};

        CHECK_EQ(thread_info(callers[i].thread).state, MNOS_STATE_CALLING);
        CHECK_EQ(thread_info(callers[i].thread).waits_for, thread_info(MNOS_SELF).id);
        CHECK_OK(ipc_reply(&msg));
        CHECK_FAILS(ipc_reply(&msg), MNOS_ERR_REPLY, 1, 0); /* one shot */
        helper_finish(&callers[i]);
        CHECK_OK(w[i].status);
        CHECK_EQ(w[i].msg.label, 100 + i);
    }
    cap_drop(endpoint);
}

TEST(reply, forged_identifiers_are_refused)
{
    mnos_cap_t endpoint = endpoint_new();
    struct waiting w = {.endpoint = endpoint, .deadline_ns = soon()};
    struct message msg = {0}, forged;
    struct thread caller;
    uint64_t tries[] = {0, 0, 0, 1, 1ull << 24, UINT64_MAX, 0xFFFFFF, 0x800000};

    helper_start(&caller, do_call, &w);
    CHECK_OK(ipc_receive(endpoint, &msg, soon()));
    tries[0] = msg.reply_id + 1;
    tries[1] = msg.reply_id + (1ull << 24);
    tries[2] = msg.reply_id - (1ull << 24);
    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
        forged = (struct message){.label = 666, .reply_id = tries[i]};
        CHECK_FAILS(ipc_reply(&forged), MNOS_ERR_REPLY, 1, 0);
    }
    CHECK_OK(ipc_reply(&msg));
    helper_finish(&caller);
    CHECK_OK(w.status);
    cap_drop(endpoint);
}

static uint64_t reply_to(uint64_t reply_id, uint64_t, uint64_t, uint64_t)
{
    const struct message msg = {.label = 666, .reply_id = reply_id};

    return ipc_reply(&msg);
}

TEST(reply, another_process_cannot_answer)
{
    mnos_cap_t endpoint = endpoint_new();
    struct waiting w = {.endpoint = endpoint, .deadline_ns = soon()};
    struct message msg = {0};
    struct thread caller;

    helper_start(&caller, do_call, &w);
    CHECK_OK(ipc_receive(endpoint, &msg, soon()));
    CHECK_EQ(child_run(reply_to, msg.reply_id, 0, 0, 0).exit_code, MNOS_ERR_REPLY);
    msg.label = 1;
    CHECK_OK(ipc_reply(&msg));
    helper_finish(&caller);
    CHECK_EQ(w.msg.label, 1);
    cap_drop(endpoint);
}

TEST(reply, a_dropped_reply_wakes_the_caller)
{
    mnos_cap_t endpoint = endpoint_new();
    struct waiting w = {.endpoint = endpoint, .deadline_ns = soon()};
    struct raw_registers regs;
    struct message msg = {0};
    struct thread caller;

    helper_start(&caller, do_call, &w);
    CHECK_OK(ipc_receive(endpoint, &msg, soon()));
    regs = (struct raw_registers){.rdi = msg.reply_id, .rsi = MNOS_INFO_DROP};
    CHECK_EQ(raw_call(MNOS_SYS_ipc_reply, &regs), MNOS_OK);
    helper_finish(&caller);
    CHECK_EQ(w.status, MNOS_ERR_PEER);
    cap_drop(endpoint);
}

TEST(reply, nobody_and_no_endpoint_is_nothing_to_do)
{
    struct raw_registers regs = {0};

    CHECK_EQ(raw_call(MNOS_SYS_ipc_reply, &regs), MNOS_OK);
}

/* Takes one call and ends without answering. */
static uint64_t take_and_die(uint64_t endpoint, uint64_t, uint64_t, uint64_t)
{
    struct message msg = {0};

    return ipc_receive(endpoint, &msg, MNOS_DEADLINE_NEVER);
}

TEST(reply, a_servers_death_wakes_its_caller)
{
    mnos_cap_t endpoint = endpoint_new();
    struct message msg = {0};
    struct child child;

    if (child_create(&child) &&
        child_start(&child, take_and_die, child_give(&child, endpoint, MNOS_RIGHT_READ), 0, 0, 0)) {
        CHECK_STATUS(ipc_call(endpoint, &msg, soon()), MNOS_ERR_PEER);
        CHECK_EQ(child_result(&child), MNOS_OK);
    }
    child_drop(&child);
    cap_drop(endpoint);
}

static void take_and_park(void *argument)
{
    struct message msg = {0};
    uint64_t now;

    (void)!ipc_receive((mnos_cap_t)argument, &msg, soon());
    (void)!sys_thread_block(MNOS_SELF, MNOS_DEADLINE_NEVER, &now);
}

TEST(reply, the_death_of_the_servers_thread_wakes_its_caller)
{
    mnos_cap_t endpoint = endpoint_new();
    struct waiting w = {.endpoint = endpoint, .deadline_ns = soon()};
    struct thread server, caller;

    helper_start(&server, take_and_park, (void *)endpoint);
    helper_start(&caller, do_call, &w);
    thread_reaches(caller.thread, MNOS_STATE_CALLING);
    thread_reaches(server.thread, MNOS_STATE_PARKED);
    helper_end(&server);
    helper_finish(&caller);
    CHECK_EQ(w.status, MNOS_ERR_PEER);
    cap_drop(endpoint);
}

TEST(reply, a_server_runs_at_its_callers_priority_until_it_replies)
{
    mnos_cap_t endpoint = endpoint_new();
    struct waiting w = {.endpoint = endpoint, .deadline_ns = soon()};
    struct message msg = {0};
    struct thread caller;

    helper_start_at(&caller, do_call, &w, TEST_PRIORITY + 8, MNOS_AFFINITY_ANY);
    CHECK_OK(ipc_receive(endpoint, &msg, soon()));
    CHECK_EQ(thread_info(MNOS_SELF).effective_priority, TEST_PRIORITY + 8);
    CHECK_EQ(thread_info(MNOS_SELF).priority, TEST_PRIORITY);
    CHECK_OK(ipc_reply(&msg));
    CHECK_EQ(thread_info(MNOS_SELF).effective_priority, TEST_PRIORITY);
    helper_finish(&caller);
    cap_drop(endpoint);
}

/* ---- revocation and destruction during a wait ---- */

static void check_revoked(thread_function *function, bool by_delete)
{
    mnos_cap_t endpoint = endpoint_new();
    struct waiting w = {.endpoint = cap_copy(endpoint, MNOS_RIGHTS_ALL), .deadline_ns = soon()};
    struct thread helper;

    helper_start(&helper, function, &w);
    thread_reaches(helper.thread,
                   function == do_receive ? MNOS_STATE_RECEIVING : MNOS_STATE_SENDING);
    if (by_delete)
        CHECK_OK(sys_cap_delete(w.endpoint));
    else
        CHECK_OK(sys_cap_revoke(endpoint));
    helper_finish(&helper);
    CHECK_EQ(w.status, MNOS_ERR_REVOKED);
    cap_drop(endpoint);
}

TEST(wait, revoking_or_deleting_the_capability_ends_it)
{
    check_revoked(do_send, false);
    check_revoked(do_call, false);
    check_revoked(do_receive, false);
    check_revoked(do_send, true);
    check_revoked(do_call, true);
    check_revoked(do_receive, true);
}

TEST(wait, revocation_leaves_those_who_wait_through_another_capability)
{
    mnos_cap_t endpoint = endpoint_new();
    struct waiting doomed = {.endpoint = cap_copy(endpoint, MNOS_RIGHTS_ALL),
                             .deadline_ns = soon()};
    struct waiting safe = {.endpoint = endpoint, .deadline_ns = soon(), .msg = {.label = 4}};
    struct message msg = {0};
    struct thread helpers[2];

    helper_start(&helpers[0], do_send, &doomed);
    helper_start(&helpers[1], do_send, &safe);
    thread_reaches(helpers[0].thread, MNOS_STATE_SENDING);
    thread_reaches(helpers[1].thread, MNOS_STATE_SENDING);
    CHECK_OK(sys_cap_revoke(endpoint));
    helper_finish(&helpers[0]);
    CHECK_EQ(doomed.status, MNOS_ERR_REVOKED);
    CHECK_OK(receive_now(endpoint, &msg));
    CHECK_EQ(msg.label, 4);
    helper_finish(&helpers[1]);
    CHECK_OK(safe.status);
    cap_drop(endpoint);
}

TEST(wait, a_call_already_received_is_not_cancelled_by_revocation)
{
    mnos_cap_t endpoint = endpoint_new();
    struct waiting w = {.endpoint = cap_copy(endpoint, MNOS_RIGHTS_ALL), .deadline_ns = soon()};
    struct message msg = {0};
    struct thread caller;

    helper_start(&caller, do_call, &w);
    CHECK_OK(ipc_receive(endpoint, &msg, soon()));
    CHECK_OK(sys_cap_revoke(endpoint));
    msg.label = 8;
    CHECK_OK(ipc_reply(&msg));
    helper_finish(&caller);
    CHECK_OK(w.status);
    CHECK_EQ(w.msg.label, 8);
    cap_drop(endpoint);
}

TEST(wait, the_end_of_the_endpoints_owner_ends_it)
{
    struct waiting w = {.deadline_ns = soon()};
    mnos_cap_t endpoint = endpoint_new();
    struct thread helper;

    w.endpoint = endpoint;
    helper_start(&helper, do_receive, &w);
    thread_reaches(helper.thread, MNOS_STATE_RECEIVING);
    cap_drop(endpoint); /* the last capability */
    helper_finish(&helper);
    CHECK_EQ(w.status, MNOS_ERR_REVOKED);
}

/* ---- events ---- */

TEST(events, notify_collects_bits_and_receive_takes_them_all)
{
    mnos_cap_t endpoint = endpoint_new();
    struct message msg = {0};

    CHECK_OK(sys_ipc_notify(endpoint, 1));
    CHECK_OK(sys_ipc_notify(endpoint, 1ull << 63));
    CHECK_OK(sys_ipc_notify(endpoint, 1));
    CHECK_OK(receive_now(endpoint, &msg));
    CHECK_EQ(msg.kind, MNOS_KIND_EVENTS);
    CHECK_EQ(msg.words[0], 1ull << 63 | 1);
    CHECK_EQ(msg.badge, 0);
    CHECK_EQ(msg.reply_id, 0);
    CHECK_EQ(msg.length, 0);
    CHECK_STATUS(receive_now(endpoint, &msg), MNOS_ERR_DEADLINE);
    cap_drop(endpoint);
}

TEST(events, notify_wakes_a_receiver)
{
    struct waiting w = {.endpoint = endpoint_new(), .deadline_ns = soon()};
    struct thread receiver;
    struct message msg;

    helper_start(&receiver, do_receive, &w);
    thread_reaches(receiver.thread, MNOS_STATE_RECEIVING);
    CHECK_OK(sys_ipc_notify(w.endpoint, 0x10));
    helper_finish(&receiver);
    CHECK_OK(w.status);
    CHECK_EQ(w.msg.words[0], 0x10);
    CHECK_STATUS(receive_now(w.endpoint, &msg), MNOS_ERR_DEADLINE);
    cap_drop(w.endpoint);
}

TEST(events, only_those_of_the_mask_can_be_set)
{
    mnos_cap_t endpoint = endpoint_new();
    mnos_cap_t minted = cap_mint(endpoint, 1, 0x6), none = cap_mint(endpoint, 2, 0);
    struct message msg = {0};

    CHECK_FAILS(sys_ipc_notify(endpoint, 0), MNOS_ERR_ARGUMENT, 2, 0);
    CHECK_FAILS(sys_ipc_notify(minted, 1), MNOS_ERR_ARGUMENT, 2, 0);
    CHECK_FAILS(sys_ipc_notify(minted, 7), MNOS_ERR_ARGUMENT, 2, 0);
    CHECK_FAILS(sys_ipc_notify(none, 1), MNOS_ERR_ARGUMENT, 2, 0);
    CHECK_OK(sys_ipc_notify(minted, 2));
    CHECK_OK(sys_ipc_notify(minted, 4));
    CHECK_OK(receive_now(endpoint, &msg));
    CHECK_EQ(msg.words[0], 6);
    CHECK_OK(sys_cap_revoke(endpoint));
    cap_drop(endpoint);
}

TEST(events, the_last_capability_with_a_badge_tells_when_it_goes)
{
    mnos_cap_t endpoint = endpoint_new();
    mnos_cap_t minted = cap_mint(endpoint, 55, 0);
    mnos_cap_t copy = cap_copy(minted, 0);
    struct message msg = {0};

    cap_drop(minted);
    CHECK_STATUS(receive_now(endpoint, &msg), MNOS_ERR_DEADLINE);
    cap_drop(copy);
    CHECK_OK(receive_now(endpoint, &msg));
    CHECK_EQ(msg.kind, MNOS_KIND_CLIENT_GONE);
    CHECK_EQ(msg.badge, 55);
    CHECK_STATUS(receive_now(endpoint, &msg), MNOS_ERR_DEADLINE);
    cap_drop(endpoint);
}

TEST(events, a_waiting_receiver_learns_that_a_client_died)
{
    mnos_cap_t endpoint = endpoint_new(), client = cap_mint(endpoint, 91, 0);
    mnos_cap_t process = process_new(), given = 0;
    struct waiting w = {.endpoint = endpoint, .deadline_ns = soon()};
    struct thread receiver;

    CHECK_OK(sys_cap_transfer(process, client, MNOS_RIGHT_WRITE, &given));
    cap_drop(client);
    helper_start(&receiver, do_receive, &w);
    thread_reaches(receiver.thread, MNOS_STATE_RECEIVING);
    process_end(process);
    helper_finish(&receiver);
    CHECK_OK(w.status);
    CHECK_EQ(w.msg.kind, MNOS_KIND_CLIENT_GONE);
    CHECK_EQ(w.msg.badge, 91);
    cap_drop(endpoint);
}
