// SPDX-License-Identifier: MIT
/* syscall_raw.h - the instruction: registers in, RAX and RDX out. The stubs of syscall.h are made of it. */
#pragma once

#include <stdint.h>

struct syscall_result {
    uint64_t rax;
    uint64_t rdx;
};

static inline struct syscall_result syscall_raw(uint64_t number, uint64_t a1, uint64_t a2,
                                                uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6)
{
    struct syscall_result result;
    register uint64_t r10 __asm__("r10") = a4;
    register uint64_t r8 __asm__("r8") = a5;
    register uint64_t r9 __asm__("r9") = a6;

    result = (struct syscall_result){number, a3};
    __asm__ volatile("syscall"
                     : "+a"(result.rax), "+D"(a1), "+S"(a2), "+d"(result.rdx), "+r"(r10), "+r"(r8),
                       "+r"(r9)
                     :
                     : "rcx", "r11", "memory");
    return result;
}
