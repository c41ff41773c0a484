// SPDX-License-Identifier: MIT
/*
 * main - a program for tests: writes files on /disk, or what its arguments name, syncs them, reads them back and compares, round after round, and
 * counts what failed. It repeats nothing: what a death costs above the library is seen.
 */
#include "lib/client/file.h"
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"

#define ROUNDS 60u
#define FILES 4u
#define PART_BYTES 65536u
#define PARTS 12u

static struct file_mounts mounts;
static uint8_t part[PART_BYTES];
static uint32_t failed, different;

static void fill(uint32_t round, uint32_t at)
{
    for (uint32_t i = 0; i < PART_BYTES; i++)
        part[i] = (uint8_t)(i * 7 + (i >> 9) + round * 13 + at * 29);
}

static bool worked(mnos_status_t status, const char *what)
{
    if (status == MNOS_OK)
        return true;
    failed++;
    log_error(status, what);
    return false;
}

static void write_file(const struct file *file, uint32_t round)
{
    for (uint32_t i = 0; i < PARTS; i++) {
        uint64_t count = 0;

        fill(round, i);
        if (worked(file_write(file, (uint64_t)i * PART_BYTES, part, PART_BYTES, &count), "write") &&
            count != PART_BYTES)
            failed++;
    }
    (void)worked(file_sync(file), "sync");
}

static void check_file(const struct file *file, uint32_t round)
{
    static uint8_t read[PART_BYTES];

    for (uint32_t i = 0; i < PARTS; i++) {
        uint64_t count = 0;

        fill(round, i);
        if (worked(file_read(file, (uint64_t)i * PART_BYTES, read, PART_BYTES, &count), "read") &&
            (count != PART_BYTES || memcmp(read, part, PART_BYTES) != 0))
            different++;
    }
}

static void one_round(uint32_t round)
{
    const char *on = bootstrap_arguments()[0] != 0 ? bootstrap_arguments() : "/disk";
    char path[64], moved[64];
    struct file file;

    mnos_snprintf(path, sizeof path, "%s/load-%u", on, round % FILES);
    mnos_snprintf(moved, sizeof moved, "%s/moved-%u", on, round % FILES);
    if (!worked(file_open(&mounts.root, NULL, path, FILE_CREATE | FILE_TRUNCATE_FIRST,
                          FILE_READ_RIGHT | FILE_WRITE_RIGHT, &file),
                "open"))
        return;
    write_file(&file, round);
    check_file(&file, round);
    (void)worked(file_close(&file), "close");
    (void)worked(file_rename(&mounts.root, path, moved), "rename");
}

int main(void)
{
    if (!worked(file_mounts_open(&mounts, bootstrap_cap("files"), PART_BYTES), "open a session"))
        return 1;
    for (uint32_t round = 0; round < ROUNDS; round++)
        one_round(round);
    log_line("%u rounds, %u requests failed, %u parts were different", ROUNDS, failed, different);
    return failed != 0 || different != 0;
}
