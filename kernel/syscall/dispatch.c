// SPDX-License-Identifier: MIT
/*
 * dispatch.c - from the registers of a system call to its handler and back, made from
 * abi/syscalls.def; and how an interrupted call is made again. Two kinds of calls:
 *
 *   by registers  the entry code calls the function in call_table with the arguments where C expects
 *                 them, and what it returns is what the program gets. Only what it takes to make an
 *                 interrupted call again goes to the thread's frame.
 *   in the frame  another thread may run before the call returns, so all registers are saved first,
 *                 and results are put there: call_in_frame().
 */
#include "syscall/calls.h"

#include <stddef.h>

#include "assert.h"
#include "ipc/rendezvous.h"
#include "lib/base/string.h"
#include "lockdep.h"
#include "mm/frame.h"
#include "object/fault.h"
#include "object/memory.h"
#include "sched/sched.h"
#include "sched/deferred.h"
#include "base/trace.h"

/* Numbers from the base on up to here are the kernel's, whether they exist or not. */
#define NATIVE_RANGE 0x10000u

/* Frames may be where the allocator has not looked. And memory that waits to be freed may be what was missing: once
 * more, after it has been. That goes in steps, with a look for something more urgent in between; what is left then
 * is freed after the next attempt. */
static bool worth_another_try(struct thread *current, mnos_status_t status)
{
    if (status == MNOS_ERR_MEMORY && frame_worth_another_look(&current->record.looks))
        return true;
    if ((status != MNOS_ERR_QUOTA && status != MNOS_ERR_MEMORY) || current->record.tried_again ||
        !deferred_anywhere())
        return false;
    deferred_take_over();
    while (deferred_step())
        if (sched_preempt_point())
            return true;
    current->record.tried_again = true;
    return true;
}

/* It was interrupted, and is made again before the thread gets back to user mode. */
static void put_off(struct thread *current)
{
    current->record.number = current->frame.rax;
    atomic_fetch_or(&current->stop, STOP_CALL);
    arch_thread_before_syscall(current);
    this_core()->need_resched = true;
}

/* Everything but success. */
[[gnu::cold, gnu::noinline]] static struct call_return exceptional(struct thread *current,
                                                                   mnos_status_t status)
{
    if (status == CALL_AGAIN || (status != CALL_ANSWERED && worth_another_try(current, status))) {
        put_off(current);
        status = CALL_ANSWERED;
    }
    if (status != CALL_ANSWERED)
        return (struct call_return){call_result(status), 0};
    this_core()->need_resched = true;
    return (struct call_return){(uint64_t)CALL_IN_FRAME, 0};
}

static inline struct call_return finish(struct thread *current, mnos_status_t status,
                                        uint64_t value)
{
    lockdep_assert_none();
    if (__builtin_expect(status != MNOS_OK, 0))
        return exceptional(current, status);
    return (struct call_return){0, value};
}

/* ---- by registers ---- */

/* What a call that is made again must find in the registers: with the arguments, its number. */
#define BEGIN(number)                                                                              \
    struct thread *current = this_core()->current;                                                 \
    struct user_frame *f = &current->frame;                                                        \
    f->rax = (number)
#define FINISH(name, ...) return finish(current, sys_##name(current, __VA_ARGS__), 0)
#define FINISH_VALUE(name, ...)                                                                    \
    uint64_t value = 0;                                                                            \
    mnos_status_t status = sys_##name(current, __VA_ARGS__, &value);                               \
                                                                                                   \
    return finish(current, status, value)

#define ENTER(name, ...) struct call_return enter_##name(__VA_ARGS__)
#define SYSCALL1(number, name, t1, a1)                                                             \
    static ENTER(name, uint64_t a1)                                                                \
    {                                                                                              \
        BEGIN(number);                                                                             \
        f->rdi = a1;                                                                               \
        FINISH(name, a1);                                                                          \
    }
#define SYSCALL2_WAITS(number, name, t1, a1, t2, a2)                                               \
    ENTER(name, uint64_t a1, uint64_t a2)                                                          \
    {                                                                                              \
        BEGIN(number);                                                                             \
        f->rdi = a1, f->rsi = a2;                                                                  \
        FINISH(name, a1, a2);                                                                      \
    }
