// SPDX-License-Identifier: MIT
/*
 * names.h - directories: names, and what is done with them. A name is found by a hash of its
 * directory and text, in one table for all directories, so the cost does not depend on how many
 * names a directory has.
 */
#pragma once

#include "services/fs/tmpfs/store.h"

/* ---- names.c ---- */

/* The unit of a name, or 0. */
uint32_t tmpfs_name_find(struct tmpfs *fs, uint32_t directory, const char *text, uint32_t bytes);
/* Whether tmpfs_name_add() can be done, beside `pages` and `inodes` of the caller's. */
mnos_status_t tmpfs_name_reserve(struct tmpfs *fs, uint32_t directory, uint32_t bytes,
                                 uint32_t account, uint32_t pages, uint32_t inodes);
void tmpfs_name_add(struct tmpfs *fs, uint32_t directory, const char *text, uint32_t bytes,
                    uint32_t inode, uint32_t account);
void tmpfs_name_remove(struct tmpfs *fs, uint32_t unit);
/* Copies the text; returns how many bytes it has. */
uint32_t tmpfs_name_text(struct tmpfs *fs, uint32_t unit, char text[FILE_NAME_BYTES_MAX]);
/* The first name at or behind a slot, or 0; *slot becomes its slot. Looks at `limit` slots at most,
 * and then *slot is where to go on. */
uint32_t tmpfs_name_at(struct tmpfs *fs, uint32_t directory, uint32_t limit, uint64_t *slot);

/* ---- tree.c ---- */

/* Where a name is, or could be. */
struct tmpfs_place {
    uint32_t directory; /* 0: the path names the directory itself, as "." or "" do */
    uint32_t unit;      /* of the name; 0: nothing has it */
    uint32_t inode;     /* that it names; 0: nothing */
    uint32_t bytes;
    const char *text;
    bool must_be_directory; /* a slash followed */
};

mnos_status_t tmpfs_create(struct tmpfs *fs, const struct tmpfs_place *place, enum file_type type,
                           uint32_t account, uint32_t *inode);
mnos_status_t tmpfs_symlink(struct tmpfs *fs, const struct tmpfs_place *place, const char *target,
                            uint32_t bytes, uint32_t account);
mnos_status_t tmpfs_link(struct tmpfs *fs, uint32_t inode, const struct tmpfs_place *place,
                         uint32_t account);
mnos_status_t tmpfs_unlink(struct tmpfs *fs, const struct tmpfs_place *place);
mnos_status_t tmpfs_rmdir(struct tmpfs *fs, const struct tmpfs_place *place);
mnos_status_t tmpfs_rename(struct tmpfs *fs, const struct tmpfs_place *from,
                           const struct tmpfs_place *to, uint32_t account);
/* Whether walking up from a directory meets `root` within 256 steps. */
bool tmpfs_is_below(struct tmpfs *fs, uint32_t root, uint32_t directory);

/* ---- resolve.c ---- */

struct tmpfs_walk {
    uint32_t root;  /* of the session: nothing above it is named */
    uint32_t start; /* where the path begins */
    bool no_follow; /* a link in the last place is what the path names */
    struct tmpfs_place place;
    /* With MNOS_ERR_REST: */
    uint32_t reason, links;
    const char *rest;
    uint32_t rest_bytes;
    /* What is left of the path, once a link was followed: it grows towards the front. */
    char text[FILE_PATH_BYTES_MAX];
};

/* Looks a path up. The text has to stay as long as the place is used. */
mnos_status_t tmpfs_resolve(struct tmpfs *fs, struct tmpfs_walk *walk, const char *path,
                            uint32_t bytes);
