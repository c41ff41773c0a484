// SPDX-License-Identifier: MIT
/* crc32 - see crc32.h. Four bits at a time: a table of 64 bytes is enough for tables of partitions. */
#include "lib/format/disk/crc32.h"

#define POLYNOMIAL 0xEDB88320u
#define STEP(n) (((n)&1) != 0 ? POLYNOMIAL ^ ((n) >> 1) : (n) >> 1)
#define NIBBLE(n) STEP(STEP(STEP(STEP((uint32_t)(n)))))

static const uint32_t nibbles[16] = {
    NIBBLE(0), NIBBLE(1), NIBBLE(2),  NIBBLE(3),  NIBBLE(4),  NIBBLE(5),  NIBBLE(6),  NIBBLE(7),
    NIBBLE(8), NIBBLE(9), NIBBLE(10), NIBBLE(11), NIBBLE(12), NIBBLE(13), NIBBLE(14), NIBBLE(15),
};

uint32_t crc32_add(uint32_t crc, const void *bytes, size_t count)
{
    const uint8_t *p = bytes;

    for (; count != 0; count--) {
        crc ^= *p++;
        crc = nibbles[crc & 15] ^ crc >> 4;
        crc = nibbles[crc & 15] ^ crc >> 4;
    }
    return crc;
}

uint32_t crc32(const void *bytes, size_t count)
{
    return ~crc32_add(UINT32_MAX, bytes, count);
}
