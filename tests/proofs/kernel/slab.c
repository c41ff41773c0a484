// SPDX-License-Identifier: MIT
/*
 * slab.c - caches of equal objects: from each of the listed slabs, taking an object and filling a magazine keep S1 and S2,
 * count the empty slabs, and give nothing out that somebody has, and nothing outside of the slab. Objects do not come back.
 *
 * Shapes: a slab of three objects of 64 bytes, of which those listed below are out, free, or were never out; another one that
 * is empty, or none; a magazine of one core. Frames have 256 bytes. Stub: the frame allocator, which has one more slab, or
 * none. One core.
 */
enum { PLACES = 2 };
#include "tests/proofs/kernel/direct_map.h"

#include "core.h"
#include "mm/frame.h"

#undef PAGE_BYTES
#define PAGE_BYTES ((size_t)256)

#include "kernel/mm/slab.c"

/* What the proof itself reads wrongly breaks a claim: without checks of their own, cbmc is twice as fast. */
#pragma CPROVER check push
#pragma CPROVER check disable "pointer"
#pragma CPROVER check disable "pointer-overflow"

enum { OBJECTS = 3, OBJECT_BYTES = 64 };

struct object {
    struct free_object link;
    char rest[OBJECT_BYTES - sizeof(struct free_object)];
};

struct memory {
    struct slab head;
    struct object objects[OBJECTS];
};

static struct memory slab, second;
static struct slab_cache cache;
static bool has_frame, given;
struct core *proof_core;

/* ---- the direct map and stubs ---- */

static void *const places[PLACES] = {&slab, &second};

static unsigned place_of(const void *pointer)
{
    return pointer == &slab ? 0 : 1;
}

paddr_t frame_alloc_group(uint64_t count, uint64_t align)
{
    assert(count == 1 && align == 1);
    if (!has_frame)
        return PADDR_NONE;
    has_frame = false;
    given = true;
    return PLACE_ADDRESS(1);
}

/* ---- shapes ---- */

enum { NONE = OBJECTS };

struct shape {
    uint8_t fresh;         /* from this one on, none was ever out */
    uint8_t free[OBJECTS]; /* in the order of the list; NONE: no more */
};

static const struct shape shapes[] = {
    {0, {NONE, NONE, NONE}}, {1, {NONE, NONE, NONE}}, {2, {0, NONE, NONE}}, {2, {NONE, NONE, NONE}},
    {3, {NONE, NONE, NONE}}, {3, {1, NONE, NONE}},    {3, {2, 1, NONE}},
};

enum { SHAPES = sizeof(shapes) / sizeof(shapes[0]), SECONDS = 2 };

/* The objects that are in the list of a slab, in front those of `free`; then no more. */
static void assert_free(const struct memory *of, const uint8_t *free)
{
    struct free_object *at = of->head.free;
    unsigned i = 0;

    for (; i < OBJECTS && free[i] != NONE; i++) {
        assert(at == &of->objects[free[i]].link);
        at = at->next;
    }
    assert(at == NULL);
}

static unsigned count_free(const uint8_t *free)
{
    unsigned count = 0;

    while (count < OBJECTS && free[count] != NONE)
        count++;
    return count;
}

static void build_slab(const struct shape *shape)
{
    unsigned free = count_free(shape->free);

    slab.head.cache = &cache;
    slab.head.fresh = shape->fresh;
    slab.head.used = shape->fresh - free;
    slab.head.free = NULL;
    for (unsigned i = free; i-- > 0;) {
        slab.objects[shape->free[i]].link.next = slab.head.free;
        slab.head.free = &slab.objects[shape->free[i]].link;
    }
    list_init(&slab.head.link);
    if (slab.head.used < OBJECTS)
        list_append(&cache.partial, &slab.head.link);
    cache.empty_count = slab.head.used == 0;
}

/* With a second slab, which is empty and behind the first. */
static void build(const struct shape *shape, bool has_second)
{
    cache.object_bytes = OBJECT_BYTES;
    cache.slab_frames = 1;
    cache.slab_objects = OBJECTS;
    spin_init(&cache.lock, LOCK_SLAB);
    list_init(&cache.partial);
    build_slab(shape);
    has_frame = given = false;
    if (!has_second)
        return;
    second.head = (struct slab){.cache = &cache};
    list_append(&cache.partial, &second.head.link);
    cache.empty_count++;
}

