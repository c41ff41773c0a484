// SPDX-License-Identifier: MIT
/*
 * memory.h - addresses for mappings in this process, and memory in whole pages. Safe to use from
 * several threads. Smaller pieces: heap.h.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "abi/memory.h"
#include "abi/types.h"

/* Pages of this process's address space that nothing else uses; nothing is mapped there yet. */
mnos_status_t address_reserve(uint64_t page_count, uint64_t *address);
void address_release(uint64_t address, uint64_t page_count);

/* Maps pages of a Memory capability at an address chosen here. */
mnos_status_t memory_map(mnos_cap_t memory, uint64_t first_page, uint64_t page_count,
                         uint64_t flags, void **address);
void memory_unmap(void *address, uint64_t page_count);
/* All that a Memory capability has. Uses the IPC buffer. */
mnos_status_t memory_map_all(mnos_cap_t memory, uint64_t flags, void **address,
                             uint64_t *page_count);

/* New zeroed memory of this process, with its capability and mapped read-write. */
struct memory_block {
    mnos_cap_t memory;
    void *address;
    uint64_t page_count;
};

mnos_status_t memory_allocate(uint64_t page_count, struct memory_block *block);
void memory_free(const struct memory_block *block);
