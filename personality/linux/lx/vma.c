// SPDX-License-Identifier: MIT
/* vma - see vma.h. */
#include "personality/linux/lx/vma.h"

#include <stddef.h>

#include "lib/base/string.h"
#include "personality/linux/lx/piece.h"

uint32_t vma_index(const struct vma_set *set, uint64_t address)
{
    uint32_t low = 0, high = set->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (set->areas[middle].end > address)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

struct vma *vma_find(const struct vma_set *set, uint64_t address)
{
    uint32_t index = vma_index(set, address);

    return index < set->count && set->areas[index].start <= address ? &set->areas[index] : NULL;
}

/* Room for so many more areas. */
static bool reserve(struct vma_set *set, uint32_t more)
{
    uint32_t capacity = set->capacity == 0 ? 32 : set->capacity * 2;
    struct vma *areas;

    if (set->count + more <= set->capacity)
        return true;
    areas = piece_allocate(capacity * sizeof *areas);
    if (areas == NULL)
        return false;
    if (set->count != 0)
        memcpy(areas, set->areas, set->count * sizeof *areas);
    piece_free(set->areas);
    set->areas = areas;
    set->capacity = capacity;
    return true;
}

static void hold(const struct vma_set *set, const struct vma *area)
{
    if (area->file != NULL)
        set->hold(area->file);
}

static void put_at(struct vma_set *set, uint32_t index, const struct vma *area)
{
    memmove(&set->areas[index + 1], &set->areas[index], (set->count - index) * sizeof *set->areas);
    set->areas[index] = *area;
    set->count++;
}

static void take_out(struct vma_set *set, uint32_t index, uint32_t count)
{
    if (count == 0)
        return;
    for (uint32_t i = index; i < index + count; i++) {
        if (set->areas[i].file != NULL)
            set->release(set->areas[i].file);
    }
    set->count -= count;
    memmove(&set->areas[index], &set->areas[index + count],
            (set->count - index) * sizeof *set->areas);
}

/* Whether `b` is what `a` would be if it went on. */
static bool goes_on(const struct vma *a, const struct vma *b)
{
    return a->end == b->start && a->protection == b->protection && a->flags == b->flags &&
           a->file == b->file &&
           (a->file == NULL ||
            (a->data_end == b->data_end && a->offset + (a->end - a->start) == b->offset));
}

/* Joins the area at an index with the one before it, if they are one. */
static void join(struct vma_set *set, uint32_t index)
{
    if (index == 0 || index >= set->count || !goes_on(&set->areas[index - 1], &set->areas[index]))
        return;
    set->areas[index - 1].end = set->areas[index].end;
    take_out(set, index, 1);
}

bool vma_insert(struct vma_set *set, const struct vma *area)
{
    uint32_t index = vma_index(set, area->start);

    if (set->count == set->limit || !reserve(set, 1))
        return false;
    put_at(set, index, area);
    hold(set, area);
    join(set, index + 1);
    join(set, index);
    return true;
}

/* The part of an area from `start` on. */
static void cut_front(struct vma *area, uint64_t start)
{
    area->offset += start - area->start;
    area->start = start;
}

/* Makes an address the border of two areas. There is room. */
static void split_at(struct vma_set *set, uint64_t address)
{
    uint32_t index = vma_index(set, address);
    struct vma behind;

    if (index == set->count || set->areas[index].start >= address)
        return;
    behind = set->areas[index];
    cut_front(&behind, address);
    set->areas[index].end = address;
    put_at(set, index + 1, &behind);
    hold(set, &behind);
}

static bool splits(const struct vma_set *set, uint64_t address)
{
    const struct vma *area = vma_find(set, address);

    return area != NULL && area->start != address;
}

static bool split_both(struct vma_set *set, uint64_t start, uint64_t end)
{
    if (!reserve(set, (uint32_t)splits(set, start) + (uint32_t)splits(set, end)))
        return false;
    split_at(set, start);
    split_at(set, end);
    return true;
}

bool vma_remove(struct vma_set *set, uint64_t start, uint64_t end)
{
    uint32_t first;

    /* Only one that loses its middle becomes two. */
    if (set->count == set->limit && splits(set, start) &&
        vma_find(set, start) == vma_find(set, end))
        return false;
    if (!split_both(set, start, end))
        return false;
    first = vma_index(set, start);
    take_out(set, first, vma_index(set, end) - first);
    return true;
}

bool vma_move(struct vma_set *set, uint64_t start, uint64_t end, const struct vma *moved)
{
    bool done;

    if (set->count + splits(set, start) + splits(set, end) > set->limit)
        return false;
    hold(set, moved); /* while no area has its file */
    done = vma_remove(set, start, end) && vma_insert(set, moved);
    if (moved->file != NULL)
        set->release(moved->file);
    return done;
}

bool vma_protect(struct vma_set *set, uint64_t start, uint64_t end, uint32_t protection)
{
    uint32_t first, last;

    if (set->count + splits(set, start) + splits(set, end) > set->limit)
        return false;
    if (!split_both(set, start, end))
        return false;
    first = vma_index(set, start);
    last = vma_index(set, end);
    for (uint32_t i = first; i < last; i++)
        set->areas[i].protection = protection;
    for (uint32_t i = last + 1; i-- > first;)
        join(set, i);
    return true;
}

bool vma_covers(const struct vma_set *set, uint64_t start, uint64_t end)
{
    for (uint32_t i = vma_index(set, start); i < set->count && set->areas[i].start <= start; i++) {
        start = set->areas[i].end;
        if (start >= end)
            return true;
    }
    return start >= end;
}

uint64_t vma_gap(const struct vma_set *set, uint64_t low, uint64_t high, uint64_t bytes)
{
    uint32_t index = vma_index(set, high - 1);

    if (index < set->count && set->areas[index].start < high)
        high = set->areas[index].start;
    while (high >= low && high - low >= bytes) {
        uint64_t below = index == 0 ? low : set->areas[index - 1].end;

        if (below < low)
            below = low;
        if (high > below && high - below >= bytes)
            return high - bytes;
        if (index == 0)
            break;
        high = set->areas[--index].start;
    }
    return 0;
}
