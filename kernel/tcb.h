// SPDX-License-Identifier: MIT
/*
 * tcb.h - the record of a thread: registers, IPC buffer, scheduling state, and what it waits for. As those of a core
 * (core.h), its parts belong to several folders; what can be done with a thread is in object/thread.h.
 *
 *   THREAD_SUSPENDED --sys_thread_wake--> THREAD_READY <--> THREAD_RUNNING
 *   THREAD_RUNNING --ipc_send, ipc_recv, ipc_call, sys_thread_block, fault--> one of the waits
 *   THREAD_RUNNING --sys_proc_destroy, sys_thread_destroy--> THREAD_ENDING, a wait as well
 *   any wait --the awaited, deadline, cancel, revoke--> THREAD_READY
 *   any state --thread_kill--> THREAD_DEAD, which the core that made it so buries: thread_end.c
 *
 * T1  THREAD_SENDING and THREAD_RECEIVING: queued on waits_on, whose lock guards the state
 * T2  THREAD_CALLING: in owed_by->callers, whose lock (owed_by->lock) guards the state
 * T3  THREAD_PARKED: its own lock guards the state
 * T4  THREAD_READY: in the run queue of `core`, whose lock guards the state
 * T5  THREAD_RUNNING: it is cores[core].current
 * T6  everything a core needs to run it is in memory before it becomes visible in any of these
 * T7  who makes it wait stores deadline_ns and then, a full barrier in between, sees that timer.due is
 *     not later; who ends its wait stores MNOS_DEADLINE_NEVER and leaves the timer alone
 * T8  THREAD_ENDING: in awaits->waiters; the lock of the process awaits->process guards the state
 * T9  who puts a thread other than the running one into a wait looks at STOP_KILL afterwards, or under the lock
 *     of that wait before, and has passed no quiescent point in between; the same goes for the running one
 *     from the last quiescent point of its system call on
 */
#pragma once

#include "arch/arch.h"
#include "ipc/thread_queue.h"
#include "lib/base/list.h"
#include "object/ending.h"
#include "object/kobject.h"
#include "object/memory.h"
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
    THREAD_DEAD,
    THREAD_PAIRED, /* taken off its endpoint while capabilities move; the core doing it owns it */
    THREAD_ENDING, /* waits for the end of a process or thread */
};

/* Reasons for which a thread must not return to user mode; any core may set bits. */
enum thread_stop {
    STOP_SUSPEND = 1u << 0,
    STOP_KILL = 1u << 1,    /* for good: never cleared */
    STOP_PROCESS = 1u << 2, /* its process is suspended */
    STOP_CALL = 1u << 3, /* it runs, and makes the system call in its frame again: in the kernel */
};

/* Why a message to or from this thread takes the general path: something has to be done besides moving
 * registers. Set before the thread becomes visible as waiting, cleared when the reason has gone. */
enum thread_slow {
    SLOW_PINNED = 1u << 0,    /* affinity is not MNOS_AFFINITY_ANY; and the core is */
    SLOW_CORE_SHIFT = 8,      /* from this bit on */
    SLOW_PROCESSOR = 1u << 1, /* which lacks what the short paths in assembly use; never cleared */
    SLOW_FAULTED = 1u << 2,   /* its call is a fault: the reply holds registers */
};

/* What an interrupted system call has done. The kernel makes the call again before the thread gets back to
 * user mode, with the same registers (call_resume()), so no other call can find the record. Setting the
 * registers drops it: thread_forget_call(). */
struct call_record {
    uint64_t number;                        /* of the call; 0: none was interrupted */
    void (*resume)(struct thread *current); /* makes it again: call_resume() */
    uint64_t serial;                        /* sys_mem_map: which mapping it makes (A4) */
    uint64_t checked;      /* sys_mem_unmap: pages that were found mapped, before any is unmapped */
    uint64_t done;         /* pages, or table slots looked at */
    mnos_status_t failed;  /* sys_mem_map, sys_mem_alloc: why what is there is being taken back */
    struct memory *memory; /* sys_mem_alloc: the object that it makes, which nobody else knows */
    struct memory_search search;
    bool tried_again; /* after memory that waited to be freed has been */
    uint32_t looks;   /* for frames: frame_worth_another_look() */
};

