// SPDX-License-Identifier: MIT
/*
 * core.h - what belongs to one processor core. Touched only by that core, except where a field says
 * otherwise. `this_core()` finds it from the GS base while in the kernel.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/statistics.h"
#include "arch/arch.h"
#include "sched/runqueue.h"
#include "sched/timer_queue.h"
#include "sched/work.h"
#include "sched/deferred.h"

struct thread;
struct tss;

struct core {
    /* What assembly uses comes first: arch/x86_64/entry/offsets.c. */
    struct core *self;
    struct thread *current; /* NULL while idle; its frame is where the next entry saves registers */
    void *kernel_stack_top;
    uint64_t scratch;
    bool need_resched; /* leaving the kernel takes the long way: sched_leave_kernel() */
    bool tracing;      /* events are recorded: messages take the general path */
    bool
        yields; /* `current` lets others of its priority have the rest of its turn, on the way out */
    /* `index` as a bit where an address space that has been loaded on this core before can be loaded by
     * writing CR3 alone, and I/O ports are closed; else 0. */
    uint32_t switch_bit;
    struct mnos_core_statistics *statistics; /* in the exported page */
    struct tss *tss;
    struct arch_aspace *aspace; /* loaded in CR3; NULL: the kernel's own */
    uint64_t running_here;      /* `state` and `core` of the thread that runs here, as one word */
    uint64_t
        pinned_here; /* `stop` and `slow` when there is nothing but that it is pinned to this core */
    struct runqueue runqueue; /* has its own lock; other cores insert and steal */
    struct core_arch arch;

    uint32_t index; /* 0 is the boot processor */
    bool online;    /* set once, read by all */
    /* How often it has told other cores that it uses nothing it has looked up (sched/deferred.h). */
    uint64_t quiescent_points;
    /* Was woken by an event, is better than all that is here, and ours: takes over on the way out. */
    struct thread *next;
    /* End of the turn of what runs here, when somebody waits for it; 0: not begun. Who is called by
     * message runs on its caller's turn, so that threads cannot keep a core by calling each other. */
    uint64_t slice_end_ns;
    /* End of the turn of its work, when threads of that priority wait; 0: not begun. */
    uint64_t work_end_ns;
    uint64_t timer_armed_ns; /* what the timer is set to; UINT64_MAX: off */
    bool halted;             /* in arch_idle(): an interrupt may put a thread on this core */

    struct timer_queue timer_queue; /* has its own lock; other cores remove */

    /* Interrupts held back until then, UINT64_MAX: none (object/interrupt.c). */
    uint64_t hold_end_ns;
    void (*hold_over)(struct core *core); /* what is to be done then */
    uint64_t interrupt_end_cycles;        /* when the last one of a device had been handled */
    uint64_t interrupts_ahead_ns;         /* by how much they have taken more than their half */

    struct work_list work;         /* has its own lock; other cores enter and move */
    struct deferred_list deferred; /* has its own lock; other cores take over what is in it */

    bool frames_unseen; /* frame_alloc_group() failed without having seen all of RAM */

    uint32_t tlb_owed; /* cores whose TLBs must be flushed before this one leaves the kernel */
    bool ports_owed;   /* likewise, the I/O ports that they have open */
    bool tlb_pending;  /* mappings are gone and TLBs may still have them; read by others */
};

extern struct core cores[MNOS_CORES_MAX];
extern uint32_t core_count; /* cores found; online ones are marked in cores[] */

static inline struct core *this_core(void)
{
    return arch_this_core();
}
