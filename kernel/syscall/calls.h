// SPDX-License-Identifier: MIT
/*
 * calls.h - the system calls' handlers, one function each with typed arguments, made from
 * abi/syscalls.def; and what they share: looking up a capability argument, and error details.
 *
 * A handler checks first, then commits. What it needs of user memory is in the caller's IPC buffer.
 */
#pragma once

#include "syscall/call_numbers.h"
#include "cap/captable.h"
#include "core.h"
#include "object/process.h"
#include "object/thread.h"

/* What a handler returns besides the statuses of abi/status.def: the system call was interrupted, what it
 * has done is in thread->record, and call_resume() makes it again. Never seen by user space. */
#define CALL_AGAIN ((mnos_status_t)-1)
/* The thread waits, or has its result in its registers: nothing is to be put there. */
#define CALL_ANSWERED ((mnos_status_t)-2)

/* What the call that `current` makes had done when it was interrupted; nothing, when it begins. For handlers
 * that return CALL_AGAIN with something done. Arguments are looked up and checked anew each time: capabilities
 * and what they name may have changed since. */
static inline struct call_record *call_record(struct thread *current)
{
    struct call_record *record = &current->record;

    if (record->number != current->frame.rax)
        *record = (struct call_record){0};
    return record;
}
/* Makes the system call of `current` again that returned CALL_AGAIN; on the way out of the kernel. */
void call_resume(struct thread *current);

/* Notes that argument number `argument` (1 is the first) is at fault, and passes the status on. */
static inline mnos_status_t call_argument(unsigned argument, mnos_status_t status)
{
    this_core()->error.argument = (uint8_t)argument;
    return status;
}

/* The capability found for an argument has a type that the call has no use for. */
static inline mnos_status_t call_type(unsigned argument, const struct cap_view *found)
{
    this_core()->error.detail = found->object->type;
    return call_argument(argument, MNOS_ERR_TYPE);
}

/* An argument asks for rights to pass on that the capability has not. */
static inline mnos_status_t call_rights(unsigned argument, uint64_t wanted, mnos_rights_t held)
{
    this_core()->error.detail = (uint8_t)(wanted & ~(uint64_t)held);
    return call_argument(argument, MNOS_ERR_RIGHTS);
}

/* Looks up argument number `argument` in the table of the calling process; errors of cap_lookup(). */
static inline mnos_status_t call_cap(struct thread *current, unsigned argument, mnos_cap_t handle,
                                     enum mnos_cap_type type, mnos_rights_t rights,
                                     struct cap_view *view);
/* The same for a Process or Thread argument that may be MNOS_SELF, for which no right is needed. Write
 * on a process is for putting something into it: MNOS_ERR_STATE when it is dying or dead. */
mnos_status_t call_process(struct thread *current, unsigned argument, mnos_cap_t handle,
                           mnos_rights_t rights, struct process **process);
mnos_status_t call_thread(struct thread *current, unsigned argument, mnos_cap_t handle,
                          mnos_rights_t rights, struct thread **thread);

/* RAX for a status: with the details noted since the system call began. */
static inline uint64_t call_result(mnos_status_t status)
{
    const struct core *core = this_core();

    if (status == MNOS_OK)
        return 0;
    return (uint64_t)(uint32_t)status | (uint64_t)core->error.argument << 32 |
           (uint64_t)core->error.detail << 40;
}

/* What goes to RAX and RDX: C returns it in these very registers. */
struct call_return {
    uint64_t rax, rdx;
};

/* By number from MNOS_SYSCALL_BASE on: functions that return struct call_return and take as many
 * uint64_t as abi/syscalls.def says. The entry code calls them, and leaves the kernel by way of
 * sched_leave_kernel() when `rax` is CALL_IN_FRAME. */
typedef void (*call_entry_t)(void);
extern const call_entry_t call_table[CALL_TABLE_COUNT];
/* The entry of calls during which other threads may run; of the entry code: all registers go to
 * current->frame, then call_in_frame(). */
struct call_return arch_call_in_frame(void);
/* The entries of two that have a short way: with registers that are not lost in the frame, to sched_yield();
 * and to enter_ipc_notify(), where it is called like any other. */
struct call_return arch_call_thread_yield(void);
struct call_return arch_call_ipc_notify(uint64_t endpoint, uint64_t events);
struct call_return enter_ipc_notify(uint64_t endpoint, uint64_t events);
/* The end of calls by registers when there is more to do than to return; results are in the frame. */
void call_leave_kernel(uint64_t number);
void call_in_frame(struct thread *current);
/* The entry of numbers that no call has; call_unknown() gives an error in the native range, else a fault. */
struct call_return arch_call_unknown(void);
void call_unknown(struct thread *current);

#define SYSCALL0_WAITS(number, name)
#define SYSCALL1_BLOCKS SYSCALL1
#define SYSCALL2_BLOCKS SYSCALL2
#define SYSCALL1(number, name, t1, a1) mnos_status_t sys_##name(struct thread *current, t1 a1);
#define SYSCALL2(number, name, t1, a1, t2, a2)                                                     \
    mnos_status_t sys_##name(struct thread *current, t1 a1, t2 a2);
#define SYSCALL2_WAITS SYSCALL2
#define SYSCALL3(number, name, t1, a1, t2, a2, t3, a3)                                             \
    mnos_status_t sys_##name(struct thread *current, t1 a1, t2 a2, t3 a3);
#define SYSCALL6(number, name, t1, a1, t2, a2, t3, a3, t4, a4, t5, a5, t6, a6)                     \
    mnos_status_t sys_##name(struct thread *current, t1 a1, t2 a2, t3 a3, t4 a4, t5 a5, t6 a6);
#define SYSCALL1_VALUE(number, name, t1, a1)                                                       \
    mnos_status_t sys_##name(struct thread *current, t1 a1, uint64_t *value);
#define SYSCALL2_VALUE(number, name, t1, a1, t2, a2)                                               \
    mnos_status_t sys_##name(struct thread *current, t1 a1, t2 a2, uint64_t *value);
#define SYSCALL2_VALUE_WAITS SYSCALL2_VALUE
#define SYSCALL3_VALUE(number, name, t1, a1, t2, a2, t3, a3)                                       \
    mnos_status_t sys_##name(struct thread *current, t1 a1, t2 a2, t3 a3, uint64_t *value);
#define SYSCALL5_VALUE(number, name, t1, a1, t2, a2, t3, a3, t4, a4, t5, a5)                       \
    mnos_status_t sys_##name(struct thread *current, t1 a1, t2 a2, t3 a3, t4 a4, t5 a5,            \
                             uint64_t *value);
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

static inline mnos_status_t call_cap(struct thread *current, unsigned argument, mnos_cap_t handle,
                                     enum mnos_cap_type type, mnos_rights_t rights,
                                     struct cap_view *view)
{
    mnos_status_t status = cap_lookup(&current->process->captable, handle, type, rights, view);

    /* Only then: what fails later is not about this argument. */
    return status == MNOS_OK ? MNOS_OK : call_argument(argument, status);
}
