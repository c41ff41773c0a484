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

/* Firmware maps have 10 (BIOS) to 250 (UEFI) ranges before neighbours are merged. */
#define BOOT_MEMMAP_CAPACITY 512

struct boot_memmap {
    unsigned count;
    struct boot_range ranges[BOOT_MEMMAP_CAPACITY];
};

/*
 * Builds the map. Where raw ranges overlap, the more restrictive type wins. Usable ranges shrink to
 * whole pages, all others grow. False: too many ranges.
 */
bool boot_memmap_build(struct boot_memmap *map, const struct boot_range *raw, unsigned raw_count);

/* Gives [base, base + length), grown to whole pages, this type, whatever was there. */
bool boot_memmap_set(struct boot_memmap *map, uint64_t base, uint64_t length,
                     enum boot_memory_type type);

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
