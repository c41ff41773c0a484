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

/* The sum of all bytes. Four are added at once, each in 16 bits, which have room for the sums of a row. */
static inline uint64_t bytes_sum(const uint8_t *p, size_t size)
{
    const uint64_t bytes = 0x00FF00FF00FF00FF, pairs = 0x0000FFFF0000FFFF;
    const size_t row = 128 * sizeof(uint64_t); /* 128 times two bytes of at most 255 */
    uint64_t sum = 0;

    while (size >= sizeof(uint64_t)) {
        const uint8_t *end = p + (size < row ? size & ~(sizeof(uint64_t) - 1) : row);
        uint64_t word, sums = 0;

        size -= (size_t)(end - p);
        for (; p != end; p += sizeof word) {
            __builtin_memcpy(&word, p, sizeof word);
            sums += (word & bytes) + (word >> 8 & bytes);
        }
        sums = (sums & pairs) + (sums >> 16 & pairs);
        sum += (uint32_t)sums + (sums >> 32);
    }
    while (size-- != 0)
        sum += *p++;
    return sum;
}

/* True when the sum of the bytes is 0 modulo 256: the checksum of all these tables. */
static inline bool bytes_sum_to_zero(const uint8_t *p, size_t size)
{
    return (uint8_t)bytes_sum(p, size) == 0;
}
