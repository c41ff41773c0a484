// SPDX-License-Identifier: MIT
/* chunks - see chunks.h. */
#include "personality/linux/lx/chunks.h"

#include "lib/base/string.h"
#include "lib/mnos/syscall.h"
#include "personality/linux/lx/host.h"
#include "personality/linux/lx/piece.h"

struct chunk *chunks;
static uint32_t chunk_count, chunk_free;

static bool chunk_slot(uint32_t *slot)
{
    uint32_t more = chunk_count == 0 ? 64 : chunk_count;
    struct chunk *larger;

    while (chunk_free < chunk_count && chunks[chunk_free].memory != 0)
        chunk_free++;
    if (chunk_free == chunk_count) {
        larger = piece_allocate((chunk_count + more) * sizeof *larger);
        if (larger == NULL || chunk_count + more >= CHUNKS_MAX)
            return false;
        if (chunk_count != 0)
            memcpy(larger, chunks, chunk_count * sizeof *larger);
        memset(larger + chunk_count, 0, more * sizeof *larger);
        piece_free(chunks);
        chunks = larger;
        chunk_count += more;
    }
    *slot = chunk_free;
    return true;
}

/* As many pages as were asked for, or one when there is no room for all; 0: for none. */
uint32_t chunk_make(uint32_t pages, uint32_t *slot)
{
    mnos_cap_t memory;

    if (!chunk_slot(slot))
        return 0;
    if (host_memory(pages, &memory) != MNOS_OK) {
        pages = 1;
        if (host_memory(1, &memory) != MNOS_OK)
            return 0;
    }
    chunks[*slot] = (struct chunk){.memory = memory, .pages = pages};
    return pages;
}

void chunk_drop(uint32_t slot)
{
    (void)!sys_cap_delete(chunks[slot].memory);
    chunks[slot] = (struct chunk){0};
    if (slot < chunk_free)
        chunk_free = slot;
}

void chunks_forked(mnos_cap_t memory, uint32_t pages, uint32_t used)
{
    if (chunk_count == 0)
        return; /* there is no page, so none lies there */
    memset(chunks, 0, chunk_count * sizeof *chunks);
    chunks[0] = (struct chunk){memory, pages, used, pages};
    chunk_free = 1;
}
