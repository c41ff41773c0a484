// SPDX-License-Identifier: MIT
/* test_message.c - what a message carries: bytes, badges and capabilities; and replies. */
#include "lib/base/string.h"
#include "tests/guest/child.h"

#define LABEL_STOP 0xFFFFFFFFu
#define LABEL_ECHO 7u
#define REPLY_LABEL 0x12345678u

static struct raw_registers sending(mnos_cap_t endpoint, uint64_t info, uint64_t deadline_ns)
{
    return (struct raw_registers){.rdi = endpoint, .rsi = info, .r12 = deadline_ns};
}

/* ---- bytes ---- */

/* Answers each call with the same bytes, until told to stop. */
static void echo(void *argument)
{
    mnos_cap_t endpoint = (mnos_cap_t)argument;
    uint8_t bytes[MNOS_MESSAGE_MAX_BYTES];
    struct message msg = {0};

    while (ipc_reply_receive(endpoint, &msg, soon()) == MNOS_OK && msg.label != LABEL_STOP) {
        size_t length = message_get(&msg, bytes, sizeof bytes);

        message_put(&msg, REPLY_LABEL, bytes, length);
    }
    ipc_reply_status(msg.reply_id, MNOS_OK);
}

static void echo_stop(mnos_cap_t endpoint, struct thread *server)
{
    struct message msg = {.label = LABEL_STOP};

    CHECK_OK(ipc_call(endpoint, &msg, soon()));
    helper_finish(server);
}

TEST(message, every_length_travels_both_ways)
{
    static const size_t lengths[] = {0, 1, 7, 8, 31, 32, 33, 40, 63, 64, 65, 1000, 3999, 4000};
    mnos_cap_t endpoint = endpoint_new();
    struct thread server;

    helper_start(&server, echo, (void *)endpoint);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0] && !check_failed(); i++) {
        struct message msg = {0};

        message_fill_pattern(&msg, LABEL_ECHO, lengths[i], (uint8_t)i);
        CHECK_OK(ipc_call(endpoint, &msg, soon()));
        CHECK_EQ(msg.label, REPLY_LABEL);
        CHECK_EQ(msg.badge, 0);
        CHECK_EQ(msg.reply_id, 0);
        CHECK(message_has_pattern(&msg, lengths[i], (uint8_t)i));
    }
    echo_stop(endpoint, &server);
    cap_drop(endpoint);
}

static uint64_t echo_child(uint64_t endpoint, uint64_t, uint64_t, uint64_t)
{
    echo((void *)endpoint);
    return 1;
}

TEST(message, bytes_travel_between_processes)
{
    mnos_cap_t endpoint = endpoint_new();
    struct message msg = {0};
    struct child child;

    if (child_create(&child) &&
        child_start(&child, echo_child, child_give(&child, endpoint, MNOS_RIGHT_READ), 0, 0, 0)) {
        for (uint8_t i = 0; i < 50 && !check_failed(); i++) {
            message_fill_pattern(&msg, LABEL_ECHO, i * 80u, i);
            CHECK_OK(ipc_call(endpoint, &msg, soon()));
            CHECK(message_has_pattern(&msg, i * 80u, i));
        }
        msg = (struct message){.label = LABEL_STOP};
        CHECK_OK(ipc_call(endpoint, &msg, soon()));
        CHECK_EQ(child_result(&child), 1);
    }
    child_drop(&child);
    cap_drop(endpoint);
}

TEST(message, an_info_word_out_of_range_is_refused)
{
    mnos_cap_t endpoint = endpoint_new();
    const uint64_t bad[] = {MNOS_INFO(0, MNOS_MESSAGE_MAX_BYTES + 1),
                            MNOS_INFO(0, 0x1FFF),
                            MNOS_INFO_CAPS(5),
                            MNOS_INFO_CAPS(7),
                            MNOS_INFO_ACCEPT(5),
                            MNOS_INFO_ACCEPT(7)};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct raw_registers regs = sending(endpoint, bad[i], 0);
        const uint64_t wanted = MNOS_ERR_ARGUMENT | 2ull << 32;

        CHECK_EQ(raw_call(MNOS_SYS_ipc_send, &regs), wanted);
        regs = sending(endpoint, bad[i], 0);
        CHECK_EQ(raw_call(MNOS_SYS_ipc_call, &regs), wanted);
        regs = sending(endpoint, bad[i], 0);
        CHECK_EQ(raw_call(MNOS_SYS_ipc_recv, &regs), wanted);
        regs = sending(0, bad[i], 0);
        CHECK_EQ(raw_call(MNOS_SYS_ipc_reply, &regs), wanted);
    }
    cap_drop(endpoint);
}

