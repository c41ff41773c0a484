// SPDX-License-Identifier: MIT
/*
 * main - files in memory: capabilities, memory and the loop. See README.md.
 */
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/time.h"
#include "lib/server/file_server.h"
#include "services/fs/tmpfs/memory.h"
#include "services/fs/tmpfs/methods.h"

/* What the files may become: the manifest's quota has room for these, windows, and the process
 * itself. */
#define PAGES_MAX 1536u

enum { EXIT_MEMORY = 1, EXIT_RECEIVE = 2 };

static struct memory memory;
static struct file_server server;

static void grow(struct tmpfs *fs)
{
    tmpfs_extend(fs, memory_more(&memory));
}

static struct tmpfs_files files = {.grow = grow};

static int fail(mnos_status_t status, const char *what, int code)
{
    log_error(status, what);
    return code;
}

/* Badges that end with a run of the service are not used again by the next: time goes on. */
static mnos_badge_t first_badge(void)
{
    return kinfo_time_ns();
}

static void set_clock(void *)
{
    files.fs->now_ns = kinfo_time_ns();
}

int main(void)
{
    uint64_t session_pages =
        (sessions_bytes(FILE_SERVER_SESSIONS, FILE_SERVER_HANDLES) + MNOS_PAGE_BYTES - 1) /
        MNOS_PAGE_BYTES;
    struct memory_block sessions;
    mnos_status_t status = memory_begin(&memory, PAGES_MAX);

    if (status == MNOS_OK)
        status = memory_allocate(session_pages, &sessions);
    if (status == MNOS_OK) {
        uint32_t limit = PAGES_MAX - (uint32_t)(TMPFS_HEADER_BYTES / TMPFS_PAGE_BYTES);

        files.fs = tmpfs_format((void *)memory.address, (uint64_t)memory.pages * TMPFS_PAGE_BYTES,
                                limit, tsc_read() * 0x9E3779B97F4A7C15ull);
    }
    if (files.fs == NULL)
        return fail(status, "get memory for files", EXIT_MEMORY);
    file_server_init(
        &server, &(struct file_system){&tmpfs_methods, &files, TMPFS_ROOT, 0},
        sessions_format(sessions.address, FILE_SERVER_SESSIONS, FILE_SERVER_HANDLES, first_badge()),
        bootstrap_cap("requests"), NULL);
    log_line("%u KiB of files at most; the memory is this process's, and ends with it",
             PAGES_MAX * (TMPFS_PAGE_BYTES / 1024));
    return fail(server_loop_run(&server.loop, set_clock), "receive a request", EXIT_RECEIVE);
}
