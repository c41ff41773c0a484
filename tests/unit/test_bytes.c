// SPDX-License-Identifier: MIT
/* test_bytes - the sum of bytes, at every alignment and length. */
#include <string.h>

#include "lib/format/bytes.h"
#include "tests/unit/unit.h"

#define BYTES_MAX 2100u /* two whole rows of those that are added at once, and more */

static uint64_t one_by_one(const uint8_t *p, size_t size)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < size; i++)
        sum += p[i];
    return sum;
}

TEST(bytes, sums_at_every_alignment_and_length)
{
    static uint8_t bytes[BYTES_MAX + 8];
    uint32_t state = 1;

    for (size_t i = 0; i < sizeof bytes; i++) {
        state = state * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(state >> 24);
    }
    for (size_t from = 0; from < 8; from++)
        for (size_t size = 0; size <= 64; size++)
            CHECK_EQ(bytes_sum(bytes + from, size), one_by_one(bytes + from, size));
    for (size_t size = 1000; size <= BYTES_MAX; size += 7)
        CHECK_EQ(bytes_sum(bytes + 3, size), one_by_one(bytes + 3, size));
    memset(bytes, 0xFF, sizeof bytes);
    CHECK_EQ(bytes_sum(bytes, BYTES_MAX), 0xFFu * BYTES_MAX);
    CHECK(!bytes_sum_to_zero(bytes, 1));
    CHECK(bytes_sum_to_zero(bytes, 256));
}
