// SPDX-License-Identifier: MIT
/* memmap - see memmap.h. */
#include "memmap.h"

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

/* Puts `parts` in the place of the ranges first .. end - 1. */
static bool replace_ranges(struct boot_memmap *map, unsigned first, unsigned end,
                           const struct boot_range *parts, unsigned part_count)
{
    unsigned removed = end - first;
    unsigned count = map->count - removed + part_count;

    if (count > BOOT_MEMMAP_CAPACITY)
        return false;
    if (part_count > removed) {
        for (unsigned i = map->count; i-- > end;)
            map->ranges[i + part_count - removed] = map->ranges[i];
    } else if (part_count < removed) {
        for (unsigned i = end; i < map->count; i++)
            map->ranges[i + part_count - removed] = map->ranges[i];
    }
    for (unsigned i = 0; i < part_count; i++)
        map->ranges[first + i] = parts[i];
    map->count = count;
    return true;
}

/* base and end are page aligned and base < end. */
static bool set_pages(struct boot_memmap *map, uint64_t base, uint64_t end, uint64_t type)
{
    struct boot_range parts[3];
    unsigned part_count = 0, first = 0, last;

    while (first < map->count && range_end(&map->ranges[first]) <= base)
        first++;
    last = first;
    while (last < map->count && map->ranges[last].base < end)
        last++;

    if (last > first && map->ranges[first].base < base)
        parts[part_count++] = (struct boot_range){
            map->ranges[first].base, base - map->ranges[first].base, map->ranges[first].type};
    parts[part_count++] = (struct boot_range){base, end - base, type};
    if (last > first && range_end(&map->ranges[last - 1]) > end)
        parts[part_count++] = (struct boot_range){end, range_end(&map->ranges[last - 1]) - end,
                                                  map->ranges[last - 1].type};

    if (!replace_ranges(map, first, last, parts, part_count))
        return false;
    merge_ranges(map, first > 0 ? first - 1 : 0, first + part_count);
    return true;
}

/* The end of a range, cut at the last page of the address space so that no end wraps to 0. */
static uint64_t clipped_end(uint64_t base, uint64_t length)
{
    uint64_t top = ~BOOT_PAGE_MASK;

    if (base >= top || length > top - base)
        return top;
    return base + length;
}

bool boot_memmap_set(struct boot_memmap *map, uint64_t base, uint64_t length,
                     enum boot_memory_type type)
{
    uint64_t end = (clipped_end(base, length) + BOOT_PAGE_MASK) & ~BOOT_PAGE_MASK;

    base &= ~BOOT_PAGE_MASK;
    if (length == 0 || base >= end)
        return true;
    return set_pages(map, base, end, type);
}

bool boot_memmap_build(struct boot_memmap *map, const struct boot_range *raw, unsigned raw_count)
{
    /* Later types override earlier ones. */
    static const uint8_t order[] = {
        BOOT_MEMORY_USABLE,   BOOT_MEMORY_LOADER,
        BOOT_MEMORY_KERNEL,   BOOT_MEMORY_ACPI_RECLAIMABLE,
        BOOT_MEMORY_ACPI_NVS, BOOT_MEMORY_RESERVED,
        BOOT_MEMORY_BAD,      BOOT_MEMORY_FRAMEBUFFER,
    };

    map->count = 0;
    for (unsigned step = 0; step < sizeof order; step++) {
        for (unsigned i = 0; i < raw_count; i++) {
            uint64_t base = raw[i].base, end = clipped_end(base, raw[i].length);

            if (raw[i].type != order[step])
                continue;
            if (raw[i].type == BOOT_MEMORY_USABLE) {
                if (base > ~BOOT_PAGE_MASK)
                    continue;
                base = (base + BOOT_PAGE_MASK) & ~BOOT_PAGE_MASK;
                end &= ~BOOT_PAGE_MASK;
            }
            if (base < end && !boot_memmap_set(map, base, end - base, order[step]))
                return false;
        }
    }
    return true;
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
        return boot_memmap_set(map, end - size, size, type) ? end - size : 0;
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
