/* SPDX-License-Identifier: MIT */
/*
 * crt0.S - the first instructions of every program, and of every further thread.
 *
 * Entry state: abi/bootstrap.h. Leaves everything that C can do to start.c and thread.c.
 */
    .section .text.start, "ax", @progbits

/* RDI = bootstrap table, RSI = IPC buffer = FS base, RSP 16-byte aligned. */
    .globl _start
    .type _start, @function
_start:
    xorl %ebp, %ebp /* ends a backtrace */
    call program_start
    ud2
    .size _start, . - _start

/* RDI = struct thread, RSI = IPC buffer = FS base; the creator chose the stack. */
    .globl thread_entry
    .type thread_entry, @function
thread_entry:
    xorl %ebp, %ebp
    call thread_start
    ud2
    .size thread_entry, . - thread_entry

    .section .note.GNU-stack, "", @progbits
