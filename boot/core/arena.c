// SPDX-License-Identifier: MIT
/* arena - see arena.h. */
#include "arena.h"

#include <string.h>

#include "console.h"

#define CHUNK_PAGES 4

static struct boot_memmap *memory;
static uint8_t *chunk;
static uint64_t chunk_left;

void boot_arena_init(struct boot_memmap *map)
{
    memory = map;
    chunk_left = 0;
}

void *boot_arena_pages(uint64_t page_count)
{
    uint64_t base = boot_memmap_allocate(memory, page_count, BOOT_BELOW_4G, BOOT_MEMORY_LOADER);

    if (base == 0 || memory->is_lost)
        boot_fatal("memory: not enough for page tables, stacks and responses");
    return (void *)(uintptr_t)base;
}

void *boot_arena_allocate(uint64_t size)
{
    void *result;

    size = (size + 15) & ~UINT64_C(15);
    if (size > chunk_left) {
        uint64_t pages = (size + BOOT_PAGE_MASK) / BOOT_PAGE_SIZE;

        if (pages < CHUNK_PAGES)
            pages = CHUNK_PAGES;
        chunk = boot_arena_pages(pages);
        chunk_left = pages * BOOT_PAGE_SIZE;
    }
    result = chunk;
    chunk += size;
    chunk_left -= size;
    memset(result, 0, (size_t)size);
    return result;
}

uint64_t *boot_arena_table(void)
{
    uint64_t *table = boot_arena_pages(1);

    memset(table, 0, BOOT_PAGE_SIZE);
    return table;
}
