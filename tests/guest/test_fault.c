// SPDX-License-Identifier: MIT
/* test_fault.c - how a process ends that does what it must not, and what its parent is told. */
#include "tests/guest/child.h"

#define VECTOR_DIVISION 0
#define VECTOR_DEBUG 1
#define VECTOR_BREAKPOINT 3
#define VECTOR_ILLEGAL 6
#define VECTOR_PROTECTION 13
#define VECTOR_PAGE_FAULT 14
#define VECTOR_FOREIGN_CALL 256

/* Bits of the error code of a page fault. */
#define FAULT_PRESENT 1u
#define FAULT_WRITE 2u
#define FAULT_USER 4u
#define FAULT_EXECUTE 16u

static void check_fault(child_function *function, uint64_t a, uint32_t vector, uint32_t error)
{
    struct mnos_process_info info = child_run(function, a, 0, 0, 0);

    CHECK_EQ(info.state, MNOS_PROCESS_DEAD);
    CHECK_EQ(info.exit_reason, MNOS_EXIT_FAULT);
    CHECK_EQ(VECTOR_OF(info.exit_code), vector);
    CHECK_EQ(ERROR_OF(info.exit_code), error);
}

static uint64_t return_sum(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    return a + b + c + d;
}

TEST(fault, a_child_that_returns_ends_by_itself)
{
    struct mnos_process_info info = child_run(return_sum, 1, 20, 300, 4000);

    CHECK_EQ(info.state, MNOS_PROCESS_DEAD);
    CHECK_EQ(info.exit_reason, MNOS_EXIT_SELF);
    CHECK_EQ(info.exit_code, 4321);
}

static uint64_t read_from(uint64_t a, uint64_t, uint64_t, uint64_t)
{
    return *(volatile uint64_t *)a;
}

static uint64_t write_to(uint64_t a, uint64_t, uint64_t, uint64_t)
{
    *(volatile uint64_t *)a = 1;
    return 0;
}

static uint64_t jump_to(uint64_t a, uint64_t, uint64_t, uint64_t)
{
    ((void (*)(void))a)();
    return 0;
}

TEST(fault, reading_what_is_not_mapped)
{
    check_fault(read_from, ARENA, VECTOR_PAGE_FAULT, FAULT_USER);
    check_fault(read_from, 0, VECTOR_PAGE_FAULT, FAULT_USER);
}

TEST(fault, reading_or_writing_kernel_memory)
{
    struct mnos_process_info info = child_run(read_from, 0xFFFFFFFF80200000ull, 0, 0, 0);

    CHECK_EQ(info.exit_reason, MNOS_EXIT_FAULT);
    CHECK_EQ(VECTOR_OF(info.exit_code), VECTOR_PAGE_FAULT);
    CHECK((ERROR_OF(info.exit_code) & FAULT_USER) != 0);
    info = child_run(write_to, 0xFFFF800000000000ull, 0, 0, 0);
    CHECK_EQ(info.exit_reason, MNOS_EXIT_FAULT);
    CHECK_EQ(VECTOR_OF(info.exit_code), VECTOR_PAGE_FAULT);
}

TEST(fault, writing_to_code_to_constants_and_to_the_kernel_information_page)
{
    static const uint64_t constant = 5;

    check_fault(write_to, (uint64_t)return_sum, VECTOR_PAGE_FAULT,
                FAULT_USER | FAULT_PRESENT | FAULT_WRITE);
    check_fault(write_to, (uint64_t)&constant, VECTOR_PAGE_FAULT,
                FAULT_USER | FAULT_PRESENT | FAULT_WRITE);
    check_fault(write_to, MNOS_KINFO_ADDRESS, VECTOR_PAGE_FAULT,
                FAULT_USER | FAULT_PRESENT | FAULT_WRITE);
}

static uint64_t jump_to_stack(uint64_t, uint64_t, uint64_t, uint64_t)
{
    volatile uint8_t code[16] = {0xC3};

    return jump_to((uint64_t)code, 0, 0, 0);
}

static uint64_t jump_to_buffer(uint64_t, uint64_t, uint64_t, uint64_t)
{
    ipc_buffer()->data[0] = 0xC3;
    return jump_to((uint64_t)ipc_buffer(), 0, 0, 0);
}

TEST(fault, executing_constants_stack_or_ipc_buffer)
{
    static const uint8_t constant[16] = {0xC3};
    const uint32_t error = FAULT_USER | FAULT_PRESENT | FAULT_EXECUTE;

    check_fault(jump_to, (uint64_t)constant, VECTOR_PAGE_FAULT, error);
    check_fault(jump_to_stack, 0, VECTOR_PAGE_FAULT, error);
    check_fault(jump_to_buffer, 0, VECTOR_PAGE_FAULT, error);
}

