// SPDX-License-Identifier: MIT
/* tmpfs.h - a small file system in memory for host tests. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/fs/tmpfs/methods.h"
#include "tests/unit/unit.h"

#define BLOCK_PAGES 400u
#define ACCOUNT 3u

static uint8_t seen[BLOCK_PAGES + 1];

static struct tmpfs *make(uint32_t pages)
{
    uint64_t bytes = TMPFS_HEADER_BYTES + (uint64_t)pages * TMPFS_PAGE_BYTES;
    struct tmpfs *fs = tmpfs_format(aligned_alloc(TMPFS_PAGE_BYTES, bytes), bytes, pages * 4,
                                    0x123456789ABCDEFull);

    CHECK(fs != NULL);
    return fs;
}

static void check_all(struct tmpfs *fs)
{
    const char *wrong = tmpfs_check(fs, seen);

    CHECK_STR_EQ(wrong == NULL ? "" : wrong, "");
}

static struct file_walk walked;

static mnos_status_t walk_from(struct tmpfs *fs, uint32_t root, uint32_t start, const char *path,
                               bool no_follow)
{
    walked.root = root;
    walked.start = start;
    walked.no_follow = no_follow;
    return file_resolve(
        &(struct file_system){&tmpfs_methods, &(struct tmpfs_files){.fs = fs}, 0, 0}, &walked, path,
        (uint32_t)strlen(path));
}
