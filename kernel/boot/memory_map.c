// SPDX-License-Identifier: MIT
/*
 * memory_map.c - see memory_map.h. What a loader says is taken apart by types: free memory first, then
 * what others claim is cut from it, last what is in use. So a map that contradicts itself never makes us
 * hand out memory that somebody uses, and ranges that touch are one before they are counted.
 */
#include "boot/memory_map.h"

#include "arch/arch.h"
#include "boot/bootinfo.h"
#include "lib/base/string.h"
#include "base/log.h"
#include "base/panic.h"

#define FRAME_MASK ((paddr_t)PAGE_BYTES - 1)

/* RAM that is not used. */
static struct {
    uint64_t bytes_above;   /* RAM_LIMIT */
    uint64_t bytes_dropped; /* no room for their ranges */
    uint32_t ranges_dropped;
} unused;

static bool is_free(enum boot_range_type type)
{
    return type == BOOT_RANGE_USABLE || type == BOOT_RANGE_RECLAIMABLE;
}

static enum boot_range_type range_type(uint64_t limine_type)
{
    switch (limine_type) {
    case LIMINE_USABLE: return BOOT_RANGE_USABLE;
    case LIMINE_BOOTLOADER: return BOOT_RANGE_RECLAIMABLE;
    case LIMINE_KERNEL_AND_MODULES: return BOOT_RANGE_KERNEL;
    default: return BOOT_RANGE_OTHER;
    }
}

/* ---- the table ---- */

static struct boot_range *range_at(uint32_t index)
{
    return &boot_info.ranges[index];
}

