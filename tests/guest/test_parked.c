// SPDX-License-Identifier: MIT
/* test_parked.c - a server that answers when it likes: several callers wait, and replies carry capabilities. */
#include "tests/guest/child.h"
#include "tests/guest/claim.h"

#define CALLERS 5u
#define ROUNDS 20u

struct parked {
    mnos_cap_t endpoint;
    uint32_t number;
    struct thread thread;
};

/* Asks for a capability, again and again; the answer says to whom it is. */
static void ask(void *argument)
{
    const struct parked *parked = argument;

    for (unsigned i = 0; i < ROUNDS && !check_failed(); i++) {
        struct message msg = {.accept = 1};
        struct mnos_cap_info info;

        message_put(&msg, parked->number, NULL, 0);
        CHECK_OK(ipc_call(parked->endpoint, &msg, soon()));
        CHECK_EQ(msg.label, 1000 + parked->number);
        info = cap_info(message_cap(&msg, 0));
        CHECK_EQ(info.type, MNOS_TYPE_MEMORY);
        CHECK_EQ(info.rights, MNOS_RIGHT_READ);
        CHECK_EQ(info.count, parked->number + 1);
        cap_drop(message_cap(&msg, 0));
    }
}

/* Answers `caller` with a range of `memory` as large as it is to be, and waits for the next message in the same call;
 * with `endpoint` 0 it only answers. */
static mnos_status_t answer(mnos_cap_t endpoint, mnos_cap_t memory, const struct message *caller,
                            struct message *next)
{
    mnos_cap_t part = cap_range(memory, MNOS_RIGHT_READ | MNOS_RIGHT_GRANT, 0, caller->label + 1);
    mnos_status_t status;

    *next = (struct message){.reply_id = caller->reply_id};
    message_put(next, 1000 + caller->label, NULL, 0);
    message_add_cap(next, part, MNOS_RIGHT_READ);
    status = endpoint == 0 ? ipc_reply(next) : ipc_reply_receive(endpoint, next, soon());
    cap_drop(part);
    return status;
}

/* All callers wait; each is answered in turn, from the middle outwards, and asks again at once, while the others go on
 * waiting. The last time they are answered without waiting for more. */
TEST(parked, callers_are_answered_in_any_order_with_capabilities)
{
    mnos_cap_t endpoint = endpoint_new(), memory = memory_new(CALLERS);
    struct message waiting[CALLERS], msg = {0};
    struct parked parked[CALLERS];

    for (uint32_t i = 0; i < CALLERS; i++) {
        parked[i] = (struct parked){.endpoint = endpoint, .number = i};
        helper_start(&parked[i].thread, ask, &parked[i]);
    }
    for (unsigned i = 0; i < CALLERS && CHECK_OK(ipc_receive(endpoint, &msg, soon())); i++)
        waiting[msg.label] = msg;
    for (unsigned i = 0; i < CALLERS * ROUNDS && !check_failed(); i++) {
        unsigned number = (i * 3 + 2) % CALLERS;
        bool last = i >= CALLERS * (ROUNDS - 1);

        CHECK_OK(answer(last ? 0 : endpoint, memory, &waiting[number], &msg));
        if (!last && CHECK_EQ(msg.label, number))
            waiting[number] = msg;
    }
    for (unsigned i = 0; i < CALLERS; i++)
        helper_finish(&parked[i].thread);
    CHECK_EQ(cap_info(memory).child_count, 0);
    cap_drop(memory);
    cap_drop(endpoint);
}

/* ---- a reply that fails does not wait, and nobody who is parked notices ---- */

static void call_for_nothing(void *argument)
{
    const struct parked *parked = argument;
    struct message msg = {0};

    message_put(&msg, parked->number, NULL, 0);
    CHECK_OK(ipc_call(parked->endpoint, &msg, soon()));
    CHECK_EQ(msg.label, 2000 + parked->number);
    CHECK_EQ(msg.cap_count, 0);
}

TEST(parked, a_capability_that_is_not_accepted_leaves_all_waiting)
{
    mnos_cap_t endpoint = endpoint_new(), memory = memory_new(CALLERS);
    struct message waiting[2], msg = {0};
    struct parked parked[2];

    for (uint32_t i = 0; i < 2; i++) {
        parked[i] = (struct parked){.endpoint = endpoint, .number = i};
        helper_start(&parked[i].thread, call_for_nothing, &parked[i]);
    }
    for (unsigned i = 0; i < 2 && CHECK_OK(ipc_receive(endpoint, &msg, soon())); i++)
        waiting[msg.label] = msg;
    CHECK_ERROR(ipc_reply, ERR_ACCEPT, 0, 0, answer(endpoint, memory, &waiting[1], &msg));
    for (unsigned i = 0; i < 2; i++) {
        thread_reaches(parked[i].thread.thread, MNOS_STATE_CALLING);
        msg = (struct message){.reply_id = waiting[i].reply_id};
        message_put(&msg, 2000 + waiting[i].label, NULL, 0);
        CHECK_OK(ipc_reply(&msg));
        helper_finish(&parked[i].thread);
    }
    cap_drop(memory);
    cap_drop(endpoint);
}
