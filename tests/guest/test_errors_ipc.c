// SPDX-License-Identifier: MIT
/* test_errors_ipc.c - the errors of messages, each as abi/syscalls.toml promises it. */
#include "tests/guest/child.h"
#include "tests/guest/claim.h"

#define DEPTH_MAX 250   /* the kernel's CAP_DEPTH_MAX */
#define FILL_MAX 20000u /* no table of a test's process has so many slots */
#define TOO_LONG MNOS_INFO(0, MNOS_MESSAGE_MAX_BYTES + 1)

TEST(errors, of_info_words_out_of_range)
{
    mnos_cap_t endpoint = endpoint_new();
    struct raw_registers long_message = {.rdi = endpoint, .rsi = TOO_LONG};
    struct raw_registers five_caps = {.rdi = endpoint, .rsi = MNOS_INFO_CAPS(5)};
    struct raw_registers accept_five = {.rdi = endpoint, .rsi = MNOS_INFO_ACCEPT(5)};
    struct raw_registers regs;

    CHECK_ERROR_RAW(ipc_send, ERR_ARGUMENT, 2, 0, (regs = long_message, &regs));
    CHECK_ERROR_RAW(ipc_send, ERR_ARGUMENT, 2, 0, (regs = five_caps, &regs));
    CHECK_ERROR_RAW(ipc_call, ERR_ARGUMENT, 2, 0, (regs = long_message, &regs));
    CHECK_ERROR_RAW(ipc_call, ERR_ARGUMENT, 2, 0, (regs = accept_five, &regs));
    CHECK_ERROR_RAW(ipc_recv, ERR_ARGUMENT, 2, 0, (regs = accept_five, &regs));
    CHECK_ERROR_RAW(ipc_reply, ERR_ARGUMENT, 2, 0, (regs = long_message, &regs));
    CHECK_ERROR_RAW(ipc_reply, ERR_ARGUMENT, 2, 0, (regs = five_caps, &regs));
    cap_drop(endpoint);
}

/* Each with a good endpoint, on which nothing has been set afterwards. */
TEST(errors, of_notifying_instead_of_replying)
{
    mnos_cap_t endpoint = endpoint_new(), masked = cap_mint(endpoint, 7, 0xF0);
    const uint64_t infos[] = {
        MNOS_INFO_NOTIFY | MNOS_INFO(1, 0), MNOS_INFO_NOTIFY | MNOS_INFO(0, 1),
        MNOS_INFO_NOTIFY | MNOS_INFO_CAPS(1), MNOS_INFO_NOTIFY | MNOS_INFO_ACCEPT(5),
        MNOS_INFO_NOTIFY | MNOS_INFO_DROP};
    struct raw_registers regs;

    for (unsigned i = 0; i < sizeof infos / sizeof infos[0]; i++) {
        regs = (struct raw_registers){.rdi = endpoint, .rsi = infos[i], .rdx = 1, .r13 = endpoint};
        CHECK_ERROR_RAW(ipc_reply, ERR_ARGUMENT, 2, 0, &regs);
    }
    regs = (struct raw_registers){.rdi = endpoint, .rsi = MNOS_INFO_NOTIFY, .r13 = endpoint};
    CHECK_ERROR_RAW(ipc_reply, ERR_ARGUMENT, 3, 0, &regs);
    regs = (struct raw_registers){
        .rdi = masked, .rsi = MNOS_INFO_NOTIFY, .rdx = 0x10 | 1, .r13 = endpoint};
    CHECK_ERROR_RAW(ipc_reply, ERR_ARGUMENT, 3, 0, &regs);
    CHECK_STATUS(receive_now(endpoint, &(struct message){0}), MNOS_ERR_DEADLINE);
    cap_drop(masked);
    cap_drop(endpoint);
}

TEST(errors, of_deadlines_and_reply_ids)
{
    mnos_cap_t endpoint = endpoint_new();
    struct raw_registers wait = {.r13 = endpoint};
    struct message msg = {0};

    CHECK_ERROR(ipc_send, ERR_DEADLINE, 0, 0, ipc_send(endpoint, &msg, 0));
    CHECK_ERROR(ipc_call, ERR_DEADLINE, 0, 0, ipc_call(endpoint, &msg, 0));
    CHECK_ERROR(ipc_recv, ERR_DEADLINE, 0, 0, ipc_receive(endpoint, &msg, 0));
    CHECK_ERROR_RAW(ipc_reply, ERR_DEADLINE, 0, 0, &wait);
    CHECK_ERROR(ipc_send, ERR_DEADLINE, 0, 0,
                ipc_send(endpoint, &msg, kinfo_time_ns() + MILLISECOND_NS));
    CHECK_ERROR(ipc_recv, ERR_DEADLINE, 0, 0,
                ipc_receive(endpoint, &msg, kinfo_time_ns() + MILLISECOND_NS));
    msg.reply_id = UINT64_MAX;
    CHECK_ERROR(ipc_reply, ERR_REPLY, 1, 0, ipc_reply(&msg));
    cap_drop(endpoint);
}

