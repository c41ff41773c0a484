// SPDX-License-Identifier: MIT
/*
 * aspace_tables.c - page tables of user address spaces: arch_aspace_create and _map of arch.h. The caller
 * holds the address space's lock and flushes TLBs.
 *
 * A step changes entries of one table only, and a bounded number: who wants more calls again. Tables that it
 * needs are taken first, so a step that fails has changed nothing. Tables that became empty stay, because
 * another core may still hold their addresses in its paging-structure caches; they go with the
 * address space.
 *
 * With page-table isolation the two root tables are neighbours (user_root is root + 4096), so that
 * entry code reaches one from the other by one bit. The user half is the same in both, except that
 * the kernel cannot execute it through its own.
 */
#include "arch/x86_64/mmu/aspace_tables.h"

#include "arch/x86_64/cpu/image.h"
#include "assert.h"
#include "boot/bootinfo.h"
#include "lib/base/string.h"
#include "base/panic.h"
#include "mm/frame.h"
#include "mm/quota.h"

/* Tables allocated for a change, linked through their first words. */
struct pool {
    paddr_t first;
};

/* ---- tables ---- */

static void pool_free(struct pool *pool, struct quota *quota)
{
    while (pool->first != PADDR_NONE) {
        paddr_t table = pool->first;
        pool->first = table_at(table)[0];
        quota_frame_free(quota, table);
    }
}

static mnos_status_t pool_fill(struct pool *pool, struct quota *quota, uint64_t count)
{
    for (; count > 0; count--) {
        paddr_t table;
        mnos_status_t status = quota_frame_alloc(quota, &table);
        if (status != MNOS_OK) {
            pool_free(pool, quota);
            return status;
        }
        table_at(table)[0] = pool->first;
        pool->first = table;
    }
    return MNOS_OK;
}

static paddr_t pool_take(struct pool *pool)
{
    paddr_t table = pool->first;

    assert(table != PADDR_NONE);
    pool->first = table_at(table)[0];
    table_at(table)[0] = 0;
    return table;
}

uint64_t *paging_leaf(paddr_t root, uint64_t virt, unsigned *leaf_level)
{
    paddr_t table = root;

    for (unsigned level = LEVEL_ROOT; level >= 1; level--) {
        uint64_t *entry = &table_at(table)[LEVEL_INDEX(level, virt)];
        if (!entry_present(*entry))
            return NULL;
        if (level < LEVEL_ROOT && entry_is_leaf(*entry, level)) {
            *leaf_level = level;
            return entry;
        }
        table = *entry & PTE_ADDRESS;
    }
    return NULL;
}

uint64_t *page_entry_elsewhere(struct arch_aspace *aspace, uaddr_t address)
{
    uint64_t *table = table_at(aspace->root);

    for (unsigned level = LEVEL_ROOT; level > 1; level--) {
        uint64_t entry = table[LEVEL_INDEX(level, address)];
        if (!entry_present(entry) || (level < LEVEL_ROOT && entry_is_leaf(entry, level)))
            return NULL;
        table = table_at(entry & PTE_ADDRESS);
    }
    aspace->leaf_table = table;
    aspace->leaf_number = address >> LEVEL_SHIFT(LARGE_LEVEL);
    return &table[LEVEL_INDEX(1, address)];
}

void set_root_entry(struct arch_aspace *aspace, unsigned index, uint64_t entry)
{
    if (aspace->user_root == aspace->root) {
        table_at(aspace->root)[index] = entry;
        return;
    }
    table_at(aspace->root)[index] = entry ? entry | PTE_NX : 0;
    table_at(aspace->user_root)[index] = entry;
}

/* ---- create ---- */

/* The only kernel memory that user mode's tables map under isolation: one chain of tables, made by the
 * first process and shared by all. Both regions lie in the image, so in one root entry. */
static uint64_t isolation_entry;

static void isolation_map(paddr_t pointers, const char *start, const char *end, uint64_t flags)
{
    for (uint64_t virt = (uintptr_t)start; virt < (uintptr_t)end; virt += PAGE_BYTES) {
        paddr_t table = pointers;
        for (unsigned level = 3; level > 1; level--) {
            uint64_t *entry = &table_at(table)[LEVEL_INDEX(level, virt)];
            if (!entry_present(*entry)) {
                paddr_t next = frame_alloc_zeroed();
                if (next == PADDR_NONE)
                    panic("no memory for the page tables of isolation");
                *entry = next | PTE_PRESENT | PTE_WRITE;
            }
            table = *entry & PTE_ADDRESS;
        }
        table_at(table)[LEVEL_INDEX(1, virt)] =
            boot_image_to_phys((const void *)virt) | flags | PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY;
    }
}

