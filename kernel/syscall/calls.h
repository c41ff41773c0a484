// SPDX-License-Identifier: MIT
/*
 * calls.h - the system calls' handlers, one function each with typed arguments, made from
 * abi/syscalls.def; and what they share: looking up a capability argument, and error details.
 *
 * A handler checks first, then commits. What it needs of user memory is in the caller's IPC buffer.
 */
#pragma once

#include "abi/expand.h"
#include "abi/syscalls.h"
#include "object/argument.h"

/* What the call that `current` makes had done when it was interrupted; nothing, when it begins. For handlers
 * that return RESULT_AGAIN with something done. Arguments are looked up and checked anew each time: capabilities
 * and what they name may have changed since. */
static inline struct call_record *call_record(struct thread *current)
{
    struct call_record *record = &current->record;

    if (record->number != current->frame.rax)
        *record = (struct call_record){0};
    return record;
}
/* Makes the system call of `current` again that returned RESULT_AGAIN; on the way out of the kernel. */
void call_resume(struct thread *current);

/* argument_cap() for a Process or Thread that may be MNOS_SELF, for which no right is needed. Write
 * on a process is for putting something into it: MNOS_ERR_STATE when it is dying or dead. */
result_t call_process(struct thread *current, unsigned argument, mnos_cap_t handle,
                      mnos_rights_t rights, struct process **process);
result_t call_thread(struct thread *current, unsigned argument, mnos_cap_t handle,
                     mnos_rights_t rights, struct thread **thread);

/* What goes to RAX and RDX: C returns it in these very registers. */
struct call_return {
    uint64_t rax, rdx;
};

/* .rax: what is to be returned is in the thread's frame, if it goes on at all. */
#define CALL_IN_FRAME (-1)

/* Numbers from the base on are the kernel's, whether they exist or not. */
#define CALL_NATIVE_RANGE 0x10000u
#define CALL_COUNT (MNOS_SYSCALL_END - MNOS_SYSCALL_BASE)
#define CALL_TABLE_COUNT 32 /* a power of two; what is no call has an entry that says so */
_Static_assert(CALL_COUNT <= CALL_TABLE_COUNT && (CALL_TABLE_COUNT & (CALL_TABLE_COUNT - 1)) == 0);

/* By number from MNOS_SYSCALL_BASE on. The entry code calls them with all argument registers, as C has them, and leaves
 * the kernel by way of sched_leave_kernel() when `rax` is CALL_IN_FRAME. */
typedef struct call_return (*call_entry_t)(uint64_t rdi, uint64_t rsi, uint64_t rdx, uint64_t r10,
                                           uint64_t r8, uint64_t r9);
#define CALL_REGISTERS                                                                             \
    [[maybe_unused]] uint64_t rdi, [[maybe_unused]] uint64_t rsi, [[maybe_unused]] uint64_t rdx,   \
        [[maybe_unused]] uint64_t r10, [[maybe_unused]] uint64_t r8, [[maybe_unused]] uint64_t r9
extern const call_entry_t call_table[CALL_TABLE_COUNT];
/* The entry of calls during which other threads may run; of the entry code: all registers go to
 * current->frame, then call_in_frame(). */
struct call_return arch_call_in_frame(CALL_REGISTERS);
/* The entries of two that have a short way, GIVES_WAY, in syscall/ipc.c; and the usual way of the first. */
struct call_return call_ipc_notify(CALL_REGISTERS);
struct call_return call_thread_yield(CALL_REGISTERS);
struct call_return enter_ipc_notify(CALL_REGISTERS);
/* The end of calls by registers when there is more to do than to return; results are in the frame. */
void call_leave_kernel(uint64_t number);
void call_in_frame(struct thread *current);
/* The entry of numbers that no call has; call_unknown() gives an error in the native range, else a fault. */
struct call_return arch_call_unknown(CALL_REGISTERS);
void call_unknown(struct thread *current);

/* The handlers. Those of messages are in ipc/rendezvous.h, and sys_thread_yield() is call_thread_yield(). */
#define PARAMETER(register, pair) , ARGUMENT_TYPE pair ARGUMENT_NAME pair
#define VALUE_OF_STATUS
#define VALUE_OF_VALUE , uint64_t *value
#define HANDLER_NO_WAIT(name, result, ...)                                                         \
    result_t sys_##name(struct thread *current EACH_ARGUMENT(PARAMETER, __VA_ARGS__)               \
                            VALUE_OF_##result);
#define HANDLER_WAITS HANDLER_NO_WAIT
#define HANDLER_GIVES_WAY(name, result, ...) __VA_OPT__(HANDLER_NO_WAIT(name, result, __VA_ARGS__))
#define HANDLER_MESSAGE(...)
#define SYSCALL(number, name, result, way, ...) HANDLER_##way(name, result, __VA_ARGS__)
#include "abi/syscalls.def"
#undef SYSCALL
