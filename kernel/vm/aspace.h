// SPDX-License-Identifier: MIT
/*
 * aspace.h - the address space of a process: which part of which Memory capability is mapped where.
 *
 * A mapping belongs to the address space (sorted by address, under its lock) and to the capability it
 * was made through (a list, under the memory object's mappings_lock), so that unmapping by address and
 * revoking by capability both find it without searching.
 *
 * A1  mappings do not overlap, and lie in user space; port openings lie behind it
 * A2  every page of a mapping is in the page tables, with at most the rights of its capability
 * A3  a mapping is in the list of its capability as long as it is in the tree
 * A4  a mapping's serial number is its own for ever; only the call that made it adds pages to it, which knows
 *     the number, and it has all its pages while that call has not been interrupted
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/types.h"
#include "arch/arch.h"
#include "lib/base/tree.h"
#include "base/spinlock.h"

struct process;
struct memory;
struct mapping;
struct capability;
struct cap_view;
struct call_record;

struct aspace {
    struct arch_aspace arch;
    struct spinlock lock; /* rank LOCK_ASPACE, guards the tree, the mappings and the page tables */
    struct tree
        mappings; /* struct mapping, by address; behind all addresses port openings (ports.h) */
    uint64_t last_serial; /* of a mapping (A4) */
};

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

mnos_status_t aspace_create(struct process *process);
/* Frees mappings and page tables, a bounded number at a time; true when nothing is left. The process
 * has no thread that runs. */
bool aspace_destroy(struct process *process);

/*
 * Maps [first, first + count) pages of the memory object at `address` through `cap`, as it was found in this
 * kernel entry: every step checks again that it allows the pages it enters. `record` says which mapping was
 * begun and how far it is; all zero: none was. A mapping that fails is taken back, also in steps. Errors: MNOS_ERR_ADDRESS, MNOS_ERR_OVERLAP, MNOS_ERR_QUOTA,
 * MNOS_ERR_MEMORY, MNOS_ERR_HANDLE (revoked meanwhile), MNOS_ERR_STATE (that mapping has been undone, or a part
 * of it, and nothing more is mapped). *again: there is more to do, call again.
 */
mnos_status_t aspace_map(struct process *process, const struct cap_view *cap, uaddr_t address,
                         uint64_t first, uint64_t count, unsigned rights,
                         struct call_record *record, bool *again, struct tlb_batch *batch);
/* The same for one page, at once. */
mnos_status_t aspace_map_page(struct process *process, const struct cap_view *cap, uaddr_t address,
                              uint64_t first, unsigned rights);
/* Unmaps the page at `address` when a mapping of just that page is there, and waits until no TLB has
 * it; false: there is none, and nothing has changed. Hold no lock. */
bool aspace_unmap_page(struct process *process, uaddr_t address);
/* Unmaps the range, all of which must be mapped (MNOS_ERR_NOT_MAPPED): looks first whether it is, then goes from its
 * end to its start. `record` says how far it is, *again as above. */
mnos_status_t aspace_unmap(struct process *process, uaddr_t address, uint64_t count,
                           struct call_record *record, bool *again, struct tlb_batch *batch);
/* True when something is mapped in the range; a key of ports.c is an address, too. */
bool aspace_overlaps_locked(struct aspace *aspace, uaddr_t address, uint64_t count);
/* Undoes a piece of a mapping made through `cap`; false: there is none. The object's derivation
 * lock is held, so that the slot stays what it is. */
bool aspace_unmap_one_of(struct memory *memory, struct capability *cap, struct tlb_batch *batch);
