// SPDX-License-Identifier: MIT
/* growth - whether an operation costs more where there is more: names in a directory, bytes in a file, open files. */
#include "bench/disk/busy.h"

#include "lib/base/printf.h"

#define OPERATIONS 200u
#define BATCHES 5u
#define FEW_NAMES 100u
#define MANY_NAMES 100000u
#define FEW_FILES 1u
#define MANY_FILES 1000u
#define READ_PAGES 128u /* of a file, so far apart as its size says */
#define SMALL_STEP PAGE
#define LARGE_STEP ((4ull << 30) / READ_PAGES)

static struct {
    struct place *place;
    const char *directory;
    uint32_t names; /* in the directory */
    uint64_t chance;
    struct file files[MANY_FILES];
    uint32_t open;
    uint64_t step;
} now;

static uint32_t chance(uint32_t below)
{
    now.chance = now.chance * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(now.chance >> 33) % below;
}

static bool make(uint32_t number)
{
    struct file file;
    char path[40];

    mnos_snprintf(path, sizeof path, "%s/name-%u", now.directory, number);
    return worked(file_open(now.place->session, NULL, path, FILE_CREATE, FILE_WRITE_RIGHT, &file),
                  "make a name") &&
           worked(file_close(&file), "close");
}

static uint64_t lookup(void *)
{
    uint64_t begin = busy_now();
    struct file_attr attr;
    char path[40];

    for (unsigned i = 0; i < OPERATIONS; i++) {
        mnos_snprintf(path, sizeof path, "%s/name-%u", now.directory, chance(now.names));
        if (!worked(file_stat(now.place->session, path, 0, &attr), "look a name up"))
            return 0;
    }
    return busy_now() - begin;
}

/* Makes names, and takes them away again, which is not counted. */
static uint64_t create(void *)
{
    uint64_t begin = busy_now(), busy;
    char path[40];

    for (unsigned i = 0; i < OPERATIONS; i++) {
        if (!make(now.names + i))
            return 0;
    }
    busy = busy_now() - begin;
    for (unsigned i = 0; i < OPERATIONS; i++) {
        mnos_snprintf(path, sizeof path, "%s/name-%u", now.directory, now.names + i);
        if (!worked(file_unlink(now.place->session, path), "unlink"))
            return 0;
    }
    return busy;
}

static void measure_names(const char *directory, uint32_t count)
{
    char lookups[40], creates[40];

    mnos_snprintf(lookups, sizeof lookups, "directory-%u-lookup", count);
    mnos_snprintf(creates, sizeof creates, "directory-%u-create", count);
    if (!is_wanted(lookups) && !is_wanted(creates))
        return;
    now.directory = directory;
    if (!worked(file_make_directory(now.place->session, directory), "make a directory"))
        return;
    for (now.names = 0; now.names < count; now.names++) {
        if (!make(now.names))
            return;
    }
    measure(lookups, BATCHES, OPERATIONS, lookup, NULL);
    measure(creates, BATCHES, OPERATIONS, create, NULL);
}

static uint64_t read_one(void *)
{
    uint64_t begin = busy_now(), count;

    for (unsigned i = 0; i < OPERATIONS; i++) {
        if (!worked(file_read(&now.files[chance(now.open)], chance(READ_PAGES) * now.step,
                              now.place->buffer, PAGE, &count),
                    "read"))
            return 0;
    }
    return busy_now() - begin;
}

static bool open_files(uint32_t count)
{
    for (now.open = 0; now.open < count; now.open++) {
        if (!worked(file_open(now.place->session, NULL, "small", 0, FILE_READ_RIGHT,
                              &now.files[now.open]),
                    "open many"))
            return false;
    }
    return true;
}

static void close_files(void)
{
    while (now.open != 0)
        (void)worked(file_close(&now.files[--now.open]), "close");
}

static void measure_size(const char *name, uint64_t step)
{
    uint64_t count;

    now.step = step;
    if (!worked(file_open(now.place->session, NULL, name, FILE_CREATE,
                          FILE_READ_RIGHT | FILE_WRITE_RIGHT, &now.files[0]),
                "make a file"))
        return;
    now.open = 1;
    for (uint64_t i = 0; i < READ_PAGES; i++) {
        if (!worked(file_write(&now.files[0], i * step, now.place->buffer, PAGE, &count), "write"))
            return;
    }
    measure(name, BATCHES, OPERATIONS, read_one, NULL);
    close_files();
}

void measure_growth(struct place *place)
{
    now.place = place;
    now.chance = 1;
    measure_names("few", FEW_NAMES);
    measure_names("many", MANY_NAMES);
    if (is_wanted("file-512k-random"))
        measure_size("file-512k-random", SMALL_STEP);
    if (is_wanted("file-4g-random"))
        measure_size("file-4g-random", LARGE_STEP);
    now.step = SMALL_STEP;
    if (is_wanted("open-files-1-read") && open_files(FEW_FILES))
        measure("open-files-1-read", BATCHES, OPERATIONS, read_one, NULL);
    close_files();
    if (is_wanted("open-files-1000-read") && open_files(MANY_FILES))
        measure("open-files-1000-read", BATCHES, OPERATIONS, read_one, NULL);
    close_files();
}
