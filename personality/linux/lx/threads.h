// SPDX-License-Identifier: MIT
/*
 * threads.h - the threads of the process, and the lock under which they are in lx: docs/linux.md, "Threads".
 *
 *   program --call or fault--> waits for the lock --> holds it <--wait ends, waits for something--> waits, without the lock
 *   holds it --the way out--> program          holds it --exit--> ended
 *
 * Whatever lx has is guarded by that one lock, but for the members below that say otherwise. It is given up where a thread
 * waits for what may never come, in wait.c and nowhere else; requests to services are made with it. As long as there is one
 * thread there is no lock: calls take the short way (entry.S), on which nobody looks for one.
 *
 *   T1  with a second thread `threads_many` is set before it begins, and is taken back when all others are gone for good
 *   T2  who is not `in_lx` runs the program, or is a few instructions away from it or from setting `in_lx`
 *   T3  a signal that a thread is to deliver finds it waiting, and wakes it; or in lx, and it looks on its way out; or in
 *       the program, and it is interrupted
 */
#pragma once

#include <stdatomic.h>

#include "abi/types.h"
#include "personality/linux/lx/abi.h"
#include "personality/linux/lx/lx.h"

struct open_file;

struct lx_thread {
    void *vectors; /* for entry.S: where the vector registers are kept around messages */
    uint64_t
        kept[6]; /* for entry.S: RBX, RBP, R12 to R15 of the program in a call that goes slowly */
    struct lx_thread *next;
    uint32_t number;   /* 0: its id is that of the process */
    mnos_cap_t native; /* its Thread; 0: lxhost has begun it, and nobody has asked for it */
    /* lxhost knows the process by it, and interrupts no other: it is there until the process ends. In a copy of the process it
     * is the one that has made the copy. */
    bool is_known;

    /* Of its lx stack and IPC buffer; 0: it is the one that the process was started with. */
    uint64_t address;
    uint64_t fs_base; /* with which it begins */
    /* Set by itself without the lock: see T2; and when it will touch nothing any more. */
    _Atomic bool in_lx, gone;
    bool holds_lock;
    bool must_end; /* another one has called execve() */

    /* wait.c */
    mnos_cap_t endpoint; /* where it waits, unless it is the one that waits for the whole process */
    bool lets_go;        /* the next wait of the kernel's is without the lock */
    bool waits, woken;
    bool waits_for_futex;   /* and changes of other things are nothing to it */
    struct open_file *held; /* what it waits for does not go while it waits */

    /* signals.h */
    uint64_t blocked, pending;
    uint64_t kept_mask; /* comes back at the way out of the call */
    bool mask_is_kept;
    struct linux_sigaltstack stack;
    uint64_t call_number;            /* of the call that runs, if it goes slowly */
    _Atomic uint64_t interrupted_at; /* where the program was; 0: it was not interrupted */

    uint64_t clear_id;    /* set_tid_address(): set to 0 when it ends; 0: nothing is */
    uint64_t robust_list; /* set_robust_list() */
};
_Static_assert(offsetof(struct lx_thread, vectors) == 0 &&
                   offsetof(struct lx_thread, kept) == LX_THREAD_KEPT,
               "entry.S knows them");

/* There may be more than one. */
extern bool threads_many;
/* All that have not ended, in the order in which they came. */
extern struct lx_thread *threads_all;

#define EACH_THREAD(thread)                                                                        \
    for (struct lx_thread *thread = threads_all; thread != NULL; thread = thread->next)

/* The calling one: LX_TOP leads to it. */
static inline struct lx_thread *thread_self(void)
{
    struct lx_thread **top;

    __asm__("movq %%gs:%c1, %0" : "=r"(top) : "i"(LX_TOP));
    return *top;
}

/* Before everything else. */
void threads_start(void);
int32_t thread_id(const struct lx_thread *thread);
/* NULL: there is no such one. */
struct lx_thread *thread_of(int32_t id);

/* ---- The lock ---- */

/* On the way in from the program. */
void threads_enter(void);
/* Lets others run, which may take the lock. */
void threads_yield(void);
/* On the way out to it. Does not return to one that is to end. */
void threads_leave(void);

/* ---- Beginning and ending ---- */

/* From now on there can be others. True: there could before. */
bool threads_prepare(void);
/* A thread that goes on as the frame says, with that FS base, once thread_begin() is called: NULL: there is no memory for it. */
struct lx_thread *thread_make(const struct lx_frame *frame, uint64_t fs_base);
bool thread_begin(struct lx_thread *thread);
void thread_unmake(struct lx_thread *thread);
/* The calling one ends; with the last the process ends, as the first has. */
_Noreturn void thread_end(int32_t status);
/* For another program: all others end, and the calling one becomes the first. */
void threads_end_others(void);
/* In a copy of the process, which has the calling one alone. */
void threads_forked(void);
/* The stack that the calling one is in lx on. */
void thread_stack(uint64_t *start, uint64_t *end);

/* ---- Each other ---- */

/* It is to look at its signals soon (T3). */
void thread_prod(struct lx_thread *thread);