/* ---- registers ---- */

static void send_once(void *argument)
{
    struct message msg = {.label = 3, .length = 8, .words = {0x1122334455667788ull}};

    (void)!ipc_send((mnos_cap_t)argument, &msg, soon());
}

TEST(message, callee_saved_registers_survive_a_wait)
{
    mnos_cap_t endpoint = endpoint_new();
    struct thread sender;
    uint64_t rbx = 0xB0, r14 = 0xE0, r15 = 0xF0, rax = MNOS_SYS_ipc_recv, rdi = endpoint, rsi = 0;
    uint64_t rdx = 0;
    register uint64_t r12 __asm__("r12") = soon();

    helper_start_at(&sender, send_once, (void *)endpoint, TEST_PRIORITY - 1, MNOS_AFFINITY_ANY);
    __asm__ volatile("mov %[b], %%rbx\n\tmov %[e], %%r14\n\tmov %[f], %%r15\n\tsyscall\n\t"
                     "mov %%rbx, %[b]\n\tmov %%r14, %[e]\n\tmov %%r15, %[f]"
                     : "+a"(rax), "+D"(rdi), "+S"(rsi), "+d"(rdx),
                       "+r"(r12), [b] "+m"(rbx), [e] "+m"(r14), [f] "+m"(r15)
                     :
                     : "rbx", "rcx", "r8", "r9", "r10", "r11", "r13", "r14", "r15", "memory", "cc");
    CHECK_EQ(rax, MNOS_OK);
    CHECK_EQ(rdx, 0x1122334455667788ull);
    CHECK_EQ(rsi, MNOS_INFO(3, 8));
    CHECK_EQ(r12, 0);
    CHECK(rbx == 0xB0 && r14 == 0xE0 && r15 == 0xF0);
    helper_finish(&sender);
    cap_drop(endpoint);
}

/* ---- badges ---- */

struct sending {
    mnos_cap_t endpoint;
    mnos_cap_t caps[MNOS_MESSAGE_MAX_CAPS];
    uint32_t cap_count;
    mnos_rights_t rights;
    mnos_status_t status;
};

static void send_caps(void *argument)
{
    struct sending *s = argument;
    struct message msg = {.label = 1};

    for (uint32_t i = 0; i < s->cap_count; i++)
        message_add_cap(&msg, s->caps[i], s->rights);
    s->status = ipc_send(s->endpoint, &msg, soon());
}

TEST(message, the_receiver_sees_the_badge_of_the_capability_used)
{
    mnos_cap_t endpoint = endpoint_new();
    mnos_cap_t minted = cap_mint(endpoint, 0xABCDEF0123456789ull, 0);
    mnos_cap_t copy = cap_copy(minted, MNOS_RIGHT_WRITE);
    const mnos_cap_t senders[] = {endpoint, minted, copy};

    for (unsigned i = 0; i < 3; i++) {
        struct sending s = {.endpoint = senders[i]};
        struct message msg = {0};
        struct thread sender;

        helper_start(&sender, send_caps, &s);
        CHECK_OK(ipc_receive(endpoint, &msg, soon()));
        CHECK_EQ(msg.badge, i == 0 ? 0 : 0xABCDEF0123456789ull);
        CHECK_EQ(msg.kind, MNOS_KIND_MESSAGE);
        CHECK_EQ(msg.reply_id, 0);
        helper_finish(&sender);
        CHECK_OK(s.status);
    }
    cap_drop(copy);
    cap_drop(minted);
    CHECK_OK(sys_cap_revoke(endpoint));
    cap_drop(endpoint);
}

/* ---- capabilities ---- */

/* Sends with `s` from a thread and receives here, accepting `accept`, until something comes or the sender
 * has got its answer; returns what receiving says. */
