// SPDX-License-Identifier: MIT
/*
 * main - a program for tests: hands its root of all file systems on to itself, to read only, and tells what that can do
 * where something is mounted: read what is there, and nothing else.
 */
#include <stddef.h>

#include "lib/client/file.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"

#define READ (FILE_LOOKUP | FILE_READ_RIGHT)

static struct file_mounts own, narrow;

static mnos_status_t hand_on(mnos_cap_t *cap)
{
    struct file root;
    mnos_status_t status = file_mounts_open(&own, bootstrap_cap("files"), 0);

    if (status == MNOS_OK)
        status = file_open(&own.root, NULL, "", FILE_ONLY_DIRECTORY, READ, &root);
    return status == MNOS_OK ? file_export(&root, READ, cap) : status;
}

int main(void)
{
    mnos_cap_t cap = 0, mounted = 0;
    struct file there;
    mnos_status_t status = hand_on(&cap), made, written, taken, exported = MNOS_OK;

    if (status == MNOS_OK)
        status = file_mounts_open(&narrow, cap, 0);
    if (status == MNOS_OK)
        status = file_make_directory(&own.root, "/tmp/before");
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
    return 0;
}