#define SYSCALL2(...) static SYSCALL2_WAITS(__VA_ARGS__)
#define SYSCALL3(number, name, t1, a1, t2, a2, t3, a3)                                             \
    static ENTER(name, uint64_t a1, uint64_t a2, uint64_t a3)                                      \
    {                                                                                              \
        BEGIN(number);                                                                             \
        f->rdi = a1, f->rsi = a2, f->rdx = a3;                                                     \
        FINISH(name, a1, a2, a3);                                                                  \
    }
#define SYSCALL6(number, name, t1, a1, t2, a2, t3, a3, t4, a4, t5, a5, t6, a6)                     \
    static ENTER(name, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5,            \
                 uint64_t a6)                                                                      \
    {                                                                                              \
        BEGIN(number);                                                                             \
        f->rdi = a1, f->rsi = a2, f->rdx = a3, f->r10 = a4, f->r8 = a5, f->r9 = a6;                \
        FINISH(name, a1, a2, a3, a4, a5, a6);                                                      \
    }
#define SYSCALL1_VALUE(number, name, t1, a1)                                                       \
    static ENTER(name, uint64_t a1)                                                                \
    {                                                                                              \
        BEGIN(number);                                                                             \
        f->rdi = a1;                                                                               \
        FINISH_VALUE(name, a1);                                                                    \
    }
#define SYSCALL2_VALUE(number, name, t1, a1, t2, a2)                                               \
    static ENTER(name, uint64_t a1, uint64_t a2)                                                   \
    {                                                                                              \
        BEGIN(number);                                                                             \
        f->rdi = a1, f->rsi = a2;                                                                  \
        FINISH_VALUE(name, a1, a2);                                                                \
    }
#define SYSCALL3_VALUE(number, name, t1, a1, t2, a2, t3, a3)                                       \
    static ENTER(name, uint64_t a1, uint64_t a2, uint64_t a3)                                      \
    {                                                                                              \
        BEGIN(number);                                                                             \
        f->rdi = a1, f->rsi = a2, f->rdx = a3;                                                     \
        FINISH_VALUE(name, a1, a2, a3);                                                            \
    }
#define SYSCALL5_VALUE(number, name, t1, a1, t2, a2, t3, a3, t4, a4, t5, a5)                       \
    static ENTER(name, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)            \
    {                                                                                              \
        BEGIN(number);                                                                             \
        f->rdi = a1, f->rsi = a2, f->rdx = a3, f->r10 = a4, f->r8 = a5;                            \
        FINISH_VALUE(name, a1, a2, a3, a4, a5);                                                    \
    }
#define SYSCALL0_WAITS(number, name)
#define SYSCALL1_BLOCKS(number, name, ...)
#define SYSCALL2_BLOCKS(number, name, ...)
#define SYSCALL2_VALUE_WAITS(number, name, ...)
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

#define BY_REGISTERS(number, name) [(number)-MNOS_SYSCALL_BASE] = (call_entry_t)enter_##name,
#define IN_FRAME(number, name) [(number)-MNOS_SYSCALL_BASE] = (call_entry_t)arch_call_in_frame,
#define BY_ITSELF(number, name) [(number)-MNOS_SYSCALL_BASE] = (call_entry_t)arch_call_##name,
#define SYSCALL0_WAITS BY_ITSELF
#define SYSCALL2_WAITS(number, name, ...) BY_ITSELF(number, name)
#define SYSCALL1(number, name, ...) BY_REGISTERS(number, name)
#define SYSCALL2(number, name, ...) BY_REGISTERS(number, name)
#define SYSCALL3(number, name, ...) BY_REGISTERS(number, name)
#define SYSCALL6(number, name, ...) BY_REGISTERS(number, name)
#define SYSCALL1_VALUE(number, name, ...) BY_REGISTERS(number, name)
#define SYSCALL2_VALUE(number, name, ...) BY_REGISTERS(number, name)
#define SYSCALL1_BLOCKS(number, name, ...) IN_FRAME(number, name)
#define SYSCALL2_BLOCKS(number, name, ...) IN_FRAME(number, name)
#define SYSCALL2_VALUE_WAITS(number, name, ...) IN_FRAME(number, name)
#define SYSCALL3_VALUE(number, name, ...) BY_REGISTERS(number, name)
#define SYSCALL5_VALUE(number, name, ...) BY_REGISTERS(number, name)
#define IPC_SYSCALL IN_FRAME
const call_entry_t call_table[CALL_TABLE_COUNT] = {
#include "abi/syscalls.def"
    [CALL_COUNT... CALL_TABLE_COUNT - 1] = (call_entry_t)arch_call_unknown,
};
_Static_assert(CALL_BASE == MNOS_SYSCALL_BASE, "assembly relies on it");
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

