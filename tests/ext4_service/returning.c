// SPDX-License-Identifier: MIT
/*
 * returning - the volume is mounted anew from its journal, and what clients have open goes on, or they are told: one command of
 * commands.c.
 */
#include "tests/ext4_service/commands.h"

#include <stdio.h>
#include <string.h>

#include "tests/ext4_service/host.h"

#define BYTES 20000u
#define OLD 1
#define NEW 2

enum {
    READS,   /* has a file open that was synced, */
    WRITES,  /* one that was synced and then written, */
    APPENDS, /* one that was written, synced, written and synced again, */
    MAKES,   /* one that was made and never synced, */
    REMOVED, /* one that has no name since the last commit, */
    UNLINKS, /* one that has none, and of which the journal does not know it, */
    CUTS,    /* and one that was synced and closed, and made empty as it was opened */
    CLIENTS,
};

static const char *const names[CLIENTS] = {"reads",   "writes",  "appends", "makes",
                                           "removed", "unlinks", "cuts"};
static uint64_t handles[CLIENTS];
static const char *where;

#define MUST(call, expected)                                                                       \
    if ((call) != (expected))                                                                      \
    host_fail("not so: " #call " is " #expected)

static const char *path_of(unsigned client)
{
    static char path[256];

    snprintf(path, sizeof path, "%s/%s", where, names[client]);
    return path;
}

static mnos_status_t open_file(unsigned client, uint32_t flags)
{
    struct file_open record = {.flags = flags, .rights = FILE_READ_RIGHT | FILE_WRITE_RIGHT};
    const char *path = path_of(client);
    mnos_status_t status = host_do(client, FILE_OPEN, &record, sizeof record, path, strlen(path));

    if (status == MNOS_OK)
        memcpy(&handles[client], host_replies[client].bytes, sizeof handles[client]);
    return status;
}

static void write_file(unsigned client, uint8_t what)
{
    struct file_io io = {handles[client], 0, 0, BYTES};

    memset(host_window(client), what, BYTES);
    MUST(host_do(client, FILE_WRITE, &io, sizeof io, NULL, 0), MNOS_OK);
}

static mnos_status_t sync_file(unsigned client)
{
    return host_do(client, FILE_FSYNC, &handles[client], sizeof handles[client], NULL, 0);
}

static void unlink_file(unsigned client)
{
    const char *path = path_of(client);
    struct file_path record = {0};

    MUST(host_do(client, FILE_UNLINK, &record, sizeof record, path, strlen(path)), MNOS_OK);
}

/* Whether the client reads what was there: MNOS_ERR_FORMAT, other bytes. */
static mnos_status_t read_file(unsigned client, uint8_t what)
{
    struct file_io io = {handles[client], 0, 0, BYTES};
    mnos_status_t status;

    memset(host_window(client), 0, BYTES);
    status = host_do(client, FILE_READ, &io, sizeof io, NULL, 0);
    for (uint32_t i = 0; status == MNOS_OK && i < BYTES; i++) {
        if (host_window(client)[i] != what)
            status = MNOS_ERR_FORMAT;
    }
    return status;
}

/* Its requests get ERR_LOST until its session begins anew. */
static void must_be_lost(unsigned client)
{
    struct file_open_session open = {.window_bytes = FILE_WINDOW_BYTES_MAX};

    MUST(read_file(client, OLD), MNOS_ERR_LOST);
    MUST(host_do(client, FILE_SYNC, NULL, 0, NULL, 0), MNOS_ERR_LOST);
    MUST(host_do(client, FILE_OPEN_SESSION, &open, sizeof open, NULL, 0), MNOS_OK);
    MUST(read_file(client, OLD), MNOS_ERR_FILE);
}

static void prepare(void)
{
    for (unsigned i = 0; i < CLIENTS; i++) {
        if (i == MAKES)
            continue;
        MUST(open_file(i, FILE_CREATE), MNOS_OK);
        write_file(i, OLD);
        MUST(sync_file(i), MNOS_OK);
    }
    write_file(APPENDS, NEW);
    unlink_file(REMOVED);
    MUST(sync_file(APPENDS), MNOS_OK);
    MUST(open_file(MAKES, FILE_CREATE), MNOS_OK);
    write_file(MAKES, OLD);
    write_file(WRITES, NEW);
    unlink_file(UNLINKS);
    MUST(host_do(CUTS, FILE_CLOSE, &handles[CUTS], sizeof handles[CUTS], NULL, 0), MNOS_OK);
    MUST(open_file(CUTS, FILE_TRUNCATE_FIRST), MNOS_OK);
}

mnos_status_t return_run(const char *directory, unsigned runs)
{
    where = directory;
    prepare();
    /* One that is sent while it mounts waits. */
    host_return(runs);
    MUST(read_file(READS, OLD), MNOS_OK);
    MUST(sync_file(READS), MNOS_OK);
    MUST(read_file(APPENDS, NEW), MNOS_OK);
    MUST(read_file(UNLINKS, OLD), MNOS_OK);
    write_file(UNLINKS, NEW);
    MUST(read_file(UNLINKS, NEW), MNOS_OK);
    must_be_lost(WRITES);
    MUST(open_file(WRITES, 0), MNOS_OK);
    MUST(read_file(WRITES, OLD), MNOS_OK);
    must_be_lost(CUTS); /* it would write over bytes that it thinks are not there */
    MUST(open_file(CUTS, 0), MNOS_OK);
    MUST(read_file(CUTS, OLD), MNOS_OK);
    must_be_lost(REMOVED);
    MUST(open_file(REMOVED, 0), MNOS_ERR_NOT_FOUND);
    must_be_lost(MAKES);
    MUST(open_file(MAKES, 0), MNOS_ERR_NOT_FOUND);
    host_check();
    return MNOS_OK;
}
