// SPDX-License-Identifier: MIT
/* test_upcall.c - faults and foreign system calls that a thread handles itself. */
#include "lib/mnos/upcall.h"

#include "tests/guest/child.h"

/* ---- a personality: three calls of another system ---- */

#define FOREIGN_GETPID 39
#define FOREIGN_ADD 1000

static void personality(struct mnos_fault *fault)
{
    struct mnos_registers *r = &fault->registers;

    if (fault->vector != MNOS_FAULT_SYSCALL)
        return;
    switch (r->rax) {
    case FOREIGN_GETPID: r->rax = 4711; break;
    case FOREIGN_ADD: r->rax = r->rdi + r->rsi + r->rdx + r->r10 + r->r8 + r->r9; break;
    default: r->rax = (uint64_t)-38; break;
    }
}

TEST(upcall, a_personality_in_the_program_itself)
{
    struct raw_registers regs = {1, 20, 300, 4000, 50000, 600000, 7, 8};

    CHECK_OK(upcall_set(personality, MNOS_UPCALL_SYSCALLS));
    CHECK_EQ(raw_call(FOREIGN_GETPID, &regs), 4711);
    CHECK_EQ(raw_call(FOREIGN_ADD, &regs), 654321);
    CHECK_EQ(regs.rdi, 1); /* and all arguments are preserved */
    CHECK_EQ(regs.rsi, 20);
    CHECK_EQ(regs.rdx, 300);
    CHECK_EQ(regs.r10, 4000);
    CHECK_EQ(regs.r8, 50000);
    CHECK_EQ(regs.r9, 600000);
    CHECK_EQ(regs.r12, 7);
    CHECK_EQ(raw_call(UINT64_MAX, &regs), (uint64_t)-38);
    CHECK_EQ(raw_call(MNOS_SYSCALL_BASE + 0xFFFF, &regs), MNOS_ERR_SYSCALL); /* native: no upcall */
    CHECK_EQ(ipc_buffer()->upcall_state, 0);
    CHECK_OK(upcall_clear());
}

/* ---- faults ---- */

static struct mnos_fault seen;
static mnos_cap_t page;

static void map_and_go_on(struct mnos_fault *fault)
{
    seen = *fault;
    if (fault->vector == 14)
        CHECK_OK(sys_mem_map(MNOS_SELF, page, fault->address & ~(PAGE - 1), 0, 1, MAP_RW));
    else if (fault->vector == 6)
        fault->registers.rip += 2;
}

TEST(upcall, a_page_that_a_program_maps_on_demand)
{
    uint64_t flags = 0, value = 1;

    page = memory_new(1);
    CHECK_OK(upcall_set(map_and_go_on, MNOS_UPCALL_FAULTS));
    /* The red zone and the flags survive; DF is clear in the handler and set afterwards. */
    __asm__ volatile("movq $0x1234, -8(%%rsp)\n\t"
                     "movq $0x5678, -128(%%rsp)\n\t"
                     "std\n\tstc\n\t"
                     "movq (%[address]), %[value]\n\t"
                     "leaq -256(%%rsp), %%rsp\n\tpushfq\n\tpopq %[flags]\n\t"
                     "leaq 256(%%rsp), %%rsp\n\tcld\n\t"
                     "addq -8(%%rsp), %[value]\n\taddq -128(%%rsp), %[value]"
                     : [value] "=&r"(value), [flags] "=&r"(flags)
                     : [address] "r"(ARENA + 16)
                     : "memory", "cc");
    CHECK_EQ(value, 0x1234 + 0x5678);
    CHECK_EQ(flags & 0x401, 0x401);
    CHECK_EQ(seen.vector, 14);
    CHECK_EQ(seen.error, 4);
    CHECK_EQ(seen.address, ARENA + 16);
    CHECK((seen.registers.rflags & 0x400) != 0);
    __asm__ volatile("ud2");
    CHECK_EQ(seen.vector, 6);
    CHECK_EQ(seen.error, 0);
    CHECK_EQ(seen.address, 0);
    CHECK_OK(upcall_clear());
    CHECK_OK(sys_mem_unmap(MNOS_SELF, ARENA, 1));
    cap_drop(page);
}

