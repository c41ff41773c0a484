// SPDX-License-Identifier: MIT
/* main - the initial RAM disk as files: capabilities, memory and the loop. See README.md. */
#include "abi/inspect.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"
#include "lib/server/file_server.h"
#include "services/fs/initrdfs/files.h"

enum { EXIT_MEMORY = 1, EXIT_RECEIVE = 2 };

static struct initrdfs fs;
static struct file_server server;

static mnos_status_t map_archive(const void **archive, size_t *bytes)
{
    const struct mnos_cap_info *info = (const void *)ipc_buffer()->data;
    mnos_cap_t memory = bootstrap_cap("initrd");
    uint64_t size, pages;
    void *address;
    mnos_status_t status = sys_cap_inspect(memory, MNOS_VIEW_CAPABILITY, 0, &size);

    if (status != MNOS_OK)
        return status;
    pages = info->count;
    status = memory_map(memory, 0, pages, MNOS_MAP_READ, &address);
    *archive = address;
    *bytes = pages * MNOS_PAGE_BYTES;
    return status;
}

static void before(void *)
{
}

int main(void)
{
    uint64_t session_pages =
        (sessions_bytes(FILE_SERVER_SESSIONS, FILE_SERVER_HANDLES) + MNOS_PAGE_BYTES - 1) /
        MNOS_PAGE_BYTES;
    struct memory_block sessions;
    const void *archive = NULL;
    size_t bytes = 0;
    mnos_status_t status = map_archive(&archive, &bytes);
    enum ustar_error error;

    if (status == MNOS_OK)
        status = memory_allocate(session_pages, &sessions);
    if (status != MNOS_OK)
        return log_failure(status, "get at the initial RAM disk", EXIT_MEMORY);
    error = initrdfs_open(&fs, archive, bytes);
    /* The clock is of whole seconds, and a file whose time is one may have changed again within it: none of these has. */
    fs.date_ns = kinfo()->wall_clock_base_ns + 1;
    if (error != USTAR_END)
        log_line("initial RAM disk, after %u files: %s", fs.file_count, ustar_error_text(error));
    if (fs.left_out != 0)
        log_line("initial RAM disk: %u members are not shown; only plain files without a folder, "
                 "and %u of them, are",
                 fs.left_out, INITRDFS_FILES_MAX);
    /* Badges that end with a run of the service are not used again by the next: time goes on. */
    file_server_init(&server, &(struct file_system){&initrdfs_methods, &fs, INITRDFS_ROOT, 0},
                     sessions_format(sessions.address, FILE_SERVER_SESSIONS, FILE_SERVER_HANDLES,
                                     kinfo_time_ns()),
                     bootstrap_cap("requests"), NULL);
    return log_failure(server_loop_run(&server.loop, before), "receive a request", EXIT_RECEIVE);
}
