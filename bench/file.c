// SPDX-License-Identifier: MIT
/* file.c - files in memory, by the client's library and the service as they are, in two processes.
 */
#include "bench/bench.h"
#include "lib/client/file.h"
#include "lib/client/file_view.h"
#include "tests/guest/files.h"
#include "tests/guest/scene.h"

#define BADGE 0x10007ull

struct files {
    struct peer peer;
    mnos_cap_t client;
    struct file_session session;
    struct file file;
    void *buffer; /* in the window: one copy */
    struct file large;
    struct file_view view;
    uint32_t row; /* of pages, that is read next */
};

#define VIEW_READS 64u /* for each VIEW */
#define VIEW_ROWS 2u
#define VIEW_MAPPINGS 1000u
#define MAPPINGS_AT (ARENA + (512ull << 20)) /* behind what peers share */

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

/* One read of a row of pages that begins with VIEW, by which the service takes back the row before. The first page of a row is
 * left out: in the first one it does not lie with the others. */
static uint64_t read_4k_mapped(void *context)
{
    struct files *files = context;
    uint64_t count = 0, row = files->row++ % VIEW_ROWS * FILE_VIEW_PART_PAGES;
    uint64_t begin = reading_begin(), end;
    mnos_status_t status = MNOS_OK;

    for (uint32_t i = 0; i < VIEW_READS && status == MNOS_OK; i++)
        status = file_view_read(&files->view, (row + 1 + i % (FILE_VIEW_PART_PAGES - 1)) * 4096,
                                files->buffer, 4096, &count);
    end = reading_end();
    CHECK_OK(status);
    CHECK_EQ(count, 4096);
    CHECK_EQ(files->view.offset / 4096 / FILE_VIEW_PART_PAGES, row / FILE_VIEW_PART_PAGES);
    return readings_between(begin, end) / VIEW_READS;
}

static uint64_t attributes_mapped(void *context)
{
    struct files *files = context;
    struct file_attr attr;
    uint64_t begin = reading_begin(), end;
    mnos_status_t status = file_view_attributes(&files->view, &attr);

    end = reading_end();
    CHECK_OK(status);
    CHECK_EQ(attr.size, (uint64_t)VIEW_ROWS * FILE_VIEW_PART_PAGES * 4096);
    return readings_between(begin, end);
}

/* A client has mapped what it was lent again and again, and somebody makes the file shorter: what each mapping makes him
 * wait. */
static uint64_t take_back(void *context)
{
    struct files *files = context;
    uint64_t begin, end, count;
    mnos_status_t status, mapped = MNOS_OK;

    CHECK_OK(file_write(&files->large, 0, files->buffer, 4096, &count));
    CHECK_OK(file_view_read(&files->view, 0, files->buffer, 4096, &count));
    for (uint64_t i = 0; i < VIEW_MAPPINGS && mapped == MNOS_OK; i++)
        mapped =
            sys_mem_map(MNOS_SELF, files->view.memory, MAPPINGS_AT + i * PAGE, 0, 1, MNOS_MAP_READ);
    CHECK_OK(mapped);
    begin = reading_begin();
    status = file_truncate(&files->large, 0);
    end = reading_end();
    CHECK_OK(status);
    return readings_between(begin, end) / VIEW_MAPPINGS;
}

static bool view_begin(struct files *files)
{
    uint64_t count;

    if (!CHECK_OK(file_open(&files->session, NULL, "large", FILE_CREATE,
                            FILE_READ_RIGHT | FILE_WRITE_RIGHT, &files->large)))
        return false;
    for (uint32_t i = 0; i < VIEW_ROWS * FILE_VIEW_PART_PAGES; i++)
        CHECK_OK(file_write(&files->large, (uint64_t)i * 4096, files->buffer, 4096, &count));
    file_view_open(&files->view, &files->large);
    return true;
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

BENCH(file, "file-open-close file-stat file-read-4k file-read-4k-mapped file-attributes-mapped "
            "file-view-taken-back file-write-4k file-create-unlink")
{
    static struct files files;

    if (files_begin(&files)) {
        measure("file-open-close", open_close, &files);
        measure("file-stat", stat, &files);
        measure("file-read-4k", read_4k, &files);
        measure("file-write-4k", write_4k, &files);
        measure("file-create-unlink", create_unlink, &files);
        if (view_begin(&files)) {
            measure("file-read-4k-mapped", read_4k_mapped, &files);
            measure("file-attributes-mapped", attributes_mapped, &files);
            measure_rounds("file-view-taken-back", ROUNDS_FEW, take_back, &files);
        }
        file_view_close(&files.view);
    }
    file_session_close(&files.session);
    cap_drop(files.client);
    peer_drop(&files.peer);
}
