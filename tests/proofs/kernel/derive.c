// SPDX-License-Identifier: MIT
/*
 * derive.c - the derivation tree: from the listed trees, for the listed capabilities in them, making, deleting and revoking
 * keep C1 to C5, of C3 the rights, make and take exactly what they are to, and leave the rest in its order.
 *
 * Shapes: the trees below, of five capabilities of one process to one endpoint, on which no thread waits and nobody searches
 * for a badge, and a sixth slot that is free. Rights, badges and masks are free, and what an earlier life left in the free
 * slot. Stubs: what is told when a badge has gone; the end of an object; preemption, which nothing asks for; a table that
 * does not grow. One core.
 */
enum { SLOTS = 6, PLACES = SLOTS + 1 };
#include "tests/proofs/kernel/direct_map.h"

#include "kernel/cap/derive.c"

/* What the proof itself reads wrongly breaks a claim: without checks of their own, cbmc is twice as fast. */
#pragma CPROVER check push
#pragma CPROVER check disable "pointer"
#pragma CPROVER check disable "pointer-overflow"

enum { IN_TREE = 5, SHAPES = 4, CHAIN = 2, NONE = SLOTS };

struct shape {
    uint8_t parents[IN_TREE]; /* of each; children are put in front of those that there are */
    uint8_t order[IN_TREE];   /* each parent before its children */
};

static const struct shape shapes[SHAPES] = {
    {{NONE, 0, 0, 1, 1}, {0, 2, 1, 4, 3}}, /* two below the last of two */
    {{NONE, 0, 0, 0, 2}, {0, 3, 2, 4, 1}}, /* one below the middle one of three */
    {{NONE, 0, 1, 2, 3}, {0, 1, 2, 3, 4}}, /* a chain */
    {{NONE, NONE, NONE, 0, 1}, {2, 1, 4, 0, 3}},
};

/* What the operations are done to. */
static const struct {
    uint8_t shape, target;
} cases[] = {{0, 0}, {0, 1}, {0, 4}, {1, 2}, {2, 0}, {2, 3}, {2, 4}, {3, 1}};

enum { CASES = sizeof(cases) / sizeof(cases[0]) };

static struct capability slots[SLOTS];
static struct process process;
static struct endpoint endpoint;
static struct kobject *object = &endpoint.obj;
static unsigned badges_told, ends_told;
struct core *proof_core;

/* ---- the direct map and stubs ---- */

static void *const places[PLACES] = {&slots[0], &slots[1], &slots[2], &slots[3],
                                     &slots[4], &slots[5], &process};

static unsigned place_of(const void *pointer)
{
    return __CPROVER_same_object(pointer, slots)
               ? __CPROVER_POINTER_OFFSET(pointer) / sizeof(slots[0])
               : SLOTS;
}

const struct object_type object_types[OBJECT_TYPES];

void badge_cursor_move_locked(struct kobject *of, struct capability *next)
{
    (void)of, (void)next;
    assert(false); /* there is no search */
}

void endpoint_badge_gone(struct endpoint *of, struct capability *minted)
{
    assert(of == &endpoint && minted->badge != 0);
    badges_told++;
}

bool kobject_is_garbage_locked(struct kobject *of)
{
    return of->caps == 0;
}

void kobject_unreferenced(struct kobject *of)
{
    assert(of == object && !spin_is_locked(&of->derive));
    ends_told++;
}

mnos_status_t captable_alloc(struct captable *table, struct capability **slot)
{
    *slot = captable_take(table);
    return *slot != NULL ? MNOS_OK : MNOS_ERR_QUOTA;
}

bool tlb_batch_preempt_point(struct tlb_batch *batch)
{
    (void)batch;
    return false;
}

void tlb_batch_defer(struct tlb_batch *batch)
{
    (void)batch;
}

void tlb_batch_finish_all(struct tlb_batch *batch)
{
    (void)batch;
}

/* ---- shapes ---- */

static uint8_t parents[SLOTS]; /* as they are to be; NONE: a root */
static bool in_tree[SLOTS];
static const uint8_t *before; /* their order in the shape */

static cap_ref_t ref_of(unsigned index)
{
    return index == NONE ? 0 : (cap_ref_t)(PLACE_ADDRESS(index) >> 6);
}

static cap_ref_t *children_of(unsigned index)
{
    return index == NONE ? &object->caps : &slots[index].child;
}

