// SPDX-License-Identifier: MIT
/* bytes.h - numbers and checksums in files, packets, and tables that firmware wrote, at any alignment. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Little-endian number of `bytes` bytes. */
static inline uint64_t bytes_get(const uint8_t *p, unsigned bytes)
{
    uint64_t value = 0;

    while (bytes-- > 0)
        value = value << 8 | p[bytes];
    return value;
}

/* The same in network order, big-endian. */
static inline uint64_t bytes_get_big(const uint8_t *p, unsigned bytes)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < bytes; i++)
        value = value << 8 | p[i];
    return value;
}

/* True when the sum of the bytes is 0 modulo 256: the checksum of all these tables. */
static inline bool bytes_sum_to_zero(const uint8_t *p, size_t size)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < size; i++)
        sum = (uint8_t)(sum + p[i]);
    return sum == 0;
}
