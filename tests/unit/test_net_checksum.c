// SPDX-License-Identifier: MIT
/* test_net_checksum - the sum of the Internet protocols against its definition, at every length and alignment. */
#include "tests/unit/unit.h"

#include <string.h>

#define add net_checksum_add
#define load net_checksum_load
#include "services/net/checksum.c"

/* RFC 1071, section 4.1, on a machine of this byte order. */
static uint16_t by_definition(const uint8_t *bytes, int count)
{
    uint32_t sum = 0;

    for (int i = 0; i < count; i++)
        sum += i % 2 != 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
    while (sum >> 16 != 0)
        sum = (sum & 0xFFFF) + (sum >> 16);
    return (uint16_t)sum;
}

TEST(net_checksum, is_the_defined_one_at_every_length_and_alignment)
{
    uint8_t bytes[1600];
    uint32_t state = 1;

    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)((state = state * 1664525 + 1013904223) >> 24);
    for (unsigned start = 0; start < 9; start++)
        for (int count = 0; count < 1500; count++)
            CHECK_EQ(checksum(bytes + start, count), by_definition(bytes + start, count));
    memset(bytes, 0xFF, sizeof bytes); /* as many carries as there can be */
    for (int count = 0; count < 1600; count++)
        CHECK_EQ(checksum(bytes, count), by_definition(bytes, count));
}
