// SPDX-License-Identifier: MIT
/*
 * thread.h - a thread: registers, IPC buffer, scheduling state, and what it waits for.
 *
 *   THREAD_SUSPENDED --sys_thread_wake--> THREAD_READY <--> THREAD_RUNNING
 *   THREAD_RUNNING --ipc_send, ipc_recv, ipc_call, sys_thread_block, fault--> one of the waits
 *   any wait --the awaited, deadline, cancel, revoke--> THREAD_READY
 *   any state --thread_kill--> THREAD_DEAD
 *
 * T1  THREAD_SENDING and THREAD_RECEIVING: queued on waits_on, whose lock guards the state
 * T2  THREAD_CALLING: in owed_by->callers, whose lock (owed_by->lock) guards the state
 * T3  THREAD_PARKED: its own lock guards the state
 * T4  THREAD_READY: in the run queue of `core`, whose lock guards the state
 * T5  THREAD_RUNNING: it is cores[core].current
 * T6  everything a core needs to run it is in memory before it becomes visible in any of these
 */
#pragma once

#include "arch/arch.h"
#include "ipc/thread_queue.h"
#include "object/kobject.h"
#include "sched/timer_queue.h"

struct process;
struct endpoint;

enum thread_state {
    THREAD_READY,
    THREAD_RUNNING,
    THREAD_SENDING,
    THREAD_RECEIVING,
    THREAD_CALLING,
    THREAD_PARKED,
    THREAD_SUSPENDED,
    THREAD_FAULTED,
    THREAD_DEAD,
};

/* Reasons for which a thread must not return to user mode; any core may set bits. */
enum thread_stop {
    STOP_SUSPEND = 1u << 0,
    STOP_KILL = 1u << 1,
    STOP_PROCESS = 1u << 2, /* its process is suspended */
};

struct thread {
    struct user_frame frame; /* first: kernel entry saves registers here; 16-byte aligned */
    struct thread_arch arch;

    struct kobject obj;      /* payer is its process */
    struct process *process; /* constant */
    uint32_t number;         /* in the table of all threads; constant */

    /* Scheduling. */
    _Atomic uint32_t stop; /* enum thread_stop */
    _Atomic uint32_t state; /* enum thread_state, guarded as T1-T5 say */
    uint32_t core;          /* where it runs, is queued, or last ran */
    uint32_t affinity;      /* core, or MNOS_AFFINITY_ANY */
    uint8_t priority;       /* base */
    uint8_t effective;      /* at least base: the highest of those it owes a reply, under `lock` */
    struct list run_link;
    uint64_t slice_end_ns;
    uint64_t cpu_time_ns;

    /* Waiting. */
    struct spinlock lock; /* rank LOCK_THREAD; guards callers, effective, wake_pending, parking */
    struct endpoint *_Atomic waits_on; /* T1 */
    struct thread *_Atomic owed_by;    /* T2 */
    struct thread_queue callers;       /* threads that wait for a reply from this one */
    struct queue_link queue_link;      /* in an endpoint's queue or in owed_by->callers */
    struct list cap_link;   /* in the list of waiters of the capability it came through */
    uint64_t wait;          /* number of its present wait; a timer of an earlier one is stale */
    uint64_t reply_id;      /* T2: what the server must present */
    uint64_t deadline_ns;   /* T1: also of the reply, which a sender takes along */
    struct timer_entry timer;
    bool wake_pending; /* sys_thread_wake came before sys_thread_block */

    /* The message in transit, while it waits (registers are in the frame). */
    mnos_badge_t badge;     /* of the capability a sender used */
    bool wants_reply;       /* a sender: by sys_ipc_call */
    struct mnos_ipc_buffer *buffer; /* through the HHDM; never NULL; constant */
    paddr_t buffer_frame;
    uaddr_t buffer_address;

    struct list process_link; /* in process->threads, guarded by the process's lock */
    char name[MNOS_NAME_BYTES];
};