static mnos_cap_t key_of(unsigned index)
{
    return GENERATION_ONE | (index + 1);
}

static void put(unsigned index, uint8_t parent)
{
    struct capability *cap = &slots[index];
    cap_ref_t *head = children_of(parent);

    cap->type = MNOS_TYPE_ENDPOINT;
    cap->object = object;
    cap->rights = nondet_uint8();
    assume(parent == NONE || (cap->rights & ~slots[parent].rights) == 0);
    cap->depth = parent == NONE ? 0 : (uint8_t)(slots[parent].depth + 1);
    cap->badge = nondet_uint64();
    cap->event_mask = nondet_uint64();
    cap->parent = ref_of(parent);
    cap->next = *head;
    for (unsigned i = 0; i < index; i++)
        if (ref_of(i) == *head)
            slots[i].prev = ref_of(index);
    *head = ref_of(index);
    parents[index] = parent;
    in_tree[index] = true;
}

static void build(unsigned number)
{
    static const struct capability empty;

    before = shapes[number].order;
    object->type = MNOS_TYPE_ENDPOINT;
    object->guard = offsetof(struct endpoint, lock);
    object->caps = object->revoking = 0;
    object->dying = false;
    badges_told = ends_told = 0;
    for (unsigned i = 0; i < SLOTS; i++) {
        slots[i] = empty;
        slots[i].key = key_of(i);
        slots[i].owner = cap_ref(&process);
        in_tree[i] = false;
    }
    for (unsigned i = 0; i < IN_TREE; i++)
        put(i, shapes[number].parents[i]);
    slots[IN_TREE].rights = slots[IN_TREE].depth = slots[IN_TREE].flags = nondet_uint8();
    slots[IN_TREE].child = slots[IN_TREE].prev = nondet_uint32();
    slots[IN_TREE].next_free = NULL;
    process.captable.free = &slots[IN_TREE];
    process.captable.used = IN_TREE;
}

static struct cap_view view_of(unsigned index)
{
    return (struct cap_view){.slot = &slots[index],
                             .key = slots[index].key,
                             .object = object,
                             .rights = slots[index].rights,
                             .badge = slots[index].badge,
                             .event_mask = slots[index].event_mask};
}

static bool is_below(unsigned index, unsigned top)
{
    while (parents[index] != NONE) {
        index = parents[index];
        if (index == top)
            return true;
    }
    return false;
}

/* ---- what holds ---- */

/* C3, C4 and C5 of one in the tree, behind `elder` among the children of its parent. */
static void assert_linked(unsigned index, unsigned elder)
{
    const struct capability *cap = &slots[index];
    unsigned parent = parents[index];

    assert(cap->type == MNOS_TYPE_ENDPOINT || (cap->flags & CAP_GHOST) != 0);
    assert(cap->object == object && cap->parent == ref_of(parent) && cap->prev == ref_of(elder));
    assert((elder == NONE ? *children_of(parent) : slots[elder].next) == ref_of(index));
    if (parent != NONE)
        assert((cap->rights & ~slots[parent].rights) == 0 && cap->depth > slots[parent].depth);
}

/* Those of order[] that are in in_tree[] are the tree, with parents[], and in this order. How many they are. */
static unsigned assert_tree(const uint8_t *order, unsigned length)
{
    uint8_t last[SLOTS + 1] = {NONE, NONE, NONE, NONE, NONE, NONE, NONE}; /* child of each */
    unsigned count = 0;

    for (unsigned i = 0; i < length; i++)
        if (in_tree[order[i]]) {
            assert_linked(order[i], last[parents[order[i]]]);
            last[parents[order[i]]] = order[i];
            count++;
        }
    for (unsigned i = 0; i <= SLOTS; i++)
        if (i == NONE || in_tree[i])
            assert((last[i] == NONE ? *children_of(i) : slots[last[i]].next) == 0);
    return count;
}

/* The same, and the other slots are in the table's list. */
static void assert_sound(const uint8_t *order, unsigned length)
{
    unsigned count = assert_tree(order, length), free = 0;

    for (unsigned i = 0; i < SLOTS; i++)
        assert(in_tree[i] || (slots[i].type == MNOS_TYPE_NONE && slots[i].object == NULL)); /* C1 */
    for (struct capability *slot = process.captable.free; slot != NULL;
         slot = slot->next_free, free++)
        assert(free < SLOTS && !in_tree[slot - slots]);
    assert(free + count == SLOTS && process.captable.used == count);
    assert(!spin_is_locked(&object->derive) && !spin_is_locked(&endpoint.lock));
    assert(!spin_is_locked(&process.captable.lock));
}

