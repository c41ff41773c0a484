/* SPDX-License-Identifier: MIT */
/*
 * interrupt.S - every way into the kernel but SYSCALL (syscall.S), and the ways back out; what each vector
 * starts with is in stubs.S. docs/interrupts.md tells the story.
 *
 * There are two variants of each entry. The plain one runs on the page tables of the process. The
 * isolating one finds the table that a user program runs on, which maps only .entry.isolating and
 * .bss.entry of the kernel, and switches to the full one first. idt.c and cpu.c choose at boot.
 *
 * From user mode all registers are saved into the current thread's frame, the first part of struct
 * thread, and C runs on the core's only kernel stack. From kernel mode (idle, or a poll) they are saved
 * on that stack. NMI, double fault and machine check can come between any two instructions here, while
 * GS and the stack pointer still are the user's, so they have stacks of their own.
 */
#include "arch/x86_64/entry/frame.inc"
#include "arch/x86_64/cpu/selectors.h"
#include "arch/x86_64/apic/vectors.h"
#include "measure.inc"
#include "struct_offsets.h"

#define GS_BASE_MSR          0xC0000101
#define RFLAGS_NONE          2

.macro VARIANT variant
.section .entry.\variant, "ax", @progbits
.endm

/* Below vector and error code; afterwards RSP points to the start of the frame. */
.macro SAVE_REGISTERS
    pushq %rdi
    pushq %rsi
    pushq %rdx
    pushq %rcx
    pushq %rax
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
.endm

/* KERNEL_CR3 where the tables may be any: those without a process. */
.macro ROOT_CR3 scratch
    movq %gs:ENTRY_KERNEL_ROOT, \scratch
    movq \scratch, %cr3
.endm

/* What sched_leave_kernel() would look at first is looked at here, since nearly every time there is nothing
 * for it to do. */
.macro CALL_AND_LEAVE function, variant
    call \function
.globl leave_\variant
leave_\variant:
    movq %gs:CORE_SELF, %rax
    movq CORE_CURRENT(%rax), %rsi
    testq %rsi, %rsi
    jz 1f
    cmpb $0, CORE_NEED_RESCHED(%rax)
    jne 1f
    cmpl $0, THREAD_STOP(%rsi)
    je exit_\variant
1:  call sched_leave_kernel
    jmp exit_\variant
.endm

/* ---- exceptions and interrupts ---- */

/* SMAP has a meaning only with AC clear, and an interrupt gate leaves AC as the user had it; CLAC is
 * not on every processor, POPF is. It clears DF and NT as well. */
.macro CLEAR_FLAGS
    pushq $RFLAGS_NONE
    popfq
.endm

/* The kernel was interrupted, in arch_idle() or arch_poll_interrupts(), or has a bug. LFENCE: without
 * it a mispredicted user entry could run on here with the user's GS, and the other way round below.
 * Intel, "Speculative Execution of SWAPGS and Segment Registers". */
.text
.globl interrupt_from_kernel
interrupt_from_kernel:
    cmpq $idle_halted, 16(%rsp)
    je interrupt_from_idle
    SAVE_REGISTERS
    lfence
    cld
    MEASURE_BEGIN
    movq %rsp, %rdi
    call trap_from_kernel
    MEASURE_LOOK
    RESTORE_R15_TO_RBX
    RESTORE_R11_TO_RDI
    addq $16, %rsp
    iretq

/* arch_idle() is a function that was called, and what it need not preserve nobody misses: this returns
 * from it. The processor has aligned the stack before it pushed seven words with the stub. */
interrupt_from_idle:
    lfence
    popq %rdi
    MEASURE_WAKE %rdi
    call trap_interrupt
    movq 32(%rsp), %rsp
    ret

/* From user mode: RDI = the current thread, whose frame has all registers. The processor has pushed into
 * it: TSS.RSP0 is its end. */
.macro FROM_USER_PLAIN entered
    testb $3, 24(%rsp)
    jz interrupt_from_kernel
    swapgs
    lfence
\entered:
    SAVE_REGISTERS
    movq %rsp, %rdi
    movq %gs:CORE_KERNEL_STACK_TOP, %rsp
    CLEAR_FLAGS
    MEASURE_TRAP %rdi
.endm

/* The processor has pushed onto the entry stack, from where the words are moved to the frame. The
 * write to CR3 serialises, so no LFENCE is needed. */
