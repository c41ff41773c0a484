// SPDX-License-Identifier: MIT
/* firmware_memory.c - see firmware_memory.h. */
#include "firmware_memory.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"

enum { PIECES_MAX = 64 };

static struct piece {
    uint64_t address;
    size_t size;
    uint8_t *bytes;
} pieces[PIECES_MAX];
static unsigned piece_count;

unsigned firmware_memory_mapped;
uint64_t firmware_memory_work;

void firmware_memory_clear(void)
{
    while (piece_count > 0)
        free(pieces[--piece_count].bytes);
    firmware_memory_work = 0;
}

void firmware_memory_put(uint64_t address, const void *bytes, size_t size)
{
    uint8_t *copy = malloc(size);

    memcpy(copy, bytes, size);
    CHECK(piece_count < PIECES_MAX);
    pieces[piece_count++] = (struct piece){address, size, copy};
}

/* The part of `piece` that lies in [address, address + bytes). */
static void copy_piece(uint8_t *to, uint64_t address, size_t bytes, const struct piece *piece)
{
    uint64_t first = address > piece->address ? address : piece->address;
    uint64_t end = address + bytes;

    if (end > piece->address + piece->size)
        end = piece->address + piece->size;
    if (first < end)
        memcpy(to + (first - address), piece->bytes + (first - piece->address),
               (size_t)(end - first));
}

static const void *map(uint64_t address, size_t bytes)
{
    uint8_t *copy;

    CHECK(address != 0 && bytes > 0);
    CHECK(address < FIRMWARE_MEMORY_END && bytes <= FIRMWARE_MEMORY_END - address);
    copy = calloc(bytes, 1);
    for (unsigned i = 0; i < piece_count; i++)
        copy_piece(copy, address, bytes, &pieces[i]);
    firmware_memory_mapped++;
    firmware_memory_work += bytes;
    return copy;
}

static void unmap(const void *memory, size_t bytes)
{
    CHECK(bytes > 0);
    firmware_memory_mapped--;
    free((void *)(uintptr_t)memory);
}

const struct physical_memory firmware_memory = {
    .end = FIRMWARE_MEMORY_END, .map = map, .unmap = unmap};