static mnos_status_t exchange(struct sending *s, mnos_cap_t from, uint32_t accept,
                              struct message *msg)
{
    struct thread sender;
    mnos_status_t status;
    bool over;

    helper_start(&sender, send_caps, s);
    do {
        over = thread_info(sender.thread).state == MNOS_STATE_DEAD;
        *msg = (struct message){.accept = accept};
        status = ipc_receive(from, msg, kinfo_time_ns() + 5 * MILLISECOND_NS);
    } while (status == MNOS_ERR_DEADLINE && !over && !check_failed());
    helper_finish(&sender);
    return status;
}

TEST(message, four_capabilities_arrive_as_children)
{
    struct sending s = {.endpoint = endpoint_new(),
                        .caps = {memory_new(1), endpoint_new(), process_new(), memory_new(2)},
                        .cap_count = 4,
                        .rights = MNOS_RIGHT_READ | MNOS_RIGHT_GRANT};
    mnos_cap_t got[MNOS_MESSAGE_MAX_CAPS];
    struct message msg;

    CHECK_OK(exchange(&s, s.endpoint, 4, &msg));
    CHECK_OK(s.status);
    CHECK_EQ(msg.cap_count, 4);
    for (unsigned i = 0; i < 4; i++) {
        CHECK_EQ(ipc_buffer()->recv_kinds[i], MNOS_RECEIVED_HANDLE);
        got[i] = message_cap(&msg, i);
    }
    for (unsigned i = 0; i < 4; i++) {
        struct mnos_cap_info info = cap_info(got[i]);

        CHECK_EQ(info.parent_handle, s.caps[i]);
        CHECK_EQ(info.rights, MNOS_RIGHT_READ | MNOS_RIGHT_GRANT);
        cap_drop(got[i]);
    }
    process_end(s.caps[2]);
    cap_drop(s.caps[0]);
    cap_drop(s.caps[1]);
    cap_drop(s.caps[3]);
    cap_drop(s.endpoint);
}

TEST(message, all_of_mine_gives_the_senders_rights)
{
    mnos_cap_t memory = memory_new(1);
    struct sending s = {.endpoint = endpoint_new(),
                        .caps = {cap_copy(memory, MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT)},
                        .cap_count = 1,
                        .rights = 0xFF};
    struct message msg;
    mnos_cap_t got;

    CHECK_OK(exchange(&s, s.endpoint, 1, &msg));
    got = message_cap(&msg, 0);
    CHECK_EQ(cap_info(got).rights, MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT);
    cap_drop(got);
    cap_drop(s.caps[0]);
    cap_drop(memory);
    cap_drop(s.endpoint);
}

TEST(message, more_capabilities_than_accepted_fail_at_the_sender)
{
    struct sending s = {.endpoint = endpoint_new(),
                        .caps = {memory_new(1), memory_new(1)},
                        .cap_count = 2,
                        .rights = MNOS_RIGHT_READ};
    struct message msg;

    for (uint32_t accept = 0; accept < 2; accept++) {
        CHECK_STATUS(exchange(&s, s.endpoint, accept, &msg), MNOS_ERR_DEADLINE);
        CHECK_EQ(s.status, MNOS_ERR_ACCEPT);
        CHECK_EQ(cap_info(s.caps[0]).child_count, 0);
    }
    cap_drop(s.caps[0]);
    cap_drop(s.caps[1]);
    cap_drop(s.endpoint);
}

