// SPDX-License-Identifier: MIT
/*
 * process.h - parameter records of sys_proc_create and sys_thread_create, which the caller places at
 * the start of its IPC buffer, and register state.
 */
#pragma once

#include "abi/types.h"

/* General registers of a thread; segment registers are the kernel's. RFLAGS: only the arithmetic
 * flags, DF, TF, AC and ID are taken; IF is always set, everything else clear. */
struct mnos_registers {
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t rip, rflags, fs_base, gs_base;
};
_Static_assert(sizeof(struct mnos_registers) == 160, "shared with programs");

struct mnos_process_params {
    /* For people; authority never depends on it. UTF-8; what is not to be shown becomes '?'. */
    char name[MNOS_NAME_BYTES];
    uint64_t frames_quota;     /* 4 KiB frames, carved out of the caller's quota */
    uint64_t bytes_quota;      /* kernel object and capability slot bytes, carved likewise */
    uint32_t priority_ceiling; /* at most the caller's */
    uint32_t reserved;
    /* Write; gets exit_events when the process is MNOS_PROCESS_DEAD, all it had returned; 0: nobody is
     * told. */
    mnos_cap_t exit_endpoint;
    uint64_t exit_events;      /* within the event mask of exit_endpoint */
    mnos_cap_t fault_endpoint; /* Write; gets faults (fault.h); 0: a fault destroys the process */
};
_Static_assert(sizeof(struct mnos_process_params) == 72, "shared with programs");

enum mnos_thread_flags {
    MNOS_THREAD_SUSPENDED = 1u << 0, /* do not start; sys_thread_wake starts it */
};

struct mnos_thread_params {
    char name[MNOS_NAME_BYTES];
    struct mnos_registers registers;
    uint64_t ipc_buffer; /* page-aligned user address, not mapped yet; the kernel maps the page */
    uint32_t priority;   /* at most the ceiling of the process */
    uint32_t affinity;   /* core number, or MNOS_AFFINITY_ANY */
    uint32_t flags;      /* enum mnos_thread_flags */
    uint32_t reserved;
};
_Static_assert(sizeof(struct mnos_thread_params) == 208, "shared with programs");

/* What sys_thread_control does with its value. */
enum mnos_thread_operation {
    MNOS_THREAD_PRIORITY = 1,
    MNOS_THREAD_AFFINITY = 2,  /* a core, or MNOS_AFFINITY_ANY */
    MNOS_THREAD_REGISTERS = 3, /* struct mnos_registers at the start of the IPC buffer; 0 */
    MNOS_THREAD_UPCALL = 4,    /* fault.h */
    MNOS_THREAD_CANCEL = 5,    /* its wait ends with MNOS_ERR_CANCELLED; 0 */
};

/* Why a process ended. */
enum mnos_exit_reason {
    MNOS_EXIT_NONE = 0,      /* it has not */
    MNOS_EXIT_SELF = 1,      /* it called sys_proc_destroy on itself */
    MNOS_EXIT_DESTROYED = 2, /* whoever holds Execute on it destroyed it, or its creator died */
    MNOS_EXIT_FAULT = 3, /* unhandled fault; exit_code is vector << 32 | low half of error code */
};
