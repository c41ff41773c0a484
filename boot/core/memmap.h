// SPDX-License-Identifier: MIT
/*
 * memmap - the machine's physical memory as one sorted list of ranges that do not overlap.
 *
 * Responsible for: turning what firmware reports (unsorted, overlapping, unaligned) into that
 * list, retyping parts of it, and handing out pages from it. Every range is page aligned.
 * Left to others: where the raw ranges come from (front ends), what the memory is used for.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BOOT_PAGE_SIZE UINT64_C(4096)
#define BOOT_PAGE_MASK (BOOT_PAGE_SIZE - 1)
#define BOOT_BELOW_4G UINT64_C(0x100000000)

/* The numbers and the layout of struct boot_range are those of the memory map response. */
enum boot_memory_type {
    BOOT_MEMORY_USABLE = 0,
    BOOT_MEMORY_RESERVED = 1,
    BOOT_MEMORY_ACPI_RECLAIMABLE = 2,
    BOOT_MEMORY_ACPI_NVS = 3,
    BOOT_MEMORY_BAD = 4,
    BOOT_MEMORY_LOADER = 5, /* bootloader reclaimable */
    BOOT_MEMORY_KERNEL = 6, /* executable and modules */
    BOOT_MEMORY_FRAMEBUFFER = 7,
};

struct boot_range {
    uint64_t base, length, type;
};

/* Firmware maps have 10 (BIOS) to 250 (UEFI) ranges before neighbours are merged, and servers with
 * interleaved memory several hundred. */
#define BOOT_MEMMAP_CAPACITY 1024

/*
 * M1  sorted by base; every range is page aligned and not empty; none overlaps another
 * M2  neighbours that touch have different types
 * M3  count <= capacity <= BOOT_MEMMAP_CAPACITY
 */
struct boot_memmap {
    unsigned count;
    unsigned capacity;
    unsigned dropped_count; /* usable ranges for which there was no room, and their bytes */
    uint64_t dropped_bytes;
    bool is_lost; /* what is in use did not fit either: this map cannot be booted with */
    struct boot_range ranges[BOOT_MEMMAP_CAPACITY + 2]; /* the last two only while a range is set */
};

/* What the firmware has reported: `count` entries of `entry_bytes`, in any order. */
struct boot_raw_map {
    void *entries;
    uint64_t count;
    uint64_t entry_bytes;
    unsigned base_at; /* where in an entry its base is, which is 64 bits */
    struct boot_range (*read)(const void *entry);
};

/* Makes the map empty. */
void boot_memmap_clear(struct boot_memmap *map);

/*
 * Builds the map; sorts the raw one. What lies at `limit`, which is page aligned, and above is cut: the
 * processor cannot address it. Where raw ranges overlap, the more restrictive type wins. Usable
 * ranges shrink to whole pages, all others grow. Ranges that touch are one before they are counted;
 * where there are too many the map keeps the most useful ones, as boot_memmap_set() does.
 */
void boot_memmap_build(struct boot_memmap *map, const struct boot_raw_map *raw, uint64_t limit);

void boot_memmap_copy(struct boot_memmap *to, const struct boot_memmap *from);

/*
 * Gives [base, base + length), grown to whole pages, this type, whatever was there. A map that becomes
 * too full forgets ranges, the smallest first: of memory that nobody may use, which need not be listed,
 * then of usable memory, which is counted as dropped.
 */
void boot_memmap_set(struct boot_memmap *map, uint64_t base, uint64_t length,
                     enum boot_memory_type type);

/* True when the map has all of [base, base + length), whatever its types. */
bool boot_memmap_lists(const struct boot_memmap *map, uint64_t base, uint64_t length);

/* True when any of [base, base + length) is memory that the direct map covers. */
bool boot_memmap_has_ram(const struct boot_memmap *map, uint64_t base, uint64_t length);

/*
 * Takes whole pages from the top of the highest usable memory that ends at or below `below`, so
 * that successive requests form one range. Never gives out page 0. 0: there is not enough.
 */
uint64_t boot_memmap_allocate(struct boot_memmap *map, uint64_t page_count, uint64_t below,
                              enum boot_memory_type type);

/* Bytes of memory that is or becomes the kernel's to use. */
uint64_t boot_memmap_ram(const struct boot_memmap *map);

/* True for the types that the higher half direct map covers, framebuffers included. */
bool boot_memory_is_mapped(uint64_t type);
