// SPDX-License-Identifier: MIT
/* files - see files.h. */
#include "tests/guest/files.h"

#include "lib/mnos/memory.h"
#include "lib/mnos/time.h"
#include "lib/server/file_server.h"
#include "services/fs/tmpfs/methods.h"

#define BLOCK_PAGES 64u /* the tables are 34 of them */
#define SESSIONS 8u
#define HANDLES 32u

static struct file_server server;

static void grow(struct tmpfs *)
{
}

static struct tmpfs_files files = {.grow = grow};

static void set_clock(void *)
{
    files.fs->now_ns = kinfo_time_ns();
}

uint64_t files_serve(uint64_t endpoint, uint64_t, uint64_t, uint64_t)
{
    struct memory_block block, sessions;

    if (memory_allocate(BLOCK_PAGES, &block) != MNOS_OK ||
        memory_allocate((sessions_bytes(SESSIONS, HANDLES) + MNOS_PAGE_BYTES - 1) / MNOS_PAGE_BYTES,
                        &sessions) != MNOS_OK)
        return 1;
    files.fs = tmpfs_format(block.address, (uint64_t)BLOCK_PAGES * TMPFS_PAGE_BYTES,
                            BLOCK_PAGES * TMPFS_SHARE, 0x123456789ABCDEFull);
    if (files.fs == NULL)
        return 2;
    file_server_init(&server, &(struct file_system){&tmpfs_methods, &files, TMPFS_ROOT, 0},
                     sessions_format(sessions.address, SESSIONS, HANDLES, kinfo_time_ns()),
                     endpoint, NULL);
    return server_loop_run(&server.loop, set_clock);
}