static void isolation_init(void)
{
    paddr_t pointers = frame_alloc_zeroed();

    if (pointers == PADDR_NONE)
        panic("no memory for the page tables of isolation");
    isolation_map(pointers, __entry_isolating_start, __text_start, 0);
    isolation_map(pointers, __entry_data_start, __entry_data_end, PTE_WRITE | PTE_NX);
    isolation_entry = pointers | PTE_PRESENT | PTE_WRITE;
}

static mnos_status_t isolated_roots_alloc(struct quota *quota, paddr_t *roots)
{
    mnos_status_t status = quota_charge_frames(quota, 2);

    if (status != MNOS_OK)
        return status;
    *roots = frame_alloc_group(2, 2);
    if (*roots == PADDR_NONE) {
        quota_return_frames(quota, 2);
        return MNOS_ERR_MEMORY;
    }
    memset(table_at(*roots), 0, 2 * PAGE_BYTES);
    if (!isolation_entry)
        isolation_init();
    table_at(*roots + PAGE_BYTES)[LEVEL_INDEX(LEVEL_ROOT, KERNEL_BASE)] = isolation_entry;
    return MNOS_OK;
}

mnos_status_t arch_aspace_create(struct arch_aspace *aspace, struct quota *quota)
{
    mnos_status_t status = paging_isolation ? isolated_roots_alloc(quota, &aspace->root)
                                            : quota_frame_alloc(quota, &aspace->root);

    if (status != MNOS_OK)
        return status;
    aspace->leaf_number = ~0ull;
    aspace->user_root = aspace->root + (paging_isolation ? PAGE_BYTES : 0);
    memcpy(table_at(aspace->root) + ROOT_KERNEL_ENTRY,
           table_at(paging_kernel_root) + ROOT_KERNEL_ENTRY, ROOT_KERNEL_ENTRY * sizeof(uint64_t));
    return MNOS_OK;
}

/* ---- map ---- */

uint64_t page_flags(unsigned rights)
{
    uint64_t flags = PTE_PRESENT | PTE_USER | PTE_ACCESSED;

    if (rights & MAP_WRITE)
        flags |= PTE_WRITE | PTE_DIRTY;
    if (!(rights & MAP_EXECUTE))
        flags |= PTE_NX;
    if (rights & MAP_WRITE_COMBINING)
        flags |= PTE_WRITE_COMBINING;
    else if (rights & MAP_UNCACHED)
        flags |= PTE_UNCACHED;
    return flags;
}

uint64_t page_flags_to_large(uint64_t flags)
{
    return (flags & PTE_PAT ? (flags & ~PTE_PAT) | PTE_PAT_LARGE : flags) | PTE_LARGE;
}