/* ---- what holds ---- */

static bool is_in_partial(const struct memory *of)
{
    return of->head.link.next != &of->head.link;
}

/* S1 and S2 of a slab with so many objects out and `fresh` of them once so; the list is of those in free[]. */
static void assert_slab(const struct memory *of, unsigned used, unsigned fresh, const uint8_t *free)
{
    assert(of->head.cache == &cache && of->head.used == used && of->head.fresh == fresh);
    assert(is_in_partial(of) == (used < OBJECTS));
    assert_free(of, free);
}

/* The list is a ring of these slabs. */
static void assert_partial(bool has_first, bool has_second)
{
    unsigned count = 0;

    for (struct list *at = cache.partial.next; at != &cache.partial; at = at->next, count++)
        assert(at->next->prev == at && at->prev->next == at);
    assert(count == (unsigned)has_first + has_second);
    assert(cache.partial.prev->next == &cache.partial);
}

static void for_each(void (*operation)(const struct shape *shape, bool has_second))
{
    unsigned chosen = nondet_uint32();

    for (unsigned number = 0; number < SHAPES * SECONDS; number++)
        if (is_case(chosen, number)) {
            const struct shape *shape = &shapes[number / SECONDS];

            build(shape, number % SECONDS != 0);
            operation(shape, number % SECONDS != 0);
            assume(false); /* cases do not meet again */
        }
}

/* ---- proofs ---- */

static void do_take(const struct shape *shape, bool has_second)
{
    unsigned free = count_free(shape->free), used = shape->fresh - free;
    unsigned index = free == 0 ? shape->fresh : shape->free[0];
    uint8_t left[OBJECTS] = {shape->free[1], shape->free[2], NONE};
    static const uint8_t nothing[OBJECTS] = {NONE, NONE, NONE};

    if (used == OBJECTS || (used == 0 && has_second))
        return; /* S1: nobody takes of a full one; S3 */
    assert(slab_take_locked(&cache, &slab.head) == &slab.objects[index]);
    assert_slab(&slab, used + 1, shape->fresh + (free == 0), free == 0 ? nothing : left);
    assert_partial(used + 1 < OBJECTS, has_second);
    assert(cache.empty_count == has_second);
}

/* Unwind: 4, for_each.0 15. */
void prove_take(void)
{
    for_each(do_take);
}

/* Of the magazine that a refill has filled: objects of `of`, and each one once. */
static unsigned count_of(const struct slab_magazine *magazine, const struct memory *of)
{
    unsigned count = 0;

    for (unsigned i = 0; i < OBJECTS; i++) {
        unsigned times = 0;

        for (unsigned j = 0; j < magazine->count; j++)
            times += magazine->objects[j] == &of->objects[i];
        assert(times <= 1);
        count += times;
    }
    return count;
}

static void do_refill(const struct shape *shape, bool has_second)
{
    struct slab_magazine *magazine = &cache.magazines[0];
    unsigned used = shape->fresh - count_free(shape->free);
    bool filled;

    if (used == 0 && has_second)
        return; /* S3 */
    magazine->count = 0;
    has_frame = !has_second;
    filled = slab_refill(&cache, magazine);
    assert(filled && given == !has_second);
    assert(count_of(magazine, &slab) == OBJECTS - used && count_of(magazine, &second) == OBJECTS);
    assert(magazine->count == OBJECTS - used + OBJECTS);
    assert(slab.head.used == OBJECTS && second.head.used == OBJECTS);
    assert_partial(false, false);
    assert(cache.empty_count == 0 && !spin_is_locked(&cache.lock));
    assert(!is_in_partial(&slab) && !is_in_partial(&second));
}

/* Unwind: 9, for_each.0 15. All that there is goes into the magazine, and one more slab. */
void prove_refill(void)
{
    for_each(do_refill);
}

/* Unwind: 3. No slab, and no frame. */
void prove_spent(void)
{
    build(&shapes[4], false);
    cache.magazines[0].count = 0;
    assert(!slab_refill(&cache, &cache.magazines[0]) && cache.magazines[0].count == 0);
    assert(!spin_is_locked(&cache.lock) && list_empty(&cache.partial));
}
