/* SPDX-License-Identifier: MIT */
/* timed.S - see timed.h. RBX, RBP, R14 and R15 survive every system call (abi/message.h). */
#include "bench/timed.h"

#define SYS_IPC_RECV  0x4D4E0005
#define SYS_IPC_CALL  0x4D4E0006
#define SYS_IPC_REPLY 0x4D4E0007
#define SYS_IRQ_ACK 0x4D4E0017
#define INFO_NOTIFY (2 << 19)
#define SYS_PROC_DESTROY 0x4D4E000F
#define SYS_THREAD_DESTROY 0x4D4E0011
#define SYS_THREAD_BLOCK 0x4D4E0013
#define SYS_THREAD_YIELD 0x4D4E0012

/* A symbol at each reading that begins or ends a round, for trace.py. */
.macro MARK kind
mark_\kind\().\@:
.endm

.macro READ_TSC
    rdtsc
    shlq $32, %rdx
    orq %rdx, %rax
.endm

.macro BEGIN name
    .globl \name
    .type \name, @function
\name:
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    pushq %rsi
    movq %rdi, %rbp
    movq TIMED_DEADLINE(%rbp), %r13
    movq TIMED_RDI(%rbp), %rdi
    movq TIMED_RSI(%rbp), %rsi
    movq TIMED_R10(%rbp), %r10
    movq TIMED_R8(%rbp), %r8
    movq TIMED_R9(%rbp), %r9
    movq TIMED_RAX(%rbp), %rbx
    movq TIMED_RDX(%rbp), %r15
.endm

.macro START
    MARK begin
    READ_TSC
    movq %rax, %r14
    movq %rbx, %rax
    movq %r15, %rdx
.endm

.macro STOP
    movq %rax, %rbx
    movq %rdx, %r15
    MARK end
    READ_TSC
    movq %r14, TIMED_BEGIN(%rbp)
    movq %rax, TIMED_END(%rbp)
.endm

.macro END name
    movq %rbx, TIMED_RAX(%rbp)
    movq %rdi, TIMED_RDI(%rbp)
    movq %rsi, TIMED_RSI(%rbp)
    movq %r15, TIMED_RDX(%rbp)
    movq %r10, TIMED_R10(%rbp)
    movq %r8, TIMED_R8(%rbp)
    movq %r9, TIMED_R9(%rbp)
    subq %r14, %rax
    subq $READINGS_COST, %rax
    popq %rsi
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    ret
    .size \name, . - \name
.endm

/* YMM0 to YMM15 from or to `area`. */
.macro VECTORS_LOAD area
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    vmovdqu 32*\n(\area), %ymm\n
    .endr
.endm
.macro VECTORS_SAVE area
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    vmovdqu %ymm\n, 32*\n(\area)
    .endr
.endm

.text

BEGIN timed_nothing
START
STOP
END timed_nothing

BEGIN timed_syscall
START
    syscall
STOP
END timed_syscall

BEGIN timed_call
START
    pushq %r12
    movq %r13, %r12
    syscall
    popq %r12
STOP
END timed_call

/* The vectors are kept below the stack pointer's save slot: 512 bytes of this thread's stack. */
BEGIN timed_call_vectors
    movq (%rsp), %rcx
    VECTORS_LOAD %rcx
    subq $512, %rsp
START
    VECTORS_SAVE %rsp
    pushq %r12
    movq %r13, %r12
    syscall
    popq %r12
    VECTORS_LOAD %rsp
STOP
    addq $512, %rsp
    movq (%rsp), %rcx
    VECTORS_SAVE %rcx
END timed_call_vectors

BEGIN timed_reply_and_wait
START
    pushq %r12
    pushq %r13
    movq %r13, %r12
    movq TIMED_RECEIVE_FROM(%rbp), %r13
    syscall
    movq %r12, %rcx
    popq %r13
    popq %r12
STOP
    movq %rcx, TIMED_REPLY_ID(%rbp)
END timed_reply_and_wait

/* ---- servers: R14 endpoint, RBX info, RBP deadline, R15 a pointer; R12 brings the reply id ---- */

.macro SERVE name
    .globl \name
    .type \name, @function
\name:
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rdi, %r14
    movq %rdi, %r13
    movq %rsi, %rbx
    movq %rdx, %rbp
    movq %rcx, %r15
    xorl %r12d, %r12d
.endm

.macro SERVE_END name
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    ret
    .size \name, . - \name
.endm

/* The message of the reply is that which came: its registers are left alone. R13 keeps the endpoint. */
.macro REPLY_AND_WAIT
    movq %r12, %rdi
    movq %rbx, %rsi
    movq %rbp, %r12
    movl $SYS_IPC_REPLY, %eax
    syscall
.endm

SERVE serve
1:  REPLY_AND_WAIT
    testl %eax, %eax
    jz 1b
SERVE_END serve

SERVE serve_stamping
1:  REPLY_AND_WAIT
    movq %rax, %rdi
    movq %rdx, %rsi
    MARK end
    READ_TSC
    movq %rax, (%r15)
    testl %edi, %edi
    jz 1b
SERVE_END serve_stamping

SERVE serve_vectors
    VECTORS_LOAD %r15
