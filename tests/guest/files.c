// SPDX-License-Identifier: MIT
/* files - see files.h. */
#include "tests/guest/files.h"

#include "lib/mnos/memory.h"
#include "lib/mnos/time.h"
#include "lib/server/file_server.h"
#include "lib/server/state.h"
#include "services/fs/tmpfs/methods.h"

#define BLOCK_PAGES 80u /* the tables are 34 of them */
#define LOG_PAGES (TMPFS_LOG_BYTES / TMPFS_PAGE_BYTES + 1)
#define SESSIONS 8u
#define HANDLES 32u
#define LOCKS_OFFSET ((sessions_bytes(SESSIONS, HANDLES) + 63) / 64 * 64)

void memcpy_init(void); /* lib/mnos/memcpy.S: what a program does as it starts */

static struct file_server server;
static struct park park;

static void grow(struct tmpfs *)
{
}

static struct memory_block memory;

static mnos_cap_t memory_of(const void *address, uint64_t *page, uint64_t *page_count)
{
    *page = (uint64_t)((const uint8_t *)address - (uint8_t *)memory.address) / MNOS_PAGE_BYTES;
    *page_count = memory.page_count - *page;
    return memory.memory;
}

static struct tmpfs_files files = {.grow = grow, .now_ns = kinfo_time_ns, .memory = memory_of};

/* Its state is as in the service, so that a request does and costs the same: log, sessions, files. */
static bool make_state(void **sessions, void **block)
{
    static struct state state;
    uint64_t session_pages =
        (LOCKS_OFFSET + sizeof(struct file_locks) + MNOS_PAGE_BYTES - 1) / MNOS_PAGE_BYTES;

    if (memory_allocate(LOG_PAGES + session_pages + BLOCK_PAGES, &memory) != MNOS_OK)
        return false;
    state_open(&state, memory.address, memory.page_count * MNOS_PAGE_BYTES, 1, 1,
               LOG_PAGES * MNOS_PAGE_BYTES - (uint32_t)sizeof(struct state_header), NULL);
    state_ready(&state);
    *sessions = state_content(&state);
    *block = (uint8_t *)*sessions + session_pages * MNOS_PAGE_BYTES;
    state_current = &state;
    return true;
}

uint64_t files_serve(uint64_t endpoint, uint64_t, uint64_t, uint64_t)
{
    struct file_locks *locks;
    void *sessions, *block;

    memcpy_init();
    if (!make_state(&sessions, &block))
        return 1;
    locks = (struct file_locks *)((uint8_t *)sessions + LOCKS_OFFSET);
    files.fs = tmpfs_format(block, (uint64_t)BLOCK_PAGES * TMPFS_PAGE_BYTES,
                            BLOCK_PAGES * TMPFS_SHARE, 0x123456789ABCDEFull);
    if (files.fs == NULL)
        return 2;
    (void)sessions_format(sessions, SESSIONS, HANDLES, kinfo_time_ns());
    file_locks_format(locks);
    state_step();
    file_server_init(&server, &(struct file_system){&tmpfs_methods, &files, TMPFS_ROOT, 0},
                     sessions, endpoint, &park);
    file_server_locks(&server, locks);
    return server_loop_run(&server.loop, NULL);
}
