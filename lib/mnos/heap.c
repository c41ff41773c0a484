// SPDX-License-Identifier: MIT
/*
 * heap - see heap.h. Sizes up to LARGEST_CLASS come from free lists, one for each power of two,
 * filled a page block at a time and never given back; larger ones are mappings of their own, which
 * freeing returns to the system.
 */
#include "lib/mnos/heap.h"

#include <stdint.h>

#include "lib/mnos/lock.h"
#include "lib/mnos/memory.h"

#define SMALLEST_SHIFT 5 /* 32 bytes, of which the header takes 16 */
#define LARGEST_SHIFT 12
#define CLASS_COUNT (LARGEST_SHIFT - SMALLEST_SHIFT + 1)
#define REFILL_PAGES 4
#define LARGEST_REQUEST ((size_t)1 << 40) /* far above any quota; keeps sums from wrapping */

#define MAGIC_USED 0x50414548u /* neither value is likely in memory that is not a header */
#define MAGIC_FREE 0x45455246u
#define CLASS_LARGE UINT32_MAX

/* Before every piece. */
struct header {
    uint32_t magic;
    uint32_t size_class;
    union {
        struct header *next; /* free */
        uint64_t page_count; /* large: its capability is in the first 16 bytes of the mapping */
    };
};
_Static_assert(sizeof(struct header) == 16, "keeps pieces aligned");

struct large_block {
    mnos_cap_t memory;
    uint64_t unused;
    struct header header;
};

static struct mutex lock; /* guards the free lists */
static struct header *free_lists[CLASS_COUNT];

static uint32_t class_of(size_t size_with_header)
{
    uint32_t size_class = 0;

    while (((size_t)1 << (SMALLEST_SHIFT + size_class)) < size_with_header)
        size_class++;
    return size_class;
}

static void push(struct header *piece, uint32_t size_class)
{
    piece->magic = MAGIC_FREE;
    piece->size_class = size_class;
    piece->next = free_lists[size_class];
    free_lists[size_class] = piece;
}

static void refill_locked(uint32_t size_class)
{
    size_t size = (size_t)1 << (SMALLEST_SHIFT + size_class);
    struct memory_block block;

    if (memory_allocate(REFILL_PAGES, &block) != MNOS_OK)
        return;
    for (size_t at = 0; at + size <= REFILL_PAGES * MNOS_PAGE_BYTES; at += size)
        push((struct header *)((uint8_t *)block.address + at), size_class);
}

static void *allocate_large(size_t size_bytes)
{
    struct memory_block block;
    struct large_block *large;
    uint64_t pages;

    if (size_bytes > LARGEST_REQUEST)
        return NULL;
    pages = (size_bytes + sizeof *large + MNOS_PAGE_BYTES - 1) / MNOS_PAGE_BYTES;
    if (memory_allocate(pages, &block) != MNOS_OK)
        return NULL;
    large = block.address;
    large->memory = block.memory;
    large->header.magic = MAGIC_USED;
    large->header.size_class = CLASS_LARGE;
    large->header.page_count = pages;
    return large + 1;
}

void *heap_allocate(size_t size_bytes)
{
    struct header *piece;
    uint32_t size_class;

    if (size_bytes > ((size_t)1 << LARGEST_SHIFT) - sizeof(struct header))
        return allocate_large(size_bytes);
    size_class = class_of(size_bytes + sizeof(struct header));
    mutex_lock(&lock);
    if (free_lists[size_class] == NULL)
        refill_locked(size_class);
    piece = free_lists[size_class];
    if (piece != NULL) {
        free_lists[size_class] = piece->next;
        piece->magic = MAGIC_USED;
    }
    mutex_unlock(&lock);
    return piece != NULL ? piece + 1 : NULL;
}

static void free_large(struct header *header)
{
    struct large_block *large =
        (struct large_block *)((uint8_t *)header - offsetof(struct large_block, header));
    struct memory_block block = {large->memory, large, header->page_count};

    memory_free(&block);
}

void heap_free(void *piece)
{
    struct header *header;

    if (piece == NULL)
        return;
    header = (struct header *)piece - 1;
    if (header->magic != MAGIC_USED)
        __builtin_trap(); /* the heap is not what this program thinks it is: go no further */
    if (header->size_class == CLASS_LARGE) {
        free_large(header);
        return;
    }
    mutex_lock(&lock);
    push(header, header->size_class);
    mutex_unlock(&lock);
}