/* ---- waits that end badly ---- */

static void send_and_lose(void *endpoint)
{
    struct message msg = {0};

    CHECK_ERROR(ipc_send, ERR_REVOKED, 0, 0, ipc_send((mnos_cap_t)endpoint, &msg, soon()));
}

static void call_and_lose(void *endpoint)
{
    struct message msg = {0};

    CHECK_ERROR(ipc_call, ERR_REVOKED, 0, 0, ipc_call((mnos_cap_t)endpoint, &msg, soon()));
}

static void receive_and_lose(void *endpoint)
{
    struct message msg = {0};

    CHECK_ERROR(ipc_recv, ERR_REVOKED, 0, 0, ipc_receive((mnos_cap_t)endpoint, &msg, soon()));
}

static void reply_and_lose(void *endpoint)
{
    struct raw_registers regs = {.r12 = soon(), .r13 = (mnos_cap_t)endpoint};

    CHECK_ERROR_RAW(ipc_reply, ERR_REVOKED, 0, 0, &regs);
}

static void lose_endpoint(thread_function *function, enum mnos_thread_state state)
{
    mnos_cap_t endpoint = endpoint_new(), copy = cap_copy(endpoint, MNOS_RIGHTS_ALL);
    struct thread helper;

    helper_start(&helper, function, (void *)copy);
    thread_reaches(helper.thread, state);
    CHECK_OK(sys_cap_revoke(endpoint));
    helper_finish(&helper);
    cap_drop(endpoint);
}

TEST(errors, of_an_endpoint_that_goes_during_the_wait)
{
    lose_endpoint(send_and_lose, MNOS_STATE_SENDING);
    lose_endpoint(call_and_lose, MNOS_STATE_SENDING);
    lose_endpoint(receive_and_lose, MNOS_STATE_RECEIVING);
    lose_endpoint(reply_and_lose, MNOS_STATE_RECEIVING);
}

static void call_and_be_dropped(void *endpoint)
{
    struct message msg = {0};

    CHECK_ERROR(ipc_call, ERR_PEER, 0, 0, ipc_call((mnos_cap_t)endpoint, &msg, soon()));
}

TEST(errors, of_a_dropped_reply)
{
    mnos_cap_t endpoint = endpoint_new();
    struct raw_registers regs;
    struct message msg = {0};
    struct thread caller;

    helper_start(&caller, call_and_be_dropped, (void *)endpoint);
    CHECK_OK(ipc_receive(endpoint, &msg, soon()));
    regs = (struct raw_registers){.rdi = msg.reply_id, .rsi = MNOS_INFO_DROP};
    CHECK_EQ(raw_call(MNOS_SYS_ipc_reply, &regs), MNOS_OK);
    helper_finish(&caller);
    cap_drop(endpoint);
}

/* ---- capabilities in messages ---- */

/* What a message must not carry. */
struct burdens {
    mnos_cap_t memory;
    mnos_cap_t no_grant;
    mnos_cap_t read_only;
    mnos_cap_t deep;
};

static struct burdens burdens_make(void)
{
    struct burdens b = {.memory = memory_new(1)};

    b.no_grant = cap_copy(b.memory, MNOS_RIGHTS_ALL & ~MNOS_RIGHT_GRANT);
    b.read_only = cap_copy(b.memory, MNOS_RIGHT_READ | MNOS_RIGHT_GRANT);
    b.deep = b.memory;
    for (unsigned i = 0; i < DEPTH_MAX && !check_failed(); i++)
        b.deep = cap_copy(b.deep, MNOS_RIGHTS_ALL);
    return b;
}

static void burdens_drop(const struct burdens *b)
{
    CHECK_OK(sys_cap_revoke(b->memory));
    cap_drop(b->memory);
}

static struct message carrying(unsigned count, mnos_cap_t cap, mnos_rights_t rights, uint64_t reply)
{
    struct message msg = {.reply_id = reply};

    for (unsigned i = 0; i < count; i++)
        message_add_cap(&msg, cap, rights);
    return msg;
}

#define CARRY(cap, rights) (&(struct message[]){carrying(1, (cap), (rights), reply)}[0])
#define CARRY_TWO(cap) (&(struct message[]){carrying(2, (cap), 0, reply)}[0])

