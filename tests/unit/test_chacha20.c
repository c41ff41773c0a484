// SPDX-License-Identifier: MIT
/* test_chacha20 - the block function against the vector of RFC 8439, and the generator on top of it. */
#include "tests/unit/unit.h"

#include <string.h>

#include "lib/mnos/chacha20.c"

TEST(chacha20, the_block_is_that_of_the_rfc)
{
    /* RFC 8439, section 2.3.2. */
    static const uint8_t nonce[12] = {0, 0, 0, 9, 0, 0, 0, 0x4A, 0, 0, 0, 0};
    static const uint8_t want[64] = {
        0x10, 0xF1, 0xE7, 0xE4, 0xD1, 0x3B, 0x59, 0x15, 0x50, 0x0F, 0xDD, 0x1F, 0xA3,
        0x20, 0x71, 0xC4, 0xC7, 0xD1, 0xF4, 0xC7, 0x33, 0xC0, 0x68, 0x03, 0x04, 0x22,
        0xAA, 0x9A, 0xC3, 0xD4, 0x6C, 0x4E, 0xD2, 0x82, 0x64, 0x46, 0x07, 0x9F, 0xAA,
        0x09, 0x14, 0xC2, 0xD7, 0x05, 0xD9, 0x8B, 0x02, 0xA2, 0xB5, 0x12, 0x9C, 0xD1,
        0xDE, 0x16, 0x4E, 0xB9, 0xCB, 0xD0, 0x83, 0xE8, 0xA2, 0x50, 0x3C, 0x4E};
    uint8_t key[32], out[64];

    for (unsigned i = 0; i < 32; i++)
        key[i] = (uint8_t)i;
    chacha20_block(key, 1, nonce, out);
    CHECK(memcmp(out, want, 64) == 0);
}

TEST(chacha20, what_is_drawn_never_comes_again)
{
    static uint8_t drawn[1000][40];
    struct random random = {{1}};

    for (unsigned i = 0; i < 1000; i++) {
        random_draw(&random, drawn[i], 40); /* more than one block gives */
        if (i % 100 == 50)
            random_stir(&random, drawn[i]);
        for (unsigned k = 0; k < i; k++)
            CHECK(memcmp(drawn[i], drawn[k], 32) != 0 &&
                  memcmp(drawn[i] + 32, drawn[k] + 32, 8) != 0);
    }
}
