// SPDX-License-Identifier: MIT
/* tlb_batch.h - translations that are to leave TLBs, together: at once, or as what a core owes before it leaves the
 * kernel. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arch/arch.h"
#include "mm/addr.h"

/* Translations that have been removed from page tables and may still be in TLBs. */
struct tlb_batch {
    struct arch_aspace *single; /* when only one range is affected */
    uaddr_t address;
    uint64_t page_count;
    uint32_t cores; /* when several are: the cores that ever loaded one of them */
    bool several;
    bool ports; /* port openings have been undone as well */
};

/* Entries of this range have just been cleared. */
void tlb_batch_add(struct tlb_batch *batch, struct arch_aspace *aspace, uaddr_t address,
                   uint64_t page_count);
/* Drops all that everywhere and waits until that is done. Hold no lock. */
void tlb_batch_finish(struct tlb_batch *batch);
/* Likewise, and for what other cores have unmapped and not flushed yet. */
void tlb_batch_finish_all(struct tlb_batch *batch);
/* sched_preempt_point() while a batch is open: it refers to no address space afterwards. */
bool tlb_batch_preempt_point(struct tlb_batch *batch);
/* The same, for who must not wait here: it is done before this core leaves the kernel. */
void tlb_batch_defer(struct tlb_batch *batch);
void tlb_batch_leave_kernel(void);
