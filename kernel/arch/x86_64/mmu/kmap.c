// SPDX-License-Identifier: MIT
/*
 * kmap.c - hands out kernel virtual memory beyond the image and the direct map, from a counter that
 * only grows: the area is 512 GiB and what is in it lives, with few exceptions, until the machine
 * stops, so addresses are not reused.
 */
#include "mm/kmap.h"

#include <stdbool.h>

#include "arch/x86_64/mmu/paging.h"
#include "base/panic.h"
#include "mm/frame.h"
#include "base/spinlock.h"

#define LARGE_BYTES LEVEL_BYTES(2)

/* Guards next_address and the page tables of the area. */
static struct spinlock lock = SPINLOCK_INIT(LOCK_KMAP);
static uint64_t next_address = KMAP_BASE;

/* `phase`: what the address must be congruent to, modulo the large page size. */
static uint64_t reserve_locked(uint64_t bytes, uint64_t phase)
{
    uint64_t start = next_address;

    if (bytes >= LARGE_BYTES) /* so that the middle can be mapped by large pages */
        start += (phase - start) & (LARGE_BYTES - 1);
    if (bytes > KMAP_END - start)
        panic("kernel virtual memory is spent");
    next_address = start + bytes + PAGE_BYTES; /* a page is left out: overruns fault */
    return start;
}

static uint64_t cache_flags(enum kmap_cache cache)
{
    switch (cache) {
    case KMAP_UNCACHED: return PTE_UNCACHED | PTE_WRITE | PTE_NX;
    case KMAP_WRITE_COMBINING: return PTE_WRITE_COMBINING | PTE_WRITE | PTE_NX;
    case KMAP_CACHED: break;
    }
    return PTE_NX;
}

void *kmap_device(paddr_t address, size_t size_bytes, enum kmap_cache cache)
{
    uint64_t offset = address % PAGE_BYTES;
    uint64_t bytes = (offset + size_bytes + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1);
    uint64_t virt;

    spin_lock(&lock);
    virt = reserve_locked(bytes, address - offset);
    paging_map_kernel(virt, address - offset, bytes, cache_flags(cache));
    spin_unlock(&lock);
    return (void *)(virt + offset);
}

void kmap_release(void *pointer, size_t size_bytes)
{
    uint64_t offset = (uintptr_t)pointer % PAGE_BYTES;
    uint64_t bytes = (offset + size_bytes + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1);

    spin_lock(&lock);
    paging_unmap_kernel((uintptr_t)pointer - offset, bytes);
    spin_unlock(&lock);
}

void *kmap_stack(size_t page_count)
{
    uint64_t start;

    spin_lock(&lock);
    /* The first page stays unmapped: the guard. */
    start = reserve_locked((page_count + 1) * PAGE_BYTES, 0) + PAGE_BYTES;
    for (size_t i = 0; i < page_count; i++) {
        paddr_t frame = frame_alloc();
        if (frame == PADDR_NONE)
            panic("no memory for a kernel stack");
        paging_map_kernel(start + i * PAGE_BYTES, frame, PAGE_BYTES, PTE_WRITE | PTE_NX);
    }
    spin_unlock(&lock);
    return (void *)(start + page_count * PAGE_BYTES);
}