TEST(message, a_bad_capability_undoes_those_before_it)
{
    mnos_cap_t memory = memory_new(1), ungrantable = cap_copy(memory, MNOS_RIGHT_READ);
    struct sending s = {.endpoint = endpoint_new(), .cap_count = 3, .rights = MNOS_RIGHT_READ};
    uint64_t before = process_info(MNOS_SELF).cap_count;
    struct message msg;

    memcpy(s.caps, (mnos_cap_t[]){memory, memory, ungrantable, 0}, sizeof s.caps);
    CHECK_STATUS(exchange(&s, s.endpoint, 4, &msg), MNOS_ERR_DEADLINE);
    CHECK_EQ(s.status, MNOS_ERR_RIGHTS);
    s.caps[2] = handle_stale();
    CHECK_STATUS(exchange(&s, s.endpoint, 4, &msg), MNOS_ERR_DEADLINE);
    CHECK_EQ(s.status, MNOS_ERR_HANDLE);
    s.cap_count = 1;
    s.caps[0] = ungrantable;
    CHECK_STATUS(exchange(&s, s.endpoint, 4, &msg), MNOS_ERR_DEADLINE);
    CHECK_EQ(s.status, MNOS_ERR_RIGHTS);
    s.caps[0] = memory;
    s.rights = 0x20 | MNOS_RIGHT_READ; /* no such right */
    CHECK_STATUS(exchange(&s, s.endpoint, 4, &msg), MNOS_ERR_DEADLINE);
    CHECK_EQ(s.status, MNOS_ERR_RIGHTS);
    CHECK_EQ(process_info(MNOS_SELF).cap_count, before);
    CHECK_EQ(cap_info(memory).child_count, 1);
    cap_drop(ungrantable);
    cap_drop(memory);
    cap_drop(s.endpoint);
}

TEST(message, one_that_fails_in_the_queue_makes_room_for_the_next)
{
    mnos_cap_t memory = memory_new(1);
    struct sending bad = {.endpoint = endpoint_new(), .caps = {memory}, .cap_count = 1};
    struct sending good = {.endpoint = bad.endpoint};
    struct message msg = {0};
    struct thread senders[2];

    helper_start(&senders[0], send_caps, &bad);
    thread_reaches(senders[0].thread, MNOS_STATE_SENDING);
    helper_start(&senders[1], send_caps, &good);
    thread_reaches(senders[1].thread, MNOS_STATE_SENDING);
    CHECK_OK(receive_now(bad.endpoint, &msg));
    CHECK_EQ(msg.cap_count, 0);
    helper_finish(&senders[0]);
    helper_finish(&senders[1]);
    CHECK_EQ(bad.status, MNOS_ERR_ACCEPT);
    CHECK_OK(good.status);
    cap_drop(memory);
    cap_drop(bad.endpoint);
}

static void receive_label(void *argument)
{
    struct sending *s = argument;
    struct message msg = {0};

    s->status = ipc_receive(s->endpoint, &msg, soon());
    s->cap_count = msg.label;
}

TEST(message, one_that_fails_leaves_the_receiver_waiting)
{
    mnos_cap_t memory = memory_new(1);
    struct sending s = {.endpoint = endpoint_new()};
    struct message bad = {.label = 1}, good = {.label = 2};
    struct thread receiver;

    helper_start(&receiver, receive_label, &s);
    thread_reaches(receiver.thread, MNOS_STATE_RECEIVING);
    message_add_cap(&bad, memory, MNOS_RIGHT_READ);
    CHECK_STATUS(ipc_send(s.endpoint, &bad, soon()), MNOS_ERR_ACCEPT);
    CHECK_EQ(thread_info(receiver.thread).state, MNOS_STATE_RECEIVING);
    CHECK_OK(ipc_send(s.endpoint, &good, MNOS_DEADLINE_POLL));
    helper_finish(&receiver);
    CHECK_OK(s.status);
    CHECK_EQ(s.cap_count, 2);
    cap_drop(memory);
    cap_drop(s.endpoint);
}

TEST(message, a_capability_to_the_endpoint_itself_arrives_as_its_badge)
{
    mnos_cap_t endpoint = endpoint_new(), other = endpoint_new();
    mnos_cap_t client = cap_mint(endpoint, 4711, 0);
    struct sending s = {.endpoint = endpoint,
                        .caps = {client, endpoint, other, 0},
                        .cap_count = 3,
                        .rights = MNOS_RIGHT_WRITE};
    uint64_t before = process_info(MNOS_SELF).cap_count;
    mnos_cap_t got;
    struct message msg;

    CHECK_OK(exchange(&s, endpoint, 4, &msg));
    got = ipc_buffer()->recv_caps[2];
    CHECK_EQ(ipc_buffer()->recv_kinds[0], MNOS_RECEIVED_BADGE);
    CHECK_EQ(ipc_buffer()->recv_caps[0], 4711);
    CHECK_EQ(ipc_buffer()->recv_kinds[1], MNOS_RECEIVED_BADGE);
    CHECK_EQ(ipc_buffer()->recv_caps[1], 0);
    CHECK_EQ(ipc_buffer()->recv_kinds[2], MNOS_RECEIVED_HANDLE);
    CHECK_EQ(process_info(MNOS_SELF).cap_count, before + 1);
    cap_drop(got);
    cap_drop(client);
    CHECK_OK(receive_now(endpoint, &msg)); /* the badge is gone */
    cap_drop(other);
    cap_drop(endpoint);
}

