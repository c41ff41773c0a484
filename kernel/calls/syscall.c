// SPDX-License-Identifier: MIT
/*
 * syscall.c - from the registers of a system call to its handler and back, made from
 * abi/syscalls.def. Handlers see typed arguments; only the IPC calls work on registers themselves.
 */
#include "calls/calls.h"

#include <stddef.h>

#include "ipc/ipc.h"
#include "lib/string.h"
#include "lockdep.h"
#include "object/fault.h"
#include "object/memory.h"
#include "sync/deferred.h"

typedef void (*unpack_t)(struct thread *current);

static void call_copy(const struct user_frame *frame, uint64_t call[7])
{
    const uint64_t registers[] = {frame->rax, frame->rdi, frame->rsi, frame->rdx,
                                  frame->r10, frame->r8,  frame->r9};

    memcpy(call, registers, sizeof(registers));
}

bool call_continues(struct thread *current)
{
    uint64_t call[7];
    bool same = false;

    if (current->interrupted) {
        call_copy(&current->frame, call);
        same = memcmp(call, current->interrupted_call, sizeof(call)) == 0;
    }
    current->interrupted = false;
    if (same)
        return true;
    current->progress = 0;
    if (current->pending != NULL)
        kobject_unreferenced(&current->pending->obj);
    current->pending = NULL;
    return false;
}

/* Memory that waits to be freed here may be what was missing: once more, after it has been. */
static bool worth_another_try(struct thread *current, mnos_status_t status)
{
    bool first = !current->tried_again;

    if ((status != MNOS_ERR_QUOTA && status != MNOS_ERR_MEMORY) || this_core()->deferred == NULL)
        first = false;
    current->tried_again = first;
    if (first)
        deferred_flush();
    return first;
}

/* Puts away what a handler returned. */
static void finish(struct thread *current, mnos_status_t status)
{
    if (status == CALL_ANSWERED)
        return;
    if (status != MNOS_OK && status != CALL_AGAIN && worth_another_try(current, status)) {
        arch_thread_restart_syscall(current);
        return;
    }
    if (status == CALL_AGAIN) {
        current->interrupted = true;
        call_copy(&current->frame, current->interrupted_call);
        arch_thread_restart_syscall(current);
        return;
    }
    current->progress = 0;
    arch_thread_set_result(current, call_result(status));
}

static void finish_value(struct thread *current, mnos_status_t status, uint64_t value)
{
    finish(current, status);
    if (status == MNOS_OK)
        arch_thread_set_value(current, value);
}

#define F current->frame
#define SYSCALL0(number, name)                                                                     \
    static void unpack_##name(struct thread *current)                                              \
    {                                                                                              \
        finish(current, sys_##name(current));                                                      \
    }
#define SYSCALL1(number, name, t1, a1)                                                             \
    static void unpack_##name(struct thread *current)                                              \
    {                                                                                              \
        finish(current, sys_##name(current, F.rdi));                                               \
    }
#define SYSCALL2(number, name, t1, a1, t2, a2)                                                     \
    static void unpack_##name(struct thread *current)                                              \
    {                                                                                              \
        finish(current, sys_##name(current, F.rdi, F.rsi));                                        \
    }
#define SYSCALL3(number, name, t1, a1, t2, a2, t3, a3)                                             \
    static void unpack_##name(struct thread *current)                                              \
    {                                                                                              \
        finish(current, sys_##name(current, F.rdi, F.rsi, F.rdx));                                 \
    }
#define SYSCALL6(number, name, t1, a1, t2, a2, t3, a3, t4, a4, t5, a5, t6, a6)                     \
    static void unpack_##name(struct thread *current)                                              \
    {                                                                                              \
        finish(current, sys_##name(current, F.rdi, F.rsi, F.rdx, F.r10, F.r8, F.r9));              \
    }
#define UNPACK_VALUE(name, ...)                                                                    \
    static void unpack_##name(struct thread *current)                                              \
    {                                                                                              \
        uint64_t value = 0;                                                                        \
        mnos_status_t status = sys_##name(current, __VA_ARGS__, &value);                           \
                                                                                                   \
        finish_value(current, status, value);                                                      \
    }
#define SYSCALL1_VALUE(number, name, ...) UNPACK_VALUE(name, F.rdi)
#define SYSCALL2_VALUE(number, name, ...) UNPACK_VALUE(name, F.rdi, F.rsi)
#define SYSCALL3_VALUE(number, name, ...) UNPACK_VALUE(name, F.rdi, F.rsi, F.rdx)
#define SYSCALL5_VALUE(number, name, ...) UNPACK_VALUE(name, F.rdi, F.rsi, F.rdx, F.r10, F.r8)
#define IPC_SYSCALL(number, name)
#include "abi/syscalls.def"
#undef SYSCALL0
#undef SYSCALL1
#undef SYSCALL2
#undef SYSCALL3
#undef SYSCALL6
#undef SYSCALL1_VALUE
#undef SYSCALL2_VALUE
#undef SYSCALL3_VALUE
#undef SYSCALL5_VALUE
#undef IPC_SYSCALL

static const unpack_t handlers[] = {
#define ENTRY(number, name) [(number)-MNOS_SYSCALL_BASE] = unpack_##name,
#define SYSCALL0(number, name) ENTRY(number, name)
#define SYSCALL1(number, name, ...) ENTRY(number, name)
#define SYSCALL2(number, name, ...) ENTRY(number, name)
#define SYSCALL3(number, name, ...) ENTRY(number, name)
#define SYSCALL6(number, name, ...) ENTRY(number, name)
#define SYSCALL1_VALUE(number, name, ...) ENTRY(number, name)
#define SYSCALL2_VALUE(number, name, ...) ENTRY(number, name)
#define SYSCALL3_VALUE(number, name, ...) ENTRY(number, name)
#define SYSCALL5_VALUE(number, name, ...) ENTRY(number, name)
#define IPC_SYSCALL(number, name) [(number)-MNOS_SYSCALL_BASE] = name,
#include "abi/syscalls.def"
};

#define HANDLER_COUNT (sizeof(handlers) / sizeof(handlers[0]))
/* Numbers from the base on up to here are the kernel's, whether they exist or not. */
#define NATIVE_RANGE 0x10000u

void syscall_dispatch(struct thread *current)
{
    uint64_t number = current->frame.rax - MNOS_SYSCALL_BASE;
    struct core *core = this_core();

    core->statistics->syscalls++;
    core->error_argument = 0;
    core->error_detail = 0;
    if (number < HANDLER_COUNT) {
        /* A mispredicted comparison must not lead to a pointer from outside the table. */
        __asm__("cmp %1, %0\n\tsbb %%rcx, %%rcx\n\tand %%rcx, %0"
                : "+r"(number)
                : "i"((int)HANDLER_COUNT)
                : "rcx", "cc");
        handlers[number](current);
    } else if (number < NATIVE_RANGE) {
        arch_thread_set_result(current, MNOS_ERR_SYSCALL);
    } else {
        fault_foreign_syscall(current);
    }
    lockdep_assert_none();
}
