// SPDX-License-Identifier: MIT
/* file.c - files in memory, by the client's library and the service as they are, in two processes.
 */
#include "bench/bench.h"
#include "lib/client/file.h"
#include "tests/guest/files.h"

#define BADGE 0x10007ull

struct files {
    struct peer peer;
    mnos_cap_t client;
    struct file_session session;
    struct file file;
    void *buffer; /* in the window: one copy */
};

static uint64_t open_close(void *context)
{
    struct files *files = context;
    struct file file;
    uint64_t begin = reading_begin(), end;
    mnos_status_t opened = file_open(&files->session, NULL, "dir/file", 0, FILE_READ_RIGHT, &file);
    mnos_status_t closed = file_close(&file);

    end = reading_end();
    CHECK_OK(opened);
    CHECK_OK(closed);
    return readings_between(begin, end);
}

static uint64_t stat(void *context)
{
    struct files *files = context;
    struct file_attr attr;
    uint64_t begin = reading_begin(), end;
    mnos_status_t status = file_stat(&files->session, "dir/file", 0, &attr);

    end = reading_end();
    CHECK_OK(status);
    return readings_between(begin, end);
}

static uint64_t read_4k(void *context)
{
    struct files *files = context;
    uint64_t count, begin = reading_begin(), end;
    mnos_status_t status = file_read(&files->file, 0, files->buffer, 4096, &count);

    end = reading_end();
    CHECK_OK(status);
    CHECK_EQ(count, 4096);
    return readings_between(begin, end);
}

static uint64_t write_4k(void *context)
{
    struct files *files = context;
    uint64_t count, begin = reading_begin(), end;
    mnos_status_t status = file_write(&files->file, 0, files->buffer, 4096, &count);

    end = reading_end();
    CHECK_OK(status);
    CHECK_EQ(count, 4096);
    return readings_between(begin, end);
}

static uint64_t create_unlink(void *context)
{
    struct files *files = context;
    struct file file;
    uint64_t begin = reading_begin(), end;
    mnos_status_t created =
        file_open(&files->session, NULL, "dir/new", FILE_CREATE, FILE_WRITE_RIGHT, &file);
    mnos_status_t closed = file_close(&file);
    mnos_status_t removed = file_unlink(&files->session, "dir/new");

    end = reading_end();
    CHECK_OK(created);
    CHECK_OK(closed);
    CHECK_OK(removed);
    return readings_between(begin, end);
}

/* A session with a directory and a file of 4 KiB in it. */
static bool files_begin(struct files *files)
{
    uint64_t count;

    if (!peer_create(&files->peer) || !peer_start(&files->peer, files_serve, 0, PRIORITY_SERVER))
        return false;
    files->client = cap_mint(files->peer.endpoint, BADGE, 0);
    if (!CHECK_OK(file_session_open(&files->session, files->client, 0)) ||
        !CHECK_OK(file_make_directory(&files->session, "dir")) ||
        !CHECK_OK(file_open(&files->session, NULL, "dir/file", FILE_CREATE,
                            FILE_READ_RIGHT | FILE_WRITE_RIGHT, &files->file)))
        return false;
    files->buffer = file_buffer(&files->session, 4096);
    return CHECK(files->buffer != NULL) &&
           CHECK_OK(file_write(&files->file, 0, files->buffer, 4096, &count));
}

BENCH(file, "file-open-close file-stat file-read-4k file-write-4k file-create-unlink")
{
    static struct files files;

    if (files_begin(&files)) {
        measure("file-open-close", open_close, &files);
        measure("file-stat", stat, &files);
        measure("file-read-4k", read_4k, &files);
        measure("file-write-4k", write_4k, &files);
        measure("file-create-unlink", create_unlink, &files);
    }
    file_session_close(&files.session);
    cap_drop(files.client);
    peer_drop(&files.peer);
}