static void goes(unsigned index)
{
    in_tree[index] = false;
    assert(slots[index].key == key_of(index) + GENERATION_ONE); /* C2 */
}

/* ---- proofs: one operation, from each shape, for the listed cases ---- */

static void for_each(void (*operation)(unsigned target))
{
    unsigned chosen = nondet_uint32();

    for (unsigned number = 0; number < CASES; number++)
        if (is_case(chosen, number)) {
            build(cases[number].shape);
            operation(cases[number].target);
            assume(false); /* cases do not meet again */
        }
}

static enum cap_progress delete_one(unsigned target)
{
    struct tlb_batch batch = {0};
    struct cap_view view = view_of(target);

    return cap_delete(&view, &batch);
}

static void do_delete(unsigned target)
{
    assert(delete_one(target) == CAP_DONE);
    goes(target);
    for (unsigned i = 0; i < IN_TREE; i++)
        if (in_tree[i] && parents[i] == target)
            parents[i] = parents[target];
    assert_sound(before, IN_TREE);
    assert(badges_told == 0 && ends_told == 0);
}

/* Unwind: 9, for_each.0 9. Children go up to the parent, in the place of what is deleted. */
void prove_delete(void)
{
    for_each(do_delete);
}

static void do_delete_leaf(unsigned target)
{
    bool is_leaf = slots[target].child == 0, deleted;
    static struct capability *page[1] = {slots};

    /* A table of one page, in which the slots come first. */
    process.captable.root = page;
    deleted = cap_delete_leaf(&process.captable, target);
    assert(!deleted); /* an index without its generation */
    slots[target].key = target | GENERATION_ONE;
    deleted = cap_delete_leaf(&process.captable, target | GENERATION_ONE);
    assert(deleted == is_leaf);
    if (deleted) {
        in_tree[target] = false;
        assert(slots[target].key == (target | GENERATION_ONE) + GENERATION_ONE);
    }
    assert_sound(before, IN_TREE);
}

/* Unwind: 9, for_each.0 9. */
void prove_delete_leaf(void)
{
    for_each(do_delete_leaf);
}

static void do_delete_minted(unsigned target)
{
    mnos_cap_t key = slots[target].key;
    bool is_leaf = slots[target].child == 0;

    slots[target].flags = CAP_MINTED;
    assume(slots[target].badge != 0);
    assert(delete_one(target) == CAP_DONE);
    if (is_leaf) {
        goes(target);
    } else {
        assert(slots[target].flags == (CAP_MINTED | CAP_GHOST));
        assert(slots[target].type == MNOS_TYPE_NONE && slots[target].key != key);
    }
    assert_sound(before, IN_TREE);
    assert(badges_told == is_leaf);
}

/* Unwind: 9, for_each.0 9. What was minted stays as a ghost while something has its badge. */
void prove_delete_minted(void)
{
    for_each(do_delete_minted);
}

static void do_revoke(unsigned target)
{
    struct tlb_batch batch = {0};
    struct cap_view view = view_of(target);

    assert(cap_revoke(&view, &batch) == CAP_DONE);
    for (unsigned i = 0; i < IN_TREE; i++)
        if (is_below(i, target))
            goes(i);
    assert(slots[target].key == view.key && slots[target].flags == 0 && object->revoking == 0);
    assert_sound(before, IN_TREE);
}

/* Unwind: 9, for_each.0 9. */
void prove_revoke(void)
{
    for_each(do_revoke);
}

static void do_destroy(void)
{
    struct tlb_batch batch = {0};

    assert(cap_destroy_all(object, &batch) == CAP_DONE);
    for (unsigned i = 0; i < IN_TREE; i++)
        goes(i);
    assert(object->dying && object->caps == 0);
    assert_sound(before, IN_TREE);
}

/* Unwind: 9, prove_destroy.0 5. All of the tree, of each shape. */
void prove_destroy(void)
{
    unsigned chosen = nondet_uint32();

    for (unsigned number = 0; number < SHAPES; number++)
        if (is_case(chosen, number)) {
            build(number);
            do_destroy();
            assume(false);
        }
}

