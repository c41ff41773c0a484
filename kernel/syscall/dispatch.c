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
#include "object/denial.h"
#include "object/fault.h"
#include "object/memory.h"
#include "sched/sched.h"
#include "sched/deferred.h"
#include "base/trace.h"

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
    current->record.resume = call_resume;
    atomic_fetch_or(&current->stop, STOP_CALL);
    arch_thread_before_syscall(current);
    this_core()->need_resched = true;
}

/* Everything but success. */
[[gnu::cold, gnu::noinline]] static struct call_return exceptional(struct thread *current,
                                                                   result_t result)
{
    result = result_told(result);
    if (result == RESULT_AGAIN ||
        (result != RESULT_ANSWERED && worth_another_try(current, status_of(result)))) {
        put_off(current);
        result = RESULT_ANSWERED;
    }
    if (result != RESULT_ANSWERED) {
        denial_note(current, result);
        return (struct call_return){(uint64_t)result, 0};
    }
    this_core()->need_resched = true;
    return (struct call_return){(uint64_t)CALL_IN_FRAME, 0};
}

static inline struct call_return finish(struct thread *current, result_t result, uint64_t value)
{
    lockdep_assert_none();
    if (__builtin_expect(result != RESULT_OK, 0))
        return exceptional(current, result);
    return (struct call_return){0, value};
}

/* ---- by registers ---- */

/* What a call that is made again must find in the registers: with the arguments, its number. */
#define KEEP(register, pair) current->frame.register = register;
#define PASS(register, pair) , register
#define VALUE_TO_STATUS
#define VALUE_TO_VALUE , &value
#define ENTER(number, name, result, ...)                                                           \
    struct call_return enter_##name(CALL_REGISTERS)                                                \
    {                                                                                              \
        struct thread *current = this_core()->current;                                             \
        [[maybe_unused]] uint64_t value = 0;                                                       \
        result_t answer;                                                                           \
                                                                                                   \
        current->frame.rax = (number);                                                             \
        EACH_ARGUMENT(KEEP, __VA_ARGS__)                                                           \
        answer = sys_##name(current EACH_ARGUMENT(PASS, __VA_ARGS__) VALUE_TO_##result);           \
        return finish(current, answer, value);                                                     \
    }
#define ENTER_NO_WAIT(...) static ENTER(__VA_ARGS__)
#define ENTER_GIVES_WAY(number, name, result, ...)                                                 \
    __VA_OPT__(ENTER(number, name, result, __VA_ARGS__))
#define ENTER_WAITS(...)
#define ENTER_MESSAGE(...)
#define SYSCALL(number, name, result, way, ...) ENTER_##way(number, name, result, __VA_ARGS__)
#include "abi/syscalls.def"
#undef SYSCALL

#define ENTRY_NO_WAIT(name) enter_##name
#define ENTRY_GIVES_WAY(name) call_##name
#define ENTRY_WAITS(name) arch_call_in_frame
#define ENTRY_MESSAGE(name) arch_call_in_frame
#define SYSCALL(number, name, result, way, ...) [(number)-MNOS_SYSCALL_BASE] = ENTRY_##way(name),
const call_entry_t call_table[CALL_TABLE_COUNT] = {
#include "abi/syscalls.def"
    [CALL_COUNT... CALL_TABLE_COUNT - 1] = arch_call_unknown,
};
#undef SYSCALL

void call_leave_kernel(uint64_t number)
{
    trace(MNOS_TRACE_SYSCALL, number, this_core()->current->frame.rax);
    sched_leave_kernel();
}

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
    if (call_table[number - MNOS_SYSCALL_BASE] == arch_call_in_frame) {
        call_in_frame(current); /* where its registers are already */
        return;
    }
    result = call_table[number - MNOS_SYSCALL_BASE](f->rdi, f->rsi, f->rdx, f->r10, f->r8, f->r9);
    if (result.rax == (uint64_t)CALL_IN_FRAME)
        return; /* interrupted again, or current is gone */
    f->rax = result.rax;
    f->rdx = result.rdx;
    thread_forget_call(current);
    trace(MNOS_TRACE_SYSCALL, number, f->rax);
}

/* ---- in the frame ---- */

static void finish_in_frame(struct thread *current, result_t result, uint64_t value)
{
    if (result == RESULT_AGAIN)
        put_off(current);
    if (result == RESULT_AGAIN || result == RESULT_ANSWERED)
        return;
    if (current->record.number != 0)
        thread_forget_call(current);
    if (result == RESULT_OK)
        current->frame.rdx = value;
    else
        denial_note(current, result);
    current->frame.rax = (uint64_t)result_told(result);
}

void call_in_frame(struct thread *current)
{
    const struct user_frame *f = &current->frame;
    uint64_t value = 0;
    result_t result = RESULT_ANSWERED;

    switch (f->rax) {
#define FROM_FRAME(register, pair) , f->register
#define IN_FRAME_WAITS(number, name, kind, ...)                                                    \
    case (number):                                                                                 \
        result = sys_##name(current EACH_ARGUMENT(FROM_FRAME, __VA_ARGS__) VALUE_TO_##kind);       \
        break;
#define IN_FRAME_MESSAGE(number, name, ...)                                                        \
    case (number):                                                                                 \
        name(current);                                                                             \
        break;
#define IN_FRAME_NO_WAIT(...)
#define IN_FRAME_GIVES_WAY(...)
#define SYSCALL(number, name, kind, way, ...) IN_FRAME_##way(number, name, kind, __VA_ARGS__)
#include "abi/syscalls.def"
#undef SYSCALL
    }
    finish_in_frame(current, result, value);
    lockdep_assert_none();
}

void call_unknown(struct thread *current)
{
    if (current->frame.rax - MNOS_SYSCALL_BASE < CALL_NATIVE_RANGE)
        current->frame.rax = MNOS_ERR_SYSCALL;
    else
        fault_foreign_syscall(current);
}