.macro FROM_USER_ISOLATING entered
    testb $3, 24(%rsp)
    jz interrupt_from_kernel
    swapgs
    pushq %rdi
    KERNEL_CR3 %rdi
    movq %gs:ENTRY_CORE, %rdi
    movq CORE_CURRENT(%rdi), %rdi
\entered:
    popq FRAME_RDI(%rdi)
    popq FRAME_VECTOR(%rdi)
    popq FRAME_ERROR(%rdi)
    popq FRAME_RIP(%rdi)
    popq FRAME_CS(%rdi)
    popq FRAME_RFLAGS(%rdi)
    popq FRAME_RSP(%rdi)
    popq FRAME_SS(%rdi)
    leaq FRAME_VECTOR(%rdi), %rsp
    movq FRAME_RDI(%rdi), %rdi
    SAVE_REGISTERS
    movq %rsp, %rdi
    movq %gs:ENTRY_CORE, %rsp
    movq CORE_KERNEL_STACK_TOP(%rsp), %rsp
    CLEAR_FLAGS
    MEASURE_TRAP %rdi
.endm

/* Exceptions go to fault_fast.inc, from where the ones that are not
 * for it come back; page faults come from upcall_fast.inc, to where the user has been left (exception_entered). */
VARIANT plain
.globl interrupt_plain, exception_plain, exception_entered_plain, trap_plain
interrupt_plain:
    FROM_USER_PLAIN interrupt_entered_plain
trap_plain:
    CALL_AND_LEAVE trap_from_user, plain
exception_plain:
    FROM_USER_PLAIN exception_entered_plain
    jmp fault_plain

VARIANT isolating
.globl interrupt_isolating, exception_isolating, exception_entered_isolating, trap_isolating
interrupt_isolating:
    FROM_USER_ISOLATING interrupt_entered_isolating
trap_isolating:
    CALL_AND_LEAVE trap_from_user, isolating
exception_isolating:
    FROM_USER_ISOLATING exception_entered_isolating
    jmp fault_isolating

/* ---- entries with a stack of their own ---- */

/* Whether user mode, the kernel or this file was interrupted: R12 = the GS base there, and GS becomes
 * the kernel's, from the word above the stack. */
.macro KNOW_CORE
    movl $GS_BASE_MSR, %ecx
    rdmsr
    shlq $32, %rdx
    movl %eax, %r12d
    orq %rdx, %r12
    movq FRAME_BYTES(%rsp), %rax
    movq %rax, %rdx
    shrq $32, %rdx
    wrmsr
.endm

.macro NMI_ENTRY variant
VARIANT \variant
.globl entry_nmi_\variant
entry_nmi_\variant:
    pushq $0
    pushq $VECTOR_NMI
    SAVE_REGISTERS
    cld
    KNOW_CORE
    .ifc \variant, isolating
    movq %cr3, %r13
    ROOT_CR3 %rax
    .endif
    movq %rsp, %rdi
    call trap_nmi
    .ifc \variant, isolating
    orq %gs:ENTRY_CR3_KERNEL_OR, %r13
    movq %r13, %cr3
    .endif
    movl $GS_BASE_MSR, %ecx
    movq %r12, %rax
    movq %r12, %rdx
    shrq $32, %rdx
    wrmsr
    RESTORE_R15_TO_RBX
    RESTORE_R11_TO_RDI
    addq $16, %rsp
    iretq
.endm

/* From these nothing returns; the report needs more stack than the landing place has. */
.macro FATAL_ENTRY name, vector, variant
VARIANT \variant
.globl entry_\name\()_\variant
entry_\name\()_\variant:
    .if \vector != VECTOR_DOUBLE_FAULT
    pushq $0
    .endif
    pushq $\vector
    SAVE_REGISTERS
    cld
    KNOW_CORE
    .ifc \variant, isolating
    ROOT_CR3 %rax
    .endif
    movq %rsp, %rdi
    movq %gs:CORE_SELF, %rax
    movq CORE_PANIC_STACK_TOP(%rax), %rsp
    call trap_fatal
.endm

