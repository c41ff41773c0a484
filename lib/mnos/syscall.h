// SPDX-License-Identifier: MIT
/*
 * syscall.h - one stub for each line of abi/syscalls.def, by the name sys_NAME.
 *
 * A stub returns the status; a call that yields a value takes a pointer to it as last argument and
 * writes it only on success. What failed is kept for error_explain() in status.h. The four IPC
 * calls, whose message is in registers, are in ipc.h.
 */
#pragma once

#include <stdint.h>

#include "abi/types.h"
#include "lib/mnos/thread_block.h"

enum mnos_syscall_number {
#define SYSCALL0_WAITS(number, name) MNOS_SYS_##name = (number),
#define SYSCALL1(number, name, ...) MNOS_SYS_##name = (number),
#define SYSCALL1_BLOCKS(number, name, ...) MNOS_SYS_##name = (number),
#define SYSCALL2_BLOCKS(number, name, ...) MNOS_SYS_##name = (number),
#define SYSCALL2(number, name, ...) MNOS_SYS_##name = (number),
#define SYSCALL2_WAITS(number, name, ...) MNOS_SYS_##name = (number),
#define SYSCALL3(number, name, ...) MNOS_SYS_##name = (number),
#define SYSCALL6(number, name, ...) MNOS_SYS_##name = (number),
#define SYSCALL1_VALUE(number, name, ...) MNOS_SYS_##name = (number),
#define SYSCALL2_VALUE(number, name, ...) MNOS_SYS_##name = (number),
#define SYSCALL2_VALUE_WAITS(number, name, ...) MNOS_SYS_##name = (number),
#define SYSCALL3_VALUE(number, name, ...) MNOS_SYS_##name = (number),
#define SYSCALL5_VALUE(number, name, ...) MNOS_SYS_##name = (number),
#define IPC_SYSCALL(number, name) MNOS_SYS_##name = (number),
#include "abi/syscalls.def"
#undef SYSCALL0_WAITS
#undef SYSCALL1_BLOCKS
#undef SYSCALL2_BLOCKS
#undef SYSCALL1
#undef SYSCALL2
#undef SYSCALL2_WAITS
#undef SYSCALL3
#undef SYSCALL6
#undef SYSCALL1_VALUE
#undef SYSCALL2_VALUE
#undef SYSCALL2_VALUE_WAITS
#undef SYSCALL3_VALUE
#undef SYSCALL5_VALUE
#undef IPC_SYSCALL
};

/* Remembers what failed; returns the status in `rax`. */
mnos_status_t error_record(uint32_t number, uint64_t rax);

/* For when a failure is none of the kernel's. */
void error_forget(void);

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

static inline mnos_status_t syscall_status(uint32_t number, uint64_t a1, uint64_t a2, uint64_t a3,
                                           uint64_t a4, uint64_t a5, uint64_t a6)
{
    struct syscall_result result = syscall_raw(number, a1, a2, a3, a4, a5, a6);

    if (__builtin_expect((uint32_t)result.rax != MNOS_OK, 0))
        return error_record(number, result.rax);
    return MNOS_OK;
}

static inline mnos_status_t syscall_value(uint32_t number, uint64_t a1, uint64_t a2, uint64_t a3,
                                          uint64_t a4, uint64_t a5, uint64_t *value)
{
    struct syscall_result result = syscall_raw(number, a1, a2, a3, a4, a5, 0);

    if (__builtin_expect((uint32_t)result.rax != MNOS_OK, 0)) {
        mnos_status_t status = error_record(number, result.rax);

        if (status == MNOS_OK)
            __builtin_unreachable(); /* so that callers' values are known to be set on success */
        return status;
    }
    *value = result.rdx;
    return MNOS_OK;
}

#define SYSCALL0_WAITS(number, name)                                                               \
    static inline mnos_status_t sys_##name(void)                                                   \
    {                                                                                              \
        return syscall_status(number, 0, 0, 0, 0, 0, 0);                                           \
    }
#define SYSCALL1(number, name, t1, a1)                                                             \
    static inline mnos_status_t sys_##name(t1 a1)                                                  \
    {                                                                                              \
        return syscall_status(number, a1, 0, 0, 0, 0, 0);                                          \
    }
#define SYSCALL2(number, name, t1, a1, t2, a2)                                                     \
    static inline mnos_status_t sys_##name(t1 a1, t2 a2)                                           \
    {                                                                                              \
        return syscall_status(number, a1, a2, 0, 0, 0, 0);                                         \
    }
#define SYSCALL2_WAITS SYSCALL2
#define SYSCALL1_BLOCKS SYSCALL1
#define SYSCALL2_BLOCKS SYSCALL2
#define SYSCALL3(number, name, t1, a1, t2, a2, t3, a3)                                             \
    static inline mnos_status_t sys_##name(t1 a1, t2 a2, t3 a3)                                    \
    {                                                                                              \
        return syscall_status(number, a1, a2, a3, 0, 0, 0);                                        \
    }
#define SYSCALL6(number, name, t1, a1, t2, a2, t3, a3, t4, a4, t5, a5, t6, a6)                     \
    static inline mnos_status_t sys_##name(t1 a1, t2 a2, t3 a3, t4 a4, t5 a5, t6 a6)               \
    {                                                                                              \
        return syscall_status(number, a1, a2, a3, a4, a5, a6);                                     \
    }
#define SYSCALL1_VALUE(number, name, t1, a1)                                                       \
    static inline mnos_status_t sys_##name(t1 a1, uint64_t *value)                                 \
    {                                                                                              \
        return syscall_value(number, a1, 0, 0, 0, 0, value);                                       \
    }
#define SYSCALL2_VALUE(number, name, t1, a1, t2, a2)                                               \
    static inline mnos_status_t sys_##name(t1 a1, t2 a2, uint64_t *value)                          \
    {                                                                                              \
        return syscall_value(number, a1, a2, 0, 0, 0, value);                                      \
    }
#define SYSCALL2_VALUE_WAITS SYSCALL2_VALUE
#define SYSCALL3_VALUE(number, name, t1, a1, t2, a2, t3, a3)                                       \
    static inline mnos_status_t sys_##name(t1 a1, t2 a2, t3 a3, uint64_t *value)                   \
    {                                                                                              \
        return syscall_value(number, a1, a2, a3, 0, 0, value);                                     \
    }
#define SYSCALL5_VALUE(number, name, t1, a1, t2, a2, t3, a3, t4, a4, t5, a5)                       \
    static inline mnos_status_t sys_##name(t1 a1, t2 a2, t3 a3, t4 a4, t5 a5, uint64_t *value)     \
    {                                                                                              \
        return syscall_value(number, a1, a2, a3, a4, a5, value);                                   \
    }
#define IPC_SYSCALL(number, name)
#include "abi/syscalls.def"
#undef SYSCALL0_WAITS
#undef SYSCALL1_BLOCKS
#undef SYSCALL2_BLOCKS
#undef SYSCALL1
#undef SYSCALL2
#undef SYSCALL2_WAITS
#undef SYSCALL3
#undef SYSCALL6
#undef SYSCALL1_VALUE
#undef SYSCALL2_VALUE
#undef SYSCALL2_VALUE_WAITS
#undef SYSCALL3_VALUE
#undef SYSCALL5_VALUE
#undef IPC_SYSCALL
