// SPDX-License-Identifier: MIT
/* memory.h - flags of sys_mem_alloc and sys_mem_map, and the flavours of Memory capabilities. */
#pragma once

#include "abi/types.h"

enum mnos_alloc_flags {
    MNOS_ALLOC_CONTIGUOUS = 1u << 0, /* physically contiguous */
    MNOS_ALLOC_BELOW_4G = 1u << 1,   /* every frame below 4 GiB, for 32-bit DMA */
    MNOS_ALLOC_ALIGN_2M = 1u << 2,   /* contiguous and aligned to 2 MiB, so that it maps large */
};

enum mnos_map_flags {
    MNOS_MAP_READ = 1u << 0,    /* needs Read on the memory */
    MNOS_MAP_WRITE = 1u << 1,   /* needs Write; excludes MNOS_MAP_EXECUTE */
    MNOS_MAP_EXECUTE = 1u << 2, /* needs Execute; excludes MNOS_MAP_WRITE */
    /* Device memory only: write-combining instead of uncached. */
    MNOS_MAP_WRITE_COMBINING = 1u << 3,
    /* What is mapped in the range is exchanged. When that fails, the number of pages that have been, a uint64_t, is at
     * the start of the caller's IPC buffer. Not for ports. */
    MNOS_MAP_REPLACE = 1u << 4,
};

enum mnos_memory_flavour {
    MNOS_MEMORY_RAM = 0,
    MNOS_MEMORY_DEVICE = 1, /* memory-mapped device registers */
    /* x86 I/O ports: "pages" are ports; mapping (at address 0) opens them to the process. */
    MNOS_MEMORY_PORTS = 2,
};
