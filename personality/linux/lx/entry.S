/* SPDX-License-Identifier: MIT */
/*
 * entry.S - the first instructions of lx, the way in from the program and the way back, and the calls of the kernel that
 * give the vector registers up.
 *
 * GS base is the thread's IPC buffer; FS base is the program's. Two words of the buffer are lx's (layout.h):
 *
 *   SLOT   scratch, between two instructions of the way in or out: where RSP waits, and where the jump back finds RIP
 *   TOP    the top of the thread's lx stack
 *
 * The program's stack is never touched, so RSP may have any value.
 */
#include "personality/linux/lx/layout.h"

/* struct mnos_ipc_buffer. */
#define UPCALL_RIP 3976
#define UPCALL_ADDRESS 3984
#define UPCALL_STATE 3992
#define THREAD_BLOCK_SELF 4072

#define RFLAGS_OF_CALL 0x202      /* IF, and the bit that is always 1 */
#define SYSCALL_VECTOR 256        /* MNOS_FAULT_SYSCALL */
#define END_OF_LX 0x10000         /* LXHOST_END_OF_LX */
#define PROC_DESTROY 0x4D4E000F   /* MNOS_SYS_proc_destroy */

/* Intel SDM vol 2A, "CPUID": leaf 7 EBX bit 0 FSGSBASE, leaf 1 ECX bit 27 OSXSAVE. */
#define CPUID_FSGSBASE 1
#define CPUID_OSXSAVE (1 << 27)

/* struct lx_call_frame of lx.h below RIP. */
    .macro PUSH_CALL
    .irp register, rdx, rsi, rdi, r8, r9, r10
    pushq %\register
    .endr
    .endm

    .macro POP_CALL
    .irp register, r10, r9, r8, rdi, rsi, rdx
    popq %\register
    .endr
    .endm

/* struct lx_frame of lx.h below RFLAGS. */
    .macro PUSH_ALL
    .irp register, rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
    pushq %\register
    .endr
    .endm

    .macro POP_ALL
    .irp register, r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax
    popq %\register
    .endr
    .endm

/* RIP and RSP of the program, which are on top of the lx stack. */
    .macro GO_BACK
    popq %gs:LX_SLOT
    popq %rsp
    jmp *%gs:LX_SLOT
    .endm

/* XSAVE64 or XRSTOR64 with all bits of the mask: what the kernel has enabled in XCR0. RAX, RDX and R11 are lost. */
    .macro VECTORS instruction
    movl $-1, %eax
    movl $-1, %edx
    movq %gs:LX_TOP, %r11
    movq (%r11), %r11               /* struct lx_thread, */
    movq (%r11), %r11               /* whose first member is the address */
    \instruction (%r11)
    .endm

    .section .text.start, "ax", @progbits

/* RDI = bootstrap table, RSI = IPC buffer = FS base: abi/bootstrap.h. */
    .globl _start
    .type _start, @function
_start:
    movq %rdi, %r12
    movq %rsi, %r13
    movl $7, %eax
    xorl %ecx, %ecx
    cpuid
    testl $CPUID_FSGSBASE, %ebx
    jz 1f
    movl $1, %eax
    cpuid
    testl $CPUID_OSXSAVE, %ecx
    jz 1f
    wrgsbase %r13
    movq %r12, %rdi
    movq %r13, %rsi
    xorl %ebp, %ebp
    call program_start
    ud2
1:  movl $PROC_DESTROY, %eax
    xorl %edi, %edi
    movl $(END_OF_LX | LX_EXIT_PROCESSOR), %esi
    syscall
    ud2
    .size _start, . - _start

/* struct lx_frame, from its end down: RSP, RIP, RFLAGS, then the registers. A call needs no more than those that C may
 * change; after it RFLAGS is nothing that the program can expect (SYSCALL leaves it in R11). */
    .text
    .globl lx_upcall
    .type lx_upcall, @function
lx_upcall:
    movq %rsp, %gs:LX_SLOT
    subq %gs:LX_TOP, %rsp
    cmpq $-LX_STACK_BYTES, %rsp
    jae .Lnested                    /* RSP was on the lx stack: go on below it */
    movq %gs:LX_TOP, %rsp
.Lsaved:
    pushq %gs:LX_SLOT               /* RSP */
    pushq %gs:UPCALL_RIP
    cmpw $SYSCALL_VECTOR, %gs:UPCALL_STATE + 6
    jne lx_fault_entry
    movq $0, %gs:UPCALL_STATE       /* all is saved: from here on there can be another one */
    PUSH_CALL
    cmpq lx_call_limit(%rip), %rax
    jae .Lother
    leaq lx_calls(%rip), %r11
    movq (%r11, %rax, 8), %r11
    testq %r11, %r11
    jz .Lother
    movq %r10, %rcx
    call *%r11