/* A fault inside the handler, which has been told of the first one: it is told of the second. */
static void fault_again(struct mnos_fault *fault)
{
    seen.thread_id++;
    if (fault->vector == 6)
        __asm__ volatile("int3");
    fault->registers.rip += fault->vector == 6 ? 2 : 0;
}

TEST(upcall, a_fault_in_the_handler_is_another_upcall)
{
    seen.thread_id = 0;
    CHECK_OK(upcall_set(fault_again, MNOS_UPCALL_FAULTS));
    __asm__ volatile("ud2");
    CHECK_EQ(seen.thread_id, 2);
    CHECK_OK(upcall_clear());
}

/* ---- what does not become an upcall ---- */

static uint64_t fault_with_one_pending(uint64_t, uint64_t, uint64_t, uint64_t)
{
    if (upcall_set(map_and_go_on, MNOS_UPCALL_FAULTS) != MNOS_OK)
        return 1;
    ipc_buffer()->upcall_state = 1;
    __asm__ volatile("ud2");
    return 0;
}

static uint64_t fault_with_upcall_nowhere(uint64_t, uint64_t, uint64_t, uint64_t)
{
    if (sys_thread_control(MNOS_SELF, MNOS_THREAD_UPCALL, ARENA | MNOS_UPCALL_FAULTS) != MNOS_OK)
        return 1;
    __asm__ volatile("ud2");
    return 0;
}

static uint64_t fault_without_flag(uint64_t which, uint64_t, uint64_t, uint64_t)
{
    if (upcall_set(map_and_go_on, which) != MNOS_OK)
        return 1;
    if (which == MNOS_UPCALL_SYSCALLS)
        __asm__ volatile("ud2");
    return syscall_raw(60, 0, 0, 0, 0, 0, 0).rax;
}

static void check_ends(child_function *function, uint64_t a, uint32_t vector)
{
    struct mnos_process_info info = child_run(function, a, 0, 0, 0);

    CHECK_EQ(info.exit_reason, MNOS_EXIT_FAULT);
    CHECK_EQ((uint32_t)(info.exit_code >> 32), vector);
}

TEST(upcall, a_second_one_before_the_first_is_taken_ends_the_process)
{
    check_ends(fault_with_one_pending, 0, 6);
    check_ends(fault_with_upcall_nowhere, 0, 14);
}

TEST(upcall, only_what_it_is_set_for)
{
    check_ends(fault_without_flag, MNOS_UPCALL_SYSCALLS, 6);
    check_ends(fault_without_flag, MNOS_UPCALL_FAULTS, MNOS_FAULT_SYSCALL);
}

TEST(upcall, bad_values_are_refused)
{
    static const uint64_t flags[] = {MNOS_UPCALL_FAULTS, MNOS_UPCALL_SYSCALLS};

    for (unsigned i = 0; i < 2; i++) {
        CHECK_FAILS(sys_thread_control(MNOS_SELF, MNOS_THREAD_UPCALL, flags[i]), MNOS_ERR_ARGUMENT,
                    3, 0);
        CHECK_FAILS(sys_thread_control(MNOS_SELF, MNOS_THREAD_UPCALL, MNOS_USER_END | flags[i]),
                    MNOS_ERR_ADDRESS, 3, 0);
    }
    CHECK_FAILS(sys_thread_control(MNOS_SELF, MNOS_THREAD_UPCALL, ARENA), MNOS_ERR_ARGUMENT, 3, 0);
    CHECK_FAILS(sys_thread_control(MNOS_SELF, MNOS_THREAD_UPCALL, 1ull << 61 | MNOS_UPCALL_FAULTS),
                MNOS_ERR_ADDRESS, 3, 0);
}
