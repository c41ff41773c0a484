// SPDX-License-Identifier: MIT
/* chacha20.h - the block function of ChaCha20 (RFC 8439, section 2.3): 64 bytes that nobody without the key can tell
 * from random ones. */
#pragma once

#include <stdint.h>

#define CHACHA20_KEY_BYTES 32u
#define CHACHA20_NONCE_BYTES 12u
#define CHACHA20_BLOCK_BYTES 64u

void chacha20_block(const uint8_t key[CHACHA20_KEY_BYTES], uint32_t counter,
                    const uint8_t nonce[CHACHA20_NONCE_BYTES], uint8_t out[CHACHA20_BLOCK_BYTES]);

/* Random bytes without end from one key, which each draw replaces, so that what was drawn before cannot be found from
 * what is here later. */
struct random {
    uint8_t key[CHACHA20_KEY_BYTES];
};

void random_draw(struct random *random, void *out, uint32_t bytes);
/* What comes is not known to who knows only the key, or only the bytes. */
void random_stir(struct random *random, const uint8_t bytes[CHACHA20_KEY_BYTES]);
