// SPDX-License-Identifier: MIT
/* test_handler.c - faults as messages: what a handler is told, and what it can do. */
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
static bool patient_create(struct patient *patient)
{
    *patient = (struct patient){.endpoint = endpoint_new()};
    patient->minted = cap_mint(patient->endpoint, CHILD_BADGE, 0);
    return child_create_watched(&patient->child, patient->minted);
}

static bool patient_start(struct patient *patient, child_function *function, uint64_t a, uint64_t b)
{
    return patient_create(patient) && child_start(&patient->child, function, a, b, 0, 0);
}

static void patient_drop(struct patient *patient)
{
    child_drop(&patient->child);
    CHECK_OK(sys_cap_revoke(patient->endpoint));
    cap_drop(patient->endpoint);
}

/* The next fault, which must be of this kind. */
static bool fault_comes(const struct patient *patient, struct message *msg,
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

static mnos_status_t answer(const struct message *msg, uint32_t label,
                            const struct mnos_fault *fault)
{
    struct message reply = {.reply_id = msg->reply_id};

    message_put(&reply, label, fault, fault == NULL ? 0 : sizeof *fault);
    return ipc_reply(&reply);
}

/* ---- what faults ---- */

static uint64_t read_from(uint64_t address, uint64_t, uint64_t, uint64_t)
{
    return *(volatile uint64_t *)address;
}

/* Every callee-saved register and the vector registers hold known values across the fault. */
static uint64_t fault_with_registers(uint64_t address, uint64_t, uint64_t, uint64_t)
{
    static const uint8_t pattern[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    uint8_t after[16];

    __asm__ volatile("movdqu %[pattern], %%xmm5\n\t"
                     "movl $101, %%ebx\n\tmovl $102, %%ecx\n\tmovl $103, %%edx\n\t"
                     "movl $104, %%esi\n\tmovl $105, %%edi\n\tmovl $106, %%r8d\n\t"
                     "movl $107, %%r9d\n\tmovl $108, %%r10d\n\tmovl $109, %%r11d\n\t"
                     "movl $110, %%r12d\n\tmovl $111, %%r13d\n\tmovl $112, %%r14d\n\t"
                     "stc\n\t"
                     "movq (%%rax), %%r15\n\t"
                     "jnc 1f\n\t"
                     "cmpl $101, %%ebx\n\tjne 1f\n\tcmpl $102, %%ecx\n\tjne 1f\n\t"
                     "cmpl $103, %%edx\n\tjne 1f\n\tcmpl $104, %%esi\n\tjne 1f\n\t"
                     "cmpl $105, %%edi\n\tjne 1f\n\tcmpl $106, %%r8d\n\tjne 1f\n\t"
                     "cmpl $107, %%r9d\n\tjne 1f\n\tcmpl $108, %%r10d\n\tjne 1f\n\t"
                     "cmpl $109, %%r11d\n\tjne 1f\n\tcmpl $110, %%r12d\n\tjne 1f\n\t"
                     "cmpl $111, %%r13d\n\tjne 1f\n\tcmpl $112, %%r14d\n\tje 2f\n"
                     "1:\tmovl $1, %%eax\n\tjmp 3f\n"
                     "2:\txorl %%eax, %%eax\n"
                     "3:\tmovdqu %%xmm5, %[after]"
                     : "+a"(address), [after] "=m"(after)
                     : [pattern] "m"(pattern)
                     : "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13",
                       "r14", "r15", "cc", "memory");
    return address * 2 + (memcmp(pattern, after, sizeof after) != 0);
}

TEST(handler, a_page_that_is_mapped_on_demand)
{
    mnos_cap_t memory = memory_new(1);
    struct patient patient;
    struct mnos_fault fault;
    struct message msg;

    if (patient_start(&patient, fault_with_registers, ARENA + 8, 0) &&
        fault_comes(&patient, &msg, &fault, VECTOR_PAGE_FAULT)) {
        CHECK_EQ(fault.error, 4);
        CHECK_EQ(fault.address, ARENA + 8);
        CHECK_EQ(fault.registers.rax, ARENA + 8);
        CHECK_EQ(fault.registers.rbx, 101);
        CHECK_EQ(fault.registers.rcx, 102);
        CHECK_EQ(fault.registers.r11, 109);
        CHECK_EQ(fault.registers.r14, 112);
        CHECK((fault.registers.rflags & 1) != 0);
        CHECK(fault.registers.fs_base != 0);
        CHECK_EQ(thread_info(patient.child.thread).state, MNOS_STATE_FAULTED);
        CHECK(thread_info(patient.child.thread).waits_for != 0);
        CHECK_OK(sys_mem_map(patient.child.process, memory, ARENA, 0, 1, MAP_RW));
        CHECK_OK(answer(&msg, MNOS_FAULT_RESUME, NULL));
        CHECK_EQ(child_result(&patient.child), 0);
    }
    patient_drop(&patient);
    cap_drop(memory);
}

/* ---- each exception ---- */

static uint64_t provoke(uint64_t vector, uint64_t, uint64_t, uint64_t)
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

/* How many bytes the handler skips: the instruction, where RIP points to it. */
static void check_skipped(uint64_t vector, uint64_t bytes)
{
    struct patient patient;
    struct mnos_fault fault;
    struct message msg;

    if (patient_start(&patient, provoke, vector, 0) &&
        fault_comes(&patient, &msg, &fault, vector)) {
        fault.registers.rip += bytes;
        fault.registers.rflags &= ~0x100ull;
        CHECK_OK(answer(&msg, MNOS_FAULT_RESUME_WITH, &fault));
        CHECK_EQ(child_result(&patient.child), 55);
    }
    patient_drop(&patient);
}

TEST(handler, an_instruction_that_is_skipped)
{
    check_skipped(VECTOR_DIVISION, 2);
    check_skipped(1, 0);
    check_skipped(VECTOR_BREAKPOINT, 0);
    check_skipped(VECTOR_ILLEGAL, 2);
    check_skipped(13, 1);
}

TEST(handler, single_steps)
{
    struct patient patient;
    struct mnos_fault fault;
    struct message msg;
    unsigned steps = 0;

    if (patient_start(&patient, provoke, VECTOR_BREAKPOINT, 0) &&
        fault_comes(&patient, &msg, &fault, VECTOR_BREAKPOINT)) {
        fault.registers.rflags |= 0x100;
        CHECK_OK(answer(&msg, MNOS_FAULT_RESUME_WITH, &fault));
        while (fault_comes(&patient, &msg, &fault, 1) && ++steps < 5)
            CHECK_OK(answer(&msg, MNOS_FAULT_RESUME, NULL));
        fault.registers.rflags &= ~0x100ull;
        CHECK_OK(answer(&msg, MNOS_FAULT_RESUME_WITH, &fault));
        CHECK_EQ(child_result(&patient.child), 55);
    }
    patient_drop(&patient);
}

/* ---- foreign system calls ---- */

static uint64_t call_twice(uint64_t number, uint64_t argument, uint64_t, uint64_t)
{
    struct raw_registers regs = {1, 2, 3, 4, 5, argument, 7, 8};
    uint64_t rax = raw_call(number, &regs);

    if (regs.rdi != 1 || regs.rsi != 2 || regs.rdx != 3 || regs.r10 != 4 || regs.r8 != 5 ||
        regs.r9 != argument)
        return 0;
    return rax + raw_call(number, &regs);
}

TEST(handler, a_foreign_system_call_is_answered)
{
    struct patient patient;
    struct mnos_fault fault;
    struct message msg;

    if (patient_start(&patient, call_twice, 39, 6)) {
        for (uint64_t i = 0; i < 2; i++) {
            if (!fault_comes(&patient, &msg, &fault, MNOS_FAULT_SYSCALL))
                break;
            CHECK_EQ(fault.error, 0);
            CHECK_EQ(fault.registers.rax, 39);
            CHECK_EQ(fault.registers.rdi, 1);
            CHECK_EQ(fault.registers.r10, 4);
            CHECK_EQ(fault.registers.r9, 6);
            CHECK_EQ(fault.registers.rcx, fault.registers.rip);
            fault.registers.rax = 1000 + i;
            CHECK_OK(answer(&msg, MNOS_FAULT_RESUME_WITH, &fault));
        }
        CHECK_EQ(child_result(&patient.child), 2001);
    }
    patient_drop(&patient);
}

/* Puts a stack pointer, and a GS base where the processor lets programs have one, into the upper half;
 * faults, and says whether they are the same afterwards. */
static uint64_t have_strange_registers(uint64_t rsp, uint64_t has_gs, uint64_t c, uint64_t d)
{
    uint64_t gs_now = rsp, rsp_now;

    (void)c, (void)d;
    if (has_gs)
        __asm__ volatile("wrgsbase %0" ::"r"(rsp));
    __asm__ volatile("movq %%rsp, %%rbx\n\t"
                     "movq %1, %%rsp\n\t"
                     "ud2\n\t"
                     "movq %%rsp, %0\n\t"
                     "movq %%rbx, %%rsp"
                     : "=&r"(rsp_now)
                     : "r"(rsp)
                     : "rbx", "memory");
    if (has_gs)
        __asm__ volatile("rdgsbase %0" : "=r"(gs_now));
    return rsp_now == rsp && gs_now == rsp;
}

TEST(handler, a_thread_can_be_given_the_registers_that_it_had)
{
    const uint64_t strange = 0xFFFF900000001000ull;
    uint32_t eax = 7, ebx, ecx = 0, edx;
    struct patient patient;
    struct mnos_fault fault;
    struct message msg;

    __asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    if (patient_start(&patient, have_strange_registers, strange, ebx & 1) && /* FSGSBASE */
        fault_comes(&patient, &msg, &fault, VECTOR_ILLEGAL)) {
        CHECK_EQ(fault.registers.rsp, strange);
        if ((ebx & 1) != 0)
            CHECK_EQ(fault.registers.gs_base, strange);
        fault.registers.rip += 2;
        CHECK_OK(answer(&msg, MNOS_FAULT_RESUME_WITH, &fault));
        CHECK_EQ(child_result(&patient.child), 1);
    }
    patient_drop(&patient);
}

/* ---- bad answers ---- */

TEST(handler, registers_outside_user_space_are_refused_and_nothing_is_lost)
{
    struct patient patient;
    struct mnos_fault fault, bad;
    struct message msg, late = {0};

    if (patient_start(&patient, provoke, VECTOR_ILLEGAL, 0) &&
        fault_comes(&patient, &msg, &fault, VECTOR_ILLEGAL)) {
        bad = fault;
        bad.registers.rip = MNOS_USER_END;
        CHECK_STATUS(answer(&msg, MNOS_FAULT_RESUME_WITH, &bad), MNOS_ERR_ADDRESS);
        bad = fault;
        bad.registers.fs_base = 1ull << 63;
        CHECK_STATUS(answer(&msg, MNOS_FAULT_RESUME_WITH, &bad), MNOS_ERR_ADDRESS);
        CHECK_STATUS(answer(&msg, MNOS_FAULT_RESUME_WITH, NULL), MNOS_ERR_SIZE);
        late.reply_id = msg.reply_id + (1ull << 24);
        CHECK_STATUS(answer(&late, MNOS_FAULT_RESUME, NULL), MNOS_ERR_REPLY);
        CHECK_EQ(thread_info(patient.child.thread).state, MNOS_STATE_FAULTED);
        fault.registers.rip += 2;
        fault.registers.rflags =
            UINT64_MAX & ~0x40100ull; /* IOPL and the rest do not get through */
        CHECK_OK(answer(&msg, MNOS_FAULT_RESUME_WITH, &fault));
        CHECK_STATUS(answer(&msg, MNOS_FAULT_RESUME, NULL), MNOS_ERR_REPLY);
    }
    patient_drop(&patient);
}

/* ---- no answer ---- */

static void check_unhandled(struct patient *patient)
{
    struct mnos_process_info info = child_wait(&patient->child);

    CHECK_EQ(info.state, MNOS_PROCESS_DEAD);
    CHECK_EQ(info.exit_reason, MNOS_EXIT_FAULT);
    CHECK_EQ(VECTOR_OF(info.exit_code), VECTOR_PAGE_FAULT);
    CHECK_EQ(ERROR_OF(info.exit_code), 4);
}

TEST(handler, a_dropped_reply_or_another_label_ends_the_process)
{
    struct patient patient;
    struct mnos_fault fault;
    struct message msg;

    for (uint32_t label = 0; label < 2; label++) {
        if (patient_start(&patient, read_from, ARENA, 0) &&
            fault_comes(&patient, &msg, &fault, VECTOR_PAGE_FAULT)) {
            CHECK_OK(answer(&msg, label, NULL));
            check_unhandled(&patient);
        }
        patient_drop(&patient);
    }
    if (patient_start(&patient, read_from, ARENA, 0) &&
        fault_comes(&patient, &msg, &fault, VECTOR_PAGE_FAULT)) {
        struct raw_registers regs = {.rdi = msg.reply_id, .rsi = MNOS_INFO_DROP};

        CHECK_EQ(raw_call(MNOS_SYS_ipc_reply, &regs), MNOS_OK);
        check_unhandled(&patient);
    }
    patient_drop(&patient);
}

TEST(handler, an_endpoint_that_is_revoked_before_or_during_the_fault)
{
    struct patient patient;

    for (unsigned during = 0; during < 2; during++) {
        patient = (struct patient){.endpoint = endpoint_new()};
        patient.minted = cap_mint(patient.endpoint, CHILD_BADGE, 0);
        if (child_create_watched(&patient.child, patient.minted)) {
            if (during == 0)
                CHECK_OK(sys_cap_revoke(patient.endpoint));
            if (child_start(&patient.child, read_from, ARENA, 0, 0, 0)) {
                if (during != 0) {
                    thread_reaches(patient.child.thread, MNOS_STATE_FAULTED);
                    CHECK_OK(sys_cap_revoke(patient.endpoint));
                }
                check_unhandled(&patient);
            }
        }
        patient_drop(&patient);
    }
}

struct doctor {
    mnos_cap_t endpoint;
    struct message msg;
    mnos_status_t status;
};

static void take_one_and_die(void *argument)
{
    struct doctor *doctor = argument;

    doctor->status = ipc_receive(doctor->endpoint, &doctor->msg, soon());
}

TEST(handler, one_that_dies_with_the_fault_in_its_hands)
{
    struct patient patient;
    struct doctor doctor = {0};
    struct thread thread;

    if (patient_start(&patient, read_from, ARENA, 0)) {
        doctor.endpoint = patient.endpoint;
        helper_start(&thread, take_one_and_die, &doctor);
        helper_finish(&thread);
        CHECK_OK(doctor.status);
        check_unhandled(&patient);
    }
    patient_drop(&patient);
}

static uint64_t handle_one_fault(uint64_t endpoint, uint64_t forward, uint64_t, uint64_t)
{
    struct message msg = {0};

    if (ipc_receive(endpoint, &msg, MNOS_DEADLINE_NEVER) != MNOS_OK || msg.kind != MNOS_KIND_FAULT)
        return 1;
    if (forward != 0)
        (void)read_from(forward, 0, 0, 0); /* which the handler's handler maps */
    message_put(&msg, MNOS_FAULT_KILL, NULL, 0);
    return ipc_reply(&msg);
}

TEST(handler, one_that_faults_itself)
{
    mnos_cap_t inner = endpoint_new(), memory = memory_new(1), given;
    struct patient outer = {.endpoint = endpoint_new()};
    struct mnos_fault fault;
    struct message msg;
    struct child child;

    outer.minted = cap_mint(outer.endpoint, CHILD_BADGE, 0);
    if (child_create_watched(&child, inner) && child_create_watched(&outer.child, outer.minted)) {
        given = child_give(&outer.child, inner, MNOS_RIGHT_READ);
        if (child_start(&outer.child, handle_one_fault, given, ARENA, 0, 0) &&
            child_start(&child, read_from, ARENA, 0, 0, 0) &&
            fault_comes(&outer, &msg, &fault, VECTOR_PAGE_FAULT)) {
            CHECK_EQ(thread_info(child.thread).state, MNOS_STATE_FAULTED);
            CHECK_EQ(thread_info(child.thread).waits_for, cap_info(outer.child.thread).id);
            CHECK_OK(sys_mem_map(outer.child.process, memory, ARENA, 0, 1, MAP_RW));
            CHECK_OK(answer(&msg, MNOS_FAULT_RESUME, NULL));
            CHECK_EQ(child_result(&outer.child), 0);
            thread_reaches(child.thread, MNOS_STATE_DEAD);
            CHECK_EQ(process_info(child.process).state, MNOS_PROCESS_ALIVE);
        }
    }
    patient_drop(&outer);
    child_drop(&child);
    CHECK_OK(sys_cap_revoke(inner));
    cap_drop(inner);
    cap_drop(memory);
}

/* ---- killing, stopping ---- */

TEST(handler, killing_the_thread_leaves_the_process)
{
    struct patient patient;
    struct mnos_fault fault;
    struct message msg;

    if (patient_start(&patient, read_from, ARENA, 0) &&
        fault_comes(&patient, &msg, &fault, VECTOR_PAGE_FAULT)) {
        CHECK_OK(answer(&msg, MNOS_FAULT_KILL, NULL));
        thread_reaches(patient.child.thread, MNOS_STATE_DEAD);
        CHECK_EQ(process_info(patient.child.process).state, MNOS_PROCESS_ALIVE);
        (void)!sys_thread_destroy(patient.child.thread); /* it may not have been buried yet */
        CHECK_FAILS(sys_thread_destroy(patient.child.thread), MNOS_ERR_STATE, 1, 0);
    }
    patient_drop(&patient);
}

TEST(handler, destroying_a_faulted_thread_or_its_process)
{
    struct patient patient;
    struct mnos_fault fault;
    struct message msg;

    for (unsigned taken = 0; taken < 2; taken++) {
        if (patient_start(&patient, read_from, ARENA, 0)) {
            thread_reaches(patient.child.thread, MNOS_STATE_FAULTED);
            if (taken != 0)
                fault_comes(&patient, &msg, &fault, VECTOR_PAGE_FAULT);
            CHECK_OK(sys_thread_destroy(patient.child.thread));
            CHECK_EQ(process_info(patient.child.process).state, MNOS_PROCESS_ALIVE);
            if (taken != 0)
                CHECK_STATUS(answer(&msg, MNOS_FAULT_RESUME, NULL), MNOS_ERR_REPLY);
        }
        patient_drop(&patient);
        if (patient_start(&patient, read_from, ARENA, 0))
            thread_reaches(patient.child.thread, MNOS_STATE_FAULTED);
        patient_drop(&patient);
    }
}

TEST(handler, a_suspended_patient_goes_on_when_both_say_so)
{
    uint64_t now;
    struct patient patient;
    struct mnos_fault fault;
    struct message msg;

    if (patient_start(&patient, provoke, VECTOR_BREAKPOINT, 0) &&
        fault_comes(&patient, &msg, &fault, VECTOR_BREAKPOINT)) {
        CHECK_OK(sys_thread_block(patient.child.thread, 0, &now));
        CHECK_EQ(thread_info(patient.child.thread).state, MNOS_STATE_FAULTED);
        CHECK_OK(answer(&msg, MNOS_FAULT_RESUME, NULL));
        CHECK_EQ(thread_info(patient.child.thread).state, MNOS_STATE_SUSPENDED);
        CHECK_OK(sys_thread_wake(patient.child.thread));
        CHECK_EQ(child_result(&patient.child), 55);
    }
    patient_drop(&patient);
}

/* ---- what it was about to send ---- */

static uint64_t fault_while_composing(uint64_t address, uint64_t, uint64_t, uint64_t)
{
    uint8_t *data = ipc_buffer()->data;
    uint64_t wrong = 0;

    for (unsigned i = 0; i < MNOS_BUFFER_DATA_BYTES; i++)
        data[i] = (uint8_t)(i * 5);
    (void)read_from(address, 0, 0, 0);
    for (unsigned i = 0; i < MNOS_BUFFER_DATA_BYTES; i++)
        wrong += data[i] != (uint8_t)(i * 5);
    return wrong;
}

TEST(handler, the_ipc_buffer_of_the_patient_is_not_touched)
{
    mnos_cap_t memory = memory_new(1);
    struct patient patient;
    struct mnos_fault fault;
    struct message msg;

    if (patient_start(&patient, fault_while_composing, ARENA, 0) &&
        fault_comes(&patient, &msg, &fault, VECTOR_PAGE_FAULT)) {
        CHECK_OK(sys_mem_map(patient.child.process, memory, ARENA, 0, 1, MAP_RW));
        CHECK_OK(answer(&msg, MNOS_FAULT_RESUME, NULL));
        CHECK_EQ(child_result(&patient.child), 0);
    }
    patient_drop(&patient);
    cap_drop(memory);
}

/* ---- straight through: answered with what comes next, by a handler that waits ---- */

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

TEST(handler, one_that_waited_and_dies_with_the_fault_in_its_hands)
{
    struct patient patient;
    struct doctor doctor = {0};
    struct thread thread;

    if (patient_create(&patient)) {
        doctor.endpoint = patient.endpoint;
        helper_start(&thread, take_one_and_die, &doctor);
        thread_reaches(thread.thread, MNOS_STATE_RECEIVING);
        CHECK(child_start(&patient.child, read_from, ARENA, 0, 0, 0));
        helper_finish(&thread);
        CHECK_OK(doctor.status);
        check_unhandled(&patient);
    }
    patient_drop(&patient);
}
