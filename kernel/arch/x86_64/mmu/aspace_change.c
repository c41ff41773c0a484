// SPDX-License-Identifier: MIT
/*
 * aspace_change.c - what page tables of user address spaces map no longer, or with other rights:
 * arch_aspace_unmap, _cut, _protect and _rights of arch.h.
 * The rules are those of aspace_tables.c.
 */
#include "arch/x86_64/mmu/aspace_tables.h"

#include "assert.h"
#include "mm/quota.h"

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Replaces a large page by a table of 4 KiB pages that map the same. */
static void cut(uint64_t *entry, paddr_t table)
{
    paddr_t phys = *entry & PTE_ADDRESS & ~(LEVEL_BYTES(LARGE_LEVEL) - 1);
    uint64_t small = phys | page_flags_to_small(*entry & ~(PTE_ADDRESS & ~PTE_PAT_LARGE));
    uint64_t *to = table_at(table);

    /* In one step, as short as it can be. */
#pragma GCC unroll 8
    for (uint64_t *end = to + TABLE_ENTRIES; to < end; to++, small += PAGE_BYTES)
        *to = small;
    *entry = table | PTE_PRESENT | PTE_WRITE | PTE_USER;
}

mnos_status_t arch_aspace_unmap_some(struct arch_aspace *aspace, struct quota *quota,
                                     uaddr_t address, uint64_t *page_count)
{
    uaddr_t end = address + *page_count * PAGE_BYTES, start = (end - 1) & ~(LARGE_BYTES - 1);
    uint64_t count = STEP_ENTRIES;
    unsigned level = 1;
    uint64_t *entry = paging_leaf(aspace->root, end - PAGE_BYTES, &level);

    assert(end <= MNOS_USER_END && address < end && entry != NULL);
    if (level == LARGE_LEVEL && start >= address && end - start == LARGE_BYTES) {
        *entry = 0;
        *page_count = LARGE_PAGES;
        return MNOS_OK;
    }
    if (level == LARGE_LEVEL) {
        paddr_t table;
        mnos_status_t status = quota_frame_alloc(quota, &table);

        if (status != MNOS_OK)
            return status;
        cut(entry, table);
        entry = &table_at(table)[LEVEL_INDEX(1, end - PAGE_BYTES)];
        count = STEP_ENTRIES_CUT;
    }
    count = least(count, (end - (start > address ? start : address)) / PAGE_BYTES);
    for (uint64_t i = 0; i < count; i++)
        *entry-- = 0;
    *page_count = count;
    return MNOS_OK;
}

void arch_aspace_unmap_page(struct arch_aspace *aspace, uaddr_t address)
{
    uint64_t *entry = page_entry(aspace, address);

    assert(entry != NULL); /* what was mapped alone is in no large page */
    if (entry != NULL)
        *entry = 0;
}

bool arch_aspace_unmap_run(struct arch_aspace *aspace, uaddr_t address, uint64_t page_count)
{
    uint64_t *entry = page_entry(aspace, address);

    if (entry == NULL || LEVEL_INDEX(1, address) + page_count > TABLE_ENTRIES)
        return false;
#pragma GCC unroll 4
    for (uint64_t *end = entry + page_count; entry < end; entry++)
        *entry = 0;
    return true;
}

mnos_status_t arch_aspace_cut(struct arch_aspace *aspace, struct quota *quota, uaddr_t address)
{
    unsigned level = 1;
    uint64_t *entry = paging_leaf(aspace->root, address, &level);
    paddr_t table;
    mnos_status_t status;

    if (entry == NULL || level != LARGE_LEVEL || address % LARGE_BYTES == 0)
        return MNOS_OK;
    status = quota_frame_alloc(quota, &table);
    if (status == MNOS_OK)
        cut(entry, table);
    return status;
}

/* ---- other rights ---- */

#define RIGHTS_BITS (PTE_WRITE | PTE_DIRTY | PTE_NX)

/* True: a right is lost. */
static bool protect_entries(uint64_t *entry, uint64_t count, unsigned rights)
{
    const uint64_t bits = page_flags(rights) & RIGHTS_BITS;
    uint64_t any = 0, all = ~0ull; /* bits of the old entries */

#pragma GCC unroll 4
    for (uint64_t *end = entry + count; entry < end; entry++) {
        any |= *entry;
        all &= *entry;
        *entry = (*entry & ~RIGHTS_BITS) | bits;
    }
    return ((any & ~bits & PTE_WRITE) | (bits & ~all & PTE_NX)) != 0;
}

bool arch_aspace_protect_some(struct arch_aspace *aspace, uaddr_t address, uint64_t *page_count,
                              unsigned rights)
{
    uaddr_t end = address + *page_count * PAGE_BYTES, start = (end - 1) & ~(LARGE_BYTES - 1);
    unsigned level = 1;
    uint64_t *entry = paging_leaf(aspace->root, end - PAGE_BYTES, &level);

    assert(end <= MNOS_USER_END && address < end && entry != NULL);
    if (level == LARGE_LEVEL) {
        assert(start >= address && end - start == LARGE_BYTES);
        assert((rights & MAP_EXECUTE) == 0); /* B2 */
        *page_count = LARGE_PAGES;
        return protect_entries(entry, 1, rights);
    }
    *page_count = least(STEP_ENTRIES, (end - (start > address ? start : address)) / PAGE_BYTES);
    return protect_entries(entry + 1 - *page_count, *page_count, rights);
}

bool arch_aspace_protect_run(struct arch_aspace *aspace, uaddr_t address, uint64_t page_count,
                             unsigned rights, bool *lost)
{
    uint64_t *entry = page_entry(aspace, address);

    if (entry == NULL || LEVEL_INDEX(1, address) + page_count > TABLE_ENTRIES)
        return false;
    *lost = protect_entries(entry, page_count, rights);
    return true;
}

unsigned arch_aspace_rights(const struct arch_aspace *aspace, uaddr_t address)
{
    unsigned level = 1, rights = MAP_READ;
    const uint64_t *entry =
        address < MNOS_USER_END ? paging_leaf(aspace->root, address, &level) : NULL;

    if (entry == NULL)
        return 0;
    if ((*entry & PTE_WRITE) != 0)
        rights |= MAP_WRITE;
    if ((*entry & PTE_NX) == 0)
        rights |= MAP_EXECUTE;
    return rights;
}
