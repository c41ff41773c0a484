// SPDX-License-Identifier: MIT
/*
 * aspace_tables.c - page tables of user address spaces: arch_aspace_create, _map, _unmap, _lookup and
 * _destroy of arch.h. The caller holds the address space's lock and flushes TLBs.
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
#include "arch/arch.h"

#include "arch/x86_64/cpu/image.h"
#include "arch/x86_64/mmu/paging.h"
#include "assert.h"
#include "boot/bootinfo.h"
#include "lib/base/string.h"
#include "base/panic.h"
#include "mm/frame.h"
#include "mm/quota.h"

#define LARGE_LEVEL 2u /* user memory maps in pages of 4 KiB and 2 MiB */
#define LARGE_BYTES LEVEL_BYTES(LARGE_LEVEL)
#define LARGE_PAGES (LARGE_BYTES / PAGE_BYTES)

/* Entries that a step writes at most; after a large page has been cut, which writes a table. */
#define STEP_ENTRIES 128u
#define STEP_ENTRIES_CUT 64u

/* Tables allocated for a change, linked through their first words. */
struct pool {
    paddr_t first;
};

static uint64_t *table_at(paddr_t table)
{
    return phys_to_virt(table);
}

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

/* The entry of one 4 KiB page; NULL: there is no table for it, or it lies in a large page. */
static uint64_t *page_entry(struct arch_aspace *aspace, uaddr_t address)
{
    uint64_t number = address >> LEVEL_SHIFT(LARGE_LEVEL);
    uint64_t *table = table_at(aspace->root);

    if (__builtin_expect(number != aspace->leaf_number, false)) {
        for (unsigned level = LEVEL_ROOT; level > 1; level--) {
            uint64_t entry = table[LEVEL_INDEX(level, address)];
            if (!entry_present(entry) || (level < LEVEL_ROOT && entry_is_leaf(entry, level)))
                return NULL;
            table = table_at(entry & PTE_ADDRESS);
        }
        aspace->leaf_table = table;
        aspace->leaf_number = number;
    }
    return &aspace->leaf_table[LEVEL_INDEX(1, address)];
}

/* Enters a table for the user half into the root, or into both roots. */
static void set_root_entry(struct arch_aspace *aspace, unsigned index, uint64_t entry)
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

static uint64_t flags_of(unsigned rights)
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

/* A 4 KiB entry of a large page, or the other way round. */
static uint64_t to_large(uint64_t flags)
{
    return (flags & PTE_PAT ? (flags & ~PTE_PAT) | PTE_PAT_LARGE : flags) | PTE_LARGE;
}

