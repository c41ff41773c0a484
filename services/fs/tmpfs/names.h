// SPDX-License-Identifier: MIT
/*
 * names.h - directories: names, and what is done with them. A name is found by a hash of its
 * directory and text, in one table for all directories, so the cost does not depend on how many
 * names a directory has.
 */
#pragma once

#include "lib/server/file_system.h"
#include "services/fs/tmpfs/store.h"

/* ---- names.c ---- */

/* Fills in what is at a place: unit of the name, inode, type. MNOS_OK, as the method of file_system.h. */
mnos_status_t tmpfs_name_look(struct tmpfs *fs, struct file_place *place);
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

/* ---- tree.c: `entry` of a place is the unit of its name ---- */

mnos_status_t tmpfs_create(struct tmpfs *fs, const struct file_place *place, enum file_type type,
                           uint32_t account, uint32_t *inode);
mnos_status_t tmpfs_symlink(struct tmpfs *fs, const struct file_place *place, const char *target,
                            uint32_t bytes, uint32_t account);
mnos_status_t tmpfs_link(struct tmpfs *fs, uint32_t inode, const struct file_place *place,
                         uint32_t account);
mnos_status_t tmpfs_unlink(struct tmpfs *fs, const struct file_place *place);
mnos_status_t tmpfs_rmdir(struct tmpfs *fs, const struct file_place *place);
mnos_status_t tmpfs_rename(struct tmpfs *fs, const struct file_place *from,
                           const struct file_place *to, uint32_t account);
