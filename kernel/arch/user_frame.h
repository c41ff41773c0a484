// SPDX-License-Identifier: MIT
/*
 * user_frame.h - the general registers of a thread while it is not running.
 *
 * It is the first member of struct thread, and the processor itself pushes its last five words there:
 * the stack pointer for entries from user mode is the end of the current thread's frame. (With
 * page-table isolation the entry code copies it there.)
 */
#pragma once

#include <stdint.h>

/* `vector` of a frame that the SYSCALL instruction made: RCX and R11 are not what the user had. */
#define FRAME_SYSCALL 256

struct user_frame {
    uint64_t r15, r14, r13, r12, rbp, rbx;
    uint64_t r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    uint64_t vector; /* exception or interrupt vector, or FRAME_SYSCALL */
    uint64_t error;  /* error code, 0 where the processor pushes none */
    uint64_t rip, cs, rflags, rsp, ss;
};
_Static_assert(sizeof(struct user_frame) == 176, "a multiple of 16, known to assembly");
