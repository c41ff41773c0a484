// SPDX-License-Identifier: MIT
/*
 * captable.c - handles: whatever is in the slots, and whatever number a program calls a handle, a lookup reads a slot of
 * the table and finds what that handle names, or says why not; a slot is taken from the list of free ones and comes back
 * to it; and no handle of an earlier life of a slot names what is in it now.
 *
 * Shapes: a table of two pages in a root of four entries; none to two free slots. Keys, types, rights and handles are free.
 * Stub: for cap_lookup(), captable_slot() gives some slot; prove_slot() says which.
 */
#include "cap/derive.h"
#include "tests/proofs/kernel/proof.h"

static struct capability *some_slot(const struct captable *table, uint64_t index);
#define captable_slot some_slot
#include "kernel/cap/captable.c"
#undef captable_slot

enum { PAGES = 2, ENTRIES = 4 };

static struct process process;
static struct captable *table = &process.captable;
static struct capability pages[PAGES][CAPTABLE_PAGE_SLOTS];
static struct capability *root[ENTRIES];
static struct kobject object;
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

/* Anything that may be in a slot (C1). */
static void fill(struct capability *slot)
{
    slot->key = nondet_uint64();
    slot->type = nondet_uint8();
    slot->rights = nondet_uint8();
    slot->first = nondet_uint64();
    slot->count = nondet_uint64();
    slot->object = slot->type == MNOS_TYPE_NONE ? NULL : &object;
    object.type = slot->type;
}

static mnos_cap_t sought;

static struct capability *some_slot(const struct captable *of, uint64_t index)
{
    assert(of == table && index == sought);
    return &pages[0][1];
}

/* Unwind: 3. */
void prove_lookup(void)
{
    mnos_cap_t handle = nondet_uint64();
    enum mnos_cap_type type = nondet_uint8();
    mnos_rights_t rights = nondet_uint32();
    struct capability *slot = &pages[0][1];
    struct cap_view view;
    result_t result;

    fill(slot);
    sought = handle;
    result = cap_lookup(table, handle, type, rights, &view);
    if (slot->key != handle || slot->type == MNOS_TYPE_NONE) {
        assert(result == result_of(MNOS_ERR_HANDLE));
    } else if (type != MNOS_TYPE_NONE && type != slot->type) {
        assert(result == error_type(0, slot->type));
    } else if ((rights & ~(mnos_rights_t)slot->rights) != 0) {
        assert(result == error_rights(0, rights, slot->rights));
    } else {
        assert(result == RESULT_OK);
        assert(view.slot == slot && view.key == handle && view.object == &object);
        assert(view.rights == slot->rights && view.first == slot->first &&
               view.count == slot->count);
    }
}

static void take_and_free(struct capability *first, struct capability *second)
{
    uint32_t used = nondet_uint32();
    struct capability *taken;

    assume(used < PAGES * CAPTABLE_PAGE_SLOTS - 2);
    table->free = first;
    table->used = used;
    taken = captable_take(table);
    assert(taken == first && !spin_is_locked(&table->lock));
    assert(table->used == used + (taken != NULL) && table->free == second);
    if (taken == NULL)
        return;
    captable_free(table, taken);
    assert(table->free == first && first->next_free == second && table->used == used);
    assert(!spin_is_locked(&table->lock));
}

/* Unwind: 66. K3. */
void prove_take_and_free(void)
{
    any_table();
    take_and_free(NULL, NULL);
    take_and_free(&pages[0][1], NULL);
    pages[0][1].next_free = &pages[1][0];
    take_and_free(&pages[0][1], &pages[1][0]);
}

/* Unwind: 66. C2. */
void prove_reuse(void)
{
    struct capability *slot = &pages[1][CAPTABLE_PAGE_SLOTS - 1];
    mnos_cap_t handle = nondet_uint64();
    struct cap_view view, other;

    any_table();
    assume(captable_slot(table, handle) == slot);
    fill(slot);
    slot->key = handle;
    assume(slot->type != MNOS_TYPE_NONE);
    table->used = 1;
    assert(cap_read(slot, &view) && view.key == handle);
    cap_kill_locked(slot);
    assert(!cap_alive(&view) && !cap_read(slot, &other) && !cap_is_locked(slot, slot->key));
    slot->object = NULL;
    captable_free(table, slot);
    assert(captable_take(table) == slot && slot->key == handle + GENERATION_ONE);
    assert(captable_slot(table, slot->key) == slot);
    slot->object = &object;
    slot->type = object.type;
    assert(!cap_alive(&view) && !cap_is_locked(slot, handle) && cap_is_locked(slot, slot->key));
    assert(cap_read(slot, &other) && other.key == slot->key && other.key != handle);
}
