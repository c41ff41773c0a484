// SPDX-License-Identifier: MIT
/* test_handler.c - faults as messages: what a handler is told, and what it can do. */
#include "tests/guest/patient.h"

/* ---- what faults ---- */

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
