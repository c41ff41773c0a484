// SPDX-License-Identifier: MIT
/*
 * kmap.h - the kernel's own address space beyond image and HHDM: device registers, stacks with guard
 * pages. Built in phase 3; the upper half is the same in every process.
 */
#pragma once

#include "mm/addr.h"

enum kmap_cache {
    KMAP_UNCACHED,
    KMAP_WRITE_COMBINING,
    KMAP_CACHED, /* read-only: firmware tables that the HHDM does not cover */
};

/* Maps [address, address + size_bytes) of physical memory; any alignment. Returns the virtual address
 * of `address`; panics when kernel virtual memory or frames are spent (boot time only). */
void *kmap_device(paddr_t address, size_t size_bytes, enum kmap_cache cache);
void kmap_release(void *pointer, size_t size_bytes);

/* A stack of `page_count` pages with an unmapped guard page below it; returns its top (16-byte
 * aligned). Panics when frames are spent (boot time only). */
void *kmap_stack(size_t page_count);
