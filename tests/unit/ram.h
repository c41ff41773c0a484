/* SPDX-License-Identifier: MIT */
/*
 * ram.h - gives a test a machine with the memory it describes: address space behind the direct map,
 * and a frame allocator that has just been initialised.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "boot/bootinfo.h"
#include "mm/addr.h"
#include "mm/frame.h"

#define TEST_RAM_END (16ull << 30) /* nothing that a test touches lies above */

#define MIB(n) ((paddr_t)(n) << 20)

/* `ranges` as in boot_info: sorted, whole frames. What the host had behind the direct map is gone. */
static inline void test_ram_init(const struct boot_range *ranges, uint32_t count)
{
    void *start = phys_to_virt(0);

    if (mmap(start, TEST_RAM_END, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) != start) {
        perror("mmap");
        exit(1);
    }
    boot_info.hhdm_offset = HHDM_BASE;
    boot_info.range_count = count;
    for (uint32_t i = 0; i < count; i++)
        boot_info.ranges[i] = ranges[i];
    frame_init();
    frame_use_direct_map();
}
