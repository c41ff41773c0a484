// SPDX-License-Identifier: MIT
/* test_handler_resume.c - faults that a waiting handler answers with what comes next, straight from one to the
 * other. */
#include "tests/guest/patient.h"

#define ROUNDS 20
#define PATTERN_LENGTH 16

/* What a patient has in its registers, and a handler in its own. */
static const uint8_t pattern_of_patient[PATTERN_LENGTH] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 8, 7, 6};
static const uint8_t pattern_of_handler[PATTERN_LENGTH] = {9, 9, 9, 9, 9, 9};

/* Vector registers, x87 stack and control words across a fault; returns how many times they differed. */
static uint64_t fault_with_vectors(uint64_t rounds, uint64_t, uint64_t, uint64_t)
{
    const uint32_t mxcsr = 0x1F80 | 3u << 13; /* rounds toward zero */
    const uint16_t control = 0x037F | 3u << 10;
    uint8_t first[PATTERN_LENGTH], last[PATTERN_LENGTH];
    uint64_t wrong = 0;
    uint32_t mxcsr_after;
    uint16_t control_after;
    uint64_t one;

    for (uint64_t i = 0; i < rounds; i++) {
        __asm__ volatile(
            "ldmxcsr %[mxcsr]\n\tfldcw %[control]\n\tfld1\n\t"
            "movdqu %[pattern], %%xmm0\n\tmovdqu %[pattern], %%xmm15\n\t"
            "int3\n\t"
            "movdqu %%xmm0, %[first]\n\tmovdqu %%xmm15, %[last]\n\t"
            "fistpll %[one]\n\tfnstcw %[control_after]\n\tstmxcsr %[mxcsr_after]"
            : [first] "=m"(first), [last] "=m"(last), [one] "=m"(one),
              [control_after] "=m"(control_after), [mxcsr_after] "=m"(mxcsr_after)
            : [pattern] "m"(pattern_of_patient), [mxcsr] "m"(mxcsr), [control] "m"(control)
            : "memory");
        wrong += memcmp(first, pattern_of_patient, PATTERN_LENGTH) != 0 ||
                 memcmp(last, pattern_of_patient, PATTERN_LENGTH) != 0 || one != 1 ||
                 control_after != control || (mxcsr_after & ~0x3Fu) != mxcsr;
    }
    return wrong;
}

/* Answers `msg`, if there is anything to answer, while it has something in the vector registers; takes the
 * next fault, and sees nothing of the patient's. */
static bool next_fault(mnos_cap_t endpoint, struct message *msg, struct mnos_fault *fault,
                       uint64_t vector)
{
    uint8_t after[PATTERN_LENGTH];
    mnos_status_t status;

    message_put(msg, MNOS_FAULT_RESUME, NULL, 0);
    __asm__ volatile("movdqu %0, %%xmm15" ::"m"(pattern_of_handler) : "memory");
    status = ipc_reply_receive(endpoint, msg, soon());
    __asm__ volatile("movdqu %%xmm15, %0" : "=m"(after)::"memory");
    if (!CHECK_OK(status) || !CHECK_EQ(msg->kind, MNOS_KIND_FAULT) ||
        !CHECK_EQ(msg->length, sizeof *fault))
        return false;
    message_get(msg, fault, sizeof *fault);
    CHECK(memcmp(after, pattern_of_patient, PATTERN_LENGTH) != 0);
    return CHECK_EQ(fault->vector, vector);
}

struct nurse {
    mnos_cap_t endpoint;
    unsigned served;
};

static void serve(void *argument)
{
    struct nurse *nurse = argument;
    struct mnos_fault fault;
    struct message msg = {0};

    while (nurse->served < ROUNDS && next_fault(nurse->endpoint, &msg, &fault, VECTOR_BREAKPOINT))
        nurse->served++;
    message_put(&msg, MNOS_FAULT_RESUME, NULL, 0);
    CHECK_OK(ipc_reply(&msg));
}

static void check_served(uint32_t patient_core, uint32_t handler_core, uint32_t handler_priority)
{
    struct patient patient;
    struct nurse nurse = {0};
    struct thread thread;

    if (patient_create(&patient)) {
        nurse.endpoint = patient.endpoint;
        helper_start_at(&thread, serve, &nurse, handler_priority, handler_core);
        if (CHECK(thread_reaches(thread.thread, MNOS_STATE_RECEIVING)) &&
            child_start_at(&patient.child, fault_with_vectors, ROUNDS, 0, TEST_PRIORITY - 1,
                           patient_core))
            CHECK_EQ(child_result(&patient.child), 0);
        helper_finish(&thread);
        CHECK_EQ(nurse.served, ROUNDS);
    }
    patient_drop(&patient);
}

TEST(handler, each_has_its_own_vector_registers)
{
    uint32_t last = core_count() - 1;

    check_served(MNOS_AFFINITY_ANY, MNOS_AFFINITY_ANY, TEST_PRIORITY - 1);
    check_served(last, MNOS_AFFINITY_ANY, TEST_PRIORITY - 1);
    check_served(last, last, TEST_PRIORITY - 1);
    check_served(0, last, TEST_PRIORITY - 1);
    check_served(last, 0, TEST_PRIORITY - 1);
}

TEST(handler, one_of_another_priority)
{
    uint32_t last = core_count() - 1;

    check_served(last, last, TEST_PRIORITY - 2); /* inherits */
    check_served(last, last, TEST_PRIORITY + 1); /* what it resumes is lower than itself */
}

TEST(handler, foreign_system_calls_that_are_resumed)
{
    struct patient patient;
    struct mnos_fault fault;
    struct message msg = {0};

    if (patient_start(&patient, call_twice, 39, 6)) {
        for (unsigned i = 0; i < 2; i++)
            CHECK(next_fault(patient.endpoint, &msg, &fault, MNOS_FAULT_SYSCALL));
        CHECK_OK(answer(&msg, MNOS_FAULT_RESUME, NULL));
        CHECK_EQ(child_result(&patient.child), 2 * 39);
    }
    patient_drop(&patient);
}

static uint64_t two_breakpoints(uint64_t, uint64_t, uint64_t, uint64_t)
{
    uint64_t value;

    __asm__ volatile("xorl %%ebx, %%ebx\n\tint3\n\tint3\n\tmovq %%rbx, %0"
                     : "=r"(value)::"rbx", "memory");
    return value;
}

TEST(handler, registers_that_are_set_before_it_is_resumed)
{
    struct patient patient;
    struct mnos_fault fault;
    struct message msg = {0};

    if (patient_start(&patient, two_breakpoints, 0, 0) &&
        next_fault(patient.endpoint, &msg, &fault, VECTOR_BREAKPOINT)) {
        CHECK_EQ(fault.registers.rbx, 0);
        fault.registers.rbx = 99;
        memcpy(ipc_buffer()->data, &fault.registers, sizeof fault.registers);
        CHECK_OK(sys_thread_control(patient.child.thread, MNOS_THREAD_REGISTERS, 0));
        CHECK(next_fault(patient.endpoint, &msg, &fault, VECTOR_BREAKPOINT));
        CHECK_EQ(fault.registers.rbx, 99);
        CHECK_OK(answer(&msg, MNOS_FAULT_RESUME, NULL));
        CHECK_EQ(child_result(&patient.child), 99);
    }
    patient_drop(&patient);
}
