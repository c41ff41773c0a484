// SPDX-License-Identifier: MIT
/*
 * files.h - the members of the initial RAM disk as files of one directory, as lib/server/file_server.h asks for them.
 * Nothing of it can be changed, nothing of it ends, and nothing waits.
 */
#pragma once

#include "lib/format/ustar.h"
#include "lib/server/file_system.h"

#define INITRDFS_FILES_MAX 128u
#define INITRDFS_ROOT 1u /* the inode of the directory; file i has INITRDFS_ROOT + 1 + i */

struct initrdfs_file {
    const char *name; /* in the archive */
    uint32_t bytes;   /* of the name */
    const uint8_t *data;
    uint64_t size;
};

struct initrdfs {
    uint32_t file_count;
    uint32_t left_out; /* members that are no files of the one directory there is */
    uint64_t bytes;    /* of the archive */
    int64_t date_ns;   /* of all files: when the machine was started, and no whole second */
    struct initrdfs_file files[INITRDFS_FILES_MAX];
};

/* Lists the archive, which has to stay. USTAR_END: all of it; otherwise why not, with those before that. */
enum ustar_error initrdfs_open(struct initrdfs *fs, const void *archive, size_t bytes);

extern const struct file_methods initrdfs_methods;
