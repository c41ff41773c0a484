// SPDX-License-Identifier: MIT
/* test_ext4 - what the core of the ext4 service computes; what it does is in tests/ext4. */
#include "services/fs/ext4/core/names.h"
#include "tests/unit/unit.h"

TEST(ext4, both_ways_to_the_checksum_give_the_known_value)
{
    const uint8_t text[] = "123456789 and a longer text, at an odd place";
    uint8_t block[600]; /* more than two rounds of the instruction */

    CHECK_EQ(~ext4_crc32c(UINT32_MAX, text, 9), 0xE3069283);
    CHECK_EQ(~ext4_crc32c_by_table(UINT32_MAX, text, 9), 0xE3069283);
    for (uint32_t from = 0; from < 8; from++)
        for (uint32_t count = 0; count < 30; count++)
            CHECK_EQ(ext4_crc32c(from, text + from, count),
                     ext4_crc32c_by_table(from, text + from, count));
    for (uint32_t i = 0; i < sizeof block; i++)
        block[i] = (uint8_t)(i * 7 + (i >> 8));
    for (uint32_t count = 0; count < sizeof block - 3; count++)
        CHECK_EQ(ext4_crc32c(count, block + 3, count),
                 ext4_crc32c_by_table(count, block + 3, count));
}

/* By debugfs, dx_hash -h KIND -s SEED; of unsigned characters the kinds are three more. */
static const char accents[] = "\xC3\xA9t\xC3\xA9",
                  longer[] = "\xFF\x80na\xEFve-\xE2\x82\xAC-and-so-on-until-it-is-longer-than-"
                             "thirty-two-\xFE";
static const struct {
    uint8_t version;
    bool is_unsigned, has_seed;
    const char *name;
    struct ext4_hash hash;
} known_hashes[] = {
    {HASH_LEGACY, false, false, "a", {0xE74B53E2, 0}},
    {HASH_LEGACY, false, false, "hello", {0x32252546, 0}},
    {HASH_LEGACY, false, false, accents, {0x70D7B7FC, 0}},
    {HASH_LEGACY, true, false, accents, {0x40D0F40C, 0}},
    {HASH_LEGACY, false, true, longer, {0x48081580, 0}},
    {HASH_LEGACY, true, false, longer, {0x44F27638, 0}},
    {HASH_HALF_MD4, false, false, "a", {0xD5FA7D7A, 0xACB48187}},
    {HASH_HALF_MD4, false, false, "hello", {0x1746DA32, 0x420013B5}},
    {HASH_HALF_MD4,
     false,
     false,
     "a-name-that-is-longer-than-thirty-two-bytes-in-all",
     {0x8202A988, 0xA7050DA0}},
    {HASH_HALF_MD4, false, false, accents, {0xA69A4D3A, 0x22BAC128}},
    {HASH_HALF_MD4, false, true, accents, {0x8099B2C4, 0x7ECE977E}},
    {HASH_HALF_MD4, true, false, accents, {0x3EB35F16, 0x634A9ED3}},
    {HASH_HALF_MD4, true, true, accents, {0xD3AB119A, 0xF129767B}},
    {HASH_HALF_MD4, false, false, longer, {0x0B14976C, 0xE94B0D59}},
    {HASH_HALF_MD4, false, true, longer, {0xBC8FB0EC, 0x84B486FD}},
    {HASH_HALF_MD4, true, false, longer, {0xC280ADC0, 0x8BBEAD32}},
    {HASH_HALF_MD4, true, true, longer, {0x7CE97538, 0xF790B852}},
    {HASH_TEA, false, false, "a", {0x6D0EA4C0, 0xC18922DF}},
    {HASH_TEA, false, false, "hello", {0x6F5BB1A8, 0x231917C2}},
    {HASH_TEA, false, false, accents, {0x04D337A6, 0x0615A017}},
    {HASH_TEA, true, false, accents, {0x2ED2FEAC, 0x3A9221A3}},
    {HASH_TEA, false, false, longer, {0xA2722B0A, 0x87127287}},
    {HASH_TEA, true, false, longer, {0xE35F2226, 0x4EA2090C}},
};

TEST(ext4, hashes_of_names_are_those_that_e2fsprogs_computes)
{
    static const uint32_t seed[4] = {0x67452301, 0xEFCDAB89, 0x67452381, 0xEFCDAB89};

    for (unsigned i = 0; i < sizeof known_hashes / sizeof known_hashes[0]; i++) {
        static struct ext4_fs fs;
        struct ext4_hash hash;

        fs.hash_unsigned = known_hashes[i].is_unsigned;
        memset(fs.hash_seed, 0, sizeof fs.hash_seed);
        if (known_hashes[i].has_seed)
            memcpy(fs.hash_seed, seed, sizeof fs.hash_seed);
        ext4_hash(&fs, known_hashes[i].version, known_hashes[i].name,
                  (uint32_t)strlen(known_hashes[i].name), &hash);
        CHECK_EQ(hash.major, known_hashes[i].hash.major);
        CHECK_EQ(hash.minor, known_hashes[i].hash.minor);
    }
}
