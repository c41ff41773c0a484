// SPDX-License-Identifier: MIT
/* dma - see dma.h. Knows numbers only; host tests compile this file as it is. */
#include "lib/driver/dma.h"

#include <stddef.h>

bool dma_bus_range(const struct dma_memory *memory, uint64_t offset, uint64_t bytes, uint64_t *bus)
{
    uint64_t first, last;

    if (bytes == 0 || offset > memory->bytes || bytes > memory->bytes - offset)
        return false;
    first = offset / memory->block_bytes;
    last = (offset + bytes - 1) / memory->block_bytes;
    if (last >= memory->block_count)
        return false;
    *bus = memory->table[first] + offset % memory->block_bytes;
    for (uint64_t block = first; block < last; block++)
        if (memory->table[block + 1] != memory->table[block] + memory->block_bytes)
            return false;
    return true;
}

uint64_t dma_bus(const struct dma_memory *memory, const void *place)
{
    uint64_t offset = (uint64_t)((const uint8_t *)place - memory->address);

    return memory->table[offset / memory->block_bytes] + offset % memory->block_bytes;
}

void *dma_take(struct dma_memory *memory, uint64_t bytes, uint64_t alignment)
{
    uint64_t offset = memory->taken, bus;

    if (offset > memory->bytes)
        return NULL;
    offset = (offset + alignment - 1) & ~(alignment - 1);
    while (offset <= memory->bytes && bytes <= memory->bytes - offset) {
        if (dma_bus_range(memory, offset, bytes, &bus) && bus % alignment == 0) {
            memory->taken = offset + bytes;
            return memory->address + offset;
        }
        /* It would cross into a block that is elsewhere: from the next block on. */
        offset = (offset / memory->block_bytes + 1) * memory->block_bytes;
    }
    return NULL;
}