1:  VECTORS_SAVE %r15
    REPLY_AND_WAIT
    VECTORS_LOAD %r15
    testl %eax, %eax
    jz 1b
    VECTORS_SAVE %r15
SERVE_END serve_vectors

SERVE listen_stamping
1:  movq %r14, %rdi
    movq %rbx, %rsi
    movq %rbp, %r12
    movl $SYS_IPC_RECV, %eax
    syscall
    movq %rax, %rdi
    movq %rdx, %rsi
    MARK end
    READ_TSC
    movq %rax, (%r15)
    testl %edi, %edi
    jz 1b
SERVE_END listen_stamping

/* A driver: acknowledges interrupt RBX each time. */
SERVE handle_interrupts
1:  movq %r14, %rdi
    xorl %esi, %esi
    movq %rbp, %r12
    movl $SYS_IPC_RECV, %eax
    syscall
    movq %rax, %rdi
    movq %rdx, %rsi
    MARK end
    READ_TSC
    movq %rax, (%r15)
    testl %edi, %edi
    jnz 2f
    movq %rbx, %rdi
    movl $SYS_IRQ_ACK, %eax
    syscall
    testl %eax, %eax
    jz 1b
2:
SERVE_END handle_interrupts

/* Sets the event 1 on RBX each time. */
SERVE ring_for_ever
    xorl %edi, %edi
    xorl %esi, %esi
    jmp 2f
1:  movq %rbx, %rdi
    movl $INFO_NOTIFY, %esi
    movl $1, %edx
2:  movq %rbp, %r12
    movl $SYS_IPC_REPLY, %eax
    syscall
    testl %eax, %eax
    jz 1b
SERVE_END ring_for_ever

SERVE fault_for_ever
1:  movq %r14, %rdi
    xorl %esi, %esi
    movq $-1, %r12
    movl $SYS_IPC_CALL, %eax
    syscall
    testl %eax, %eax
    jnz 2f
    MARK begin
    READ_TSC
    movq %rax, (%rbp)
    movq (%rbx), %rax
    MARK end
    READ_TSC
    movq %rax, (%r15)
    jmp 1b
2:
SERVE_END fault_for_ever

/* uint64_t upcall_by_call(uint64_t *state), upcall_by_fault(uint64_t *state, uint64_t hole): instructions
 * until upcall_arrival, which the thread has as its upcall, and which returns to their caller. RDI, R9 and
 * the stack are as they were. */
    .globl upcall_by_call, upcall_by_fault, upcall_arrival
    .type upcall_by_call, @function
upcall_by_call:
    MARK begin
    READ_TSC
    movq %rax, %r9
    movl $39, %eax
    syscall
    ud2
    .size upcall_by_call, . - upcall_by_call

    .type upcall_by_fault, @function
upcall_by_fault:
    MARK begin
    READ_TSC
    movq %rax, %r9
    movq (%rsi), %rax
    ud2
    .size upcall_by_fault, . - upcall_by_fault

    .type upcall_arrival, @function
upcall_arrival:
    nop /* for the move before the other readings */
    MARK end
    READ_TSC
    movq $0, (%rdi)
    subq %r9, %rax
    ret
    .size upcall_arrival, . - upcall_arrival

/* uint64_t write_and_spin(volatile uint32_t *where, volatile uint64_t *stamp) */
    .globl write_and_spin
    .type write_and_spin, @function
write_and_spin:
    movl $1, %ecx
    MARK begin
    rdtsc
    movl %ecx, (%rdi)
1:  cmpq $0, (%rsi)
    je 1b
    shlq $32, %rdx
    orq %rdx, %rax
    ret
    .size write_and_spin, . - write_and_spin

/* void park_for_ever(uint64_t deadline): needs no stack */
    .globl park_for_ever
    .type park_for_ever, @function
park_for_ever:
    movq %rdi, %rbx
1:  xorl %edi, %edi
    movq %rbx, %rsi
    movl $SYS_THREAD_BLOCK, %eax
    syscall
    jmp 1b
    .size park_for_ever, . - park_for_ever

/* void yield_for_ever(void) */
    .globl yield_for_ever
    .type yield_for_ever, @function
yield_for_ever:
    movl $SYS_THREAD_YIELD, %eax
    syscall
    jmp yield_for_ever
    .size yield_for_ever, . - yield_for_ever

/* void thread_newcomer(uint64_t *stamp): where a new thread begins; it tells when, and ends */
    .globl thread_newcomer
    .type thread_newcomer, @function
thread_newcomer:
    nop /* for the two moves before every other reading */
    nop
    MARK end
    READ_TSC
    movq %rax, (%rdi)
1:  xorl %edi, %edi
    movl $SYS_THREAD_DESTROY, %eax
    syscall
    jmp 1b
    .size thread_newcomer, . - thread_newcomer

/* Where a new process begins, after a copy to a page of its own: its exit code tells when. */
    .globl process_newcomer
    .globl process_newcomer_end
process_newcomer:
    MARK end
    READ_TSC
    movq %rax, %rsi
    xorl %edi, %edi
    movl $SYS_PROC_DESTROY, %eax
    syscall
process_newcomer_end:

    .section .note.GNU-stack, "", @progbits
