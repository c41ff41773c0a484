// SPDX-License-Identifier: MIT
/* chunks.h - the Memory objects that the program's pages lie in (memory.h). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/types.h"

#define CHUNKS_MAX (1u << 24)

struct chunk {
    mnos_cap_t memory; /* 0: free */
    uint32_t pages, used;
    uint32_t given; /* pages that were ever present: those behind are zeros, and nobody's yet */
};

/* By index, which is a chunk's own as long as it has memory. */
extern struct chunk *chunks;

/* As many pages as were asked for, or one when there is no room for all; 0: for none. */
uint32_t chunk_make(uint32_t pages, uint32_t *slot);
void chunk_drop(uint32_t slot);
/* In a copy of the process: there is one chunk, with index 0. */
void chunks_forked(mnos_cap_t memory, uint32_t pages, uint32_t used);
