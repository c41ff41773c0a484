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

/* By debugfs, dx_hash -h KIND -s SEED. */
TEST(ext4, hashes_of_names_are_those_that_e2fsprogs_computes)
{
    static const struct {
        uint8_t version;
        const char *name;
        struct ext4_hash hash;
    } known[] = {
        {HASH_LEGACY, "a", {0xE74B53E2, 0}},
        {HASH_LEGACY, "hello", {0x32252546, 0}},
        {HASH_HALF_MD4, "a", {0xD5FA7D7A, 0xACB48187}},
        {HASH_HALF_MD4, "hello", {0x1746DA32, 0x420013B5}},
        {HASH_HALF_MD4,
         "a-name-that-is-longer-than-thirty-two-bytes-in-all",
         {0x8202A988, 0xA7050DA0}},
        {HASH_TEA, "a", {0x6D0EA4C0, 0xC18922DF}},
        {HASH_TEA, "hello", {0x6F5BB1A8, 0x231917C2}},
    };
    static struct ext4_fs fs; /* without a seed */

    for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct ext4_hash hash;

        ext4_hash(&fs, known[i].version, known[i].name, (uint32_t)strlen(known[i].name), &hash);
        CHECK_EQ(hash.major, known[i].hash.major);
        CHECK_EQ(hash.minor, known[i].hash.minor);
    }
}