void call_leave_kernel(uint64_t number)
{
    trace(MNOS_TRACE_SYSCALL, number, this_core()->current->frame.rax);
    sched_leave_kernel();
}

/* As the entry code calls it: with more arguments than most have, which the convention allows. */
typedef struct call_return (*with_six_t)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                                         uint64_t);

/* The registers are those of the call, since whoever sets them drops the record. User mode would let
 * interrupts in; what one of them has to be done first for, sched_leave_kernel() sees, and comes back here. */
void call_resume(struct thread *current)
{
    struct user_frame *f = &current->frame;
    uint64_t number = current->record.number;
    struct call_return result;

    assert(number == f->rax && number - MNOS_SYSCALL_BASE < CALL_TABLE_COUNT);
    arch_poll_interrupts();
    if (this_core()->need_resched)
        return;
    atomic_fetch_and(&current->stop, ~(uint32_t)STOP_CALL);
    arch_thread_after_syscall(current);
    this_core()->error = (struct call_error){0};
    if (call_table[number - MNOS_SYSCALL_BASE] == (call_entry_t)arch_call_in_frame) {
        call_in_frame(current); /* where its registers are already */
        return;
    }
    result = ((with_six_t)call_table[number - MNOS_SYSCALL_BASE])(f->rdi, f->rsi, f->rdx, f->r10,
                                                                  f->r8, f->r9);
    if (result.rax == (uint64_t)CALL_IN_FRAME)
        return; /* interrupted again, or current is gone */
    f->rax = result.rax;
    f->rdx = result.rdx;
    thread_forget_call(current);
    trace(MNOS_TRACE_SYSCALL, number, f->rax);
}

/* ---- in the frame ---- */

static void finish_in_frame(struct thread *current, mnos_status_t status, uint64_t value)
{
    if (status == CALL_AGAIN)
        put_off(current);
    if (status == CALL_AGAIN || status == CALL_ANSWERED)
        return;
    if (current->record.number != 0)
        thread_forget_call(current);
    current->frame.rax = call_result(status);
    if (status == MNOS_OK)
        current->frame.rdx = value;
}

void call_in_frame(struct thread *current)
{
    const struct user_frame *f = &current->frame;
    uint64_t value = 0;
    mnos_status_t status = CALL_ANSWERED;

    switch (f->rax) {
#define SYSCALL0_WAITS(...)
#define SYSCALL1_BLOCKS(number, name, ...)                                                         \
    case (number):                                                                                 \
        status = sys_##name(current, f->rdi);                                                      \
        break;
#define SYSCALL2_BLOCKS(number, name, ...)                                                         \
    case (number):                                                                                 \
        status = sys_##name(current, f->rdi, f->rsi);                                              \
        break;
#define SYSCALL2_VALUE_WAITS(number, name, ...)                                                    \
    case (number):                                                                                 \
        status = sys_##name(current, f->rdi, f->rsi, &value);                                      \
        break;
#define IPC_SYSCALL(number, name)                                                                  \
    case (number):                                                                                 \
        name(current);                                                                             \
        break;
#define SYSCALL1(...)
#define SYSCALL2(...)
#define SYSCALL2_WAITS(...)
#define SYSCALL3(...)
#define SYSCALL6(...)
#define SYSCALL1_VALUE(...)
#define SYSCALL2_VALUE(...)
#define SYSCALL3_VALUE(...)
#define SYSCALL5_VALUE(...)
#include "abi/syscalls.def"
    }
    finish_in_frame(current, status, value);
    lockdep_assert_none();
}

void call_unknown(struct thread *current)
{
    if (current->frame.rax - MNOS_SYSCALL_BASE < NATIVE_RANGE)
        current->frame.rax = MNOS_ERR_SYSCALL;
    else
        fault_foreign_syscall(current);
}
