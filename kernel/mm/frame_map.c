// SPDX-License-Identifier: MIT
/* frame_map.c - what of the physical addresses is RAM, by the memory map of the boot: see frame.h. */
#include "boot/bootinfo.h"
#include "boot/boot_code.h"
#include "mm/frame.h"

bool frame_is_ram(const struct boot_range *range)
{
    return range->type == BOOT_RANGE_USABLE || range->type == BOOT_RANGE_RECLAIMABLE ||
           range->type == BOOT_RANGE_KERNEL;
}

BOOT_CODE uint64_t frame_map_count(uint64_t *total)
{
    uint64_t end = 0;

    *total = 0;
    for (uint32_t i = 0; i < boot_info.range_count; i++) {
        const struct boot_range *range = &boot_info.ranges[i];
        if (frame_is_ram(range))
            *total += (range->end - range->base) >> PAGE_SHIFT;
        if (range->type == BOOT_RANGE_USABLE || range->type == BOOT_RANGE_RECLAIMABLE)
            end = range->end >> PAGE_SHIFT;
    }
    return end;
}

bool frame_overlaps_ram(paddr_t first, uint64_t count)
{
    paddr_t end = first + (count << PAGE_SHIFT);

    if (count > (UINT64_MAX - first) >> PAGE_SHIFT)
        return true; /* wraps around: never a device */
    for (uint32_t i = 0; i < boot_info.range_count; i++) {
        const struct boot_range *range = &boot_info.ranges[i];
        if (frame_is_ram(range) && range->base < end && first < range->end)
            return true;
    }
    return false;
}
