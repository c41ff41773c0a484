// SPDX-License-Identifier: MIT
/*
 * ending.h - what the end of a process and that of a thread have in common: who does it, how
 * urgently, and who waits for it. The steps are in process_end.c and thread_end.c; docs/ending.md
 * tells the whole story.
 *
 * The core that begins an end owns it for good, and does it as work (sched/work.h), one bounded
 * step at a time. Others may join those who wait, and ask for a higher priority.
 *
 * G1  the priority of the work is the highest of `marked`, `handed`, of those who wait, and its
 *     own: of the threads of a process, as long as it has some; of a thread that has callers
 * G2  an end that has begun is entered as work, or a step of it runs, or it is `away`: then
 *     something else ends first, which puts it back
 * G3  who waits is THREAD_ENDING and in `waiters` (T8)
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ipc/thread_queue.h"
#include "sched/work.h"

struct kobject;
struct process;
struct thread;

struct ending {
    struct work work;
    struct process *process; /* constant; itself, or that of the thread: its lock guards the rest */
    struct thread_queue waiters;
    /* Priorities: of who decided on it, and of the end that waits for this one. */
    uint8_t marked, handed;
    /* enum ending_progress; once it has begun, written by the owner alone, and upwards only. */
    uint8_t progress;
    bool away; /* G2 */
};

enum ending_progress {
    END_NONE,
    /* A process: what of it is being undone. */
    END_CHILDREN,
    END_KILL,    /* its threads are told to stop */
    END_EVICT,   /* and taken out of what they wait for */
    END_THREADS, /* until they are buried */
    END_QUIET,
    END_TABLE,
    END_OBJECTS,
    END_ASPACE,
    END_ACCOUNT,
    /* A thread. */
    END_CALLERS,
    END_BUFFER,
    /* Both: it has ended, and who waits is being told; then it is all over, and the record may be
     * freed. */
    END_DEAD,
    END_TOLD,
};

void ending_init(struct ending *ending, struct process *process, void (*step)(struct work *work));

/* What ends. */
struct kobject *ending_object(const struct ending *ending);

/* In what follows ending->process->lock is held. */

/* Its own priority, or that of who waits, or `marked` or `handed`, has changed. */
void ending_changed_locked(struct ending *ending);
/* Its step has done what it could for now: there is more, or something else ends first. */
void ending_again_locked(struct ending *ending);
/* What it waited for has ended, if it is away. */
void ending_put_back_locked(struct ending *ending);
/* It has ended: wakes some of those who wait. True: nobody waits. */
bool ending_tell_locked(struct ending *ending);

/* The effective priority of `thread` has changed, which may be of a process that ends, or end
 * itself. Hold no lock. */
void ending_thread_changed(struct thread *thread);