NMI_ENTRY plain
NMI_ENTRY isolating
FATAL_ENTRY double_fault, VECTOR_DOUBLE_FAULT, plain
FATAL_ENTRY double_fault, VECTOR_DOUBLE_FAULT, isolating
FATAL_ENTRY machine_check, VECTOR_MACHINE_CHECK, plain
FATAL_ENTRY machine_check, VECTOR_MACHINE_CHECK, isolating

/* ---- leaving the kernel ---- */

/* [[noreturn]] void arch_enter_user(void). The kernel stack is simply left; the next entry begins at
 * its top again. */
.text
.globl arch_enter_user
arch_enter_user:
    cmpb $0, paging_isolation(%rip)
    je exit_plain
    jmp exit_isolating

/*
 * To core->current, whose `vector` is FRAME_SYSCALL afterwards, so that system calls need not set it.
 * SYSRET only for frames that SYSCALL made: RIP then is the address after an
 * instruction below MNOS_USER_END, hence canonical; with any other SYSRET would fault in the kernel on
 * the user's stack. (Intel SDM vol 2B, "SYSRET".)
 */
VARIANT plain
.globl exit_plain
exit_plain:
    MEASURE_EXIT
    movq %gs:CORE_CURRENT, %rsp
    cmpl $FRAME_SYSCALL_VECTOR, FRAME_VECTOR(%rsp)
    jne 1f
    RESTORE_R15_TO_RBX
    RESTORE_R11_TO_RDI
    movq FRAME_RIP-FRAME_VECTOR(%rsp), %rcx
    movq FRAME_RFLAGS-FRAME_VECTOR(%rsp), %r11
    movq FRAME_RSP-FRAME_VECTOR(%rsp), %rsp
    swapgs
    sysretq
1:  RESTORE_R15_TO_RBX
    RESTORE_R11_TO_RDI
    movq $FRAME_SYSCALL_VECTOR, (%rsp)
    addq $16, %rsp
    swapgs
    iretq

/* The frame is out of reach once the user's tables are loaded, so what is needed afterwards goes to the
 * entry area before. */
VARIANT isolating
.globl exit_isolating
exit_isolating:
    MEASURE_EXIT
    movq %gs:ENTRY_CORE, %rsp
    movq CORE_CURRENT(%rsp), %rsp
    cmpl $FRAME_SYSCALL_VECTOR, FRAME_VECTOR(%rsp)
    jne 1f
    movq FRAME_RSP(%rsp), %rax
    movq %rax, %gs:ENTRY_SCRATCH
    RESTORE_R15_TO_RBX
    RESTORE_R11_TO_RDI
    movq FRAME_RIP-FRAME_VECTOR(%rsp), %rcx
    movq FRAME_RFLAGS-FRAME_VECTOR(%rsp), %r11
    USER_CR3 %rsp
    movq %gs:ENTRY_SCRATCH, %rsp
    swapgs
    sysretq
1:  movq %rsp, %rdi
    movq %gs:ENTRY_STACK_TOP, %rsp
    pushq FRAME_SS(%rdi)
    pushq FRAME_RSP(%rdi)
    pushq FRAME_RFLAGS(%rdi)
    pushq FRAME_CS(%rdi)
    pushq FRAME_RIP(%rdi)
    pushq FRAME_RDI(%rdi)
    movq $FRAME_SYSCALL_VECTOR, FRAME_VECTOR(%rdi)
    movq %rsp, %gs:ENTRY_SCRATCH
    movq %rdi, %rsp
    RESTORE_R15_TO_RBX
    RESTORE_R11_TO_RDI
    movq %gs:ENTRY_SCRATCH, %rsp
    USER_CR3 %rdi
    popq %rdi
    swapgs
    iretq

/* ---- taking interrupts in the kernel ---- */

.text

/* void arch_idle(void): the instruction after STI still runs with interrupts off, so that one which
 * became pending earlier ends the HLT. (Intel SDM vol 2B, "STI".) It returns by interrupt_from_idle;
 * only an NMI leads to behind the HLT. */
.globl arch_idle
arch_idle:
    MEASURE_LOOK
    sti
    hlt
idle_halted:
    cli
    jmp arch_idle

/* void arch_poll_interrupts(void): the NOP is the one instruction after STI. */
.globl arch_poll_interrupts
arch_poll_interrupts:
    MEASURE_LOOK
    sti
    nop
    cli
    MEASURE_BEGIN
    ret

.section .note.GNU-stack, "", @progbits
