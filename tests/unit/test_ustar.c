// SPDX-License-Identifier: MIT
/* Tests of lib/format/ustar: a sound archive, then everything that can be wrong with it. */
#include <stdio.h>
#include <string.h>

#include "lib/format/ustar.h"
#include "unit.h"

#define ARCHIVE_SIZE (512 * 12)

static uint8_t archive[ARCHIVE_SIZE];

static void seal(uint8_t *header)
{
    unsigned sum = 0;

    memset(header + 148, ' ', 8);
    for (unsigned i = 0; i < 512; i++)
        sum += header[i];
    snprintf((char *)header + 148, 8, "%06o", sum);
}

/* Adds a member at `offset` and returns the offset after it. */
static size_t add(size_t offset, const char *name, char type, const char *data)
{
    uint8_t *header = archive + offset;
    size_t size = strlen(data);

    strcpy((char *)header, name);
    strcpy((char *)header + 100, "0000644");
    snprintf((char *)header + 124, 12, "%011o", (unsigned)size);
    memcpy(header + 257, "ustar\00000", 8);
    header[156] = (uint8_t)type;
    memcpy(header + 512, data, size);
    seal(header);
    return offset + 512 + (size + 511) / 512 * 512;
}

static void make_archive(void)
{
    size_t at = 0;

    memset(archive, 0, sizeof archive);
    at = add(at, "boot/", '5', "");
    at = add(at, "boot/a", '0', "hello");
    at = add(at, "./b", 0, "world");
    add(at, "empty", '0', "");
}

TEST(ustar, finds_files_by_path)
{
    struct ustar_entry entry;

    make_archive();
    CHECK_EQ(ustar_find(archive, sizeof archive, "boot/a", &entry), USTAR_OK);
    CHECK_EQ(entry.size, 5);
    CHECK_EQ(memcmp(entry.data, "hello", 5), 0);
    CHECK_EQ(entry.mode, 0644);
    CHECK_EQ(ustar_find(archive, sizeof archive, "/b", &entry), USTAR_OK);
    CHECK_EQ(entry.type, '0');
    CHECK_EQ(ustar_find(archive, sizeof archive, "empty", &entry), USTAR_OK);
    CHECK_PTR_EQ(entry.data, NULL);
    CHECK_EQ(ustar_find(archive, sizeof archive, "boot", &entry), USTAR_END);
    CHECK_EQ(ustar_find(archive, sizeof archive, "boot/", &entry), USTAR_END);
    CHECK_EQ(ustar_find(archive, sizeof archive, "", &entry), USTAR_END);
}

/* Every byte counts, wherever it is: 0x80 in each in turn, and the largest sum that there is. */
TEST(ustar, sums_every_byte_of_a_header)
{
    struct ustar_entry entry;
    size_t offset;

    for (unsigned i = 0; i < 512; i++) {
        bool checked = i < 148 || i >= 156; /* the sum's own field counts as spaces */

        if ((i >= 100 && i < 108) || (i >= 124 && i < 136) || (i >= 257 && i < 265) || !checked)
            continue; /* fields that are judged by themselves */
        make_archive();
        offset = 0;
        archive[i] ^= 0x80;
        CHECK_EQ(ustar_next(archive, sizeof archive, &offset, &entry), USTAR_CHECKSUM);
        seal(archive);
        offset = 0;
        CHECK_EQ(ustar_next(archive, sizeof archive, &offset, &entry), USTAR_OK);
    }
    make_archive();
    for (unsigned i = 0; i < 512; i++)
        if (i < 100 || (i >= 108 && i < 124) || (i >= 136 && i < 257) || i >= 265)
            archive[i] = 0xFF;
    seal(archive);
    offset = 0;
    CHECK_EQ(ustar_next(archive, sizeof archive, &offset, &entry), USTAR_OK);
}

