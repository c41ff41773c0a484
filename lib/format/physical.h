// SPDX-License-Identifier: MIT
/*
 * physical.h - physical memory as the readers of firmware tables see it. They are the same code in the
 * loader, in the kernel and in tests, which reach memory in different ways.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct physical_memory {
    uint64_t end; /* addresses from here on do not exist: beyond the processor's width */
    /* Makes [address, address + bytes) readable, which lies below `end`; NULL: it cannot be reached.
     * What one call has given is valid until it is handed to unmap(), with the same size. */
    const void *(*map)(uint64_t address, size_t bytes);
    void (*unmap)(const void *memory, size_t bytes);
};

/* False for what begins at address 0, which in tables means "none", or does not end within `end`. */
static inline bool physical_exists(const struct physical_memory *memory, uint64_t address,
                                   uint64_t bytes)
{
    return address != 0 && address < memory->end && bytes <= memory->end - address;
}

/* NULL for what does not exist or cannot be reached. */
static inline const void *physical_map(const struct physical_memory *memory, uint64_t address,
                                       size_t bytes)
{
    return physical_exists(memory, address, bytes) ? memory->map(address, bytes) : NULL;
}
