// SPDX-License-Identifier: MIT
/* faults.c - threads that fault, and the thread of each player that answers its children. */
#include "tests/campaigns/game/game.h"

#include "abi/fault.h"
#include "lib/mnos/upcall.h"
#include "lib/base/string.h"

#define UD2_BYTES 2u
#define TRIES 200u
#define TRY_NS 20000u

static void trap(void)
{
    __asm__ volatile("ud2" ::: "memory");
}

/* ---- faults as messages: the parent answers, or nobody does ---- */

static _Atomic uint32_t resumed;

static void fault_and_go_on(uint64_t)
{
    trap();
    succeeded(OP_FAULT);
    atomic_store(&resumed, 1);
}

/* Of 64 faults one is the player's own, and is its end when nobody answers. */
void fault(void)
{
    mnos_cap_t thread;

    if (self.seat == 0)
        return;
    if (draw_below(64) == 0) {
        trap();
        succeeded(OP_FAULT);
        return;
    }
    atomic_store(&resumed, 0);
    thread = worker_begin(STACK_WORKER, fault_and_go_on, 0, 0);
    for (unsigned i = 0; i < TRIES && thread != 0 && atomic_load(&resumed) == 0; i++)
        pause_ns(TRY_NS);
    if (thread != 0) {
        (void)!sys_thread_destroy(thread);
        drop(thread);
    }
}

static void answer_fault(struct message *msg)
{
    struct mnos_fault record;
    struct message reply = {.reply_id = msg->reply_id};
    uint64_t random = kinfo_time_ns() >> 4;

    (void)message_get(msg, &record, sizeof record);
    if (random % 64 == 0)
        return; /* it waits until something else ends it */
    if (random % 64 == 1) {
        message_put(&reply, 0, NULL, 0); /* not handled: its process ends */
    } else if (random % 3 == 0) {
        message_put(&reply, MNOS_FAULT_KILL, NULL, 0);
        if (ipc_reply(&reply) == MNOS_OK)
            succeeded(OP_FAULT_KILL);
        return;
    } else {
        record.registers.rip += UD2_BYTES;
        message_put(&reply, MNOS_FAULT_RESUME_WITH, &record, sizeof record);
    }
    (void)!ipc_reply(&reply);
}

/* ---- what the other thread of a player does ---- */

static void answer_call(struct message *msg)
{
    static const uint8_t bytes[128];
    struct message reply = {.reply_id = msg->reply_id};
    uint64_t random = kinfo_time_ns() >> 4;

    for (unsigned i = 0; i < msg->cap_count; i++)
        drop(message_cap(msg, i));
    if (msg->reply_id == 0 || random % 16 == 0)
        return; /* the caller waits until it is cancelled, or this player's end */
    message_put(&reply, 0, bytes, random % sizeof bytes);
    if (random % 4 == 1)
        message_add_cap(&reply, self.still, MNOS_RIGHT_WRITE);
    (void)!ipc_reply(&reply);
}

void serve(uint64_t)
{
    for (;;) {
        struct message msg = {.accept = 2};

        if (ipc_receive(self.port, &msg, MNOS_DEADLINE_NEVER) != MNOS_OK)
            pause_ns(TRY_NS);
        else if (msg.kind == MNOS_KIND_FAULT)
            answer_fault(&msg);
        else if (msg.kind == MNOS_KIND_MESSAGE)
            answer_call(&msg);
    }
}

/* ---- faults as upcalls ---- */

static void skip_it(struct mnos_fault *record)
{
    record->registers.rip += UD2_BYTES;
}

static void fault_for_itself(uint64_t)
{
    if (upcall_set(skip_it, MNOS_UPCALL_FAULTS) != MNOS_OK)
        return;
    for (unsigned i = 0; i < 4; i++)
        trap();
    succeeded(OP_UPCALL);
    if (upcall_clear() == MNOS_OK)
        atomic_store(&resumed, 1);
}

void upcall(void)
{
    mnos_cap_t thread;

    atomic_store(&resumed, 0);
    thread = worker_begin(STACK_WORKER, fault_for_itself, 0, 0);
    for (unsigned i = 0; i < TRIES && thread != 0 && atomic_load(&resumed) == 0; i++)
        pause_ns(TRY_NS);
    if (thread != 0) {
        (void)!sys_thread_destroy(thread);
        drop(thread);
    }
}
