// SPDX-License-Identifier: MIT
/*
 * captable.c - looking a handle up: whatever number a program calls a handle, what is read is a slot of the table.
 *
 * Shape: a table of two pages in a root of four entries. The handle is free.
 */
#include "kernel/cap/captable.c"

#include "tests/proofs/kernel/proof.h"

enum { PAGES = 2, ENTRIES = 4 };

static struct process process;
static struct captable *table = &process.captable;
static struct capability pages[PAGES][CAPTABLE_PAGE_SLOTS];
static struct capability *root[ENTRIES];
struct core *proof_core;

static void any_table(void)
{
    captable_init(table);
    root[0] = pages[0];
    root[1] = pages[1];
    root[2] = root[3] = empty_page; /* K1 */
    table->root = root;
    table->root_mask = ENTRIES - 1;
    table->page_count = PAGES;
}

static bool is_in_page(const struct capability *slot)
{
    return __CPROVER_same_object(slot, pages) && __CPROVER_POINTER_OFFSET(slot) < sizeof(pages);
}

static bool is_in_empty_page(const struct capability *slot)
{
    return __CPROVER_same_object(slot, empty_page) &&
           __CPROVER_POINTER_OFFSET(slot) < sizeof(empty_page);
}

/* Unwind: 66. A masked index stays in the table, whatever it is. */
void prove_slot(void)
{
    uint64_t index = nondet_uint64();
    struct capability *slot;

    any_table();
    slot = captable_slot(table, index);
    if (index / CAPTABLE_PAGE_SLOTS < PAGES)
        assert(slot == &pages[index / CAPTABLE_PAGE_SLOTS][index % CAPTABLE_PAGE_SLOTS]);
    else
        assert(is_in_page(slot) || is_in_empty_page(slot));
    assert(captable_end(table) == PAGES * CAPTABLE_PAGE_SLOTS);
}
