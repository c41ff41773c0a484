// SPDX-License-Identifier: MIT
/* memmap - see memmap.h. */
#include "memmap.h"

#include <string.h>

static uint64_t range_end(const struct boot_range *range)
{
    return range->base + range->length;
}

/* Removes the range at `index` by closing the gap. */
static void remove_range(struct boot_memmap *map, unsigned index)
{
    map->count--;
    for (unsigned i = index; i < map->count; i++)
        map->ranges[i] = map->ranges[i + 1];
}

/* Joins neighbours of one type among the ranges first .. last. */
static void merge_ranges(struct boot_memmap *map, unsigned first, unsigned last)
{
    unsigned i = first;

    while (i < last && i + 1 < map->count) {
        struct boot_range *low = &map->ranges[i], *high = &map->ranges[i + 1];

        if (range_end(low) == high->base && low->type == high->type) {
            low->length += high->length;
            remove_range(map, i + 1);
            last--;
        } else {
            i++;
        }
    }
}

/* Puts `parts`, at most two more, in the place of the ranges first .. end - 1. */
static void replace_ranges(struct boot_memmap *map, unsigned first, unsigned end,
                           const struct boot_range *parts, unsigned part_count)
{
    memmove(&map->ranges[first + part_count], &map->ranges[end],
            (map->count - end) * sizeof map->ranges[0]);
    for (unsigned i = 0; i < part_count; i++)
        map->ranges[first + i] = parts[i];
    map->count += part_count - (end - first);
}