/* A server that answers one call with a capability. */
static void reply_with_cap(void *argument)
{
    struct sending *s = argument;
    struct message msg = {0};

    if (ipc_receive(s->endpoint, &msg, soon()) != MNOS_OK)
        return;
    message_put(&msg, 0, NULL, 0);
    message_add_cap(&msg, s->caps[0], MNOS_RIGHT_READ);
    s->status = ipc_reply(&msg);
    if (s->status != MNOS_OK)
        ipc_reply_status(msg.reply_id, s->status);
}

TEST(message, a_reply_carries_capabilities_when_the_caller_accepts)
{
    struct sending s = {.endpoint = endpoint_new(), .caps = {memory_new(1)}};
    struct message msg = {.accept = 1};
    struct thread server;
    mnos_cap_t got;

    helper_start(&server, reply_with_cap, &s);
    CHECK_OK(ipc_call(s.endpoint, &msg, soon()));
    CHECK_EQ(msg.label, MNOS_OK);
    CHECK_EQ(msg.cap_count, 1);
    got = message_cap(&msg, 0);
    CHECK_EQ(cap_info(got).parent_handle, s.caps[0]);
    cap_drop(got);
    helper_finish(&server);

    msg = (struct message){0};
    helper_start(&server, reply_with_cap, &s);
    CHECK_OK(ipc_call(s.endpoint, &msg, soon())); /* the server's second, better reply */
    CHECK_EQ(msg.label, MNOS_ERR_ACCEPT);
    CHECK_EQ(msg.cap_count, 0);
    helper_finish(&server);
    cap_drop(s.caps[0]);
    cap_drop(s.endpoint);
}

/* Tells how many capabilities came, and keeps none. */
static void answer_caps(struct message *msg)
{
    msg->label = msg->cap_count;
    if (msg->cap_count != 0)
        cap_drop(message_cap(msg, 0));
    msg->cap_count = 0;
}

/* Accepts a capability with every second message, waiting for it with its answer to the one before. */
static void accept_in_turns(void *endpoint)
{
    struct message msg = {.accept = 1};

    CHECK_OK(ipc_receive((mnos_cap_t)endpoint, &msg, soon()));
    for (unsigned i = 0; i < 6; i++) {
        answer_caps(&msg);
        msg.accept = i % 2;
        CHECK_OK(ipc_reply_receive((mnos_cap_t)endpoint, &msg, soon()));
    }
    answer_caps(&msg);
    CHECK_OK(ipc_reply(&msg));
}

static mnos_status_t call_with_cap(mnos_cap_t endpoint, mnos_cap_t cap)
{
    struct message msg = {0};
    mnos_status_t status;

    message_add_cap(&msg, cap, 0xFF);
    status = ipc_call(endpoint, &msg, soon());
    if (status == MNOS_OK)
        CHECK_EQ(msg.label, 1);
    return status;
}

TEST(message, what_is_accepted_is_what_the_wait_at_hand_says)
{
    mnos_cap_t endpoint = endpoint_new(), memory = memory_new(1);
    struct message msg = {0};
    struct thread server;

    helper_start(&server, accept_in_turns, (void *)endpoint);
    CHECK_OK(ipc_call(endpoint, &msg, soon()));
    for (unsigned i = 0; i < 3 && !check_failed(); i++) {
        CHECK_STATUS(call_with_cap(endpoint, memory), MNOS_ERR_ACCEPT);
        CHECK_OK(ipc_call(endpoint, &msg, soon())); /* the server still waits, and accepts none */
        CHECK_EQ(msg.label, 0);
        CHECK_OK(call_with_cap(endpoint, memory));
    }
    helper_finish(&server);
    cap_drop(memory);
    cap_drop(endpoint);
}