/* Makes the call fail with each burden; the peer accepts one capability. */
#define CHECK_BURDENS(call_name, invoke)                                                           \
    do {                                                                                           \
        CHECK_ERROR(call_name, ERR_HANDLE, 0, 0, invoke(CARRY(handle_stale(), 0)));                \
        CHECK_ERROR(call_name, ERR_RIGHTS, 0, MNOS_RIGHT_GRANT, invoke(CARRY(b.no_grant, 0)));     \
        CHECK_ERROR(call_name, ERR_RIGHTS, 0, MNOS_RIGHT_WRITE,                                    \
                    invoke(CARRY(b.read_only, MNOS_RIGHT_WRITE)));                                 \
        CHECK_ERROR(call_name, ERR_STATE, 0, 0, invoke(CARRY(b.deep, 0)));                         \
        CHECK_ERROR(call_name, ERR_ACCEPT, 0, 0, invoke(CARRY_TWO(b.memory)));                     \
    } while (0)
#define SEND(msg) ipc_send(endpoint, (msg), soon())
#define CALL(msg) ipc_call(endpoint, (msg), soon())

static void take_one(void *endpoint)
{
    struct message msg = {.accept = 1};

    CHECK_OK(ipc_receive((mnos_cap_t)endpoint, &msg, soon()));
}

TEST(errors, of_capabilities_in_messages)
{
    mnos_cap_t endpoint = endpoint_new();
    struct burdens b = burdens_make();
    const uint64_t reply = 0;
    struct message last = {0};
    struct thread taker;

    helper_start(&taker, take_one, (void *)endpoint);
    CHECK_BURDENS(ipc_send, SEND);
    CHECK_BURDENS(ipc_call, CALL);
    CHECK_OK(ipc_send(endpoint, &last, soon())); /* nothing of those arrived */
    helper_finish(&taker);
    burdens_drop(&b);
    cap_drop(endpoint);
}

static void call_and_accept_one(void *endpoint)
{
    struct message msg = {.accept = 1};

    CHECK_OK(ipc_call((mnos_cap_t)endpoint, &msg, soon()));
}

TEST(errors, of_capabilities_in_replies)
{
    mnos_cap_t endpoint = endpoint_new();
    struct burdens b = burdens_make();
    struct message msg = {0};
    struct thread caller;
    uint64_t reply;

    helper_start(&caller, call_and_accept_one, (void *)endpoint);
    CHECK_OK(ipc_receive(endpoint, &msg, soon()));
    reply = msg.reply_id;
    CHECK_BURDENS(ipc_reply, ipc_reply);
    CHECK_OK(ipc_reply(&(struct message){.reply_id = reply}));
    helper_finish(&caller);
    burdens_drop(&b);
    cap_drop(endpoint);
}

/* ---- receivers without room ---- */

/* Calls once, taking a capability with the reply; then receives one message. */
static uint64_t call_then_receive(uint64_t endpoint, uint64_t, uint64_t, uint64_t)
{
    struct message msg = {.accept = 1};
    mnos_status_t status = ipc_call(endpoint, &msg, soon());

    msg = (struct message){.accept = 1};
    return status == MNOS_OK ? ipc_receive(endpoint, &msg, soon()) : status;
}

static void table_fill(mnos_cap_t process, mnos_cap_t cap)
{
    mnos_status_t status = MNOS_OK;
    mnos_cap_t given;

    for (unsigned i = 0; i < FILL_MAX && status == MNOS_OK; i++)
        status = sys_cap_transfer(process, cap, 0, &given);
    CHECK_EQ(status, MNOS_ERR_QUOTA);
}

static void check_full(const struct child *child, mnos_cap_t endpoint)
{
    mnos_cap_t memory = memory_new(1);
    struct message msg = {0};
    uint64_t reply = 0;

    CHECK_OK(ipc_receive(endpoint, &msg, soon()));
    table_fill(child->process, memory);
    reply = msg.reply_id;
    CHECK_ERROR(ipc_reply, ERR_QUOTA, 0, MNOS_QUOTA_BYTES, ipc_reply(CARRY(memory, 0)));
    CHECK_OK(ipc_reply(&(struct message){.reply_id = reply}));
    CHECK_ERROR(ipc_send, ERR_QUOTA, 0, MNOS_QUOTA_BYTES, SEND(CARRY(memory, 0)));
    CHECK_ERROR(ipc_call, ERR_QUOTA, 0, MNOS_QUOTA_BYTES, CALL(CARRY(memory, 0)));
    CHECK_OK(ipc_send(endpoint, &(struct message){0}, soon()));
    cap_drop(memory);
}

TEST(errors, of_receivers_without_room_for_a_capability)
{
    mnos_cap_t endpoint = endpoint_new();
    struct child child;

    if (child_create(&child) &&
        child_start(&child, call_then_receive, child_give(&child, endpoint, MNOS_RIGHTS_ALL), 0, 0,
                    0)) {
        check_full(&child, endpoint);
        CHECK_EQ(child_result(&child), MNOS_OK);
    }
    child_drop(&child);
    cap_drop(endpoint);
}
