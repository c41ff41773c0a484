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
 * A5  rights of mapped pages go up to those that they were mapped with; and to those of the mapping's capability
 *     only while that lives, and for a caller in whose own table it is
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/types.h"
#include "arch/arch.h"
#include "lib/base/tree.h"
#include "base/spinlock.h"
#include "sched/tlb_batch.h"
#include "cap/capability.h"

struct process;
struct memory;
struct mapping;
struct call_record;

struct aspace {
    struct arch_aspace arch;
    struct spinlock lock; /* rank LOCK_ASPACE, guards the tree, the mappings and the page tables */
    struct tree
        mappings; /* struct mapping, by address; behind all addresses port openings (ports.h) */
    uint64_t last_serial; /* of a mapping (A4) */
};

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
/* The most pages that are taken at once. */
#define ASPACE_RUN_MAX 128u
/* The same for a run of contiguous frames within one table of small pages that is there; MNOS_ERR_STATE: it is not that, and
 * nothing has changed. */
mnos_status_t aspace_map_run(struct process *process, const struct cap_view *cap, uaddr_t address,
                             uint64_t first, uint64_t count, unsigned rights);
/* Unmaps the page at `address`, or the range, when a mapping of just that is there, in one table of small pages, and waits
 * until no TLB has it; false: there is none, and nothing has changed. Hold no lock. */
bool aspace_unmap_page(struct process *process, uaddr_t address);
bool aspace_unmap_run(struct process *process, uaddr_t address, uint64_t count);
/* Unmaps the range, all of which must be mapped (MNOS_ERR_NOT_MAPPED): looks first whether it is, then goes from its
 * end to its start. `record` says how far it is, *again as above. */
mnos_status_t aspace_unmap(struct process *process, uaddr_t address, uint64_t count,
                           struct call_record *record, bool *again, struct tlb_batch *batch);
/* False: it is not a range of pages that can be mapped. */
static inline bool aspace_range_valid(uaddr_t address, uint64_t count)
{
    return address % PAGE_BYTES == 0 && count != 0 && address >= PAGE_BYTES &&
           address < MNOS_USER_END && count <= (MNOS_USER_END - address) / PAGE_BYTES;
}

/* What the rights of mapped pages are to be: READ, and WRITE or EXECUTE, of enum map_rights. */
struct protection {
    unsigned rights;
    const struct process *caller; /* whose own capabilities count: A5 */
    unsigned *missing;            /* what MNOS_ERR_RIGHTS is about */
};
/*
 * Gives the range, all of which must be mapped (MNOS_ERR_NOT_MAPPED), these rights: looks first whether it is and
 * whether they may be given (A5, MNOS_ERR_RIGHTS), then splits mappings and large pages at its ends (MNOS_ERR_QUOTA,
 * MNOS_ERR_MEMORY), then goes from its end to its start. An error before that has changed no right. Where rights are lost,
 * no core uses them when tlb_batch_finish() returns. Where they are only gained no other core is asked: one that
 * does not know them yet faults, and asks aspace_allows(). `record` and *again as above.
 */
mnos_status_t aspace_protect(struct process *process, uaddr_t address, uint64_t count,
                             const struct protection *wanted, struct call_record *record,
                             bool *again, struct tlb_batch *batch);
/* The same at once, when the range is a mapping of its own in one table of small pages; MNOS_ERR_STATE: it is not, and
 * nothing has changed. At most ASPACE_RUN_MAX pages. Hold no lock. */
mnos_status_t aspace_protect_run(struct process *process, uaddr_t address, uint64_t count,
                                 const struct protection *wanted);
/* Whether the page at `address` can be used with these of READ, WRITE and EXECUTE, now. Hold no lock. */
bool aspace_allows(struct process *process, uaddr_t address, unsigned rights);
/* True when `cap`, as the present kernel entry found it, lets its holder have pages [first, first + count) of
 * the object with these rights. */
static inline bool cap_allows(const struct cap_view *cap, uint64_t first, uint64_t count,
                              unsigned rights)
{
    const unsigned access = rights & (MAP_READ | MAP_WRITE | MAP_EXECUTE);

    return first >= cap->first && first - cap->first <= cap->count &&
           count <= cap->count - (first - cap->first) && (access & ~(unsigned)cap->rights) == 0;
}

/* What is to be mapped where, through which capability, as it was found in this kernel entry. */
struct exchange {
    struct process *process;
    const struct cap_view *cap;
    uaddr_t address;
    uint64_t first; /* page of the object */
    uint64_t count;
    unsigned rights;
};
/*
 * Maps as aspace_map() does, and in the same step unmaps what mappings have there; gaps between them are no error, but
 * whatever else is there is (MNOS_ERR_OVERLAP). From its start to its end, in steps within one table, at most
 * ASPACE_RUN_MAX pages and a few mappings each, which first take all that may be missing, or only make a table:
 * MNOS_ERR_QUOTA, MNOS_ERR_MEMORY,
 * MNOS_ERR_HANDLE, MNOS_ERR_STATE (what it had mapped was undone between two steps). After an error the pages of
 * record->done are exchanged, and no other. No page is without a mapping in between.
 */
mnos_status_t aspace_replace(const struct exchange *wanted, struct call_record *record, bool *again,
                             struct tlb_batch *batch);
/* The same at once, for a mapping of just these pages, in one table of small pages, and contiguous frames; MNOS_ERR_STATE:
 * it is not that, and nothing has changed. At most ASPACE_RUN_MAX pages. Hold no lock. */
mnos_status_t aspace_replace_run(const struct exchange *wanted);
/* True when something is mapped in the range; a key of ports.c is an address, too. */
bool aspace_overlaps_locked(struct aspace *aspace, uaddr_t address, uint64_t count);
/* Undoes a piece of a mapping made through `cap`; false: there is none. The object's derivation
 * lock is held, so that the slot stays what it is. */
bool aspace_unmap_one_of(struct memory *memory, struct capability *cap, struct tlb_batch *batch);
