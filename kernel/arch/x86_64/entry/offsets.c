// SPDX-License-Identifier: MIT
/*
 * offsets.c - where assembly finds the members of structures. Compiled only to assembly language, from
 * which the build makes gen/struct_offsets.h: #define NAME OFFSET for each line below.
 */
#include <stddef.h>

#include "abi/fault.h"
#include "abi/message.h"
#include "arch/user_frame.h"
#include "arch/x86_64/cpu/cpu.h"
#include "arch/x86_64/entry/cpu_entry.h"
#include "core.h"
#include "object/endpoint.h"
#include "object/fault.h"
#include "object/process.h"
#include "object/thread.h"
#include "syscall/calls.h"

#define VALUE(name, value) __asm__ volatile(".ascii \"=> " #name " %c0\"" ::"i"(value));
#define OFFSET(name, type, member) VALUE(name, offsetof(struct type, member))

void offsets(void);

void offsets(void)
{
    /* Of the core that runs: by way of GS, which leads to it or to its cpu_entry. */
    OFFSET(CORE_SELF, core, self)
    OFFSET(CORE_CURRENT, core, current)
    OFFSET(CORE_KERNEL_STACK_TOP, core, kernel_stack_top)
    OFFSET(CORE_SCRATCH, core, scratch)
    OFFSET(CORE_NEED_RESCHED, core, need_resched)
    OFFSET(CORE_SWITCH_BIT, core, switch_bit)
    OFFSET(CORE_STATISTICS, core, statistics)
    OFFSET(CORE_TSS, core, tss)
    OFFSET(CORE_ASPACE, core, aspace)
    OFFSET(CORE_RUNNING_HERE, core, running_here)
    OFFSET(CORE_PINNED_HERE, core, pinned_here)
    OFFSET(CORE_READY, core, runqueue.ready)
    OFFSET(CPU_X87_POINTERS_STAY, cpu_facts, x87_pointers_stay)
    OFFSET(CORE_RUNNING_PRIORITY, core, runqueue.running_priority)
    OFFSET(CORE_PANIC_STACK_TOP, core, arch.panic_stack_top)
    OFFSET(ENTRY_CORE, cpu_entry, core)
    OFFSET(ENTRY_SCRATCH, cpu_entry, scratch)
    OFFSET(ENTRY_CR3_KERNEL_AND, cpu_entry, cr3_kernel_and)
    OFFSET(ENTRY_CR3_KERNEL_OR, cpu_entry, cr3_kernel_or)
    OFFSET(ENTRY_CR3_USER_OR, cpu_entry, cr3_user_or)
    OFFSET(ENTRY_STACK_TOP, cpu_entry, stack_top)
    OFFSET(ENTRY_KERNEL_ROOT, cpu_entry, kernel_root)
    OFFSET(TSS_RSP0, tss, rsp[0])
    OFFSET(STATISTICS_MESSAGES, mnos_core_statistics, messages)
    OFFSET(STATISTICS_SWITCHES, mnos_core_statistics, switches)
    OFFSET(STATISTICS_SYSCALLS, mnos_core_statistics, syscalls)
    OFFSET(STATISTICS_FAULTS, mnos_core_statistics, faults)

    OFFSET(FRAME_R15, thread, frame.r15)
    OFFSET(FRAME_R14, thread, frame.r14)
    OFFSET(FRAME_R13, thread, frame.r13)
    OFFSET(FRAME_R12, thread, frame.r12)
    OFFSET(FRAME_RBP, thread, frame.rbp)
    OFFSET(FRAME_RBX, thread, frame.rbx)
    OFFSET(FRAME_R11, thread, frame.r11)
    OFFSET(FRAME_R10, thread, frame.r10)
    OFFSET(FRAME_R9, thread, frame.r9)
    OFFSET(FRAME_R8, thread, frame.r8)
    OFFSET(FRAME_RAX, thread, frame.rax)
    OFFSET(FRAME_RCX, thread, frame.rcx)
    OFFSET(FRAME_RDX, thread, frame.rdx)
    OFFSET(FRAME_RSI, thread, frame.rsi)
    OFFSET(FRAME_RDI, thread, frame.rdi)
    OFFSET(FRAME_VECTOR, thread, frame.vector)
    OFFSET(FRAME_ERROR, thread, frame.error)
    OFFSET(FRAME_RIP, thread, frame.rip)
    OFFSET(FRAME_CS, thread, frame.cs)
    OFFSET(FRAME_RFLAGS, thread, frame.rflags)
    OFFSET(FRAME_RSP, thread, frame.rsp)
    OFFSET(FRAME_SS, thread, frame.ss)
    VALUE(FRAME_BYTES, sizeof(struct user_frame))
    VALUE(FRAME_SYSCALL_VECTOR, FRAME_SYSCALL)

    OFFSET(THREAD_STOP, thread, stop)
    OFFSET(THREAD_SLOW, thread, slow)
    VALUE(SLOW_FAULTED_ONLY, SLOW_FAULTED)
    VALUE(SLOW_FAULTED_BIT, 32 + __builtin_ctz(SLOW_FAULTED)) /* in `stop` and `slow` */
    OFFSET(THREAD_STATE, thread, state)
    OFFSET(THREAD_FS_BASE, thread, arch.fs_base)
    OFFSET(THREAD_GS_BASE, thread, arch.gs_base)
    OFFSET(THREAD_VECTOR_AREA, thread, arch.vector_area)
    OFFSET(THREAD_VECTOR_LIVE, thread, arch.vector_live)
    OFFSET(THREAD_MXCSR, thread, arch.mxcsr)
    OFFSET(THREAD_X87_CONTROL, thread, arch.x87_control)
    OFFSET(THREAD_PROCESS, thread, process)
    OFFSET(THREAD_ID, thread, obj.id)
    OFFSET(THREAD_ASPACE, thread, aspace)
    OFFSET(THREAD_PRIORITY, thread, priority)
    OFFSET(THREAD_EFFECTIVE, thread, effective)
    OFFSET(THREAD_CPU_CYCLES, thread, cpu_cycles)
    OFFSET(THREAD_LOCK_SERVING, thread, lock.serving)
    OFFSET(THREAD_LOCK_NEXT, thread, lock.next)
    OFFSET(THREAD_WAITS_ON, thread, waits_on)
    OFFSET(THREAD_OWED_BY, thread, owed_by)
    OFFSET(THREAD_CALLERS, thread, callers.only)
    OFFSET(THREAD_VIA, thread, via)
    OFFSET(THREAD_VIA_KEY, thread, via_key)
    OFFSET(THREAD_CAP_LINK, thread, cap_link)
    OFFSET(THREAD_RECEIVED_KEY, thread, received_key)
    OFFSET(THREAD_RECEIVED_FROM, thread, received_from)
    OFFSET(THREAD_SENT_KEY, thread, sent_key)
    OFFSET(THREAD_SENT_CAP, thread, sent_cap)
    OFFSET(THREAD_SENT_TO, thread, sent_to)
    OFFSET(THREAD_SENT_BADGE, thread, sent_badge)
    OFFSET(THREAD_REPLY_ID, thread, reply_id)
    OFFSET(THREAD_DEADLINE, thread, deadline_ns)
    OFFSET(THREAD_TIMER_DUE, thread, timer.due)
    OFFSET(THREAD_BUFFER, thread, buffer)
    OFFSET(THREAD_UPCALL, thread, upcall)
    VALUE(UPCALL_FAULTS_BIT, __builtin_ctzll(MNOS_UPCALL_FAULTS))
    VALUE(UPCALL_SYSCALLS_BIT, __builtin_ctzll(MNOS_UPCALL_SYSCALLS))
    VALUE(UPCALL_CLEARED, UPCALL_RFLAGS_CLEARED)
    OFFSET(BUFFER_UPCALL_RIP, mnos_ipc_buffer, upcall_rip)
    OFFSET(BUFFER_UPCALL_ADDRESS, mnos_ipc_buffer, upcall_address)
    OFFSET(BUFFER_UPCALL_STATE, mnos_ipc_buffer, upcall_state)
    OFFSET(THREAD_FAULT_ADDRESS, thread, fault_address)
    OFFSET(THREAD_FAULT_CODE, thread, fault_code)
    VALUE(STATE_CALLING, THREAD_CALLING)
    VALUE(STATE_RECEIVING, THREAD_RECEIVING)

    OFFSET(REGISTERS_RFLAGS, mnos_registers, rflags)
    OFFSET(REGISTERS_FS_BASE, mnos_registers, fs_base)
    OFFSET(REGISTERS_GS_BASE, mnos_registers, gs_base)
    VALUE(FAULT_MESSAGE_INFO, FAULT_INFO)
    VALUE(INFO_LABEL_SHIFT, MNOS_INFO_LABEL_SHIFT)
    VALUE(FAULT_RESUME, MNOS_FAULT_RESUME)

    OFFSET(PROCESS_FAULT_CAP, process, fault_cap)
    OFFSET(PROCESS_STATE, process, state)
    VALUE(PROCESS_OPEN_LAST, MNOS_PROCESS_SUSPENDED) /* process_is_open() */
    OFFSET(PROCESS_CAP_ROOT, process, captable.root)
    OFFSET(PROCESS_CAP_MASK, process, captable.root_mask)
    OFFSET(ASPACE_ROOT, arch_aspace, root)
    OFFSET(ASPACE_PLAIN_ON, arch_aspace, plain_on)

    OFFSET(CAP_KEY, capability, key)
    OFFSET(CAP_TYPE, capability, type)
    OFFSET(CAP_OBJECT, capability, object)
    OFFSET(CAP_BADGE, capability, badge)
    OFFSET(CAP_WAITERS, capability, waiters)
    VALUE(TYPE_ENDPOINT, MNOS_TYPE_ENDPOINT)
    VALUE(CAP_SENDS, MNOS_TYPE_ENDPOINT | MNOS_RIGHT_WRITE << 8) /* type and rights as one word */
    VALUE(CAP_RECEIVES, MNOS_TYPE_ENDPOINT | MNOS_RIGHT_READ << 8)

    OFFSET(ENDPOINT_LOCK_SERVING, endpoint, lock.serving)
    OFFSET(ENDPOINT_LOCK_NEXT, endpoint, lock.next)
    OFFSET(ENDPOINT_STATE, endpoint, state)
    OFFSET(ENDPOINT_QUEUE, endpoint, queue.only)
    VALUE(CALL_BASE, MNOS_SYSCALL_BASE)
    VALUE(CALL_NATIVE_RANGE, CALL_NATIVE_RANGE)
    VALUE(CALL_TABLE_COUNT, CALL_TABLE_COUNT)
    VALUE(CALL_IN_FRAME, CALL_IN_FRAME)
    VALUE(CALL_IPC_CALL, MNOS_SYS_ipc_call)
    VALUE(CALL_IPC_REPLY, MNOS_SYS_ipc_reply)
    VALUE(INFO_LENGTH_MASK, MNOS_INFO_GET_LENGTH(~0ull))
    VALUE(INFO_CAPS_MASK, MNOS_INFO_CAPS(7))
    VALUE(INFO_ACCEPT_MAX, MNOS_INFO_ACCEPT(MNOS_MESSAGE_MAX_CAPS))
    VALUE(ENDPOINT_IDLE, EP_IDLE)
    VALUE(ENDPOINT_RECEIVING, EP_RECEIVING)
}