.Lanswered:
    movq lx_notice(%rip), %r11      /* struct lxhost_notice: `signals` is its first word */
    cmpq $0, (%r11)
    jne .Lcome
.Lback:
    POP_CALL
    GO_BACK

/* Where a call returns to instead, when a signal is to be delivered (signals.c): its record becomes one of all registers. What
 * RFLAGS was is lost, as a call may. */
    .globl lx_answered_signals
lx_answered_signals:
    POP_CALL
    pushq $RFLAGS_OF_CALL
    PUSH_ALL
    movq %rsp, %rdi
    movq %rsp, %rbx
    andq $-16, %rsp
    call lx_signals_at_exit
    movq %rbx, %rdi
    jmp lx_resume

.Lnested:
    movq %gs:LX_SLOT, %rsp
    jmp .Lsaved

/* Signals have come from others. Who takes them finds a return address below the record, as in a call, and may turn it. */
.Lcome:
    leaq .Lback(%rip), %r11
    pushq %r11
    pushq %rax
    call lx_take_signals_at_exit
    popq %rax
    ret

/* A number that no call has; while a trace is written or there are several threads all have none. The C function finds the
 * arguments on the stack, struct lx_call_frame, and what a new thread has beside them in struct lx_thread. */
.Lother:
    movq %gs:LX_TOP, %r11
    movq (%r11), %r11
    movq %rbx, LX_THREAD_KEPT + 0(%r11)
    movq %rbp, LX_THREAD_KEPT + 8(%r11)
    movq %r12, LX_THREAD_KEPT + 16(%r11)
    movq %r13, LX_THREAD_KEPT + 24(%r11)
    movq %r14, LX_THREAD_KEPT + 32(%r11)
    movq %r15, LX_THREAD_KEPT + 40(%r11)
    movq %rax, %rdi
    movq %rsp, %rsi
    call lx_call_slowly
    jmp .Lanswered
    .size lx_upcall, . - lx_upcall

/* A fault, of the program or of lx where it reaches into the program's memory. */
    .type lx_fault_entry, @function
lx_fault_entry:
    pushq %rax                      /* room for RFLAGS */
    PUSH_ALL
    movq %gs:UPCALL_STATE, %rsi
    movl %esi, %eax
    movq %rax, LX_FRAME_RFLAGS(%rsp)
    movq %gs:UPCALL_ADDRESS, %rdx
    movq $0, %gs:UPCALL_STATE
    shrq $32, %rsi                  /* the error code, and the vector above it */
    movq %rsp, %rdi
    movq %rsp, %rbx
    andq $-16, %rsp
    call lx_fault
    movq %rbx, %rdi
/* Goes on as the record at RDI says, which lies on the lx stack or above all that is in use there. */
    .globl lx_resume
    .type lx_resume, @function
lx_resume:
    movq %rdi, %rsp
    POP_ALL
    popfq
    GO_BACK
    .size lx_fault_entry, . - lx_fault_entry

/*
 * uint64_t lx_native_wait(uint64_t number, struct ipc_registers *regs): one of the IPC calls, around which the vector
 * registers are saved whole.
 */
    .globl lx_native_wait
    .type lx_native_wait, @function
lx_native_wait:
    pushq %rbx
    pushq %r12
    pushq %r13
    movq %rdi, %rcx
    movq %rsi, %rbx
    VECTORS xsave64
    movq %rcx, %rax
    movq 0(%rbx), %rdi
    movq 8(%rbx), %rsi
    movq 16(%rbx), %rdx
    movq 24(%rbx), %r10
    movq 32(%rbx), %r8
    movq 40(%rbx), %r9
    movq 48(%rbx), %r12
    movq 56(%rbx), %r13
    syscall
    movq %rdi, 0(%rbx)
    movq %rsi, 8(%rbx)
    movq %rdx, 16(%rbx)
    movq %r10, 24(%rbx)
    movq %r8, 32(%rbx)
    movq %r9, 40(%rbx)
    movq %r12, 48(%rbx)
    movq %rax, %rcx
    VECTORS xrstor64
    movq %rcx, %rax
    popq %r13
    popq %r12
    popq %rbx
    ret
    .size lx_native_wait, . - lx_native_wait

/* ---- Another thread ----
 *
 * RSP: struct lx_frame, with which it goes on in the program; RSI = IPC buffer = GS base, RDX = what LX_TOP is to be. Its vector
 * registers are those of struct lx_thread. */
    .globl lx_thread_start
    .type lx_thread_start, @function
lx_thread_start:
    movq %rsi, %gs:THREAD_BLOCK_SELF
    movq %rdx, %gs:LX_TOP
    movq %rsp, %rbx
    VECTORS xrstor64
    call lx_thread_begun
    movq %rbx, %rdi
    jmp lx_resume
    .size lx_thread_start, . - lx_thread_start