static uint64_t provoke(uint64_t vector, uint64_t, uint64_t, uint64_t)
{
    uint32_t zero = 0, low = 1, high = 0;

    switch (vector) {
    case VECTOR_DIVISION: __asm__ volatile("divl %2" : "+a"(low), "+d"(high) : "r"(zero)); break;
    case VECTOR_DEBUG:
        __asm__ volatile("pushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\tnop" ::: "memory", "cc");
        break;
    case VECTOR_BREAKPOINT: __asm__ volatile("int3"); break;
    case VECTOR_ILLEGAL: __asm__ volatile("ud2"); break;
    case VECTOR_PROTECTION: __asm__ volatile("hlt"); break;
    default: break;
    }
    return 0;
}

TEST(fault, division_by_zero_single_step_breakpoint_and_illegal_instruction)
{
    check_fault(provoke, VECTOR_DIVISION, VECTOR_DIVISION, 0);
    check_fault(provoke, VECTOR_DEBUG, VECTOR_DEBUG, 0);
    check_fault(provoke, VECTOR_BREAKPOINT, VECTOR_BREAKPOINT, 0);
    check_fault(provoke, VECTOR_ILLEGAL, VECTOR_ILLEGAL, 0);
}

static uint64_t privileged(uint64_t which, uint64_t, uint64_t, uint64_t)
{
    uint64_t value = 0;

    switch (which) {
    case 0: __asm__ volatile("cli"); break;
    case 1: __asm__ volatile("sti"); break;
    case 2: __asm__ volatile("mov %%cr3, %0" : "=r"(value)); break;
    case 3: __asm__ volatile("mov %0, %%cr0" ::"r"(value)); break;
    case 4: __asm__ volatile("rdmsr" : "=a"(value) : "c"(0x1B) : "rdx"); break;
    case 5: __asm__ volatile("wrmsr" ::"a"(0), "d"(0), "c"(0x1B)); break;
    case 6: __asm__ volatile("inb $0x64, %%al" : "=a"(value)); break;
    case 7: __asm__ volatile("outb %%al, $0xF4" ::"a"(0)); break;
    case 8: value = *(volatile uint64_t *)0x8000000000000000ull; break; /* not canonical */
    case 9: __asm__ volatile("int $0x80"); break;
    case 10: __asm__ volatile("movw %w0, %%ss" ::"r"(8)); break;
    default: __asm__ volatile("hlt"); break;
    }
    return value;
}
#define PRIVILEGED_COUNT 12

TEST(fault, privileged_instructions_ports_and_software_interrupts)
{
    for (uint64_t which = 0; which < PRIVILEGED_COUNT && !check_failed(); which++) {
        struct mnos_process_info info = child_run(privileged, which, 0, 0, 0);

        CHECK_EQ(info.exit_reason, MNOS_EXIT_FAULT);
        CHECK_EQ(VECTOR_OF(info.exit_code), VECTOR_PROTECTION);
    }
}

static uint64_t call_number(uint64_t number, uint64_t, uint64_t, uint64_t)
{
    return syscall_raw(number, 0, 0, 0, 0, 0, 0).rax;
}

TEST(fault, a_system_call_of_another_system)
{
    check_fault(call_number, 60, VECTOR_FOREIGN_CALL, 0);
    check_fault(call_number, UINT64_MAX, VECTOR_FOREIGN_CALL, 0);
    check_fault(call_number, MNOS_SYSCALL_BASE - 1, VECTOR_FOREIGN_CALL, 0);
    check_fault(call_number, MNOS_SYSCALL_BASE + 0x10000ull, VECTOR_FOREIGN_CALL, 0);
    check_fault(call_number, 0x100000000ull + MNOS_SYSCALL_BASE, VECTOR_FOREIGN_CALL, 0);
}

TEST(fault, a_native_number_that_no_call_has)
{
    struct syscall_result result = syscall_raw(MNOS_SYSCALL_END, 0, 0, 0, 0, 0, 0);

    CHECK_EQ(result.rax, MNOS_ERR_SYSCALL);
    result = syscall_raw(MNOS_SYSCALL_BASE + 0xFFFF, 1, 2, 3, 4, 5, 6);
    CHECK_EQ(result.rax, MNOS_ERR_SYSCALL);
}
