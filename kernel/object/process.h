// SPDX-License-Identifier: MIT
/*
 * process.h - a process: an address space, a capability table, an account, and its threads.
 *
 *   PROCESS_ALIVE <--process_suspend, process_resume--> PROCESS_SUSPENDED
 *   either of them --process_mark--> PROCESS_DYING --its end, process_end.c--> PROCESS_DEAD
 *
 * What a process has created dies with it: threads, objects, children and theirs. A dead process is
 * only a record of how it ended, until its last capability is deleted.
 *
 * P1  the account covers everything the process has; it is zero when the process is dead
 * P2  its limits are part of its parent's used amounts
 * P3  its priority ceiling is at most its parent's
 * P4  processes nest at most PROCESS_DEPTH_MAX deep
 * P5  threads_at[p] is the number of its threads with effective priority p that have not been
 *     buried; where it is not 0, and maybe elsewhere, bit p of threads_ever_at is set
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "abi/inspect.h"
#include "abi/process.h"
#include "assert.h"
#include "cap/captable.h"
#include "lib/base/list.h"
#include "vm/aspace.h"
#include "object/denial.h"
#include "object/ending.h"
#include "object/kobject.h"
#include "mm/quota.h"
#include "object/search.h"

struct thread;
struct arch_ports;

#define PROCESS_DEPTH_MAX 64

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
    uint8_t depth;          /* constant: 0 for init */
    uint8_t priority_ceiling;
    char name[MNOS_NAME_BYTES];
    _Atomic uint32_t threads_at[MNOS_PRIORITY_COUNT]; /* P5 */
    _Atomic uint64_t threads_ever_at;

    uint32_t table_emptied; /* by its end: capability slots below this one */

    struct spinlock lock; /* rank LOCK_PROCESS, guards all below, and the ends of its threads */
    uint8_t state;        /* enum mnos_process_state */
    uint8_t exit_reason;  /* enum mnos_exit_reason */
    uint64_t exit_code;
    struct ending end;
    struct list threads; /* struct thread.process_link */
    struct thread
        *cursor; /* the next of them that suspending, resuming or ending comes to; or NULL */
    struct list objects;  /* struct kobject.payer_link: what it pays for */
    struct list children; /* struct process.sibling_link; not those whose end is all over */
    struct list sibling_link;
    uint32_t thread_count;
    uint64_t past_cpu_cycles; /* of threads that are gone */
    /* Of who inspects its threads: inspect.c. */
    struct search listing;
    uint64_t listed;        /* threads before the one to look at next */
    uint64_t listed_cycles; /* that they and the past ones have run */
    struct denials denials; /* the last; under `lock` */
};

/* Charged to `parent`, its quota carved out of the parent's. No thread, no capability yet. Errors:
 * MNOS_ERR_ARGUMENT (zero quota), MNOS_ERR_CEILING, MNOS_ERR_STATE (`parent` is dying, or nests too
 * deep), MNOS_ERR_QUOTA, MNOS_ERR_MEMORY. */
mnos_status_t process_create(struct process *parent, const struct mnos_process_params *params,
                             struct process **process);

static inline struct process *process_of(const struct kobject *object)
{
    assert(object->type == MNOS_TYPE_PROCESS);
    return container_of(object, struct process, obj);
}

/* Not dying or dead. Only then may others put something into it or look into its tables; what a
 * core has begun then, it finishes before the tables go. */
static inline bool process_is_open(const struct process *process)
{
    uint8_t state = __atomic_load_n(&process->state, __ATOMIC_RELAXED);

    return state == MNOS_PROCESS_ALIVE || state == MNOS_PROCESS_SUSPENDED;
}

/* Of its threads; 0: it has none. */
uint8_t process_threads_priority(const struct process *process);
/* P5: a thread has come with this effective priority; or changed it; or gone. */
static inline void process_thread_counts(struct process *process, uint8_t priority)
{
    if ((atomic_load_explicit(&process->threads_ever_at, memory_order_relaxed) >> priority & 1) ==
        0)
        atomic_fetch_or(&process->threads_ever_at, 1ull << priority);
    atomic_fetch_add(&process->threads_at[priority], 1);
}
static inline void process_thread_uncounts(struct process *process, uint8_t priority)
{
    atomic_fetch_sub(&process->threads_at[priority], 1);
}

/*
 * Begins its end, which this core owns from then on and does at least at `priority`. The first to
 * say so decides why it ended; false: it was dying already. Hold no lock.
 */
bool process_mark(struct process *process, enum mnos_exit_reason reason, uint64_t exit_code,
                  uint8_t priority);
/* The same from within: the running thread does not return to user mode. */
void process_exit(struct thread *current, enum mnos_exit_reason reason, uint64_t exit_code);
/* Whether `current`, in a system call, now waits until `process` is dead (MNOS_OK is its result
 * then); false: it is. The process is dying. */
bool process_await(struct process *process, struct thread *current);
/* One that is not to be handed out, without threads or capabilities: ends at this priority. */
void process_abandon(struct process *process, uint8_t priority);
/* Within process_end.c: one step of its end. */
void process_end_step(struct work *work);
/* A thread that is dead and buried leaves it; its lock is held. */
void process_thread_leaves_locked(struct process *process, struct thread *thread);

/*
 * Stops all its threads, or lets them go on, some at a time: *again, and it is to be called again
 * with `begun` set. MNOS_ERR_STATE: it is dying.
 */
mnos_status_t process_suspend(struct process *process, bool begun, bool *again);
mnos_status_t process_resume(struct process *process, bool begun, bool *again);

/* Puts the cursor at the first thread; its lock is held. */
void process_first_thread_locked(struct process *process);
/* quota_move() between it and its parent, which it must have; MNOS_ERR_STATE: it is dying. */
mnos_status_t process_move_quota(struct process *process, int64_t frames, int64_t bytes,
                                 enum mnos_quota_kind *failed);
/* Gives its limits back to its parent (P2). Once it is dying they do not change. */
void process_quota_give_back(struct process *process);
/* The next thread that is to be looked at, in the order of the list, whose lock is held; NULL: none
 * is left. */
struct thread *process_next_thread_locked(struct process *process);

/* Its row in types.c: frees the record of a dead process. */
bool process_free(struct kobject *object);

void process_caches_create(void);