TEST(ustar, joins_prefix_and_name)
{
    struct ustar_entry entry;
    size_t offset = 0;

    make_archive();
    memset(archive + 512, 'n', 100);
    memset(archive + 512 + 345, 'p', 155);
    seal(archive + 512);
    CHECK_EQ(ustar_next(archive, sizeof archive, &offset, &entry), USTAR_OK);
    CHECK_EQ(ustar_next(archive, sizeof archive, &offset, &entry), USTAR_OK);
    CHECK_EQ(strlen(entry.path), 256);
    CHECK_EQ(entry.path[155], '/');
}

TEST(ustar, ignores_the_size_of_what_has_no_data)
{
    struct ustar_entry entry;
    size_t offset = 0;

    make_archive();
    memcpy(archive + 124, "00000001000", 11);
    seal(archive);
    CHECK_EQ(ustar_next(archive, sizeof archive, &offset, &entry), USTAR_OK);
    CHECK_EQ(entry.size, 0);
    CHECK_EQ(offset, 512);
}

TEST(ustar, refuses_truncation_inside_header_and_data)
{
    struct ustar_entry entry;

    make_archive();
    CHECK_EQ(ustar_find(archive, 0, "boot/a", &entry), USTAR_END);
    CHECK_EQ(ustar_find(archive, 511, "boot/a", &entry), USTAR_TRUNCATED);
    CHECK_EQ(ustar_find(archive, 512, "boot/a", &entry), USTAR_END);
    CHECK_EQ(ustar_find(archive, 1024 + 4, "boot/a", &entry), USTAR_TRUNCATED);
    CHECK_EQ(ustar_find(archive, 1024 + 5, "boot/a", &entry), USTAR_OK);
    CHECK_EQ(ustar_find(archive, 1024 + 5, "b", &entry), USTAR_END);
}

TEST(ustar, refuses_bad_fields)
{
    struct ustar_entry entry;
    size_t offset = 0;

    make_archive();
    archive[257] = 'x';
    CHECK_EQ(ustar_next(archive, sizeof archive, &offset, &entry), USTAR_MAGIC);
    make_archive();
    archive[0]++;
    CHECK_EQ(ustar_next(archive, sizeof archive, &offset, &entry), USTAR_CHECKSUM);
    make_archive();
    archive[148] = '9';
    CHECK_EQ(ustar_next(archive, sizeof archive, &offset, &entry), USTAR_NUMBER);
    make_archive();
    archive[130] = 0x80;
    seal(archive);
    CHECK_EQ(ustar_next(archive, sizeof archive, &offset, &entry), USTAR_NUMBER);
    make_archive();
    archive[0] = 0;
    seal(archive);
    CHECK_EQ(ustar_next(archive, sizeof archive, &offset, &entry), USTAR_NAME);
    make_archive();
    memset(archive + 512 + 124, '7', 12); /* 64 GiB */
    seal(archive + 512);
    CHECK_EQ(ustar_find(archive, sizeof archive, "boot/a", &entry), USTAR_TRUNCATED);
}

static uint64_t random_state = 0x2545f4914f6cdd1d;

static uint64_t random_number(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

TEST(ustar, stays_inside_100000_mutated_archives)
{
    unsigned read = 0;

    for (unsigned round = 0; round < 100000; round++) {
        struct ustar_entry entry;
        size_t offset = 0, size = 1 + random_number() % ARCHIVE_SIZE, header;
        unsigned entries = 0;

        make_archive();
        for (unsigned i = 0; i < 3; i++) {
            header = random_number() % 5 * 512;
            archive[header + random_number() % 512] = (uint8_t)random_number();
            if (random_number() % 8 != 0)
                seal(archive + header);
        }
        while (ustar_next(archive, size, &offset, &entry) == USTAR_OK) {
            CHECK(offset <= size && ++entries <= ARCHIVE_SIZE / 512);
            CHECK(memchr(entry.path, 0, sizeof entry.path) != NULL);
            CHECK(entry.size == 0 || (entry.data > archive && entry.data < archive + size &&
                                      entry.size <= (size_t)(archive + size - entry.data)));
            read++;
        }
    }
    CHECK(read > 50000);
}

TEST(ustar, has_a_text_for_each_error)
{
    for (unsigned i = 0; i <= USTAR_ERROR_COUNT; i++)
        CHECK(ustar_error_text((enum ustar_error)i)[0] != 0);
}
