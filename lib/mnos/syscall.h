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

#include "abi/expand.h"
#include "abi/syscalls.h"
#include "abi/types.h"
#include "lib/mnos/thread_block.h"
#include "lib/mnos/wait_stub.h"

/* Remembers what failed; returns the status in `rax`. */
mnos_status_t error_record(uint32_t number, uint64_t rax);

/* For when a failure is none of the kernel's. */
void error_forget(void);

static inline mnos_status_t syscall_status(uint32_t number, uint64_t a1, uint64_t a2, uint64_t a3,
                                           uint64_t a4, uint64_t a5, uint64_t a6)
{
    struct syscall_result result = syscall_raw(number, a1, a2, a3, a4, a5, a6);

    if (__builtin_expect((uint32_t)result.rax != MNOS_OK, 0))
        return error_record(number, result.rax);
    return MNOS_OK;
}

static inline mnos_status_t syscall_value(uint32_t number, uint64_t a1, uint64_t a2, uint64_t a3,
                                          uint64_t a4, uint64_t a5, uint64_t a6, uint64_t *value)
{
    struct syscall_result result = syscall_raw(number, a1, a2, a3, a4, a5, a6);

    if (__builtin_expect((uint32_t)result.rax != MNOS_OK, 0)) {
        mnos_status_t status = error_record(number, result.rax);

        if (status == MNOS_OK)
            __builtin_unreachable(); /* so that callers' values are known to be set on success */
        return status;
    }
    *value = result.rdx;
    return MNOS_OK;
}

/* One that may park the thread or let another run first, after which the vector registers may be lost. */
static inline mnos_status_t syscall_status_waits(uint32_t number, uint64_t a1, uint64_t a2)
{
    struct syscall_result result = syscall_raw_waits(number, a1, a2);

    return __builtin_expect((uint32_t)result.rax != MNOS_OK, 0) ? error_record(number, result.rax)
                                                                : MNOS_OK;
}

static inline mnos_status_t syscall_value_waits(uint32_t number, uint64_t a1, uint64_t a2,
                                                uint64_t *value)
{
    struct syscall_result result = syscall_raw_waits(number, a1, a2);

    if (__builtin_expect((uint32_t)result.rax != MNOS_OK, 0))
        return error_record(number, result.rax);
    *value = result.rdx;
    return MNOS_OK;
}

/* The arguments of a stub, and as many zeros behind them as there is room. */
#define STUB_ARGUMENT(register, pair) , ARGUMENT_NAME pair
#define STUB_PADDED(...) STUB_FIRST_SEVEN(__VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define STUB_FIRST_SEVEN(...) STUB_PICK_SEVEN(__VA_ARGS__)
#define STUB_PICK_SEVEN(number, a, b, c, d, e, f, ...) number, a, b, c, d, e, f
#define STUB_STATUS(number, name, ...)                                                             \
    static inline mnos_status_t sys_##name(ARGUMENT_PARAMETERS(__VA_ARGS__))                       \
    {                                                                                              \
        return syscall_status(STUB_PADDED(number EACH_ARGUMENT(STUB_ARGUMENT, __VA_ARGS__)));      \
    }
#define STUB_VALUE(number, name, ...)                                                              \
    static inline mnos_status_t sys_##name(ARGUMENT_PARAMETERS(__VA_ARGS__), uint64_t *value)      \
    {                                                                                              \
        return syscall_value(STUB_PADDED(number EACH_ARGUMENT(STUB_ARGUMENT, __VA_ARGS__)),        \
                             value);                                                               \
    }
/* Those that may park the thread or let another run first have two arguments at most. */
#define STUB_FIRST_TWO(number, a, b, ...) number, a, b
#define STUB_TWO(...) STUB_FIRST_TWO(__VA_ARGS__)
#define STUB_STATUS_WAITS(number, name, ...)                                                       \
    static inline mnos_status_t sys_##name(ARGUMENT_PARAMETERS(__VA_ARGS__))                       \
    {                                                                                              \
        return syscall_status_waits(                                                               \
            STUB_TWO(STUB_PADDED(number EACH_ARGUMENT(STUB_ARGUMENT, __VA_ARGS__))));              \
    }
#define STUB_VALUE_WAITS(number, name, ...)                                                        \
    static inline mnos_status_t sys_##name(ARGUMENT_PARAMETERS(__VA_ARGS__), uint64_t *value)      \
    {                                                                                              \
        return syscall_value_waits(                                                                \
            STUB_TWO(STUB_PADDED(number EACH_ARGUMENT(STUB_ARGUMENT, __VA_ARGS__))), value);       \
    }
#define STUB_NO_WAIT(result, ...) STUB_##result(__VA_ARGS__)
#define STUB_WAITS(result, ...) STUB_##result##_WAITS(__VA_ARGS__)
#define STUB_GIVES_WAY STUB_WAITS /* sys_thread_yield: abi/message.h */
#define STUB_MESSAGE(...)
#define SYSCALL(number, name, result, way, ...) STUB_##way(result, number, name, __VA_ARGS__)
#include "abi/syscalls.def"
#undef SYSCALL
