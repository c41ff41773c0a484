// SPDX-License-Identifier: MIT
/* hash - of names in hashed directories: half MD4, TEA, and the one of the first days of ext3. */
#include "services/fs/ext4/core/names.h"

enum { MD4_WORDS = 8, TEA_WORDS = 4, TEA_ROUNDS = 16 };

#define HASH_END 0xFFFFFFFEu /* means "behind the last" */

static uint32_t rotate(uint32_t value, unsigned bits)
{
    return value << bits | value >> (32 - bits);
}

/* Rounds are written out, as a name that is looked up for the first time has all three of them for each 32 bytes. */
static inline uint32_t step(uint32_t value, uint32_t mixed, uint32_t in, unsigned bits)
{
    return rotate(value + mixed + in, bits);
}

static inline uint32_t choose(uint32_t x, uint32_t y, uint32_t z)
{
    return z ^ (x & (y ^ z));
}

static inline uint32_t majority(uint32_t x, uint32_t y, uint32_t z)
{
    return (x & y) + ((x ^ y) & z) + 0x5A827999;
}

static inline uint32_t parity(uint32_t x, uint32_t y, uint32_t z)
{
    return (x ^ y ^ z) + 0x6ED9EBA1;
}

static inline void md4_first(uint32_t v[4], const uint32_t in[MD4_WORDS])
{
    uint32_t a = v[0], b = v[1], c = v[2], d = v[3];

    a = step(a, choose(b, c, d), in[0], 3);
    d = step(d, choose(a, b, c), in[1], 7);
    c = step(c, choose(d, a, b), in[2], 11);
    b = step(b, choose(c, d, a), in[3], 19);
    a = step(a, choose(b, c, d), in[4], 3);
    d = step(d, choose(a, b, c), in[5], 7);
    c = step(c, choose(d, a, b), in[6], 11);
    b = step(b, choose(c, d, a), in[7], 19);
    v[0] = a;
    v[1] = b;
    v[2] = c;
    v[3] = d;
}

static inline void md4_second(uint32_t v[4], const uint32_t in[MD4_WORDS])
{
    uint32_t a = v[0], b = v[1], c = v[2], d = v[3];

    a = step(a, majority(b, c, d), in[1], 3);
    d = step(d, majority(a, b, c), in[3], 5);
    c = step(c, majority(d, a, b), in[5], 9);
    b = step(b, majority(c, d, a), in[7], 13);
    a = step(a, majority(b, c, d), in[0], 3);
    d = step(d, majority(a, b, c), in[2], 5);
    c = step(c, majority(d, a, b), in[4], 9);
    b = step(b, majority(c, d, a), in[6], 13);
    v[0] = a;
    v[1] = b;
    v[2] = c;
    v[3] = d;
}

static inline void md4_third(uint32_t v[4], const uint32_t in[MD4_WORDS])
{
    uint32_t a = v[0], b = v[1], c = v[2], d = v[3];

    a = step(a, parity(b, c, d), in[3], 3);
    d = step(d, parity(a, b, c), in[7], 9);
    c = step(c, parity(d, a, b), in[2], 11);
    b = step(b, parity(c, d, a), in[6], 15);
    a = step(a, parity(b, c, d), in[1], 3);
    d = step(d, parity(a, b, c), in[5], 9);
    c = step(c, parity(d, a, b), in[0], 11);
    b = step(b, parity(c, d, a), in[4], 15);
    v[0] = a;
    v[1] = b;
    v[2] = c;
    v[3] = d;
}

static void half_md4(uint32_t state[4], const uint32_t in[MD4_WORDS])
{
    uint32_t v[4] = {state[0], state[1], state[2], state[3]};

    md4_first(v, in);
    md4_second(v, in);
    md4_third(v, in);
    for (unsigned i = 0; i < 4; i++)
        state[i] += v[i];
}

static void tea(uint32_t state[4], const uint32_t in[TEA_WORDS])
{
    uint32_t sum = 0, x = state[0], y = state[1];

    for (unsigned i = 0; i < TEA_ROUNDS; i++) {
        sum += 0x9E3779B9;
        x += ((y << 4) + in[0]) ^ (y + sum) ^ ((y >> 5) + in[1]);
        y += ((x << 4) + in[2]) ^ (x + sum) ^ ((x >> 5) + in[3]);
    }
    state[0] += x;
    state[1] += y;
}

/* Whether a character above 127 is negative depends on the machine that made the file system. */
static uint32_t character(const struct ext4_fs *fs, char c)
{
    return fs->hash_unsigned ? (uint8_t)c : (uint32_t)(int32_t)(int8_t)c;
}

static void words_of(const struct ext4_fs *fs, const char *name, uint32_t bytes, uint32_t *words,
                     uint32_t count)
{
    uint32_t pad = bytes | bytes << 8, value, at = 0;

    pad |= pad << 16;
    value = pad;
    for (uint32_t i = 0; i < bytes && i < count * 4; i++) {
        value = character(fs, name[i]) + (value << 8);
        if (i % 4 == 3) {
            words[at++] = value;
            value = pad;
        }
    }
    if (at < count)
        words[at++] = value;
    while (at < count)
        words[at++] = pad;
}

static uint32_t legacy(const struct ext4_fs *fs, const char *name, uint32_t bytes)
{
    uint32_t now = 0x12A3FE2D, before = 0x37ABE8F9;

    for (uint32_t i = 0; i < bytes; i++) {
        uint32_t hash = before + (now ^ character(fs, name[i]) * 7152373);

        if ((hash & 0x80000000) != 0)
            hash -= 0x7FFFFFFF;
        before = now;
        now = hash;
    }
    return now << 1;
}

void ext4_hash(const struct ext4_fs *fs, uint8_t version, const char *name, uint32_t bytes,
               struct ext4_hash *hash)
{
    uint32_t state[4] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476}, in[MD4_WORDS];
    uint32_t step = version == HASH_TEA ? TEA_WORDS : MD4_WORDS;

    if ((fs->hash_seed[0] | fs->hash_seed[1] | fs->hash_seed[2] | fs->hash_seed[3]) != 0)
        memcpy(state, fs->hash_seed, sizeof state);
    for (uint32_t at = 0; version != HASH_LEGACY && at < bytes; at += 4 * step) {
        words_of(fs, name + at, bytes - at, in, step);
        if (version == HASH_TEA)
            tea(state, in);
        else
            half_md4(state, in);
    }
    if (version == HASH_LEGACY)
        *hash = (struct ext4_hash){legacy(fs, name, bytes), 0};
    else if (version == HASH_TEA)
        *hash = (struct ext4_hash){state[0], state[1]};
    else
        *hash = (struct ext4_hash){state[1], state[2]};
    hash->major &= ~1u;
    if (hash->major == HASH_END)
        hash->major -= 2;
}
