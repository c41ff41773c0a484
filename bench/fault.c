// SPDX-License-Identifier: MIT
/*
 * fault.c - a page fault, handled by another process: until the handler has the message, and from its
 * reply until the instruction is done.
 */
#include "abi/fault.h"
#include "bench/bench.h"

/* Nothing is mapped there in the peer when it reads it. */
#define HOLE (ARENA + 0x200000)

/* Which of the two a round returns. */
struct handler {
    struct peer peer;
    mnos_cap_t memory;
    uint64_t reply_id; /* of the peer's call that ended the last round */
    bool measure_resume;
};

static uint64_t faulter(uint64_t endpoint, uint64_t, uint64_t, uint64_t)
{
    return fault_for_ever(endpoint, HOLE, &SHARED->values[0], &SHARED->values[1]);
}

/* Answers and waits for what comes next, which has to be of this kind. */
static struct timed answer(const struct handler *handler, uint64_t reply_id, uint64_t info,
                           enum mnos_message_kind kind)
{
    struct timed timed = {.rax = MNOS_SYS_ipc_reply,
                          .rdi = reply_id,
                          .rsi = info,
                          .deadline = MNOS_DEADLINE_NEVER,
                          .receive_from = handler->peer.endpoint};

    timed_reply_and_wait(&timed);
    CHECK_EQ(timed.rax, MNOS_OK);
    CHECK_EQ(MNOS_INFO_GET_KIND(timed.rsi), kind);
    return timed;
}

static uint64_t handle_one(void *context)
{
    struct handler *handler = context;
    struct timed fault = answer(handler, handler->reply_id, 0, MNOS_KIND_FAULT), done;

    CHECK_OK(sys_mem_map(handler->peer.child.process, handler->memory, HOLE, 0, 1, MAP_RW));
    done = answer(handler, fault.reply_id, MNOS_INFO(MNOS_FAULT_RESUME, 0), MNOS_KIND_MESSAGE);
    CHECK_OK(sys_mem_unmap(handler->peer.child.process, HOLE, 1));
    handler->reply_id = done.reply_id;
    return (handler->measure_resume ? SHARED->values[1] - done.begin
                                    : fault.end - SHARED->values[0]) -
           READINGS_COST_FAULT;
}

BENCH(fault, "fault-deliver fault-resume")
{
    struct handler handler = {.memory = memory_new(1)};

    if (peer_create_handled(&handler.peer) &&
        peer_start(&handler.peer, faulter, 0, PRIORITY_CLIENT)) {
        handler.reply_id = answer(&handler, 0, 0, MNOS_KIND_MESSAGE).reply_id;
        measure("fault-deliver", handle_one, &handler);
        handler.measure_resume = true;
        measure("fault-resume", handle_one, &handler);
    }
    peer_drop(&handler.peer);
    cap_drop(handler.memory);
}
