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
#include "lib/server/windows.h"

enum { EXIT_MEMORY = 1, EXIT_RECEIVE = 2 };

static struct memory memory;
static struct windows windows;
static struct file_server server;
static struct park park; /* for those who wait for a lock */

static void grow(struct tmpfs *)
{
    memory_grow(&memory);
}

static struct tmpfs_files files = {.grow = grow, .now_ns = kinfo_time_ns};

/* Pages that are nobody's any more are freed in steps, between requests. */
static void free_some(void *)
{
    (void)tmpfs_reap(files.fs);
}

static uint64_t next_round(void *)
{
    return files.fs->doomed != 0 ? MNOS_DEADLINE_POLL : MNOS_DEADLINE_NEVER;
}

static void recover(void)
{
    unsigned running =
        file_server_recover(&server, &windows.memory, memory.state.header->deaths == 0);

    if (memory.found == STATE_WHOLE)
        log_line("run %llu goes on with the files of the last: %u requests were running, %u of "
                 "them for the "
                 "second time",
                 (unsigned long long)memory.state.header->epoch, running & 0xFFFF, running >> 16);
    else
        log_line("%u KiB of files at most, in memory that outlives this process",
                 files.fs->page_limit * (TMPFS_PAGE_BYTES / 1024));
}

int main(void)
{
    mnos_status_t status = memory_begin(&memory);

    if (status == MNOS_OK)
        status = windows_open(&windows, "tmpfs_windows");
    if (status != MNOS_OK)
        return log_failure(status, "get memory for files", EXIT_MEMORY);
    files.fs = memory.fs;
    file_server_init(&server, &(struct file_system){&tmpfs_methods, &files, TMPFS_ROOT, 0},
                     memory.sessions, bootstrap_cap("requests"), &park);
    file_server_locks(&server, memory.locks);
    server.loop.round = free_some;
    server.loop.deadline_ns = next_round;
    recover();
    return log_failure(server_loop_run(&server.loop, NULL), "receive a request", EXIT_RECEIVE);
}