static inline uint32_t slow_for_affinity(uint32_t affinity)
{
    return affinity == MNOS_AFFINITY_ANY ? 0 : SLOW_PINNED | affinity << SLOW_CORE_SHIFT;
}

struct thread {
    struct user_frame frame; /* first: kernel entry saves registers here; 16-byte aligned */
    /* One comparison sees both. */
    _Atomic uint32_t stop; /* enum thread_stop */
    _Atomic uint32_t slow; /* enum thread_slow */
    /* One store writes both. */
    _Atomic uint32_t state; /* enum thread_state, guarded as T1-T5 say */
    uint32_t core;          /* where it runs, is queued, or last ran */
    struct thread_arch arch;
    struct process *process;    /* constant */
    struct arch_aspace *aspace; /* of the process; constant */

    struct kobject obj; /* payer is its process */
    uint32_t number;    /* in the table of all threads; constant */

    /* Scheduling. */
    uint32_t affinity;       /* core, or MNOS_AFFINITY_ANY */
    uint8_t priority;        /* base */
    uint8_t effective;       /* at least base: the highest of those it owes a reply, under `lock` */
    uint8_t queued_priority; /* effective priority when it was put into the run queue */
    bool queued_pinned;      /* likewise, whether it was pinned */
    uint32_t ticket;         /* order in the run queue */
    struct list run_link;
    uint64_t turn_left_ns; /* of a turn that was interrupted; 0: a new one */
    uint64_t cpu_cycles; /* TSC cycles that it has run; while it runs, less the TSC when it began */

    /* Waiting. */
    struct spinlock lock; /* rank LOCK_THREAD; guards callers, effective, wake_pending, parking */
    struct endpoint *_Atomic waits_on; /* T1 */
    struct thread *_Atomic owed_by;    /* T2 */
    struct ending *_Atomic awaits;     /* T8 */
    struct thread_queue callers;       /* threads that wait for a reply from this one */
    struct queue_link queue_link; /* in an endpoint's queue, owed_by->callers, or awaits->waiters */
    struct capability *via; /* T1: the capability it came through, whose key was via_key then */
    uint64_t via_key;
    struct list cap_link; /* in the ring of waiters of `via`; a ring of its own while not waiting */
    /* What syscall.S looked up last, as long as the keys are alive: to receive from, which is `via` then,
     * and to call. A key of 0 never is. */
    uint64_t received_key;
    struct endpoint *received_from;
    uint64_t sent_key;
    struct capability *sent_cap;
    struct endpoint *sent_to;
    mnos_badge_t sent_badge;
    uint64_t reply_id; /* T2: what the server must present: sequence << 24 | number */
    /* T7: of its wait, a sender's also of the reply; set before it is visible as waiting, and
     * MNOS_DEADLINE_NEVER from when its wait has ended. */
    uint64_t deadline_ns;
    struct timer_entry timer;
    bool wake_pending; /* sys_thread_wake came before sys_thread_block */

    /* Its end. */
    struct ending end; /* under the lock of its process */
    uint32_t kept;     /* system calls that destroy it and have not queued yet; under that lock */
    bool counted;      /* P5, under `lock` */

    /* The message in transit, while it waits (registers are in the frame). */
    mnos_badge_t badge;             /* of the capability a sender used */
    bool wants_reply;               /* a sender: by sys_ipc_call */
    struct mnos_ipc_buffer *buffer; /* through the HHDM; never NULL; constant */
    paddr_t buffer_frame;
    uaddr_t buffer_address;

    struct call_record record; /* touched only by the core that runs it, or has it stopped */

    /* Faults: fault.h. */
    _Atomic uint64_t upcall; /* where it goes on after which of them: abi/fault.h */
    uint64_t fault_address;  /* of the last one, and its vector << 32 | error code */
    uint64_t fault_code;
    bool fault_fatal; /* it was not resumed from: ends the process when the thread is buried (F2) */

    struct list process_link; /* in process->threads, guarded by the process's lock */
    char name[MNOS_NAME_BYTES];
};
