// SPDX-License-Identifier: MIT
/*
 * inspect.h - what sys_cap_inspect tells. The record is written to the start of the caller's IPC
 * buffer; the call returns its size in bytes. MNOS_VIEW_BADGE has no record.
 */
#pragma once

#include "abi/types.h"

enum mnos_view {
    /* Any capability, no right needed: struct mnos_cap_info. `index` is ignored. */
    MNOS_VIEW_CAPABILITY = 0,
    /* A Process capability with Read, or MNOS_SELF: struct mnos_process_info. */
    MNOS_VIEW_PROCESS = 1,
    /* Likewise: the thread number `index` (0 is the first): struct mnos_thread_info. MNOS_ERR_END
     * past the last. */
    MNOS_VIEW_PROCESS_THREAD = 2,
    /* Likewise: the first used slot of its capability table at or after `index`:
     * struct mnos_cap_info. MNOS_ERR_END past the last. */
    MNOS_VIEW_PROCESS_CAP = 3,
    /* A Thread capability with Read, or MNOS_SELF: struct mnos_thread_info. */
    MNOS_VIEW_THREAD = 4,
    /* A Thread capability with Read to a thread that is stopped: struct mnos_registers. MNOS_ERR_STATE: it
     * is neither suspended nor faulted, or it waits. */
    MNOS_VIEW_REGISTERS = 5,
    /* An Endpoint capability with Read: whether the badge `index`, not 0, lives. No record is written; the call
     * returns 1, or 0 when no capability has it, or those that have it are being taken away. */
    MNOS_VIEW_BADGE = 6,
    /* A Process capability with Read, or MNOS_SELF: what the process was refused, number `index` (0 is the latest) of
     * the last MNOS_DENIALS_KEPT: struct mnos_denial. MNOS_ERR_END past the oldest. */
    MNOS_VIEW_PROCESS_DENIAL = 7,
};

struct mnos_cap_info {
    mnos_cap_t handle; /* in the table it is in */
    uint32_t type;     /* enum mnos_cap_type */
    uint32_t rights;
    uint64_t object_id; /* the same for every capability to one object */
    /* Whose table holds what this was derived from, and the handle there; 0: nothing, or it is another process's
     * table, and who asks does not inspect this one through a Process capability with Read. */
    uint64_t parent_process_id;
    mnos_cap_t parent_handle;
    uint64_t child_count; /* direct children; 200 stands for more */
    /* Endpoint */
    mnos_badge_t badge;
    uint64_t event_mask;
    /* Memory: flavour, first page within the object and count (ports: ports); physical address when
     * it is device memory or RAM allocated for DMA (with any of enum mnos_alloc_flags), the range is
     * contiguous and the capability has Read, else UINT64_MAX (MNOS_VIEW_CAPABILITY only: it is told
     * to the holder). Interrupt: first line and count; when all are message lines,
     * and under the same conditions, what a device writes where to make the first one fire. */
    uint32_t flavour;
    uint32_t message_data;
    uint64_t first;
    uint64_t count;
    uint64_t physical_address;
    /* Process, Thread: its id */
    uint64_t id;
};
_Static_assert(sizeof(struct mnos_cap_info) == 104, "shared with programs");

enum mnos_process_state {
    MNOS_PROCESS_ALIVE = 0,
    MNOS_PROCESS_SUSPENDED = 1,
    MNOS_PROCESS_DYING = 2,
    MNOS_PROCESS_DEAD = 3,
};

struct mnos_process_info {
    uint64_t id;
    uint64_t parent_id; /* 0 for init */
    char name[MNOS_NAME_BYTES];
    uint32_t state;       /* enum mnos_process_state */
    uint32_t exit_reason; /* enum mnos_exit_reason */
    uint64_t exit_code;
    uint64_t frames_used, frames_quota;
    uint64_t bytes_used, bytes_quota;
    uint64_t cap_count;
    uint64_t thread_count;
    uint64_t cpu_time_ns; /* of threads past and present */
    uint32_t priority_ceiling;
    uint32_t reserved;
};
_Static_assert(sizeof(struct mnos_process_info) == 120, "shared with programs");

enum mnos_thread_state {
    MNOS_STATE_READY = 0,
    MNOS_STATE_RUNNING = 1,
    MNOS_STATE_SENDING = 2,   /* waits for a receiver */
    MNOS_STATE_RECEIVING = 3, /* waits for a message */
    MNOS_STATE_CALLING = 4,   /* waits for a reply */
    MNOS_STATE_PARKED = 5,    /* sys_thread_block */
    MNOS_STATE_SUSPENDED = 6,
    MNOS_STATE_FAULTED = 7, /* waits for its fault handler */
    MNOS_STATE_DEAD = 8,
    MNOS_STATE_ENDING = 9, /* waits for the end of a process or thread that it destroys */
};

struct mnos_thread_info {
    uint64_t id;
    uint64_t process_id;
    char name[MNOS_NAME_BYTES];
    uint32_t state;    /* enum mnos_thread_state */
    uint32_t core;     /* where it runs or last ran */
    uint32_t priority; /* base */
    uint32_t effective_priority;
    uint32_t affinity;
    uint32_t reserved;
    uint64_t cpu_time_ns;
    /* Object id of the endpoint, or the id of the thread that owes the reply, or of what is to end. */
    uint64_t waits_for;
};
_Static_assert(sizeof(struct mnos_thread_info) == 80, "shared with programs");

#define MNOS_DENIALS_KEPT 8

/* A call of the process that was refused: MNOS_ERR_HANDLE, _TYPE, _RIGHTS, _QUOTA or _CEILING. */
struct mnos_denial {
    uint64_t rax;       /* as the caller got it: status, argument and detail, types.h */
    mnos_cap_t handle;  /* that it was about, in the table of the process; 0: MNOS_SELF, or none */
    uint64_t object_id; /* what the handle named when it was refused; 0: nothing */
    uint64_t time_ns;
    uint32_t call; /* enum mnos_syscall_number, syscalls.h */
    uint32_t type; /* enum mnos_cap_type of that object */
};
_Static_assert(sizeof(struct mnos_denial) == 40, "shared with programs");
