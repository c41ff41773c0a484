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

/* ---- what the upcall finds, to the bit ---- */

#define FLAGS_SET 0x44401ull /* AC, NT, DF, CF */
#define FLAGS_CLEARED 0x44400ull

/* Filled by raw_upcall: RAX, RBX, RDX, RSI, RDI, RBP, R8 to R10, R12 to R15, RSP, RFLAGS. */
#define RAW_REGISTERS 15
uint64_t raw_seen[RAW_REGISTERS];
/* The registers before it happens, in the same order, without the last two. */
uint64_t raw_before[RAW_REGISTERS - 2];

void raw_upcall(void);
__asm__(".text\n"
        "raw_upcall:\n\t"
        "movq %rax, raw_seen(%rip)\n\tmovq %rbx, raw_seen+8(%rip)\n\t"
        "movq %rdx, raw_seen+16(%rip)\n\tmovq %rsi, raw_seen+24(%rip)\n\t"
        "movq %rdi, raw_seen+32(%rip)\n\tmovq %rbp, raw_seen+40(%rip)\n\t"
        "movq %r8, raw_seen+48(%rip)\n\tmovq %r9, raw_seen+56(%rip)\n\t"
        "movq %r10, raw_seen+64(%rip)\n\tmovq %r12, raw_seen+72(%rip)\n\t"
        "movq %r13, raw_seen+80(%rip)\n\tmovq %r14, raw_seen+88(%rip)\n\t"
        "movq %r15, raw_seen+96(%rip)\n\tmovq %rsp, raw_seen+104(%rip)\n\t"
        "leaq -128(%rsp), %rsp\n\tpushfq\n\tpopq raw_seen+112(%rip)\n\tleaq 128(%rsp), %rsp\n\t"
        "jmp raw_return\n");

/* Makes it happen with the registers of raw_before; comes back by raw_return. */
void raw_do(uint64_t fault);
__asm__(".text\n"
        "raw_do:\n\t"
        "pushq %rbx\n\tpushq %rbp\n\tpushq %r12\n\tpushq %r13\n\tpushq %r14\n\tpushq %r15\n\t"
        "movq %rdi, %rcx\n\tmovq %rsp, raw_stack(%rip)\n\t"
        "movq raw_before(%rip), %rax\n\tmovq raw_before+8(%rip), %rbx\n\t"
        "movq raw_before+16(%rip), %rdx\n\tmovq raw_before+24(%rip), %rsi\n\t"
        "movq raw_before+32(%rip), %rdi\n\tmovq raw_before+40(%rip), %rbp\n\t"
        "movq raw_before+48(%rip), %r8\n\tmovq raw_before+56(%rip), %r9\n\t"
        "movq raw_before+64(%rip), %r10\n\tmovq raw_before+72(%rip), %r12\n\t"
        "movq raw_before+80(%rip), %r13\n\tmovq raw_before+88(%rip), %r14\n\t"
        "movq raw_before+96(%rip), %r15\n\t"
        "jrcxz 1f\n\tpushq $0x44401\n\tpopfq\n\t"
        ".globl raw_faults\nraw_faults:\tmovq (%rdi), %rax\n\tud2\n"
        "1:\tpushq $0x44401\n\tpopfq\n\tsyscall\n"
        ".globl raw_called\nraw_called:\tud2\n"
        "raw_return:\n\t"
        "movq raw_stack(%rip), %rsp\n\t"
        "popq %r15\n\tpopq %r14\n\tpopq %r13\n\tpopq %r12\n\tpopq %rbp\n\tpopq %rbx\n\tret\n\t"
        ".bss\n\t.balign 8\nraw_stack:\t.quad 0\n.text\n");
extern const uint8_t raw_faults[], raw_called[];

static void check_raw(bool fault)
{
    const struct mnos_ipc_buffer *buffer = ipc_buffer();

    for (unsigned i = 0; i < RAW_REGISTERS - 2; i++)
        raw_before[i] = 0x0123456789ABCDEFull * (i + 3);
    raw_before[4] = ARENA + 8 * PAGE + 24; /* RDI: where nothing is mapped */
    raw_before[0] = 231;
    raw_do(fault);
    for (unsigned i = 0; i < RAW_REGISTERS - 2; i++)
        CHECK_EQ(raw_seen[i], raw_before[i]);
    CHECK_EQ(raw_seen[RAW_REGISTERS - 1] & FLAGS_SET, FLAGS_SET & ~FLAGS_CLEARED);
    CHECK_EQ(buffer->upcall_rip, (uint64_t)(fault ? raw_faults : raw_called));
    CHECK_EQ(buffer->upcall_address, fault ? raw_before[4] : 0);
    CHECK_EQ(MNOS_UPCALL_GET_RFLAGS(buffer->upcall_state) & FLAGS_SET, FLAGS_SET);
    CHECK_EQ(MNOS_UPCALL_GET_ERROR(buffer->upcall_state), fault ? 4 : 0);
    CHECK_EQ(MNOS_UPCALL_GET_VECTOR(buffer->upcall_state), fault ? 14 : MNOS_FAULT_SYSCALL);
    ipc_buffer()->upcall_state = 0;
}

/* In an upcall taken without C in the kernel and, while events are recorded, with it. */
TEST(upcall, all_registers_are_as_they_were_and_the_buffer_tells_the_rest)
{
    const uint64_t both = MNOS_UPCALL_FAULTS | MNOS_UPCALL_SYSCALLS;

    CHECK_OK(sys_thread_control(MNOS_SELF, MNOS_THREAD_UPCALL, (uint64_t)raw_upcall | both));
    for (unsigned i = 0; i < 3; i++) {
        check_raw(false);
        check_raw(true);
    }
    CHECK_OK(sys_thread_control(MNOS_SELF, MNOS_THREAD_UPCALL,
                                (uint64_t)raw_upcall | MNOS_UPCALL_SYSCALLS));
    check_raw(false);
    CHECK_OK(sys_thread_control(MNOS_SELF, MNOS_THREAD_UPCALL,
                                (uint64_t)raw_upcall | MNOS_UPCALL_FAULTS));
    check_raw(true);
    CHECK_OK(sys_thread_control(MNOS_SELF, MNOS_THREAD_UPCALL, 0));
}

/* Another thread that writes to upcall_state all the time: what becomes of the upcall is up to the two, and of
 * nothing else. */
static _Atomic bool disturb;

static void disturber(void *state)
{
    while (disturb) {
        *(volatile uint64_t *)state = 0;
        __asm__ volatile("pause");
    }
}

static uint64_t disturbed(uint64_t, uint64_t, uint64_t, uint64_t)
{
    uint64_t bad = 0;

    for (unsigned i = 0; i < 2000; i++)
        bad += syscall_raw(FOREIGN_GETPID, 0, 0, 0, 0, 0, 0).rax != 4711;
    return bad;
}

static void getpid_only(struct mnos_fault *fault)
{
    fault->registers.rax = 4711;
}

TEST(upcall, another_thread_may_clear_the_state_at_any_time)
{
    struct thread other;

    CHECK_OK(upcall_set(getpid_only, MNOS_UPCALL_SYSCALLS));
    disturb = true;
    helper_start_at(&other, disturber, (void *)&ipc_buffer()->upcall_state, TEST_PRIORITY,
                    core_count() - 1);
    /* The vector that the handler reads may be gone, so it does not look at it. */
    CHECK_EQ(disturbed(0, 0, 0, 0), 0);
    disturb = false;
    helper_finish(&other);
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
