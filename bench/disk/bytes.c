// SPDX-License-Identifier: MIT
/* bytes - files that are read from the disk and written to it. What is read cold was not read since the machine booted:
 * each batch has a file, or a part of one, of its own. */
#include "bench/disk/busy.h"

#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/mnos/time.h"

#define BIG_KIB 32768u
#define COLD_FILES 3u
#define CACHED_KIB 2048u
#define RANDOM_PAGES 16384u
#define RANDOM_READS 256u
#define RANDOM_BATCHES 3u
#define THROUGH 16u
#define THROUGH_BATCHES 9u
/* So that each has another date, as Linux' figures have, whose clock goes in steps of 4 ms. */
#define APART_NS 8000000ull

struct bytes {
    struct place *place;
    unsigned next; /* of the files that were never read */
    struct file file;
    uint64_t chance;
    bool append;
};

static bool open_file(struct bytes *bytes, const char *path, uint32_t flags, uint32_t rights)
{
    return worked(file_open(bytes->place->session, NULL, path, flags, rights, &bytes->file), path);
}

/* The file from its beginning to its end, in pieces. */
static bool drain(struct bytes *bytes, uint64_t wanted)
{
    uint64_t at = 0, count = 1;

    for (; count != 0; at += count) {
        if (!worked(file_read(&bytes->file, at, bytes->place->buffer, CHUNK, &count), "read"))
            return false;
    }
    return at == wanted || worked(MNOS_ERR_SIZE, "read it to its end");
}

static uint64_t cold(void *context)
{
    struct bytes *bytes = context;
    char path[40];
    uint64_t begin, busy;

    mnos_snprintf(path, sizeof path, "big-%u", bytes->next++);
    if (!open_file(bytes, path, 0, FILE_READ_RIGHT))
        return 0;
    begin = busy_now();
    if (!drain(bytes, (uint64_t)BIG_KIB * KIB))
        return 0;
    busy = busy_now() - begin;
    return worked(file_close(&bytes->file), "close") ? busy : 0;
}

static uint64_t cached(void *context)
{
    struct bytes *bytes = context;
    uint64_t begin = busy_now();

    return drain(bytes, (uint64_t)CACHED_KIB * KIB) ? busy_now() - begin : 0;
}

static uint64_t random_reads(void *context)
{
    struct bytes *bytes = context;
    uint64_t begin = busy_now(), count;

    for (unsigned i = 0; i < RANDOM_READS; i++) {
        bytes->chance = bytes->chance * 6364136223846793005ull + 1442695040888963407ull;
        if (!worked(file_read(&bytes->file, (bytes->chance >> 40) % RANDOM_PAGES * PAGE,
                              bytes->place->buffer, PAGE, &count),
                    "read at random"))
            return 0;
    }
    return busy_now() - begin;
}

/* Into a new file, in order, until all is on the disk. */
static uint64_t write_big(void *context)
{
    struct bytes *bytes = context;
    uint64_t begin, count;

    if (!worked(file_truncate(&bytes->file, 0), "truncate") ||
        !worked(file_sync(&bytes->file), "sync"))
        return 0;
    begin = busy_now();
    for (uint64_t at = 0; at < (uint64_t)BIG_KIB * KIB; at += CHUNK) {
        if (!worked(file_write(&bytes->file, at, bytes->place->buffer, CHUNK, &count), "write") ||
            (count != CHUNK && !worked(MNOS_ERR_SIZE, "write it all")))
            return 0;
    }
    return worked(file_sync(&bytes->file), "sync") ? busy_now() - begin : 0;
}

/* A page written, and waited for until it is on the disk. */
static uint64_t through(void *context)
{
    struct bytes *bytes = context;
    uint64_t sum = 0, count;

    if ((bytes->append && !worked(file_truncate(&bytes->file, 0), "truncate")) ||
        !worked(file_sync(&bytes->file), "sync"))
        return 0;
    for (uint64_t i = 0; i < THROUGH; i++) {
        uint64_t begin;

        sleep_until(deadline_after_ns(APART_NS));
        begin = busy_now();
        if (!worked(file_write(&bytes->file, i * PAGE, bytes->place->buffer, PAGE, &count),
                    "write a page") ||
            !worked(file_sync(&bytes->file), "sync a page"))
            return 0;
        sum += busy_now() - begin;
    }
    return sum;
}

static void measure_writing(struct bytes *bytes)
{
    uint64_t count;

    if (is_wanted("disk-write-per-kib") &&
        open_file(bytes, "written", FILE_CREATE, FILE_READ_RIGHT | FILE_WRITE_RIGHT)) {
        measure("disk-write-per-kib", 3, BIG_KIB, write_big, bytes);
        (void)worked(file_close(&bytes->file), "close");
    }
    if (!open_file(bytes, "through", FILE_CREATE, FILE_READ_RIGHT | FILE_WRITE_RIGHT) ||
        !worked(file_write(&bytes->file, 0, bytes->place->buffer, CHUNK, &count), "write"))
        return;
    measure("file-fsync-4k", THROUGH_BATCHES, THROUGH, through, bytes);
    bytes->append = true;
    measure("file-fsync-4k-append", THROUGH_BATCHES, THROUGH, through, bytes);
    (void)worked(file_close(&bytes->file), "close");
}

void measure_bytes(struct place *place)
{
    struct bytes bytes = {.place = place, .chance = 1};

    char cold_name[40];

    string_copy(cold_name, argument("cold=", "disk-cold-per-kib"), sizeof cold_name);
    measure(cold_name, COLD_FILES, BIG_KIB, cold, &bytes);
    if (is_wanted("disk-cached-per-kib") && open_file(&bytes, "small", 0, FILE_READ_RIGHT)) {
        (void)drain(&bytes, (uint64_t)CACHED_KIB * KIB);
        measure("disk-cached-per-kib", 9, CACHED_KIB, cached, &bytes);
        (void)worked(file_close(&bytes.file), "close");
    }
    if (is_wanted("disk-random-4k") && open_file(&bytes, "random", 0, FILE_READ_RIGHT)) {
        measure("disk-random-4k", RANDOM_BATCHES, RANDOM_READS, random_reads, &bytes);
        (void)worked(file_close(&bytes.file), "close");
    }
    if (!has_failed())
        measure_writing(&bytes);
}
