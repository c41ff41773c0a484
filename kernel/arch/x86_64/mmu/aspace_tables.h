// SPDX-License-Identifier: MIT
/*
 * aspace_tables.h - what the files on page tables of user address spaces share: aspace_tables.c makes
 * and fills them, aspace_change.c changes what they map, aspace_teardown.c frees them.
 *
 * An entry that leads to a table tells in bits that the processor ignores (Intel SDM vol 3A, "Paging-Structure
 * Entries") which eighths of that table lead to further ones, so that freeing them costs per table in
 * use and not per empty entry:
 *
 * B1  an eighth of a table that has an entry which leads to a table is marked; of a table that has had
 *     large pages, which may be cut, all are. Marks are never taken back. Those of the root are in struct
 *     arch_aspace; tables of 4 KiB pages have none
 * B2  no large page can be executed. When one is cut that is being executed, many processors come to know an
 *     instruction as part of both sizes and raise a machine check: Intel, "Machine Check Error Avoidance on Page
 *     Size Change" (CVE-2018-12207). Any program may have pages cut, and at any time
 */
#pragma once

#include "arch/arch.h"
#include "arch/x86_64/mmu/paging.h"

#define LARGE_LEVEL 2u /* user memory maps in pages of 4 KiB and 2 MiB */
#define LARGE_BYTES LEVEL_BYTES(LARGE_LEVEL)
#define LARGE_PAGES (LARGE_BYTES / PAGE_BYTES)

/* Entries that a step writes at most; after a large page has been cut, which writes a table. */
#define STEP_ENTRIES 128u
#define STEP_ENTRIES_CUT 64u

#define EIGHTH_ENTRIES (TABLE_ENTRIES / 8u)
#define EIGHTHS_SHIFT 52 /* in an entry that leads to a table */
#define EIGHTHS_ALL 0xFFu

static inline uint64_t *table_at(paddr_t table)
{
    return phys_to_virt(table);
}

static inline unsigned eighths_of(uint64_t entry)
{
    return entry >> EIGHTHS_SHIFT & EIGHTHS_ALL;
}

/* The same where the table is not the one that was used last, and is from now on. */
uint64_t *page_entry_elsewhere(struct arch_aspace *aspace, uaddr_t address);
/* The entry of one 4 KiB page; NULL: there is no table for it, or it lies in a large page. */
static inline uint64_t *page_entry(struct arch_aspace *aspace, uaddr_t address)
{
    if (__builtin_expect(address >> LEVEL_SHIFT(LARGE_LEVEL) != aspace->leaf_number, false))
        return page_entry_elsewhere(aspace, address);
    return &aspace->leaf_table[LEVEL_INDEX(1, address)];
}
/* Enters a table for the user half into the root, or into both roots. */
void set_root_entry(struct arch_aspace *aspace, unsigned index, uint64_t entry);
/* Present, user, caching and rights, for an entry of a 4 KiB page. */
uint64_t page_flags(unsigned rights);
/* Flags of a 4 KiB page for a large one, or the other way round. */
uint64_t page_flags_to_large(uint64_t flags);
uint64_t page_flags_to_small(uint64_t flags);