/* Unwind: 9. A ghost goes with the last that has its badge. */
void prove_ghost(void)
{
    build(0);
    slots[1].flags = CAP_MINTED;
    assume(slots[1].badge != 0);
    assert(delete_one(1) == CAP_DONE && delete_one(4) == CAP_DONE);
    goes(4);
    assert_sound(before, IN_TREE);
    assert(badges_told == 0 && delete_one(3) == CAP_DONE);
    goes(3);
    goes(1);
    assert_sound(before, IN_TREE);
    assert(badges_told == 1 && ends_told == 0);
}

/* Unwind: 9. Of the last capability of all, the end of the object is told, once. */
void prove_last(void)
{
    struct tlb_batch batch = {0};
    struct cap_view view;

    build(CHAIN);
    view = view_of(0);
    assert(cap_revoke(&view, &batch) == CAP_DONE && ends_told == 0);
    assert(delete_one(0) == CAP_DONE && ends_told == 1);
    for (unsigned i = 0; i < IN_TREE; i++)
        goes(i);
    assert_sound(before, IN_TREE);
}

static void assert_made(unsigned target, const struct cap_view *wish)
{
    uint8_t order[SLOTS];
    unsigned at = 0;
    const struct capability *made = &slots[IN_TREE];

    in_tree[IN_TREE] = true;
    parents[IN_TREE] = (uint8_t)target;
    for (unsigned i = 0; i < IN_TREE; i++) {
        order[at++] = before[i];
        if (before[i] == target)
            order[at++] = IN_TREE; /* the first of the children */
    }
    assert_sound(order, SLOTS);
    assert(made->key == key_of(IN_TREE) && made->type == MNOS_TYPE_ENDPOINT && made->child == 0);
    assert(made->rights == wish->rights && made->depth == slots[target].depth + 1);
    assert(made->badge == wish->badge && made->event_mask == wish->event_mask);
    assert(made->flags == 0 && made->waiters == NULL);
}

/* What keeps a child from being made, or nothing. */
enum situation { POSSIBLE, DYING, DEEP, REVOKED };

/* From what one more is made: what `cases` lists, and these. */
static const struct {
    uint8_t shape, target, situation;
} hindered[] = {{0, 4, DYING}, {2, 4, DEEP}, {2, 0, REVOKED}, {2, 4, REVOKED}, {3, 1, REVOKED}};

enum { HINDERED = sizeof(hindered) / sizeof(hindered[0]) };

/* `target` is as deep as something may be from which one more is made, or one deeper. */
static void choose_situation(unsigned target, enum situation situation)
{
    unsigned higher = CAP_DEPTH_MAX - slots[target].depth - (situation != DEEP);

    for (unsigned i = 0; i < IN_TREE; i++)
        slots[i].depth = (uint8_t)(slots[i].depth + higher);
    object->dying = situation == DYING;
    if (situation != REVOKED)
        return;
    slots[0].flags = CAP_REVOKING;
    object->revoking = 1;
}

static void do_derive(unsigned target, enum situation situation)
{
    struct cap_view wish = view_of(target);
    mnos_cap_t handle;
    mnos_status_t status;

    choose_situation(target, situation);
    wish.rights &= nondet_uint8();
    wish.badge = nondet_uint64();
    wish.event_mask = nondet_uint64();
    status = cap_derive(&process, &wish, 0, &handle);
    if (situation == POSSIBLE || (situation == REVOKED && target != 0 && !is_below(target, 0))) {
        assert(status == MNOS_OK && handle == key_of(IN_TREE));
        assert_made(target, &wish);
    } else {
        assert(status == MNOS_ERR_STATE);
        assert_sound(before, IN_TREE);
    }
}

static void do_derive_possible(unsigned target)
{
    do_derive(target, POSSIBLE);
}

/* Unwind: 9, for_each.0 9. The child is the first of those of what it is made from. */
void prove_derive(void)
{
    for_each(do_derive_possible);
}

/* Unwind: 9, prove_derive_hindered.0 6. Nothing is made of what dies, is too deep, or is revoked. */
void prove_derive_hindered(void)
{
    unsigned chosen = nondet_uint32();

    for (unsigned number = 0; number < HINDERED; number++)
        if (is_case(chosen, number)) {
            build(hindered[number].shape);
            do_derive(hindered[number].target, hindered[number].situation);
            assume(false);
        }
}
