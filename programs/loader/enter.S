/* SPDX-License-Identifier: MIT */
/*
 * enter.S - leaves the loader for the program: the entry state of abi/bootstrap.h. FS base is what it was, since the
 * thread and its IPC buffer are the same.
 */
    .text

/* RDI = entry, RSI = bootstrap table, RDX = IPC buffer, RCX = top of stack. Does not return. */
    .globl loader_enter
    .type loader_enter, @function
loader_enter:
    movq %rcx, %rsp
    movq %rdi, %rax
    movq %rsi, %rdi
    movq %rdx, %rsi
    xorl %ebx, %ebx
    xorl %ecx, %ecx
    xorl %edx, %edx
    xorl %ebp, %ebp
    xorl %r8d, %r8d
    xorl %r9d, %r9d
    xorl %r10d, %r10d
    xorl %r11d, %r11d
    xorl %r12d, %r12d
    xorl %r13d, %r13d
    xorl %r14d, %r14d
    xorl %r15d, %r15d
    jmp *%rax
    .size loader_enter, . - loader_enter

    .section .note.GNU-stack, "", @progbits
