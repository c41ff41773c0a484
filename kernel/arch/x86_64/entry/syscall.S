/* SPDX-License-Identifier: MIT */
/*
 * syscall.S - the SYSCALL instruction: syscall.inc, in two variants, and the short ways that belong to it. The plain one runs on the page
 * tables of the process, and GS leads to struct core. The isolating one finds the tables that a user
 * program runs on; GS leads to struct cpu_entry, whose first word is the core.
 */
#include "arch/x86_64/entry/frame.inc"
#include "arch/x86_64/cpu/selectors.h"
#include "arch/x86_64/entry/spinlock.inc"
#include "arch/x86_64/apic/vectors.h"
#include "measure.inc"
#include "struct_offsets.h"

/* RAX is the number less CALL_BASE. */
.macro SAVE_ALL
    movq %gs:0, %rcx
    movq CORE_CURRENT(%rcx), %rcx
    addq $CALL_BASE, %rax
    movq %rax, FRAME_RAX(%rcx)
    movq %rdi, FRAME_RDI(%rcx)
    movq %rsi, FRAME_RSI(%rcx)
    movq %rdx, FRAME_RDX(%rcx)
    movq %r10, FRAME_R10(%rcx)
    movq %r8, FRAME_R8(%rcx)
    movq %r9, FRAME_R9(%rcx)
    movq %rbx, FRAME_RBX(%rcx)
    movq %rbp, FRAME_RBP(%rcx)
    movq %r12, FRAME_R12(%rcx)
    movq %r13, FRAME_R13(%rcx)
    movq %r14, FRAME_R14(%rcx)
    movq %r15, FRAME_R15(%rcx)
    movq %rcx, %rdi
.endm

/* Vector state for ipc_fast.inc, fpu.h and fpu.c in C: a thread that has called loses all but the
 * control words, one that has faulted nothing. EAX: all components that are enabled; there is none beyond
 * bit 31. */
.macro SAVE_CONTROL
    stmxcsr THREAD_MXCSR(%rsp)
    fnstcw THREAD_X87_CONTROL(%rsp)
.endm
.macro LOAD_INITIAL
    movl $-1, %eax
    xrstor64 vector_initial_state(%rip) /* what the other left there is not for this one to see */
    ldmxcsr THREAD_MXCSR(%rbx)
    fldcw THREAD_X87_CONTROL(%rbx)
.endm
.macro SAVE_VECTORS
    movq THREAD_VECTOR_AREA(%rsp), %rcx
    movl $-1, %eax
    xsaveopt64 (%rcx)
    movb $1, THREAD_VECTOR_LIVE(%rsp)
.endm
.macro LOAD_VECTORS
    FORGET_X87_POINTERS
    movq THREAD_VECTOR_AREA(%rbx), %rcx
    movl $-1, %eax
    xrstor64 (%rcx)
    movb $0, THREAD_VECTOR_LIVE(%rbx)
.endm

/* The variants: names; how the entry reaches the kernel's page tables, with the user's stack pointer in
 * RSP before and after; words of this core, by way of GS or of a register that is free. */
.section .entry.plain, "ax", @progbits
#define NAME(x) x##_plain
.macro ENTER_PLAIN
    swapgs
.endm
#define ENTER ENTER_PLAIN
#define SCRATCH %gs:CORE_SCRATCH
.macro LOAD_CORE_PLAIN field, register
    movq %gs:\field, \register
.endm
#define LOAD_CORE LOAD_CORE_PLAIN
#define ON_CORE(field, register) %gs:field
.macro FIND_CORE_PLAIN register
.endm
#define FIND_CORE FIND_CORE_PLAIN
/* To the user's RIP, RSP and RFLAGS in the frame at R11; everything else is in the registers. SYSRET: RIP
 * is the address after an instruction below MNOS_USER_END, hence canonical. */
.macro LEAVE_PLAIN
    movq FRAME_RIP(%r11), %rcx
    movq FRAME_RSP(%r11), %rsp
    movq FRAME_RFLAGS(%r11), %r11
    LEAVE_WITH_STACK_PLAIN
.endm
#define LEAVE LEAVE_PLAIN
/* The same with RIP in RCX, RFLAGS in R11 and RSP as it is to be. */
.macro LEAVE_WITH_STACK_PLAIN
    swapgs
    sysretq
.endm
#define LEAVE_WITH_STACK LEAVE_WITH_STACK_PLAIN
/* RDI = the thread, and what was there is pushed; or to `no_upcall`, when it has none. The processor has
 * pushed into the frame, so RSP leads to the thread. LFENCE: interrupt.S. */
.macro BEGIN_PAGE_FAULT_PLAIN no_upcall
    swapgs
    lfence
    cmpq $0, THREAD_UPCALL - FRAME_VECTOR(%rsp)
    je \no_upcall
    pushq %rdi
    leaq -FRAME_RDI(%rsp), %rdi
.endm
#define BEGIN_PAGE_FAULT BEGIN_PAGE_FAULT_PLAIN
.macro END_PAGE_FAULT_PLAIN
    popq %rdi
    movq $FRAME_SYSCALL_VECTOR, (%rsp) /* as every exit leaves it */
