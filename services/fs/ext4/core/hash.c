// SPDX-License-Identifier: MIT
/* hash - of names in hashed directories: half MD4, TEA, and the one of the first days of ext3. */
#include "services/fs/ext4/core/names.h"

enum { MD4_WORDS = 8, TEA_WORDS = 4, TEA_ROUNDS = 16 };

#define HASH_END 0xFFFFFFFEu /* means "behind the last" */

static uint32_t rotate(uint32_t value, unsigned bits)
{
    return value << bits | value >> (32 - bits);
}

/* One step of a round: a, b, c, d change their parts from step to step. */
static void md4_round(uint32_t v[4], const uint32_t in[MD4_WORDS], unsigned round)
{
    static const uint8_t order[3][MD4_WORDS] = {
        {0, 1, 2, 3, 4, 5, 6, 7}, {1, 3, 5, 7, 0, 2, 4, 6}, {3, 7, 2, 6, 1, 5, 0, 4}};
    static const uint8_t bits[3][4] = {{3, 7, 11, 19}, {3, 5, 9, 13}, {3, 9, 11, 15}};
    static const uint32_t constant[3] = {0, 0x5A827999, 0x6ED9EBA1};

    for (unsigned i = 0; i < MD4_WORDS; i++) {
        unsigned a = (4 - i % 4) % 4;
        uint32_t x = v[(a + 1) % 4], y = v[(a + 2) % 4], z = v[(a + 3) % 4], f;

        if (round == 0)
            f = z ^ (x & (y ^ z));
        else if (round == 1)
            f = (x & y) + ((x ^ y) & z);
        else
            f = x ^ y ^ z;
        v[a] = rotate(v[a] + f + in[order[round][i]] + constant[round], bits[round][i % 4]);
    }
}

static void half_md4(uint32_t state[4], const uint32_t in[MD4_WORDS])
{
    uint32_t v[4] = {state[0], state[1], state[2], state[3]};

    for (unsigned round = 0; round < 3; round++)
        md4_round(v, in, round);
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
