// SPDX-License-Identifier: MIT
/*
 * main - files in memory: capabilities, memory and the loop. See README.md.
 */
#include "lib/client/clock.h"
#include "lib/client/manager.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/time.h"
#include "lib/server/file_server.h"
#include "services/fs/tmpfs/limits.h"
#include "services/fs/tmpfs/memory.h"
#include "services/fs/tmpfs/methods.h"
#include "lib/server/windows.h"

enum { EXIT_MEMORY = 1, EXIT_RECEIVE = 2, EXIT_LIMITS = 3 };

static struct memory memory;
static struct windows windows;
static struct file_server server;
static struct park park; /* for those who wait for a lock */

static void grow(struct tmpfs *)
{
    memory_grow(&memory);
}

static mnos_cap_t memory_behind(const void *address, uint64_t *page, uint64_t *page_count)
{
    return region_memory(&memory.region, address, page, page_count);
}

static uint64_t date_ns(void)
{
    return clock_date_ns(kinfo_time_ns());
}

static struct tmpfs_files files = {.grow = grow, .now_ns = date_ns, .memory = memory_behind};

/* Pages that are nobody's any more are freed in steps, between requests. */
static void free_some(void *)
{
    (void)tmpfs_reap(files.fs);
}

static uint64_t next_round(void *)
{
    return files.fs->doomed != 0 ? MNOS_DEADLINE_POLL : MNOS_DEADLINE_NEVER;
}

/* ---- Who is given a directory ---- */

static struct service_limits limits;

/* What the manifest says of them. Without it nobody may have anything. */
static mnos_status_t open_limits(void)
{
    uint64_t pages;
    void *address;
    mnos_status_t status =
        memory_map_all(bootstrap_cap("file_limits"), MNOS_MAP_READ, &address, &pages);

    if (status != MNOS_OK)
        return status;
    return tmpfs_limits_open(&limits, address, pages * MNOS_PAGE_BYTES) ? MNOS_OK
                                                                        : MNOS_ERR_ARGUMENT;
}

static mnos_status_t enter(void *context, uint32_t account, uint32_t *root, uint32_t *rights)
{
    const struct file_limits_record *record;
    struct manager_service service;

    if (manager_entry(account, &service) != MNOS_OK)
        return MNOS_ERR_DENIED; /* who it is cannot be told */
    record = service_limits_of(&limits, service.name);
    if (record == NULL)
        return MNOS_OK;
    *rights = record->rights;
    return tmpfs_limits_directory(context, record, account, root);
}

static void recover(void)
{
    unsigned running =
        file_server_recover(&server, &windows.memory, state_was_ordered(&memory.state));

    /* The files themselves stay: there is nowhere else to have them from, and they have been checked. */
    if (state_trust(&memory.state) == STATE_TRUST_NONE)
        file_server_lose_all(&server);
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
        status = windows_open(&windows, BOOTSTRAP_REQUIRED("tmpfs_windows"));
    if (status != MNOS_OK)
        return log_failure(status, "get memory for files", EXIT_MEMORY);
    status = open_limits();
    if (status != MNOS_OK)
        return log_failure(status, "read who is given which directory", EXIT_LIMITS);
    files.fs = memory.fs;
    file_server_init(&server, &(struct file_system){&tmpfs_methods, &files, TMPFS_ROOT, 0},
                     memory.sessions, bootstrap_cap("requests"), &park);
    file_server_locks(&server, memory.locks);
    server.enter = enter;
    server.loop.round = free_some;
    server.loop.deadline_ns = next_round;
    recover();
    return log_failure(server_loop_run(&server.loop, NULL), "receive a request", EXIT_RECEIVE);
}
