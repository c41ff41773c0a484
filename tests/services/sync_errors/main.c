// SPDX-License-Identifier: MIT
/*
 * main - a program for tests: overwrites a block of /disk/victim that the medium does not take, and says what each sync through
 * each of the files that it has open answers.
 */
#include "lib/base/string.h"
#include "lib/client/file.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"

#define BLOCK_BYTES 4096u
#define BOTH (FILE_READ_RIGHT | FILE_WRITE_RIGHT)

static struct file_mounts mounts;
static uint8_t block[BLOCK_BYTES];

static mnos_status_t open_file(const char *path, struct file *file)
{
    return file_open(&mounts.root, NULL, path, 0, BOTH, file);
}

static mnos_status_t write_block(const struct file *file, uint64_t index)
{
    uint64_t count = 0;
    mnos_status_t status;

    memset(block, 'w', sizeof block);
    status = file_write(file, index * BLOCK_BYTES, block, sizeof block, &count);
    return status == MNOS_OK && count != sizeof block ? MNOS_ERR_FULL : status;
}

static void sync_twice(const char *who, const struct file *file)
{
    mnos_status_t first = file_sync(file);

    log_line("%s %u, again %u", who, first, file_sync(file));
}

int main(void)
{
    struct file writer, reader, other, later;
    mnos_status_t status = file_mounts_open(&mounts, bootstrap_cap("files"), 0);

    if (status == MNOS_OK)
        status = open_file("/disk/victim", &writer);
    if (status == MNOS_OK)
        status = open_file("/disk/victim", &reader);
    if (status == MNOS_OK)
        status = open_file("/disk/other", &other);
    if (status == MNOS_OK)
        status = write_block(&writer, 1);
    if (status != MNOS_OK) {
        log_error(status, "begin");
        return 1;
    }
    /* The reader first: what it is told the writer has to be told as well. */
    sync_twice("reader", &reader);
    sync_twice("writer", &writer);
    sync_twice("other", &other);
    status = open_file("/disk/victim", &later);
    log_line("opened later: %u", status);
    sync_twice("later", &later);
    status = file_sync_all(writer.session);
    log_line("all %u, again %u", status, file_sync_all(writer.session));
    log_line("goes on: %u", write_block(&writer, 0));
    sync_twice("writer", &writer);
    return 0;
}
