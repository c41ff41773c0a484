// SPDX-License-Identifier: MIT
/* files - operations on files that are in memory: what bench/file.c measures, on ext4. */
#include "bench/disk/busy.h"

#include "lib/base/printf.h"

#define OPERATIONS 1000u
#define BATCHES 9u
#define NAMES 1000u

struct files {
    struct place *place;
    struct file file;
    unsigned count; /* names that were made */
};

static uint64_t open_close(void *context)
{
    struct files *files = context;
    uint64_t begin = busy_now();

    for (unsigned i = 0; i < OPERATIONS; i++) {
        struct file file;

        if (!worked(file_open(files->place->session, NULL, "bench/file", 0, FILE_READ_RIGHT, &file),
                    "open") ||
            !worked(file_close(&file), "close"))
            return 0;
    }
    return busy_now() - begin;
}

static uint64_t stat(void *context)
{
    struct files *files = context;
    uint64_t begin = busy_now();
    struct file_attr attr;

    for (unsigned i = 0; i < OPERATIONS; i++) {
        if (!worked(file_stat(files->place->session, "bench/file", 0, &attr), "stat"))
            return 0;
    }
    return busy_now() - begin;
}

static uint64_t read_4k(void *context)
{
    struct files *files = context;
    uint64_t begin = busy_now(), count;

    for (unsigned i = 0; i < OPERATIONS; i++) {
        if (!worked(file_read(&files->file, 0, files->place->buffer, PAGE, &count), "read"))
            return 0;
    }
    return busy_now() - begin;
}

static uint64_t write_4k(void *context)
{
    struct files *files = context;
    uint64_t begin = busy_now(), count;

    for (unsigned i = 0; i < OPERATIONS; i++) {
        if (!worked(file_write(&files->file, 0, files->place->buffer, PAGE, &count), "write"))
            return 0;
    }
    return busy_now() - begin;
}

/* One new name after another, with a byte in it, so that all of the directory is used. */
static uint64_t create_unlink(void *context)
{
    struct files *files = context;
    struct file_session *session = files->place->session;
    uint64_t begin = busy_now(), count;

    for (unsigned i = 0; i < OPERATIONS / 2; i++) {
        struct file file;
        char path[40];

        mnos_snprintf(path, sizeof path, "names/new-%u", ++files->count);
        if (!worked(file_open(session, NULL, path, FILE_CREATE | FILE_EXCLUSIVE, FILE_WRITE_RIGHT,
                              &file),
                    "create") ||
            !worked(file_write(&file, 0, "x", 1, &count), "write a byte") ||
            !worked(file_close(&file), "close") || !worked(file_unlink(session, path), "unlink"))
            return 0;
    }
    return busy_now() - begin;
}

static bool make_names(struct file_session *session, const char *directory, unsigned count)
{
    if (!worked(file_make_directory(session, directory), "make a directory"))
        return false;
    for (unsigned i = 0; i < count; i++) {
        struct file file;
        char path[40];

        mnos_snprintf(path, sizeof path, "%s/old-%u", directory, i);
        if (!worked(file_open(session, NULL, path, FILE_CREATE, FILE_WRITE_RIGHT, &file),
                    "make a name") ||
            !worked(file_close(&file), "close"))
            return false;
    }
    return true;
}

void measure_files(struct place *place)
{
    static struct files files;
    uint64_t count;

    files.place = place;
    if (!worked(file_make_directory(place->session, "bench"), "make a directory") ||
        !worked(file_open(place->session, NULL, "bench/file", FILE_CREATE,
                          FILE_READ_RIGHT | FILE_WRITE_RIGHT, &files.file),
                "make the file") ||
        !worked(file_write(&files.file, 0, place->buffer, PAGE, &count), "write the file"))
        return;
    measure("file-open-close-ext4", BATCHES, OPERATIONS, open_close, &files);
    measure("file-stat-ext4", BATCHES, OPERATIONS, stat, &files);
    measure("file-read-4k-ext4", BATCHES, OPERATIONS, read_4k, &files);
    measure("file-write-4k-ext4", BATCHES, OPERATIONS, write_4k, &files);
    if (is_wanted("file-create-unlink-ext4") && make_names(place->session, "names", NAMES))
        measure("file-create-unlink-ext4", BATCHES, OPERATIONS / 2, create_unlink, &files);
    (void)worked(file_close(&files.file), "close");
}
