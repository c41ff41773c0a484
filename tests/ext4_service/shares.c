// SPDX-License-Identifier: MIT
/* shares - a client that writes faster than the disk waits before others do: one command of commands.c. */
#include "tests/ext4_service/commands.h"

#include <string.h>

#include "tests/ext4_service/host.h"

#define PART 65536u
#define WRITER 1u
#define OTHER 0u

static mnos_status_t open_for(unsigned client, const char *path, uint64_t *handle)
{
    struct file_open record = {.rights = FILE_WRITE_RIGHT};
    mnos_status_t status = host_do(client, FILE_OPEN, &record, sizeof record, path, strlen(path));

    if (status == MNOS_OK)
        memcpy(handle, host_replies[client].bytes, sizeof *handle);
    return status;
}

/* Whether it is answered before the disk answers anything. */
static bool write_at_once(unsigned client, uint64_t handle, uint64_t offset)
{
    struct file_io io = {handle, offset, 0, PART};

    host_send(client, FILE_WRITE, &io, sizeof io, NULL, 0);
    return host_replies[client].arrived && host_replies[client].status == MNOS_OK;
}

mnos_status_t shares_run(const char *path, const char *other, uint64_t bytes)
{
    uint64_t handle, others = 0, offset = 0;
    mnos_status_t status = open_for(WRITER, path, &handle);

    if (status == MNOS_OK)
        status = open_for(OTHER, other, &others);
    if (status != MNOS_OK)
        return status;
    while (offset < bytes && write_at_once(WRITER, handle, offset))
        offset += PART;
    if (offset >= bytes)
        host_fail("whoever writes much never waits");
    if (!write_at_once(OTHER, others, 0))
        host_fail("a client waits for the pages of another");
    while (!host_replies[WRITER].arrived)
        host_step();
    return (mnos_status_t)host_replies[WRITER].status;
}