/* ---- A copy of the process ----
 *
 * int fork_save(void): 0, with the registers that C keeps, FS and the vector registers noted. In a copy of the process that is
 * begun at lx_copy_start with RSP = fork_stack it returns a second time, 1. There is one such place at a time. */
    .globl fork_save
    .type fork_save, @function
fork_save:
    leaq fork_kept(%rip), %rdi
    movq %rbx, 0(%rdi)
    movq %rbp, 8(%rdi)
    movq %r12, 16(%rdi)
    movq %r13, 24(%rdi)
    movq %r14, 32(%rdi)
    movq %r15, 40(%rdi)
    rdfsbase %rax
    movq %rax, 48(%rdi)
    movq %gs:LX_TOP, %rax
    movq %rax, 56(%rdi)
    popq %rcx
    movq %rcx, 64(%rdi)             /* where it returns to */
    movq %rsp, fork_stack(%rip)
    VECTORS xsave64
    xorl %eax, %eax
    jmp *%rcx
    .size fork_save, . - fork_save

/* As _start, RDI = bootstrap table, RSI = IPC buffer, of which lx's words and those of libmnos (thread_block.h) are new. */
    .globl lx_copy_start
    .type lx_copy_start, @function
lx_copy_start:
    wrgsbase %rsi
    movq %rsi, %gs:THREAD_BLOCK_SELF
    leaq fork_kept(%rip), %rdi
    movq 56(%rdi), %rax
    movq %rax, %gs:LX_TOP
    movq 48(%rdi), %rax
    wrfsbase %rax
    VECTORS xrstor64
    movq 0(%rdi), %rbx
    movq 8(%rdi), %rbp
    movq 16(%rdi), %r12
    movq 24(%rdi), %r13
    movq 32(%rdi), %r14
    movq 40(%rdi), %r15
    movl $1, %eax
    jmp *64(%rdi)
    .size lx_copy_start, . - lx_copy_start

    .bss
    .balign 8
fork_kept:
    .zero 72
    .globl fork_stack
fork_stack:
    .zero 8
    .text

/* ---- The program's memory ----
 *
 * The instructions that reach into it are named, so that fault.c knows them: one that cannot be helped goes on at the name
 * with `_failed` behind it. */

/* size_t lx_user_copy(void *to, const void *from, size_t bytes): how many were not copied. */
    .globl lx_user_copy, lx_user_copy_words, lx_user_copy_words_failed
    .globl lx_user_copy_bytes, lx_user_copy_bytes_failed
    .type lx_user_copy, @function
lx_user_copy:
    movq %rdx, %rcx
    shrq $3, %rcx
    andl $7, %edx
lx_user_copy_words:
    rep movsq
    movl %edx, %ecx
lx_user_copy_bytes:
    rep movsb
    xorl %eax, %eax
    ret
lx_user_copy_words_failed:          /* the first bytes of that word may be reached */
    leaq (%rdx, %rcx, 8), %rcx
    jmp lx_user_copy_bytes
lx_user_copy_bytes_failed:
    movq %rcx, %rax
    ret
    .size lx_user_copy, . - lx_user_copy

/* size_t lx_user_zero(void *to, size_t bytes): how many were not set. */
    .globl lx_user_zero, lx_user_zero_bytes, lx_user_zero_bytes_failed
    .type lx_user_zero, @function
lx_user_zero:
    movq %rsi, %rcx
    xorl %eax, %eax
lx_user_zero_bytes:
    rep stosb
lx_user_zero_bytes_failed:
    movq %rcx, %rax
    ret
    .size lx_user_zero, . - lx_user_zero

/* size_t lx_user_text(char *to, const char *from, size_t size): copies a text with its NUL, `size` bytes at most; its
 * length, `size` when there was no NUL in them, -1 when it cannot be read. */
    .globl lx_user_text, lx_user_text_byte, lx_user_text_byte_failed
    .type lx_user_text, @function
lx_user_text:
    xorl %eax, %eax
1:  cmpq %rdx, %rax
    jae 2f
lx_user_text_byte:
    movzbl (%rsi, %rax), %ecx
    movb %cl, (%rdi, %rax)
    testb %cl, %cl
    jz 2f
    incq %rax
    jmp 1b
2:  ret
lx_user_text_byte_failed:
    movq $-1, %rax
    ret
    .size lx_user_text, . - lx_user_text

/* int64_t lx_user_compare(uint32_t *word, uint32_t expected, uint32_t wanted): the word becomes the wanted one if it is the
 * expected one, in one step. What it was; -1 when it cannot be reached. */
    .globl lx_user_compare, lx_user_compare_word, lx_user_compare_word_failed
    .type lx_user_compare, @function
lx_user_compare:
    movl %esi, %eax
lx_user_compare_word:
    lock cmpxchgl %edx, (%rdi)
    movl %eax, %eax
    ret
lx_user_compare_word_failed:
    movq $-1, %rax
    ret
    .size lx_user_compare, . - lx_user_compare

    .section .note.GNU-stack, "", @progbits
