// SPDX-License-Identifier: MIT
/*
 * fault.h - what a thread did that it cannot go on from: an exception, or a system call that is not this
 * system's. Its fault handler gets it as a message, or the thread itself as an upcall.
 *
 * The message (MNOS_KIND_FAULT) is the record below; its reply's label says what becomes of the thread.
 * An upcall interrupts the thread: it goes on at an address of its own choice, and finds in its IPC buffer
 * what has been changed and why (message.h).
 */
#pragma once

#include "abi/process.h"

/* `vector` of a system call outside the native range; below it are the exceptions of the processor. Its
 * number is in RAX, and RIP is the address after the SYSCALL instruction. */
#define MNOS_FAULT_SYSCALL 256

struct mnos_fault {
    uint64_t vector;
    uint64_t error;   /* the processor's error code, else 0 */
    uint64_t address; /* whose access was a page fault, else 0 */
    uint64_t thread_id;
    struct mnos_registers registers;
};
_Static_assert(sizeof(struct mnos_fault) == 192, "shared with programs");

/* No status has these numbers: a server that answers a fault with one has not handled it. */
enum mnos_fault_reply {
    MNOS_FAULT_RESUME = 0x100, /* goes on as it was */
    /* Goes on with the registers in the reply, which is a struct mnos_fault; the rest of it is ignored. */
    MNOS_FAULT_RESUME_WITH = 0x101,
    MNOS_FAULT_KILL = 0x102, /* the thread ends, its process goes on */
    /* Anything else, and MNOS_INFO_DROP: the process ends as if it had no handler. */
};

/* The value of MNOS_THREAD_UPCALL: the address to go on at, and what leads there. 0: nothing does. */
#define MNOS_UPCALL_FAULTS ((uint64_t)1 << 62)
#define MNOS_UPCALL_SYSCALLS ((uint64_t)1 << 63)

/* struct mnos_ipc_buffer.upcall_state, which is never 0 when the kernel has set it. */
#define MNOS_UPCALL_GET_RFLAGS(state) ((uint32_t)(state))
#define MNOS_UPCALL_GET_ERROR(state) ((uint16_t)((state) >> 32))
#define MNOS_UPCALL_GET_VECTOR(state) ((uint16_t)((state) >> 48))
