// SPDX-License-Identifier: MIT
/*
 * main - a program for tests: hands its root of all file systems on to itself, to read only, and tells what that can do
 * where something is mounted: read what is there, and nothing else. Then it hands that on to list and to look only.
 */
#include <stddef.h>

#include "lib/client/file.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"

#define READ (FILE_LOOKUP | FILE_READ_RIGHT)

static struct file_mounts own, narrow, blind;

static mnos_status_t hand_on(mnos_cap_t *cap)
{
    struct file root;
    mnos_status_t status = file_mounts_open(&own, bootstrap_cap("files"), 0);

    if (status == MNOS_OK)
        status = file_open(&own.root, NULL, "", FILE_ONLY_DIRECTORY, READ, &root);
    return status == MNOS_OK ? file_export(&root, READ, cap) : status;
}

/* What the files in /tmp take that are charged to who asks through this root. */
static uint64_t charged(struct file_mounts *mounts)
{
    struct file_space space = {0};
    struct file there;

    if (file_open(&mounts->root, NULL, "/tmp/before", FILE_ONLY_DIRECTORY, FILE_LOOKUP, &there) ==
        MNOS_OK)
        (void)!file_space(there.session, &space);
    return space.own_bytes;
}

/* The root of the narrow one is exported once more, with less, by a handle that has it all. */
static void look_only(void)
{
    struct file_attr attr;
    struct file root, there;
    mnos_cap_t cap = 0;
    mnos_status_t status = file_open(&narrow.root, NULL, "", FILE_ONLY_DIRECTORY, READ, &root);

    if (status == MNOS_OK)
        status = file_export(&root, FILE_LOOKUP, &cap);
    if (status == MNOS_OK)
        status = file_mounts_open(&blind, cap, 0);
    if (status == MNOS_OK)
        status = file_stat(&blind.root, "/tmp/before", 0, &attr);
    log_line("looked %u, read %u, read the root %u", status,
             file_open(&blind.root, NULL, "/boot/hello", 0, FILE_READ_RIGHT, &there),
             file_open(&blind.root, NULL, "", FILE_ONLY_DIRECTORY, READ, &root));
}

int main(void)
{
    mnos_cap_t cap = 0, mounted = 0;
    struct file there;
    uint64_t count;
    mnos_status_t status = hand_on(&cap), made, written, taken, exported = MNOS_OK;

    if (status == MNOS_OK)
        status = file_mounts_open(&narrow, cap, 0);
    if (status == MNOS_OK)
        status = file_make_directory(&own.root, "/tmp/before");
    if (status == MNOS_OK)
        status = file_open(&own.root, NULL, "/tmp/bytes", FILE_CREATE, FILE_WRITE_RIGHT, &there);
    if (status == MNOS_OK)
        status = file_write(&there, 0, "some", 4, &count);
    if (status == MNOS_OK)
        status = file_open(&narrow.root, NULL, "/tmp/before", FILE_ONLY_DIRECTORY, READ, &there);
    if (status != MNOS_OK) {
        log_error(status, "begin");
        return 1;
    }
    made = file_make_directory(&narrow.root, "/tmp/after");
    written = file_open(&narrow.root, NULL, "/tmp/file", FILE_CREATE, FILE_WRITE_RIGHT, &there);
    taken = file_remove_directory(&narrow.root, "/tmp/before");
    status = file_open(&narrow.root, NULL, "/tmp/before", FILE_ONLY_DIRECTORY, READ, &there);
    if (status == MNOS_OK)
        exported = file_export_for(&there, READ, 1, &mounted);
    log_line("made %u, written %u, taken %u, charged to another %u", made, written, taken,
             exported);
    log_line("charged as the one who handed it on: %s",
             charged(&own) != 0 && charged(&own) == charged(&narrow) ? "yes" : "no");
    look_only();
    return 0;
}