.endm
#define END_PAGE_FAULT END_PAGE_FAULT_PLAIN
#define GIVE_UP_PAGE_FAULT popq %rdi
/* The processor pushes into the thread's frame. */
.macro SET_ENTRY_STACK_PLAIN
    movq %gs:CORE_TSS, %rcx
    leaq FRAME_BYTES(%rbx), %rax
    movq %rax, TSS_RSP0(%rcx)
.endm
#define SET_ENTRY_STACK SET_ENTRY_STACK_PLAIN
#define PREPARE_LEAVING
#define LOAD_USER_TABLES
#include "arch/x86_64/entry/syscall.inc"
#include "arch/x86_64/entry/ipc_fast.inc"
#include "arch/x86_64/entry/fault_fast.inc"
#include "arch/x86_64/entry/upcall_fast.inc"
#undef NAME
#undef ENTER
#undef SCRATCH
#undef LOAD_CORE
#undef ON_CORE
#undef FIND_CORE
#undef LEAVE
#undef LEAVE_WITH_STACK
#undef BEGIN_PAGE_FAULT
#undef END_PAGE_FAULT
#undef GIVE_UP_PAGE_FAULT
#undef SET_ENTRY_STACK
#undef PREPARE_LEAVING
#undef LOAD_USER_TABLES

.section .entry.isolating, "ax", @progbits
#define NAME(x) x##_isolating
.macro ENTER_ISOLATING
    swapgs
    movq %rsp, %gs:ENTRY_SCRATCH
    KERNEL_CR3 %rsp
    movq %gs:ENTRY_SCRATCH, %rsp
.endm
#define ENTER ENTER_ISOLATING
#define SCRATCH %gs:ENTRY_SCRATCH
.macro LOAD_CORE_ISOLATING field, register
    movq %gs:ENTRY_CORE, \register
    movq \field(\register), \register
.endm
#define LOAD_CORE LOAD_CORE_ISOLATING
#define ON_CORE(field, register) field(register)
.macro FIND_CORE_ISOLATING register
    movq %gs:ENTRY_CORE, \register
.endm
#define FIND_CORE FIND_CORE_ISOLATING
/* To RIP in RCX, RFLAGS in R11 and RSP in the scratch word. */
.macro LEAVE_WITH_STACK_ISOLATING
    USER_CR3 %rsp
    movq %gs:ENTRY_SCRATCH, %rsp
    swapgs
    sysretq
.endm
#define LEAVE_WITH_STACK LEAVE_WITH_STACK_ISOLATING
/* The frame is out of reach once the user's tables are loaded. */
.macro LEAVE_ISOLATING
    movq FRAME_RSP(%r11), %rsp
    movq %rsp, %gs:ENTRY_SCRATCH
    movq FRAME_RIP(%r11), %rcx
    movq FRAME_RFLAGS(%r11), %r11
    LEAVE_WITH_STACK_ISOLATING
.endm
#define LEAVE LEAVE_ISOLATING
/* The words stay on the entry stack, which the user's tables have as well. */
.macro BEGIN_PAGE_FAULT_ISOLATING no_upcall
    swapgs
    pushq %rdi
    KERNEL_CR3 %rdi
    LOAD_CORE_ISOLATING CORE_CURRENT, %rdi
    cmpq $0, THREAD_UPCALL(%rdi)
    je \no_upcall
.endm
#define BEGIN_PAGE_FAULT BEGIN_PAGE_FAULT_ISOLATING
.macro END_PAGE_FAULT_ISOLATING
    USER_CR3 %rdi
    popq %rdi
.endm
#define END_PAGE_FAULT END_PAGE_FAULT_ISOLATING
#define GIVE_UP_PAGE_FAULT /* RDI = the thread, as it goes on from there */
/* Entries land on the entry stack of the core. */
#define SET_ENTRY_STACK
/* RAX = CR3 for the user's tables, while GS is the kernel's. */
.macro PREPARE_LEAVING_ISOLATING
    movq %cr3, %rax
    orq %gs:ENTRY_CR3_USER_OR, %rax
.endm
#define PREPARE_LEAVING PREPARE_LEAVING_ISOLATING
.macro LOAD_USER_TABLES_ISOLATING
    movq %rax, %cr3
.endm
#define LOAD_USER_TABLES LOAD_USER_TABLES_ISOLATING
#include "arch/x86_64/entry/syscall.inc"
#include "arch/x86_64/entry/ipc_fast.inc"
#include "arch/x86_64/entry/fault_fast.inc"
#include "arch/x86_64/entry/upcall_fast.inc"

.text

/* struct call_return arch_call_in_frame(void): the entry in call_table of calls during which another
 * thread may run. With all registers in the frame the rest is C's, and this does not return. RCX and R11
 * are free; R10 is where the fourth argument was. */
.globl arch_call_in_frame
arch_call_in_frame:
    SAVE_ALL
    call call_in_frame
    jmp leave

/* A number that no call has, likewise. */
.globl arch_call_unknown
arch_call_unknown:
    SAVE_ALL
    call call_unknown
leave:
    cmpb $0, paging_isolation(%rip)
    je leave_plain
    jmp leave_isolating

.section .note.GNU-stack, "", @progbits
