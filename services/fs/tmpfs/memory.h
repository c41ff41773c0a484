// SPDX-License-Identifier: MIT
/*
 * memory.h - the block of the file system: addresses for all it may become, and memory for what it
 * needs now.
 */
#pragma once

#include <stdint.h>

#include "abi/types.h"

/* The block begins with this, and grows by as much. */
#define MEMORY_PIECE_PAGES 512u

struct memory {
    uint64_t address;
    uint32_t pages, pages_max; /* mapped; reserved */
};

mnos_status_t memory_begin(struct memory *memory, uint32_t pages_max);
/* Maps a piece more behind the last; returns how many pages that are, 0: there are none to have. */
uint32_t memory_more(struct memory *memory);
