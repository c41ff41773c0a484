// SPDX-License-Identifier: MIT
/* memory - see memory.h. */
#include "services/fs/tmpfs/memory.h"

#include "abi/memory.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/syscall.h"

static mnos_status_t add_piece(struct memory *memory, uint32_t pages)
{
    mnos_cap_t piece;
    mnos_status_t status = sys_mem_alloc(pages, 0, &piece);

    if (status != MNOS_OK)
        return status;
    status =
        sys_mem_map(MNOS_SELF, piece, memory->address + (uint64_t)memory->pages * MNOS_PAGE_BYTES,
                    0, pages, MNOS_MAP_READ | MNOS_MAP_WRITE);
    if (status != MNOS_OK) {
        (void)!sys_cap_delete(piece);
        return status;
    }
    memory->pages += pages; /* its capability stays as long as the process */
    return MNOS_OK;
}

mnos_status_t memory_begin(struct memory *memory, uint32_t pages_max)
{
    mnos_status_t status = address_reserve(pages_max, &memory->address);

    memory->pages = 0;
    memory->pages_max = pages_max;
    return status != MNOS_OK ? status : add_piece(memory, MEMORY_PIECE_PAGES);
}

uint32_t memory_more(struct memory *memory)
{
    uint32_t pages = memory->pages_max - memory->pages;

    if (pages > MEMORY_PIECE_PAGES)
        pages = MEMORY_PIECE_PAGES;
    return pages != 0 && add_piece(memory, pages) == MNOS_OK ? pages : 0;
}
