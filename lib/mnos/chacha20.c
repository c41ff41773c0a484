// SPDX-License-Identifier: MIT
/* chacha20 - see chacha20.h. Host tests compile this file as it is. */
#include "lib/mnos/chacha20.h"

#include "lib/base/string.h"

#define DOUBLE_ROUNDS 10

static inline uint32_t rotate(uint32_t value, unsigned bits)
{
    return value << bits | value >> (32 - bits);
}

static inline void quarter(uint32_t *s, unsigned a, unsigned b, unsigned c, unsigned d)
{
    s[a] += s[b], s[d] = rotate(s[d] ^ s[a], 16);
    s[c] += s[d], s[b] = rotate(s[b] ^ s[c], 12);
    s[a] += s[b], s[d] = rotate(s[d] ^ s[a], 8);
    s[c] += s[d], s[b] = rotate(s[b] ^ s[c], 7);
}

void chacha20_block(const uint8_t key[CHACHA20_KEY_BYTES], uint32_t counter,
                    const uint8_t nonce[CHACHA20_NONCE_BYTES], uint8_t out[CHACHA20_BLOCK_BYTES])
{
    uint32_t state[16] = {0x61707865, 0x3320646E, 0x79622D32, 0x6B206574}, s[16];

    memcpy(&state[4], key, CHACHA20_KEY_BYTES);
    state[12] = counter;
    memcpy(&state[13], nonce, CHACHA20_NONCE_BYTES);
    memcpy(s, state, sizeof s);
    for (unsigned i = 0; i < DOUBLE_ROUNDS; i++) {
        quarter(s, 0, 4, 8, 12);
        quarter(s, 1, 5, 9, 13);
        quarter(s, 2, 6, 10, 14);
        quarter(s, 3, 7, 11, 15);
        quarter(s, 0, 5, 10, 15);
        quarter(s, 1, 6, 11, 12);
        quarter(s, 2, 7, 8, 13);
        quarter(s, 3, 4, 9, 14);
    }
    for (unsigned i = 0; i < 16; i++)
        s[i] += state[i];
    memcpy(out, s, sizeof s);
}

void random_draw(struct random *random, void *out, uint32_t bytes)
{
    static const uint8_t nonce[CHACHA20_NONCE_BYTES];
    uint8_t block[CHACHA20_BLOCK_BYTES], *to = out;

    while (bytes != 0) {
        uint32_t part = bytes < CHACHA20_BLOCK_BYTES - CHACHA20_KEY_BYTES
                            ? bytes
                            : CHACHA20_BLOCK_BYTES - CHACHA20_KEY_BYTES;

        chacha20_block(random->key, 0, nonce, block);
        memcpy(random->key, block, CHACHA20_KEY_BYTES);
        memcpy(to, block + CHACHA20_KEY_BYTES, part);
        to += part;
        bytes -= part;
    }
    memset(block, 0, sizeof block);
}

void random_stir(struct random *random, const uint8_t bytes[CHACHA20_KEY_BYTES])
{
    uint8_t drawn[CHACHA20_KEY_BYTES];

    for (unsigned i = 0; i < CHACHA20_KEY_BYTES; i++)
        random->key[i] ^= bytes[i];
    random_draw(random, drawn, sizeof drawn);
}