_Static_assert(offsetof(struct thread, frame) == 0, "the frame is found at the thread");
_Static_assert(offsetof(struct core, self) == 0 && offsetof(struct cpu_entry, core) == 0,
               "whichever GS leads to, its first word is the core");
_Static_assert(offsetof(struct core, tracing) == offsetof(struct core, need_resched) + 1,
               "one comparison sees both");
_Static_assert(offsetof(struct thread, slow) == offsetof(struct thread, stop) + 4,
               "one comparison sees both");
_Static_assert(offsetof(struct thread, core) == offsetof(struct thread, state) + 4 &&
                   offsetof(struct thread, state) % 8 == 0,
               "one store writes both");
_Static_assert(offsetof(struct thread, effective) == offsetof(struct thread, priority) + 1,
               "one load reads both");
_Static_assert(offsetof(struct endpoint, pending) == offsetof(struct endpoint, state) + 4 &&
                   offsetof(struct endpoint, state) % 8 == 0 && EP_IDLE == 0,
               "one comparison sees both");
_Static_assert(offsetof(struct capability, key) == 0 &&
                   offsetof(struct capability, rights) == offsetof(struct capability, type) + 1,
               "one load reads type and rights");
_Static_assert(sizeof(struct capability) == 64 && CAPTABLE_PAGE_SLOTS == 64,
               "handles are taken apart with shifts");
