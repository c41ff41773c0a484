// SPDX-License-Identifier: MIT
/* test_initrdfs - the initial RAM disk as files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/fs/initrdfs/files.h"
#include "tests/unit/unit.h"

#define BLOCK 512u
#define ARCHIVE_BYTES (40u * BLOCK)

static uint8_t archive[ARCHIVE_BYTES];
static struct initrdfs fs;

/* Adds a member at a block; returns the block behind it. */
static unsigned add(unsigned block, const char *name, char type, const char *data)
{
    char *header = (char *)archive + block * BLOCK;
    unsigned sum = 0;

    strncpy(header, name, 100);
    sprintf(header + 100, "0000444");
    sprintf(header + 124, "%011o", (unsigned)strlen(data));
    memcpy(header + 148, "        ", 8);
    header[156] = type;
    memcpy(header + 257, "ustar\00000", 8);
    for (unsigned i = 0; i < BLOCK; i++)
        sum += (uint8_t)header[i];
    sprintf(header + 148, "%06o", sum);
    memcpy(header + BLOCK, data, strlen(data));
    return block + 1 + (unsigned)((strlen(data) + BLOCK - 1) / BLOCK);
}

static void make(void)
{
    unsigned block = 0;

    memset(archive, 0, sizeof archive);
    block = add(block, ".pad", '0', "zeros");
    block = add(block, "a", '0', "first");
    block = add(block, "folder", '5', "");
    block = add(block, "folder/b", '0', "hidden");
    block = add(block, "empty", '0', "");
    (void)add(block, "z", '0', "last");
    CHECK_EQ(initrdfs_open(&fs, archive, sizeof archive), USTAR_END);
}

static uint32_t look(const char *name)
{
    struct file_place place = {
        .directory = INITRDFS_ROOT, .text = name, .bytes = (uint32_t)strlen(name)};

    CHECK_EQ(initrdfs_methods.look(&fs, &place), MNOS_OK);
    return place.inode;
}

TEST(initrdfs, plain_members_are_files_and_the_rest_is_counted)
{
    struct file_attr attr;
    uint64_t count;
    char bytes[16];

    make();
    CHECK(fs.file_count == 3 && fs.left_out == 2);
    CHECK(look("a") != 0 && look("empty") != 0 && look("z") != 0);
    CHECK(look(".pad") == 0 && look("folder") == 0 && look("b") == 0 && look("") == 0);
    CHECK_EQ(initrdfs_methods.attr(&fs, look("a"), &attr), MNOS_OK);
    CHECK(attr.size == 5 && attr.type == FILE_TYPE_FILE);
    CHECK_EQ(initrdfs_methods.read(&fs, look("a"), 1, bytes, sizeof bytes, &count), MNOS_OK);
    CHECK(count == 4 && memcmp(bytes, "irst", 4) == 0);
    CHECK_EQ(initrdfs_methods.read(&fs, look("a"), UINT64_MAX, bytes, 1, &count), MNOS_OK);
    CHECK_EQ(count, 0);
    CHECK_EQ(initrdfs_methods.read(&fs, look("empty"), 0, bytes, 1, &count), MNOS_OK);
    CHECK_EQ(count, 0);
}

static bool take_one(void *context, const struct file_entry *entry)
{
    struct file_entry *kept = context;

    if (kept->inode != 0)
        return false;
    *kept = *entry;
    return true;
}

TEST(initrdfs, names_are_given_one_by_one_from_a_cookie)
{
    uint64_t cookie = 0;
    unsigned count = 0;
    bool end = false;

    make();
    while (!end && count < 10) {
        struct file_entry entry = {0};
        uint64_t next;

        CHECK_EQ(initrdfs_methods.names(&fs, INITRDFS_ROOT, cookie, take_one, &entry, &next, &end),
                 MNOS_OK);
        count += entry.inode != 0;
        cookie = next;
    }
    CHECK_EQ(count, 3);
}

TEST(initrdfs, nothing_is_changed)
{
    struct file_place old = {.directory = INITRDFS_ROOT, .text = "a", .bytes = 1},
                      new_one = {.directory = INITRDFS_ROOT, .text = "n", .bytes = 1};
    uint32_t inode;
    uint64_t count;

    make();
    old.inode = look("a");
    CHECK_EQ(initrdfs_methods.create(&fs, &new_one, FILE_TYPE_FILE, 0, &inode), MNOS_ERR_DENIED);
    CHECK_EQ(initrdfs_methods.create(&fs, &old, FILE_TYPE_FILE, 0, &inode), MNOS_ERR_EXISTS);
    CHECK_EQ(initrdfs_methods.symlink(&fs, &new_one, "x", 1, 0), MNOS_ERR_DENIED);
    CHECK_EQ(initrdfs_methods.link(&fs, old.inode, &new_one, 0), MNOS_ERR_DENIED);
    CHECK_EQ(initrdfs_methods.unlink(&fs, &old), MNOS_ERR_DENIED);
    CHECK_EQ(initrdfs_methods.unlink(&fs, &new_one), MNOS_ERR_NOT_FOUND);
    CHECK_EQ(initrdfs_methods.rename(&fs, &old, &new_one, 0), MNOS_ERR_DENIED);
    CHECK_EQ(initrdfs_methods.write(&fs, old.inode, 0, "x", 1, &count), MNOS_ERR_DENIED);
    CHECK_EQ(initrdfs_methods.truncate(&fs, old.inode, 0), MNOS_ERR_DENIED);
}

TEST(initrdfs, a_damaged_archive_gives_the_files_before_the_damage)
{
    for (unsigned i = 0; i < ARCHIVE_BYTES; i += 7) {
        struct initrdfs damaged;
        uint8_t *copy;

        make();
        copy = malloc(ARCHIVE_BYTES - i % BLOCK); /* the sanitizer watches its end */
        memcpy(copy, archive, ARCHIVE_BYTES - i % BLOCK);
        copy[i % (ARCHIVE_BYTES - BLOCK)] ^= 0x5A;
        (void)initrdfs_open(&damaged, copy, ARCHIVE_BYTES - i % BLOCK);
        for (uint32_t file = 0; file < damaged.file_count; file++) {
            char bytes[64];
            uint64_t count;

            CHECK_EQ(initrdfs_methods.read(&damaged, INITRDFS_ROOT + 1 + file, 0, bytes,
                                           sizeof bytes, &count),
                     MNOS_OK);
        }
        free(copy);
    }
}
