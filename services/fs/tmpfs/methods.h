// SPDX-License-Identifier: MIT
/* methods.h - files in memory as lib/server/file_server.h asks for them. */
#pragma once

#include "services/fs/tmpfs/names.h"

/* Pages that one request can need at most: a whole window, with its tree. */
#define TMPFS_PAGES_KEPT 300u

/* The context of the methods. */
struct tmpfs_files {
    struct tmpfs *fs;
    /* Asked before a request that may need memory, when little is left: makes the block larger, or
     * not. */
    void (*grow)(struct tmpfs *fs);
    uint64_t (*now_ns)(void); /* as protocols/file.h says */
    /* The capability of what is at `address` in the block, the page in it, and how many more follow there. */
    mnos_cap_t (*memory)(const void *address, uint64_t *page, uint64_t *page_count);
};

extern const struct file_methods tmpfs_methods;