static uint64_t to_small(uint64_t flags)
{
    flags &= ~PTE_LARGE;
    return flags & PTE_PAT_LARGE ? (flags & ~PTE_PAT_LARGE) | PTE_PAT : flags;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The table with the entries for `address`: of pages of 2 MiB when they are `large` and no table of smaller ones is
 * there, else of pages of 4 KiB. What is missing on the way is made. MNOS_ERR_OVERLAP: a large page is there. */
static mnos_status_t table_for(struct arch_aspace *aspace, struct quota *quota, uaddr_t address,
                               bool large, unsigned *found_level, uint64_t **found)
{
    struct pool pool = {PADDR_NONE};
    uint64_t *table = table_at(aspace->root);
    unsigned level, lowest;
    mnos_status_t status;

    for (level = LEVEL_ROOT; level > 1; level--) {
        uint64_t entry = table[LEVEL_INDEX(level, address)];

        if (!entry_present(entry))
            break;
        if (level < LEVEL_ROOT && entry_is_leaf(entry, level))
            return MNOS_ERR_OVERLAP;
        table = table_at(entry & PTE_ADDRESS);
    }
    lowest = large && level >= LARGE_LEVEL ? LARGE_LEVEL : 1;
    status = pool_fill(&pool, quota, level - lowest);
    for (; status == MNOS_OK && level > lowest; level--) {
        uint64_t entry = pool_take(&pool) | PTE_PRESENT | PTE_WRITE | PTE_USER;

        if (level == LEVEL_ROOT)
            set_root_entry(aspace, LEVEL_INDEX(level, address), entry);
        else
            table[LEVEL_INDEX(level, address)] = entry;
        table = table_at(entry & PTE_ADDRESS);
    }
    *found_level = lowest;
    *found = table;
    return status;
}

mnos_status_t arch_aspace_map_some(struct arch_aspace *aspace, struct quota *quota, uaddr_t address,
                                   paddr_t frame, uint64_t *page_count, unsigned rights)
{
    bool large = ((address | frame) & (LARGE_BYTES - 1)) == 0 && *page_count >= LARGE_PAGES;
    uint64_t *table, pages, flags = flags_of(rights);
    unsigned level, first, count, end;
    mnos_status_t status = table_for(aspace, quota, address, large, &level, &table);

    assert(address < MNOS_USER_END && *page_count <= (MNOS_USER_END - address) / PAGE_BYTES);
    if (status != MNOS_OK)
        return status;
    pages = level == 1 ? 1 : LARGE_PAGES;
    if (level != 1)
        flags = to_large(flags);
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
    *entry = frame | flags_of(rights);
    return MNOS_OK;
}

/* ---- unmap ---- */

/* The entry that maps `address`, and its level; NULL when nothing does. */
static uint64_t *find_leaf(paddr_t root, uaddr_t address, unsigned *leaf_level)
{
    paddr_t table = root;

    for (unsigned level = LEVEL_ROOT; level >= 1; level--) {
        uint64_t *entry = &table_at(table)[LEVEL_INDEX(level, address)];
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

/* Replaces a large page by a table of 4 KiB pages that map the same. */
static void cut(uint64_t *entry, paddr_t table)
{
    paddr_t phys = *entry & PTE_ADDRESS & ~(LEVEL_BYTES(LARGE_LEVEL) - 1);
    uint64_t flags = to_small(*entry & ~(PTE_ADDRESS & ~PTE_PAT_LARGE));

    for (unsigned i = 0; i < TABLE_ENTRIES; i++)
        table_at(table)[i] = (phys + i * PAGE_BYTES) | flags;
    *entry = table | PTE_PRESENT | PTE_WRITE | PTE_USER;
}

mnos_status_t arch_aspace_unmap_some(struct arch_aspace *aspace, struct quota *quota,
                                     uaddr_t address, uint64_t *page_count)
{
    uaddr_t end = address + *page_count * PAGE_BYTES, start = (end - 1) & ~(LARGE_BYTES - 1);
    uint64_t count = STEP_ENTRIES;
    unsigned level = 1;
    uint64_t *entry = find_leaf(aspace->root, end - PAGE_BYTES, &level);

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

/* ---- destroy ---- */

/* What a step of arch_aspace_destroy() may do: looking at an entry is one, freeing a table, which is zeroed, many. */
#define DESTROY_UNITS 112
#define FREE_UNITS 400

/* The first entry of `table` from *index on that leads to a table; looking at each takes from *units. */
static bool next_table(const uint64_t *table, unsigned level, unsigned end, unsigned *index,
                       int *units)
{
    for (; *index<end && * units> 0; ++*index, --*units) {
        uint64_t entry = table[*index];

        if (entry_present(entry) && (level == LEVEL_ROOT || !entry_is_leaf(entry, level)))
            return true;
    }
    return false;
}

static void free_table(struct arch_aspace *aspace, uint64_t *table, unsigned level, unsigned index,
                       struct quota *quota, int *units)
{
    paddr_t freed = table[index] & PTE_ADDRESS;

    if (level == LEVEL_ROOT)
        set_root_entry(aspace, index, 0);
    else
        table[index] = 0;
    quota_frame_free(quota, freed);
    *units -= FREE_UNITS;
}

/* Frees tables below `table` from address `teardown` on; true when nothing is left of those that it leads to. What
 * has been looked at is not looked at again. */
static bool free_below(struct arch_aspace *aspace, uint64_t *table, unsigned level,
                       struct quota *quota, int *units)
{
    const unsigned end = level == LEVEL_ROOT ? ROOT_KERNEL_ENTRY : TABLE_ENTRIES;
    const uaddr_t base = aspace->teardown & ~(LEVEL_BYTES(level) * TABLE_ENTRIES - 1);
    unsigned index = LEVEL_INDEX(level, aspace->teardown);

    while (next_table(table, level, end, &index, units)) {
        uaddr_t at = base + index * LEVEL_BYTES(level);

        if (aspace->teardown < at)
            aspace->teardown = at;
        if (level > LARGE_LEVEL &&
            !free_below(aspace, table_at(table[index] & PTE_ADDRESS), level - 1, quota, units))
            return false;
        free_table(aspace, table, level, index, quota, units);
        aspace->teardown = base + ++index * LEVEL_BYTES(level);
    }
    if (index < end)
        aspace->teardown = base + index * LEVEL_BYTES(level);
    return index == end;
}

bool arch_aspace_destroy(struct arch_aspace *aspace, struct quota *quota)
{
    int units = DESTROY_UNITS;

    if (aspace->root == PADDR_NONE)
        return true;
    aspace->leaf_number = ~0ull;
    if (!free_below(aspace, table_at(aspace->root), LEVEL_ROOT, quota, &units))
        return false;
    if (aspace->user_root == aspace->root) {
        quota_frame_free(quota, aspace->root);
    } else {
        frame_free_run(aspace->root, 2);
        quota_return_frames(quota, 2);
    }
    aspace->root = PADDR_NONE;
    aspace->user_root = PADDR_NONE;
    return true;
}
