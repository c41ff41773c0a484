// SPDX-License-Identifier: MIT
/*
 * crc32c - the checksum of metadata: polynomial 0x1EDC6F41, reflected, without the final inversion, as ext4
 * and jbd2 chain it. Processors with SSE4.2 have an instruction for it, which needs no vector registers.
 */
#include "services/fs/ext4/core/core.h"

enum { CPUID_SSE42 = 1 << 20 };

static bool has_instruction(void)
{
    static int known; /* 0: not asked yet, 1: no, 2: yes */
    uint32_t a = 1, b, c = 0, d;

    if (known == 0) {
        __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
        known = (c & CPUID_SSE42) != 0 ? 2 : 1;
    }
    return known == 2;
}

static uint32_t by_instruction(uint32_t crc, const uint8_t *p, size_t count)
{
    uint64_t wide = crc;

    /* Blocks are long: 256 bytes a round. */
    for (; count >= 256; p += 256, count -= 256)
        __asm__(".irp at, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, "
                "20, 21, 22, 23, "
                "24, 25, 26, 27, 28, 29, 30, 31\n\tcrc32q 8 * \\at(%1), %0\n\t.endr"
                : "+r"(wide)
                : "r"(p), "m"(*(const uint8_t(*)[256])p));
    for (; count >= 8; p += 8, count -= 8)
        __asm__("crc32q %1, %0" : "+r"(wide) : "rm"(le64(p)));
    crc = (uint32_t)wide;
    for (; count > 0; p++, count--)
        __asm__("crc32b %1, %0" : "+r"(crc) : "rm"(*p));
    return crc;
}

enum { POLYNOMIAL = 0x82F63B78 };

/* What a byte makes of the checksum when k more follow it. */
static void make_tables(uint32_t tables[8][256])
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;

        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ ((crc & 1) != 0 ? (uint32_t)POLYNOMIAL : 0);
        tables[0][i] = crc;
    }
    for (unsigned k = 1; k < 8; k++)
        for (uint32_t i = 0; i < 256; i++)
            tables[k][i] = tables[k - 1][i] >> 8 ^ tables[0][tables[k - 1][i] & 0xFF];
}

/* Eight bytes at a time, by a table for each. */
uint32_t ext4_crc32c_by_table(uint32_t crc, const uint8_t *p, size_t count)
{
    static uint32_t tables[8][256];

    if (tables[0][1] == 0)
        make_tables(tables);
    for (; count >= 8; p += 8, count -= 8) {
        uint64_t word = le64(p) ^ crc;

        crc = 0;
        for (unsigned i = 0; i < 8; i++)
            crc ^= tables[7 - i][word >> 8 * i & 0xFF];
    }
    for (; count > 0; p++, count--)
        crc = crc >> 8 ^ tables[0][(crc ^ *p) & 0xFF];
    return crc;
}

uint32_t ext4_crc32c(uint32_t crc, const void *bytes, size_t count)
{
    return has_instruction() ? by_instruction(crc, bytes, count)
                             : ext4_crc32c_by_table(crc, bytes, count);
}
