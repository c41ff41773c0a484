// SPDX-License-Identifier: MIT
/*
 * aspace_teardown.c - the end of page tables of user address spaces: arch_aspace_destroy of arch.h, in
 * steps, from low addresses to high ones.
 */
#include "arch/x86_64/mmu/aspace_tables.h"

#include "mm/frame.h"
#include "mm/quota.h"

/* What a step of arch_aspace_destroy() may do: looking at an entry is one, freeing a table, which is zeroed, many. */
#define DESTROY_UNITS 480
#define FREE_UNITS 400

static bool leads_to_table(uint64_t entry, unsigned level)
{
    return entry_present(entry) && (level == LEVEL_ROOT || !entry_is_leaf(entry, level));
}

/* The first entry of [from, end) that is not empty; `end`: there is none. */
static unsigned next_used(const uint64_t *table, unsigned from, unsigned end)
{
    const uint64_t *at = table + from, *const stop = table + end;

    while (stop - at >= 4 && (at[0] | at[1] | at[2] | at[3]) == 0)
        at += 4;
    while (at < stop && *at == 0)
        at++;
    return (unsigned)(at - table);
}

/* The first entry of `table` from *index on that leads to a table, in one of these eighths (B1); looking at each takes
 * from *units. */
static bool next_table(const uint64_t *table, unsigned eighths, unsigned level, unsigned end,
                       unsigned *index, int *units)
{
    while (*index<end && * units> 0) {
        const unsigned from = *index, part_end = (from / EIGHTH_ENTRIES + 1) * EIGHTH_ENTRIES;

        if ((eighths >> from / EIGHTH_ENTRIES & 1) == 0) {
            *index = part_end;
            continue;
        }
        *index = next_used(table, from, part_end);
        *units -= (int)(*index - from);
        if (*index == part_end)
            continue;
        if (leads_to_table(table[*index], level))
            return true;
        ++*index, --*units;
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
static bool free_below(struct arch_aspace *aspace, uint64_t *table, unsigned eighths,
                       unsigned level, struct quota *quota, int *units)
{
    const unsigned end = level == LEVEL_ROOT ? ROOT_KERNEL_ENTRY : TABLE_ENTRIES;
    const uaddr_t base = aspace->teardown & ~(LEVEL_BYTES(level) * TABLE_ENTRIES - 1);
    unsigned index = LEVEL_INDEX(level, aspace->teardown);

    while (next_table(table, eighths, level, end, &index, units)) {
        uaddr_t at = base + index * LEVEL_BYTES(level);

        if (aspace->teardown < at)
            aspace->teardown = at;
        if (level > LARGE_LEVEL && !free_below(aspace, table_at(table[index] & PTE_ADDRESS),
                                               eighths_of(table[index]), level - 1, quota, units))
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
    if (!free_below(aspace, table_at(aspace->root), aspace->root_eighths, LEVEL_ROOT, quota,
                    &units))
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
