// SPDX-License-Identifier: MIT
/* locks - two clients lock bytes of one file: one command of commands.c. */
#include "tests/ext4_service/commands.h"

#include <string.h>

#include "tests/ext4_service/host.h"

enum { FIRST, SECOND, CLIENTS };

static uint64_t handles[CLIENTS];

static struct file_lock bytes_10_to_19(unsigned client, enum file_lock_kind kind, uint32_t flags)
{
    return (struct file_lock){handles[client], 1, 10, 10, kind, flags};
}

static mnos_status_t lock(unsigned client, enum file_lock_kind kind)
{
    struct file_lock record = bytes_10_to_19(client, kind, 0);

    return host_do(client, FILE_LOCK, &record, sizeof record, NULL, 0);
}

static void wait_for_lock(unsigned client)
{
    struct file_lock record = bytes_10_to_19(client, FILE_LOCK_EXCLUSIVE, FILE_LOCK_WAIT);

    host_send(client, FILE_LOCK, &record, sizeof record, NULL, 0);
    for (unsigned i = 0; i < 20; i++)
        host_step();
    if (host_replies[client].arrived)
        host_fail("a lock that another has was waited for in vain");
}

static mnos_status_t waited(unsigned client)
{
    while (!host_replies[client].arrived)
        host_step();
    return (mnos_status_t)host_replies[client].status;
}

static mnos_status_t open_file(unsigned client, const char *path)
{
    struct file_open record = {.flags = FILE_CREATE, .rights = FILE_READ_RIGHT | FILE_WRITE_RIGHT};
    mnos_status_t status = host_do(client, FILE_OPEN, &record, sizeof record, path, strlen(path));

    if (status == MNOS_OK)
        memcpy(&handles[client], host_replies[client].bytes, sizeof handles[client]);
    return status;
}

static mnos_status_t close_file(unsigned client)
{
    return host_do(client, FILE_CLOSE, &handles[client], sizeof handles[client], NULL, 0);
}

#define MUST(call, expected)                                                                       \
    if ((call) != (expected))                                                                      \
    host_fail("not so: " #call " is " #expected)

mnos_status_t locks_run(const char *path)
{
    mnos_status_t status = open_file(FIRST, path);

    if (status == MNOS_OK)
        status = open_file(SECOND, path);
    if (status != MNOS_OK)
        return status;
    MUST(lock(FIRST, FILE_LOCK_SHARED), MNOS_OK);
    MUST(lock(SECOND, FILE_LOCK_SHARED), MNOS_OK);
    MUST(lock(SECOND, FILE_LOCK_EXCLUSIVE), MNOS_ERR_AGAIN);
    MUST(lock(FIRST, FILE_LOCK_NONE), MNOS_OK);
    MUST(lock(SECOND, FILE_LOCK_EXCLUSIVE), MNOS_OK);
    wait_for_lock(FIRST);
    MUST(lock(SECOND, FILE_LOCK_NONE), MNOS_OK);
    MUST(waited(FIRST), MNOS_OK);
    wait_for_lock(SECOND);
    MUST(close_file(FIRST), MNOS_OK); /* and with it what it has locked */
    MUST(waited(SECOND), MNOS_OK);
    return close_file(SECOND);
}
