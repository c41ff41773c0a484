// SPDX-License-Identifier: MIT
/* patient.h - a process whose faults come as messages, and what it does to fault: for the tests of handlers. */
#pragma once

#include "abi/fault.h"
#include "lib/base/string.h"
#include "tests/guest/child.h"

#define VECTOR_DIVISION 0
#define VECTOR_BREAKPOINT 3
#define VECTOR_ILLEGAL 6
#define VECTOR_PAGE_FAULT 14
#define CHILD_BADGE 77

/* A child whose faults come to `endpoint`, with a badge. */
struct patient {
    struct child child;
    mnos_cap_t endpoint;
    mnos_cap_t minted;
};

/* Without a thread. */
static inline bool patient_create(struct patient *patient)
{
    *patient = (struct patient){.endpoint = endpoint_new()};
    patient->minted = cap_mint(patient->endpoint, CHILD_BADGE, 0);
    return child_create_watched(&patient->child, patient->minted);
}

static inline bool patient_start(struct patient *patient, child_function *function, uint64_t a,
                                 uint64_t b)
{
    return patient_create(patient) && child_start(&patient->child, function, a, b, 0, 0);
}

static inline void patient_drop(struct patient *patient)
{
    child_drop(&patient->child);
    CHECK_OK(sys_cap_revoke(patient->endpoint));
    cap_drop(patient->endpoint);
}

/* The next fault, which must be of this kind. */
static inline bool fault_comes(const struct patient *patient, struct message *msg,
                               struct mnos_fault *fault, uint64_t vector)
{
    *msg = (struct message){0};
    *fault = (struct mnos_fault){0};
    if (!CHECK_OK(ipc_receive(patient->endpoint, msg, soon())) ||
        !CHECK_EQ(msg->kind, MNOS_KIND_FAULT) || !CHECK_EQ(msg->length, sizeof *fault))
        return false;
    message_get(msg, fault, sizeof *fault);
    CHECK_EQ(msg->badge, CHILD_BADGE);
    CHECK(msg->reply_id != 0);
    CHECK_EQ(fault->thread_id, cap_info(patient->child.thread).id);
    return CHECK_EQ(fault->vector, vector);
}

static inline mnos_status_t answer(const struct message *msg, uint32_t label,
                                   const struct mnos_fault *fault)
{
    struct message reply = {.reply_id = msg->reply_id};

    message_put(&reply, label, fault, fault == NULL ? 0 : sizeof *fault);
    return ipc_reply(&reply);
}

static inline uint64_t read_from(uint64_t address, uint64_t, uint64_t, uint64_t)
{
    return *(volatile uint64_t *)address;
}

static inline uint64_t provoke(uint64_t vector, uint64_t, uint64_t, uint64_t)
{
    uint32_t zero = 0, low = 1, high = 0;

    switch (vector) {
    case VECTOR_DIVISION:
        __asm__ volatile("divl %2\n\tnop" : "+a"(low), "+d"(high) : "r"(zero));
        break;
    case 1:
        __asm__ volatile("pushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\tnop" ::: "memory", "cc");
        break;
    case VECTOR_BREAKPOINT: __asm__ volatile("int3"); break;
    case VECTOR_ILLEGAL: __asm__ volatile("ud2"); break;
    case 13: __asm__ volatile("hlt\n\tnop"); break;
    default: (void)read_from(ARENA, 0, 0, 0); break;
    }
    return 55;
}

static inline uint64_t call_twice(uint64_t number, uint64_t argument, uint64_t, uint64_t)
{
    struct raw_registers regs = {1, 2, 3, 4, 5, argument, 7, 8};
    uint64_t rax = raw_call(number, &regs);

    if (regs.rdi != 1 || regs.rsi != 2 || regs.rdx != 3 || regs.r10 != 4 || regs.r8 != 5 ||
        regs.r9 != argument)
        return 0;
    return rax + raw_call(number, &regs);
}
