/* SPDX-License-Identifier: MIT */
/*
 * upcall_entry.S - where the kernel lets a thread go on after a fault or a foreign system call: builds a
 * struct mnos_fault on the stack, calls upcall_current, and goes on with what it has left there.
 *
 * All registers but RIP and the flags TF, DF, NT, AC are those of the interrupted code; what is missing is
 * in the IPC buffer, at FS (thread_block.h).
 */

/* struct mnos_ipc_buffer. */
#define BUFFER_UPCALL_RIP 3976
#define BUFFER_UPCALL_ADDRESS 3984
#define BUFFER_UPCALL_STATE 3992

#define RED_ZONE 128

/* struct mnos_fault. */
#define FAULT_RAX 32
#define FAULT_RBX 40
#define FAULT_RCX 48
#define FAULT_RDX 56
#define FAULT_RSI 64
#define FAULT_RDI 72
#define FAULT_RBP 80
#define FAULT_RSP 88
#define FAULT_R8 96
#define FAULT_R15 152
#define FAULT_RIP 160
#define FAULT_RFLAGS 168
#define FAULT_FS_BASE 176
#define FAULT_BYTES 192

    .text
    .globl upcall_entry
    .type upcall_entry, @function
upcall_entry:
    leaq -(RED_ZONE + FAULT_BYTES)(%rsp), %rsp
    movq %rax, FAULT_RAX(%rsp)
    movq %rbx, FAULT_RBX(%rsp)
    movq %rcx, FAULT_RCX(%rsp)
    movq %rdx, FAULT_RDX(%rsp)
    movq %rsi, FAULT_RSI(%rsp)
    movq %rdi, FAULT_RDI(%rsp)
    movq %rbp, FAULT_RBP(%rsp)
    leaq (RED_ZONE + FAULT_BYTES)(%rsp), %rax
    movq %rax, FAULT_RSP(%rsp)
    movq %r8, FAULT_R8(%rsp)
    movq %r9, FAULT_R8 + 8(%rsp)
    movq %r10, FAULT_R8 + 16(%rsp)
    movq %r11, FAULT_R8 + 24(%rsp)
    movq %r12, FAULT_R8 + 32(%rsp)
    movq %r13, FAULT_R8 + 40(%rsp)
    movq %r14, FAULT_R8 + 48(%rsp)
    movq %r15, FAULT_R15(%rsp)

    movq %fs:BUFFER_UPCALL_RIP, %rax
    movq %rax, FAULT_RIP(%rsp)
    movq %fs:BUFFER_UPCALL_ADDRESS, %rcx
    movq %rcx, 16(%rsp)
    movq %fs:BUFFER_UPCALL_STATE, %rdx
    movl %edx, %eax
    movq %rax, FAULT_RFLAGS(%rsp)
    shrq $32, %rdx
    movzwl %dx, %eax
    movq %rax, 8(%rsp)
    shrl $16, %edx
    movq %rdx, (%rsp)
    xorl %eax, %eax
    movq %rax, 24(%rsp)
    movq %rax, FAULT_FS_BASE(%rsp)
    movq %rax, FAULT_FS_BASE + 8(%rsp)
    movq %rax, %fs:BUFFER_UPCALL_STATE /* all is saved: from here on there can be another one */

    movq %rsp, %rdi
    movq %rsp, %rbx
    andq $-16, %rsp
    call *upcall_current(%rip)
    movq %rbx, %rsp

/*
 * Flags and RIP go below the red zone of where the thread goes on, and RET steps over it. On the stack
 * as it was that is the end of the record, which is not used any more. (IRETQ would do without, but some
 * emulators read its operands with the rights of ring 0, which SMAP refuses.)
 */
    movq FAULT_RSP(%rbx), %rsp
    movq FAULT_RIP(%rbx), %rax
    movq FAULT_RFLAGS(%rbx), %rcx
    leaq -RED_ZONE(%rsp), %rsp
    pushq %rax
    pushq %rcx
    movq FAULT_RAX(%rbx), %rax
    movq FAULT_RCX(%rbx), %rcx
    movq FAULT_RDX(%rbx), %rdx
    movq FAULT_RSI(%rbx), %rsi
    movq FAULT_RDI(%rbx), %rdi
    movq FAULT_RBP(%rbx), %rbp
    movq FAULT_R8(%rbx), %r8
    movq FAULT_R8 + 8(%rbx), %r9
    movq FAULT_R8 + 16(%rbx), %r10
    movq FAULT_R8 + 24(%rbx), %r11
    movq FAULT_R8 + 32(%rbx), %r12
    movq FAULT_R8 + 40(%rbx), %r13
    movq FAULT_R8 + 48(%rbx), %r14
    movq FAULT_R15(%rbx), %r15
    movq FAULT_RBX(%rbx), %rbx
    popfq
    retq $RED_ZONE
    .size upcall_entry, . - upcall_entry

    .section .note.GNU-stack, "", @progbits
