// SPDX-License-Identifier: MIT
/*
 * main - a service that measures files on a disk, through the whole system as it is: bench/disk.py boots it, with the
 * files that this needs on the disk.
 *
 * On the kernel's command line: `only=TEXT` chooses the metrics whose name contains it (`A|B`: one of them), `cold=NAME` is what cold
 * reading is called. Each metric is a line `bench NAME VALUE UNIT` in the log.
 */
#include <stddef.h>

#include "bench/disk/busy.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"

static struct file_mounts mounts;
static struct file root;

static bool begin(struct place *place)
{
    if (!busy_begin() ||
        !worked(file_mounts_open(&mounts, bootstrap_cap("files"), 4 * CHUNK), "open /") ||
        !worked(file_open(&mounts.root, NULL, "/disk", FILE_ONLY_DIRECTORY, FILE_LOOKUP, &root),
                "open /disk"))
        return false;
    place->session = root.session; /* that of the file system itself */
    place->buffer = file_buffer(place->session, CHUNK);
    return place->buffer != NULL || worked(MNOS_ERR_MEMORY, "get a buffer");
}

int main(void)
{
    struct place place;

    if (begin(&place)) {
        measure_bytes(&place);
        measure_files(&place);
        measure_growth(&place);
    }
    return has_failed();
}