/* The first range that ends behind `address`. */
static unsigned find_range(const struct boot_memmap *map, uint64_t address)
{
    unsigned low = 0, high = map->count;

    while (low < high) {
        unsigned middle = (low + high) / 2;

        if (range_end(&map->ranges[middle]) <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* base and end are page aligned and base < end. */
static void set_pages(struct boot_memmap *map, uint64_t base, uint64_t end, uint64_t type)
{
    struct boot_range parts[3];
    unsigned part_count = 0, first = find_range(map, base), last = first;

    while (last < map->count && map->ranges[last].base < end)
        last++;

    if (last > first && map->ranges[first].base < base)
        parts[part_count++] = (struct boot_range){
            map->ranges[first].base, base - map->ranges[first].base, map->ranges[first].type};
    parts[part_count++] = (struct boot_range){base, end - base, type};
    if (last > first && range_end(&map->ranges[last - 1]) > end)
        parts[part_count++] = (struct boot_range){end, range_end(&map->ranges[last - 1]) - end,
                                                  map->ranges[last - 1].type};

    replace_ranges(map, first, last, parts, part_count);
    merge_ranges(map, first > 0 ? first - 1 : 0, first + part_count);
}

/* Index of the smallest range of this type; the count of ranges: there is none. */
static unsigned find_smallest(const struct boot_memmap *map, uint64_t type)
{
    unsigned found = map->count;

    for (unsigned i = 0; i < map->count; i++) {
        if (map->ranges[i].type == type &&
            (found == map->count || map->ranges[i].length < map->ranges[found].length))
            found = i;
    }
    return found;
}

/* An address that is not listed is nobody's to use, so reserved memory can be forgotten: what restricts
 * usable memory was set after it. Ranges in use come last, and are not done without. */
static void drop_range(struct boot_memmap *map)
{
    static const uint8_t order[] = {
        BOOT_MEMORY_RESERVED,         BOOT_MEMORY_BAD,    BOOT_MEMORY_USABLE, BOOT_MEMORY_ACPI_NVS,
        BOOT_MEMORY_ACPI_RECLAIMABLE, BOOT_MEMORY_LOADER,
    };

    for (unsigned i = 0; i < sizeof order; i++) {
        unsigned index = find_smallest(map, order[i]);

        if (index == map->count)
            continue;
        if (order[i] == BOOT_MEMORY_USABLE) {
            map->dropped_count++;
            map->dropped_bytes += map->ranges[index].length;
        }
        map->is_lost |= order[i] == BOOT_MEMORY_LOADER;
        remove_range(map, index);
        return;
    }
    map->is_lost = true;
    remove_range(map, map->count - 1);
}

/* The end of a range, cut at the last page of the address space so that no end wraps to 0. */
static uint64_t clipped_end(uint64_t base, uint64_t length)
{
    uint64_t top = ~BOOT_PAGE_MASK;

    if (base >= top || length > top - base)
        return top;
    return base + length;
}

void boot_memmap_clear(struct boot_memmap *map)
{
    map->count = 0;
    map->capacity = BOOT_MEMMAP_CAPACITY;
    map->dropped_count = 0;
    map->dropped_bytes = 0;
    map->is_lost = false;
}

void boot_memmap_copy(struct boot_memmap *to, const struct boot_memmap *from)
{
    memcpy(to, from, offsetof(struct boot_memmap, ranges) + from->count * sizeof from->ranges[0]);
}

void boot_memmap_set(struct boot_memmap *map, uint64_t base, uint64_t length,
                     enum boot_memory_type type)
{
    uint64_t end = (clipped_end(base, length) + BOOT_PAGE_MASK) & ~BOOT_PAGE_MASK;

    base &= ~BOOT_PAGE_MASK;
    if (length == 0 || base >= end)
        return;
    set_pages(map, base, end, type);
    while (map->count > map->capacity)
        drop_range(map);
}

/* ---- from what the firmware says ---- */

static uint8_t *raw_entry(const struct boot_raw_map *raw, uint64_t index)
{
    return (uint8_t *)raw->entries + index * raw->entry_bytes;
}

static uint64_t raw_base(const struct boot_raw_map *raw, uint64_t index)
{
    uint64_t base;

    memcpy(&base, raw_entry(raw, index) + raw->base_at, sizeof base);
    return base;
}

static void raw_swap(const struct boot_raw_map *raw, uint64_t a, uint64_t b)
{
    uint8_t *left = raw_entry(raw, a), *right = raw_entry(raw, b);

    for (uint64_t i = 0; i < raw->entry_bytes; i++) {
        uint8_t byte = left[i];

        left[i] = right[i];
        right[i] = byte;
    }
}

/* Lets the entry at `at` sink to its place in the heap of the first `count`. */
static void raw_sink(const struct boot_raw_map *raw, uint64_t at, uint64_t count)
{
    for (uint64_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && raw_base(raw, child + 1) > raw_base(raw, child))
            child++;
        if (raw_base(raw, child) <= raw_base(raw, at))
            return;
        raw_swap(raw, at, child);
    }
}

/* Heap sort: in place, and no order of the entries makes it slow. Most maps are sorted already. */
static void raw_sort(const struct boot_raw_map *raw)
{
    uint64_t sorted = 1;

    while (sorted < raw->count && raw_base(raw, sorted - 1) <= raw_base(raw, sorted))
        sorted++;
    if (sorted >= raw->count)
        return;
    for (uint64_t i = raw->count / 2; i-- > 0;)
        raw_sink(raw, i, raw->count);
    for (uint64_t left = raw->count; left-- > 1;) {
        raw_swap(raw, 0, left);
        raw_sink(raw, 0, left);
    }
}

static void set_raw(struct boot_memmap *map, const struct boot_range *raw, uint64_t limit)
{
    uint64_t base = raw->base, end = clipped_end(base, raw->length);

    if (end > limit)
        end = limit;
    if (raw->type == BOOT_MEMORY_USABLE) {
        if (base > ~BOOT_PAGE_MASK)
            return;
        base = (base + BOOT_PAGE_MASK) & ~BOOT_PAGE_MASK;
        end &= ~BOOT_PAGE_MASK;
    }
    if (base < end)
        boot_memmap_set(map, base, end - base, raw->type);
}

/* In ascending order, so that a range meets those it merges with before others are counted. */
void boot_memmap_build(struct boot_memmap *map, const struct boot_raw_map *raw, uint64_t limit)
{
    /* Later types override earlier ones. */
    static const uint8_t order[] = {
        BOOT_MEMORY_USABLE,   BOOT_MEMORY_LOADER,
        BOOT_MEMORY_KERNEL,   BOOT_MEMORY_ACPI_RECLAIMABLE,
        BOOT_MEMORY_ACPI_NVS, BOOT_MEMORY_RESERVED,
        BOOT_MEMORY_BAD,      BOOT_MEMORY_FRAMEBUFFER,
    };

    boot_memmap_clear(map);
    raw_sort(raw);
    for (unsigned step = 0; step < sizeof order; step++) {
        for (uint64_t i = 0; i < raw->count; i++) {
            struct boot_range range = raw->read(raw_entry(raw, i));

            if (range.type == order[step])
                set_raw(map, &range, limit);
        }
    }
}

/* ---- using it ---- */

bool boot_memmap_lists(const struct boot_memmap *map, uint64_t base, uint64_t length)
{
    uint64_t at = base, end = clipped_end(base, length);

    for (unsigned i = find_range(map, base); i < map->count && at < end; i++) {
        if (map->ranges[i].base > at)
            return false;
        at = range_end(&map->ranges[i]);
    }
    return at >= end;
}

bool boot_memmap_has_ram(const struct boot_memmap *map, uint64_t base, uint64_t length)
{
    uint64_t end = clipped_end(base, length);

    for (unsigned i = find_range(map, base); i < map->count && map->ranges[i].base < end; i++) {
        if (boot_memory_is_mapped(map->ranges[i].type))
            return true;
    }
    return false;
}

uint64_t boot_memmap_allocate(struct boot_memmap *map, uint64_t page_count, uint64_t below,
                              enum boot_memory_type type)
{
    uint64_t size = page_count * BOOT_PAGE_SIZE;

    if (page_count == 0 || page_count > UINT64_MAX / BOOT_PAGE_SIZE)
        return 0;
    for (unsigned i = map->count; i-- > 0;) {
        const struct boot_range *range = &map->ranges[i];
        uint64_t base = range->base == 0 ? BOOT_PAGE_SIZE : range->base;
        uint64_t end = range_end(range) < below ? range_end(range) : below & ~BOOT_PAGE_MASK;

        if (range->type != BOOT_MEMORY_USABLE || end <= base || end - base < size)
            continue;
        boot_memmap_set(map, end - size, size, type);
        return end - size;
    }
    return 0;
}

uint64_t boot_memmap_ram(const struct boot_memmap *map)
{
    uint64_t total = 0;

    for (unsigned i = 0; i < map->count; i++) {
        uint64_t type = map->ranges[i].type;

        if (type == BOOT_MEMORY_USABLE || type == BOOT_MEMORY_LOADER || type == BOOT_MEMORY_KERNEL)
            total += map->ranges[i].length;
    }
    return total;
}

bool boot_memory_is_mapped(uint64_t type)
{
    return type == BOOT_MEMORY_USABLE || type == BOOT_MEMORY_LOADER || type == BOOT_MEMORY_KERNEL ||
           type == BOOT_MEMORY_FRAMEBUFFER;
}
