// SPDX-License-Identifier: MIT
/*
 * user_tables.c - page tables of user address spaces: arch_aspace_create, _map, _unmap, _lookup and
 * _destroy of arch.h. The caller holds the address space's lock and flushes TLBs.
 *
 * Every change is planned first: the tables it needs are counted and allocated, and only then is
 * anything entered, so a change that fails has changed nothing. Tables that became empty stay, because
 * another core may still hold their addresses in its paging-structure caches; they go with the
 * address space.
 *
 * With page-table isolation the two root tables are neighbours (user_root is root + 4096), so that
 * entry code reaches one from the other by one bit. The user half is the same in both, except that
 * the kernel cannot execute it through its own.
 */
#include "arch/arch.h"

#include "arch/x86_64/image.h"
#include "arch/x86_64/paging.h"
#include "assert.h"
#include "boot/bootinfo.h"
#include "lib/string.h"
#include "log/panic.h"
#include "mm/frame.h"
#include "object/quota.h"

#define LARGE_LEVEL 2u /* user memory maps in pages of 4 KiB and 2 MiB */

/* Tables allocated for a change, linked through their first words. */
struct pool {
    paddr_t first;
};

/* A change to [virt, end). */
struct change {
    struct arch_aspace *aspace;
    uint64_t virt;
    uint64_t end;
    paddr_t phys;
    uint64_t flags; /* PTE bits, the PAT bit as for 4 KiB pages */
    struct pool pool;
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
    *roots = frame_alloc_run(2, 2, FRAME_LIMIT_NONE);
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

static bool fits_large(const struct change *change, unsigned level)
{
    uint64_t bytes = LEVEL_BYTES(level);

    return level == LARGE_LEVEL && ((change->virt | change->phys) & (bytes - 1)) == 0 &&
           change->end - change->virt >= bytes;
}

static void advance(struct change *change, uint64_t bytes)
{
    change->virt += bytes;
    change->phys += bytes;
}

/* The end of what one entry of this level covers, or of the change. */
static uint64_t entry_end(const struct change *change, unsigned level)
{
    uint64_t end = (change->virt | (LEVEL_BYTES(level) - 1)) + 1;

    return end < change->end ? end : change->end;
}

/* Counts the tables that mapping needs in the part of the change that `table` covers (PADDR_NONE: a
 * table still to be made). */
static mnos_status_t plan_map(paddr_t table, unsigned level, struct change *change,
                              uint64_t *tables)
{
    const uint64_t *entries = table != PADDR_NONE ? table_at(table) : NULL;
    unsigned index = LEVEL_INDEX(level, change->virt);

    for (; index < TABLE_ENTRIES && change->virt < change->end; index++) {
        uint64_t entry = entries ? entries[index] : 0;
        if (entry_present(entry) && entry_is_leaf(entry, level))
            return MNOS_ERR_OVERLAP;
        if (!entry_present(entry) && (level == 1 || fits_large(change, level))) {
            advance(change, LEVEL_BYTES(level));
            continue;
        }
        if (!entry_present(entry))
            ++*tables;
        if (!entry_present(entry) && level == 2) { /* a whole new table: nothing to look at */
            advance(change, entry_end(change, level) - change->virt);
            continue;
        }
        mnos_status_t status = plan_map(entry & PTE_ADDRESS, level - 1, change, tables);
        if (status != MNOS_OK)
            return status;
    }
    return MNOS_OK;
}

static void commit_map(paddr_t table, unsigned level, struct change *change)
{
    uint64_t *entries = table_at(table);
    unsigned index = LEVEL_INDEX(level, change->virt);

    for (; index < TABLE_ENTRIES && change->virt < change->end; index++) {
        if (level == 1 || (!entry_present(entries[index]) && fits_large(change, level))) {
            entries[index] = change->phys | (level == 1 ? change->flags : to_large(change->flags));
            advance(change, LEVEL_BYTES(level));
            continue;
        }
        if (!entry_present(entries[index])) {
            uint64_t entry = pool_take(&change->pool) | PTE_PRESENT | PTE_WRITE | PTE_USER;
            if (level == LEVEL_ROOT)
                set_root_entry(change->aspace, index, entry);
            else
                entries[index] = entry;
        }
        commit_map(entries[index] & PTE_ADDRESS, level - 1, change);
    }
}

[[gnu::noinline]] static mnos_status_t map_range(struct arch_aspace *aspace, struct quota *quota,
                                                 uaddr_t address, paddr_t frame,
                                                 uint64_t page_count, unsigned rights)
{
    struct change change = {.aspace = aspace,
                            .virt = address,
                            .end = address + (page_count << PAGE_SHIFT),
                            .phys = frame,
                            .flags = flags_of(rights)};
    struct change plan = change;
    uint64_t tables = 0;
    mnos_status_t status = plan_map(aspace->root, LEVEL_ROOT, &plan, &tables);

    assert(change.end <= MNOS_USER_END && address <= change.end);
    if (status == MNOS_OK)
        status = pool_fill(&change.pool, quota, tables);
    if (status == MNOS_OK)
        commit_map(aspace->root, LEVEL_ROOT, &change);
    return status;
}

mnos_status_t arch_aspace_map(struct arch_aspace *aspace, struct quota *quota, uaddr_t address,
                              paddr_t frame, uint64_t page_count, unsigned rights)
{
    uint64_t *entry = page_count == 1 ? page_entry(aspace, address) : NULL;

    if (entry == NULL)
        return map_range(aspace, quota, address, frame, page_count, rights);
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

/* The entry of the large page that an edge of a change lies inside of; NULL when there is none. */
static uint64_t *large_page_cut_at(const struct arch_aspace *aspace, uaddr_t edge)
{
    unsigned level;
    uint64_t *entry;

    if ((edge & (LEVEL_BYTES(LARGE_LEVEL) - 1)) == 0)
        return NULL;
    entry = find_leaf(aspace->root, edge, &level);
    return entry && level == LARGE_LEVEL ? entry : NULL;
}

/* Replaces a large page by a table of 4 KiB pages that map the same. */
static void split(uint64_t *entry, struct pool *pool)
{
    paddr_t table = pool_take(pool);
    paddr_t phys = *entry & PTE_ADDRESS & ~(LEVEL_BYTES(LARGE_LEVEL) - 1);
    uint64_t flags = to_small(*entry & ~(PTE_ADDRESS & ~PTE_PAT_LARGE));

    for (unsigned i = 0; i < TABLE_ENTRIES; i++)
        table_at(table)[i] = (phys + i * PAGE_BYTES) | flags;
    *entry = table | PTE_PRESENT | PTE_WRITE | PTE_USER;
}

static void clear_level(paddr_t table, unsigned level, struct change *change)
{
    uint64_t *entries = table_at(table);
    unsigned index = LEVEL_INDEX(level, change->virt);

    for (; index < TABLE_ENTRIES && change->virt < change->end; index++) {
        if (!entry_present(entries[index]) ||
            (level < LEVEL_ROOT && entry_is_leaf(entries[index], level))) {
            if (level < LEVEL_ROOT)
                entries[index] = 0;
            change->virt = entry_end(change, level);
            continue;
        }
        clear_level(entries[index] & PTE_ADDRESS, level - 1, change);
    }
}

[[gnu::noinline]] static mnos_status_t unmap_range(struct arch_aspace *aspace, struct quota *quota,
                                                   uaddr_t address, uint64_t page_count)
{
    struct change change = {
        .aspace = aspace, .virt = address, .end = address + (page_count << PAGE_SHIFT)};
    uint64_t *first = large_page_cut_at(aspace, change.virt);
    uint64_t *last = large_page_cut_at(aspace, change.end);
    mnos_status_t status;

    assert(change.end <= MNOS_USER_END && address <= change.end);
    if (last == first)
        last = NULL;
    status = pool_fill(&change.pool, quota, (first ? 1 : 0) + (last ? 1 : 0));
    if (status != MNOS_OK)
        return status;
    if (first)
        split(first, &change.pool);
    if (last)
        split(last, &change.pool);
    clear_level(aspace->root, LEVEL_ROOT, &change);
    return MNOS_OK;
}

mnos_status_t arch_aspace_unmap(struct arch_aspace *aspace, struct quota *quota, uaddr_t address,
                                uint64_t page_count)
{
    uint64_t *entry = page_count == 1 ? page_entry(aspace, address) : NULL;

    if (entry == NULL)
        return unmap_range(aspace, quota, address, page_count);
    *entry = 0;
    return MNOS_OK;
}

/* ---- destroy ---- */

/* Frees the tables below `table`, at most *budget of them; true when none is left. */
static bool free_below(struct arch_aspace *aspace, paddr_t table, unsigned level,
                       struct quota *quota, unsigned *budget)
{
    unsigned end = level == LEVEL_ROOT ? ROOT_KERNEL_ENTRY : TABLE_ENTRIES;
    uint64_t *entries = table_at(table);

    for (unsigned i = 0; i < end; i++) {
        uint64_t entry = entries[i];
        if (!entry_present(entry) || (level < LEVEL_ROOT && entry_is_leaf(entry, level)))
            continue;
        if (level > 2 && !free_below(aspace, entry & PTE_ADDRESS, level - 1, quota, budget))
            return false;
        if (*budget == 0)
            return false;
        --*budget;
        if (level == LEVEL_ROOT)
            set_root_entry(aspace, i, 0);
        else
            entries[i] = 0;
        quota_frame_free(quota, entry & PTE_ADDRESS);
    }
    return true;
}

bool arch_aspace_destroy(struct arch_aspace *aspace, struct quota *quota, unsigned budget)
{
    if (aspace->root == PADDR_NONE)
        return true;
    aspace->leaf_number = ~0ull;
    if (!free_below(aspace, aspace->root, LEVEL_ROOT, quota, &budget))
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
