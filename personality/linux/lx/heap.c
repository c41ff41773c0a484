// SPDX-License-Identifier: MIT
/*
 * heap - memory of lx in pieces (lib/mnos/heap.h), in the place of libmnos' own.
 *
 * All of it is one range of addresses, from LX_HEAP on, so that a fork can copy it: what a piece of memory is made of there
 * is another capability. Sizes are rounded to a class; a free piece is kept for its class, and nothing is given back.
 */
#include "lib/mnos/heap.h"

#include "abi/memory.h"
#include "lib/mnos/syscall.h"
#include "personality/linux/lx/heap_range.h"
#include "personality/linux/lx/host.h"
#include "personality/linux/lx/lx.h"
#include "personality/linux/lx/piece.h"

#define SMALLEST 32u
#define SMALL_MAX 2048u /* up to here each class is twice the one before */
#define STEP 1024u      /* from one to the next up to MEDIUM_MAX, and then again twice */
#define MEDIUM_MAX 32768u
#define SMALL_CLASSES 7u
#define MEDIUM_CLASSES (MEDIUM_MAX / STEP)
#define CLASSES (SMALL_CLASSES + MEDIUM_CLASSES + 24u)
#define GROW_PAGES 4u

struct piece {
    uint32_t class;
    uint32_t reserved;
    struct piece *next; /* of a free one */
};
_Static_assert(sizeof(struct piece) == 16, "keeps what follows aligned");

static struct piece *free_pieces[CLASSES];
static uint64_t used_end = LX_HEAP, mapped_end = LX_HEAP;

uint64_t heap_end(void)
{
    return mapped_end;
}

/* The class of a size, and how much its pieces have. */
static uint32_t class_of(size_t *bytes)
{
    size_t size = SMALLEST;
    uint32_t class = 0;

    for (; size < *bytes && size < SMALL_MAX; class ++)
        size *= 2;
    if (size < *bytes && *bytes <= MEDIUM_MAX) {
        class = (uint32_t)((*bytes + STEP - 1) / STEP);
        size = class * STEP;
        class += SMALL_CLASSES - 1;
    } else if (size < *bytes) {
        class = SMALL_CLASSES + MEDIUM_CLASSES;
        for (size = 2ull * MEDIUM_MAX; size < *bytes && class < CLASSES; class ++)
            size *= 2;
    }
    *bytes = size;
    return class;
}

static bool grow(size_t bytes)
{
    uint64_t pages = lx_page_up(used_end + bytes - mapped_end) / LX_PAGE;
    mnos_cap_t memory;

    if (pages < GROW_PAGES)
        pages = GROW_PAGES;
    if (bytes > LX_HEAP_END - mapped_end || host_memory(pages, &memory) != MNOS_OK)
        return false;
    if (host_map(memory, mapped_end, 0, pages, MNOS_MAP_READ | MNOS_MAP_WRITE) != MNOS_OK) {
        (void)!sys_cap_delete(memory);
        return false;
    }
    mapped_end += pages * LX_PAGE;
    return true;
}

void *heap_allocate(size_t size_bytes)
{
    size_t bytes = size_bytes + sizeof(struct piece);
    uint32_t class = class_of(&bytes);
    struct piece *piece;

    if (class >= CLASSES)
        return NULL;
    piece = free_pieces[class];
    if (piece != NULL) {
        free_pieces[class] = piece->next;
        return piece + 1;
    }
    if (mapped_end - used_end < bytes && !grow(bytes))
        return NULL;
    piece = (struct piece *)used_end;
    used_end += bytes;
    piece->class = class;
    return piece + 1;
}

void heap_free(void *of)
{
    struct piece *piece = of;

    if (piece == NULL)
        return;
    piece--;
    piece->next = free_pieces[piece->class];
    free_pieces[piece->class] = piece;
}

void *piece_allocate(size_t bytes)
{
    return heap_allocate(bytes);
}

void piece_free(void *piece)
{
    heap_free(piece);
}