uint64_t page_flags_to_small(uint64_t flags)
{
    flags &= ~PTE_LARGE;
    return flags & PTE_PAT_LARGE ? (flags & ~PTE_PAT_LARGE) | PTE_PAT : flags;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Marks the eighths of a table that `parent` leads to; NULL: the root (B1). */
static void mark(struct arch_aspace *aspace, uint64_t *parent, unsigned eighths)
{
    if (parent == NULL)
        aspace->root_eighths |= (uint8_t)eighths;
    else
        *parent |= (uint64_t)eighths << EIGHTHS_SHIFT;
}

/* The table with the entries for `address`: of pages of 2 MiB when they are `large` and no table of smaller ones is
 * there, else of pages of 4 KiB. What is missing on the way is made. MNOS_ERR_OVERLAP: a large page is there. */
static mnos_status_t table_for(struct arch_aspace *aspace, struct quota *quota, uaddr_t address,
                               bool large, unsigned *found_level, uint64_t **found)
{
    struct pool pool = {PADDR_NONE};
    uint64_t *table = table_at(aspace->root), *parent = NULL;
    unsigned level, lowest;
    mnos_status_t status;

    for (level = LEVEL_ROOT; level > 1; level--) {
        uint64_t *entry = &table[LEVEL_INDEX(level, address)];

        if (!entry_present(*entry))
            break;
        if (level < LEVEL_ROOT && entry_is_leaf(*entry, level))
            return MNOS_ERR_OVERLAP;
        parent = entry;
        table = table_at(*entry & PTE_ADDRESS);
    }
    lowest = large && level >= LARGE_LEVEL ? LARGE_LEVEL : 1;
    status = pool_fill(&pool, quota, level - lowest);
    for (; status == MNOS_OK && level > lowest; level--) {
        uint64_t entry = pool_take(&pool) | PTE_PRESENT | PTE_WRITE | PTE_USER;
        unsigned index = LEVEL_INDEX(level, address);

        mark(aspace, parent, 1u << index / EIGHTH_ENTRIES);
        if (level == LEVEL_ROOT)
            set_root_entry(aspace, index, entry);
        else
            table[index] = entry;
        parent = &table[index];
        table = table_at(entry & PTE_ADDRESS);
    }
    if (status == MNOS_OK && lowest == LARGE_LEVEL)
        mark(aspace, parent, EIGHTHS_ALL); /* its large pages may become tables */
    *found_level = lowest;
    *found = table;
    return status;
}

mnos_status_t arch_aspace_map_some(struct arch_aspace *aspace, struct quota *quota, uaddr_t address,
                                   paddr_t frame, uint64_t *page_count, unsigned rights)
{
    bool large = (rights & MAP_EXECUTE) == 0 /* B2 */ &&
                 ((address | frame) & (LARGE_BYTES - 1)) == 0 && *page_count >= LARGE_PAGES;
    uint64_t *table, pages, flags = page_flags(rights);
    unsigned level, first, count, end;
    mnos_status_t status = table_for(aspace, quota, address, large, &level, &table);

    assert(address < MNOS_USER_END && *page_count <= (MNOS_USER_END - address) / PAGE_BYTES);
    if (status != MNOS_OK)
        return status;
    pages = level == 1 ? 1 : LARGE_PAGES;
    if (level != 1)
        flags = page_flags_to_large(flags);
    first = LEVEL_INDEX(level, address);
    count = (unsigned)least(least(*page_count / pages, STEP_ENTRIES), TABLE_ENTRIES - first);
    end = first + count;
    count = 0;
    for (unsigned i = first; i < end && !entry_present(table[i]); i++, count++) {
        table[i] = frame | flags;
        frame += pages * PAGE_BYTES;
    }
    *page_count = count * pages;
    return count == 0 ? MNOS_ERR_OVERLAP : MNOS_OK;
}

mnos_status_t arch_aspace_map_page(struct arch_aspace *aspace, struct quota *quota, uaddr_t address,
                                   paddr_t frame, unsigned rights)
{
    uint64_t *entry = page_entry(aspace, address), one = 1;

    if (entry == NULL)
        return arch_aspace_map_some(aspace, quota, address, frame, &one, rights);
    if (entry_present(*entry))
        return MNOS_ERR_OVERLAP;
    *entry = frame | page_flags(rights);
    return MNOS_OK;
}

mnos_status_t arch_aspace_map_run(struct arch_aspace *aspace, uaddr_t address, uint64_t page_count,
                                  paddr_t frame, unsigned rights)
{
    uint64_t *entry = page_entry(aspace, address), flags = page_flags(rights), any = 0;

    if (entry == NULL || LEVEL_INDEX(1, address) + page_count > TABLE_ENTRIES)
        return MNOS_ERR_STATE;
#pragma GCC unroll 4
    for (uint64_t i = 0; i < page_count; i++)
        any |= entry[i];
    if (any != 0)
        return MNOS_ERR_OVERLAP;
#pragma GCC unroll 4
    for (uint64_t *end = entry + page_count; entry < end; entry++, frame += PAGE_BYTES)
        *entry = frame | flags;
    return MNOS_OK;
}

/* ---- exchange ---- */

uint64_t arch_aspace_pages_in_table(uaddr_t address, uint64_t page_count)
{
    return least(page_count, TABLE_ENTRIES - LEVEL_INDEX(1, address));
}

mnos_status_t arch_aspace_prepare(struct arch_aspace *aspace, struct quota *quota, uaddr_t address)
{
    uint64_t *table;
    unsigned level;
    /* Across which a large page goes, if there is one. */
    mnos_status_t status =
        arch_aspace_cut(aspace, quota, (address & ~(LARGE_BYTES - 1)) + PAGE_BYTES);

    return status == MNOS_OK ? table_for(aspace, quota, address, false, &level, &table) : status;
}

bool arch_aspace_has_run(struct arch_aspace *aspace, uaddr_t address, uint64_t page_count)
{
    return page_entry(aspace, address) != NULL &&
           arch_aspace_pages_in_table(address, page_count) == page_count;
}

bool arch_aspace_is_empty(struct arch_aspace *aspace, uaddr_t address, uint64_t page_count)
{
    const uint64_t *entry = page_entry(aspace, address);

    assert(entry != NULL);
    for (uint64_t i = 0; i < page_count; i++)
        if (entry[i] != 0)
            return false;
    return true;
}

void arch_aspace_exchange(struct arch_aspace *aspace, uaddr_t address, uint64_t page_count,
                          paddr_t frame, unsigned rights)
{
    uint64_t *entry = page_entry(aspace, address), flags = page_flags(rights);

    assert(entry != NULL);
    for (uint64_t *end = entry + page_count; entry < end; entry++, frame += PAGE_BYTES)
        *entry = frame | flags;
}
