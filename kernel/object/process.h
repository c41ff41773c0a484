// SPDX-License-Identifier: MIT
/*
 * process.h - a process: an address space, a capability table, an account, and its threads.
 *
 *   PROCESS_ALIVE --process_begin_destruction--> PROCESS_DYING --process_destroy--> PROCESS_DEAD
 *
 * What a process has created dies with it: threads, objects, children and theirs. Destruction goes in
 * bounded steps whose progress is in the process, so that anyone with the right can continue it. A
 * dead process is only a record of how it ended, until its last capability is deleted.
 *
 * P1  the account covers everything the process has; it is zero when the process is dead
 * P2  its limits are part of its parent's used amounts
 * P3  its priority ceiling is at most its parent's
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/inspect.h"
#include "abi/process.h"
#include "cap/captable.h"
#include "mm/aspace.h"
#include "object/kobject.h"
#include "object/quota.h"

struct thread;
struct arch_ports;

struct process {
    struct kobject obj; /* payer is the parent */
    /* Held by the kernel on behalf of the process; 64-byte aligned as all slots. */
    struct capability exit_cap;  /* told when it ends */
    struct capability fault_cap; /* receives faults */
    uint64_t exit_events;

    struct quota quota;
    struct captable captable;
    struct aspace aspace;
    struct arch_ports *ports;              /* NULL: it never had any; under aspace.lock */
    struct arch_ports *_Atomic open_ports; /* what cores load: `ports`, or NULL when none is open */

    struct process *parent; /* constant; NULL for init */
    uint8_t priority_ceiling;
    char name[MNOS_NAME_BYTES];

    /* Set by the core that is destroying it at this moment; others go away and try again later. It
     * keeps the process from being freed, so the holder may wait for other cores. Guards the fields up
     * to `lock`. */
    _Atomic bool teardown;
    uint32_t teardown_slot; /* capability slots below this one have been emptied */
    bool closed;            /* nobody is putting anything into it any more */
    bool reaped;            /* in the list `reaping` of core `reaper` until it is dead */
    uint8_t reap_priority;  /* read by that core without the lock */
    uint32_t reaper;
    struct process *reap_next;

    struct spinlock lock; /* rank LOCK_PROCESS, guards all below */
    uint8_t state;        /* enum mnos_process_state */
    uint8_t exit_reason;  /* enum mnos_exit_reason */
    uint64_t exit_code;
    struct list threads;  /* struct thread.process_link */
    struct list objects;  /* struct kobject.payer_link: what it pays for */
    struct list children; /* struct process.sibling_link; not the dead ones */
    struct list sibling_link;
    uint32_t thread_count;
    uint64_t past_cpu_cycles; /* of threads that are gone */
};

/* Charged to `parent`, its quota carved out of the parent's. No thread, no capability yet. Errors:
 * MNOS_ERR_ARGUMENT (zero quota), MNOS_ERR_CEILING, MNOS_ERR_QUOTA, MNOS_ERR_MEMORY. */
mnos_status_t process_create(struct process *parent, const struct mnos_process_params *params,
                             struct process **process);

/* Not dying or dead. Only then may others put something into it or look into its tables; what a core
 * has begun then, it finishes before the tables go. */
static inline bool process_is_open(const struct process *process)
{
    uint8_t state = __atomic_load_n(&process->state, __ATOMIC_RELAXED);

    return state == MNOS_PROCESS_ALIVE || state == MNOS_PROCESS_SUSPENDED;
}

/* The first to say so decides why it ended; false: it was dying already. */
bool process_begin_destruction(struct process *process, enum mnos_exit_reason reason,
                               uint64_t exit_code);
/* Does some of it, descendants first; true: it is dead. False: look it up anew and call again. The
 * running thread is in none of them. Hold no lock. */
bool process_destroy(struct process *process);

/*
 * Ends the process of `current` from within. The thread never returns to user mode: whenever it runs,
 * process_destroy_self() does a step of the work. When only address space and account are left, the
 * thread goes and the core does the rest at its priority: process_reap_step(), true when done.
 */
void process_exit(struct thread *current, enum mnos_exit_reason reason, uint64_t exit_code);
/* The core does it all, for a dying process without threads, or whose last was killed while it did the work. */
void process_take_over(struct process *process, uint8_t priority);
void process_destroy_self(struct thread *current);
bool process_reap_step(struct process *process);

/* Stops all its threads, or lets them go on. MNOS_ERR_STATE: it is dying. */
mnos_status_t process_suspend(struct process *process);
mnos_status_t process_resume(struct process *process);

/* Frees the record of a dead process that no capability names any more. */
void process_free(struct process *process);

void process_caches_create(void);