/* The first range that ends behind `address`. */
static uint32_t find(paddr_t address)
{
    uint32_t low = 0, high = boot_info.range_count;

    while (low < high) {
        uint32_t middle = (low + high) / 2;

        if (range_at(middle)->end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void remove_at(uint32_t index, uint32_t count)
{
    boot_info.range_count -= count;
    memmove(range_at(index), range_at(index + count),
            (boot_info.range_count - index) * sizeof(struct boot_range));
}

static void insert_at(uint32_t index, struct boot_range range)
{
    memmove(range_at(index + 1), range_at(index),
            (boot_info.range_count - index) * sizeof(struct boot_range));
    *range_at(index) = range;
    boot_info.range_count++;
}

/* Takes [base, end) from every range. */
static void cut(paddr_t base, paddr_t end)
{
    uint32_t i = find(base), last;

    if (i == boot_info.range_count || range_at(i)->base >= end)
        return;
    if (range_at(i)->base < base) {
        struct boot_range rest = {end, range_at(i)->end, range_at(i)->type};

        range_at(i)->end = base;
        i++;
        if (rest.end > end) {
            insert_at(i, rest);
            return;
        }
    }
    for (last = i; last < boot_info.range_count && range_at(last)->end <= end;)
        last++;
    remove_at(i, last - i);
    if (i < boot_info.range_count && range_at(i)->base < end)
        range_at(i)->base = end;
}

/* Makes room in a full table: the smallest free range is the least useful one. The loader's memory is
 * not dropped: page tables and parked processors are in it. */
static void drop_smallest(void)
{
    uint32_t found = UINT32_MAX;

    for (uint32_t i = 0; i < boot_info.range_count; i++) {
        const struct boot_range *range = range_at(i);

        if (range->type == BOOT_RANGE_USABLE &&
            (found == UINT32_MAX ||
             range->end - range->base < range_at(found)->end - range_at(found)->base))
            found = i;
    }
    if (found == UINT32_MAX)
        panic("more than %u ranges of memory are in use", (unsigned)BOOT_RANGES_MAX);
    unused.ranges_dropped++;
    unused.bytes_dropped += range_at(found)->end - range_at(found)->base;
    remove_at(found, 1);
}

/* [base, end) has this type from now on. */
static void put(paddr_t base, paddr_t end, enum boot_range_type type)
{
    uint32_t i;

    if (base >= end)
        return;
    cut(base, end);
    i = find(base);
    insert_at(i, (struct boot_range){base, end, type});
    if (i + 1 < boot_info.range_count && range_at(i + 1)->base == end &&
        range_at(i + 1)->type == type) {
        range_at(i)->end = range_at(i + 1)->end;
        remove_at(i + 1, 1);
    }
    if (i > 0 && range_at(i - 1)->end == base && range_at(i - 1)->type == type) {
        range_at(i - 1)->end = range_at(i)->end;
        remove_at(i, 1);
    }
    while (boot_info.range_count > BOOT_RANGES_MAX)
        drop_smallest();
}

/* ---- the loader's entries ---- */

/* Whole frames that are entirely inside, as far as references between slots reach. */
static void put_free(const struct limine_memory_entry *entry, enum boot_range_type type)
{
    paddr_t physical_end = arch_physical_pages() << PAGE_SHIFT;
    paddr_t base, end;

    if (entry->length > UINT64_MAX - PAGE_BYTES - entry->base)
        return; /* beyond the end of the address space */
    base = (entry->base + FRAME_MASK) & ~FRAME_MASK;
    end = (entry->base + entry->length) & ~FRAME_MASK;
    if (end > physical_end)
        end = physical_end; /* what the processor cannot address is not there */
    if (end > RAM_LIMIT) {
        if (end > base)
            unused.bytes_above += end - (base > RAM_LIMIT ? base : RAM_LIMIT);
        end = RAM_LIMIT;
    }
    put(base, end, type);
}

/* All frames that memory in use touches. */
static void frames_touched(uint64_t base, uint64_t length, paddr_t *first, paddr_t *end)
{
    *first = base & ~FRAME_MASK;
    *end = length > UINT64_MAX - PAGE_BYTES - base ? ~FRAME_MASK
                                                   : (base + length + FRAME_MASK) & ~FRAME_MASK;
}

static void put_entry(const struct limine_memory_entry *entry, enum boot_range_type type)
{
    paddr_t first, end;

    if (entry->length == 0)
        return;
    if (is_free(type)) {
        put_free(entry, type);
        return;
    }
    frames_touched(entry->base, entry->length, &first, &end);
    if (type == BOOT_RANGE_KERNEL)
        put(first, end, type);
    else
        cut(first, end);
}

/* One line for each reason. */
static void report_unused(void)
{
    if (unused.bytes_above != 0)
        log_warning("memory: %lu MiB above %lu GiB are not used", unused.bytes_above >> 20,
                    (uint64_t)RAM_LIMIT >> 30);
    if (unused.ranges_dropped != 0)
        log_warning("memory: more than %u ranges: the smallest free ones, %u of %lu KiB in all, "
                    "are not used",
                    (unsigned)BOOT_RANGES_MAX, unused.ranges_dropped, unused.bytes_dropped >> 10);
}

void memory_map_read(const struct limine_memory_map *map)
{
    static const enum boot_range_type order[] = {BOOT_RANGE_USABLE, BOOT_RANGE_RECLAIMABLE,
                                                 BOOT_RANGE_OTHER, BOOT_RANGE_KERNEL};

    boot_info.range_count = 0;
    memset(&unused, 0, sizeof(unused));
    for (unsigned step = 0; step < sizeof(order) / sizeof(order[0]); step++)
        for (uint64_t i = 0; i < map->count; i++)
            if (range_type(map->list[i]->type) == order[step])
                put_entry(map->list[i], order[step]);
    report_unused();
}

bool memory_map_overlaps(paddr_t base, uint64_t bytes)
{
    uint32_t i = find(base);

    return i < boot_info.range_count && range_at(i)->base < base + bytes;
}

bool memory_map_claim(paddr_t base, uint64_t bytes)
{
    paddr_t first, end, at;

    frames_touched(base, bytes, &first, &end);
    at = first;
    for (uint32_t i = find(first); i < boot_info.range_count && range_at(i)->base <= at; i++)
        at = range_at(i)->end;
    if (at < end)
        return false;
    put(first, end, BOOT_RANGE_KERNEL);
    return true;
}
