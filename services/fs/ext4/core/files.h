// SPDX-License-Identifier: MIT
/* files.h - inodes, the extents of files, and where blocks and inodes come from. */
#pragma once

#include "services/fs/ext4/core/core.h"

/* ---- inode.c ---- */

struct ext4_inode {
    uint32_t number;
    uint32_t seed;
    uint8_t *raw;
};

mnos_status_t ext4_inode_get(struct ext4_op *op, uint32_t number, struct ext4_inode *inode);
/* Also those that no name may have: the journal's. */
mnos_status_t ext4_inode_get_any(struct ext4_op *op, uint32_t number, struct ext4_inode *inode);
uint64_t ext4_inode_size(const struct ext4_inode *inode);
uint64_t ext4_inode_blocks(const struct ext4_fs *fs, const struct ext4_inode *inode);
bool ext4_inode_is(const struct ext4_inode *inode, uint32_t type);
bool ext4_inode_has_extents(const struct ext4_inode *inode);
uint32_t ext4_type_of_mode(uint32_t mode);
void ext4_inode_set_size(struct ext4_op *op, struct ext4_inode *inode, uint64_t size);
/* Blocks of the file system that it has more or less. */
void ext4_inode_add_blocks(struct ext4_op *op, struct ext4_inode *inode, int64_t blocks);
void ext4_inode_set_time(struct ext4_op *op, struct ext4_inode *inode, unsigned field, int64_t ns);
void ext4_inode_touch(struct ext4_op *op, struct ext4_inode *inode, bool contents);
void ext4_inode_set_links(struct ext4_op *op, struct ext4_inode *inode, uint32_t links);
uint32_t ext4_inode_links(const struct ext4_inode *inode);
mnos_status_t ext4_directory_get(struct ext4_op *op, uint32_t number, struct ext4_inode *inode);

/* ---- extent.c, indirect.c ---- */

struct ext4_extent {
    uint64_t physical;
    uint32_t logical;
    uint32_t count;
    bool unwritten;
};

struct ext4_path {
    uint32_t depth; /* of the root */
    uint8_t *node[EXT_DEPTH_MAX + 1];
    uint32_t at[EXT_DEPTH_MAX + 1]; /* entry taken; EXT4_NONE: before the first */
};

mnos_status_t ext4_map_inode(struct ext4_op *op, const struct ext4_inode *inode, uint32_t logical,
                             uint32_t count, struct ext4_run *run);
mnos_status_t ext4_indirect_map(struct ext4_op *op, const struct ext4_inode *inode,
                                uint32_t logical, uint32_t count, struct ext4_run *run);
mnos_status_t ext4_path_find(struct ext4_op *op, const struct ext4_inode *inode, uint32_t logical,
                             struct ext4_path *path);
uint8_t *ext4_entry(const uint8_t *node, uint32_t index);
struct ext4_extent ext4_extent_read(const uint8_t *entry);
uint64_t ext4_child(const uint8_t *entry);
uint32_t ext4_node_room(const struct ext4_fs *fs, bool root);
/* What the node can hold at this moment, whatever it says itself. */
uint32_t ext4_entries(const struct ext4_fs *fs, const struct ext4_path *path, uint32_t level);

/* ---- extent_change.c, extent_split.c ---- */

mnos_status_t ext4_extent_insert(struct ext4_op *op, struct ext4_inode *inode,
                                 const struct ext4_extent *extent);
/* A regular file that may be changed. MNOS_ERR_DIRECTORY; MNOS_ERR_DENIED: it has no extents. */
mnos_status_t ext4_file_to_change(struct ext4_op *op, uint32_t number, struct ext4_inode *inode);
/* Blocks for a hole, which begins here and is as long as `run` says; as many as there are in a row. */
mnos_status_t ext4_fill_hole(struct ext4_op *op, struct ext4_inode *inode, uint32_t logical,
                             bool unwritten, struct ext4_run *run);
/* Makes written what lies in an extent that never was. */
mnos_status_t ext4_extent_convert(struct ext4_op *op, struct ext4_inode *inode, uint32_t logical,
                                  uint32_t count);
/* One step towards room in the leaf; the path has to be found again. */
mnos_status_t ext4_path_make_room(struct ext4_op *op, struct ext4_inode *inode,
                                  const struct ext4_path *path);
mnos_status_t ext4_path_change(struct ext4_op *op, const struct ext4_path *path, uint32_t level);
void ext4_extent_write(struct ext4_op *op, uint8_t *entry, const struct ext4_extent *extent);
/* The first block below the node became another one. */
mnos_status_t ext4_path_set_first(struct ext4_op *op, const struct ext4_path *path, uint32_t level);

/* ---- alloc.c, ialloc.c ---- */

/* Blocks one behind the other: 1 to `wanted`, near `goal`, and none of the room ahead of other files than `inode` (0: of
 * any) as long as there are others. MNOS_ERR_FULL. */
mnos_status_t ext4_blocks_take(struct ext4_op *op, uint32_t inode, uint64_t goal, uint32_t wanted,
                               uint64_t *block, uint32_t *count);
mnos_status_t ext4_blocks_free(struct ext4_op *op, uint64_t block, uint32_t count, bool metadata);
mnos_status_t ext4_inode_take(struct ext4_op *op, const struct ext4_inode *parent, uint32_t mode,
                              struct ext4_inode *inode);
mnos_status_t ext4_inode_free(struct ext4_op *op, struct ext4_inode *inode);
uint64_t ext4_inode_goal(const struct ext4_fs *fs, const struct ext4_inode *inode);
/* A new block at the end of an inode's directory, or anywhere of its file, for metadata. */
mnos_status_t ext4_meta_block(struct ext4_op *op, struct ext4_inode *inode, uint64_t goal,
                              const struct ext4_what *what, uint64_t *block, uint8_t **data);

/* ---- ahead.c ---- */

/* The file was appended to, and goes on at this block of the disk, if it can. */
void ext4_ahead_set(struct ext4_fs *fs, uint32_t inode, uint64_t first);
/* Makes a piece of free blocks shorter by the room of other files; returns where to look on behind it. */
uint64_t ext4_ahead_skip(const struct ext4_fs *fs, uint32_t inode, uint64_t block, uint32_t *count);
/* No file has any room ahead; false: none had. */
bool ext4_ahead_forget(struct ext4_fs *fs);

/* ---- orphan.c, truncate.c ---- */

mnos_status_t ext4_orphan_find(struct ext4_op *op, uint32_t number, uint32_t *previous,
                               bool *found);
mnos_status_t ext4_orphan_add(struct ext4_op *op, struct ext4_inode *inode);
mnos_status_t ext4_orphan_remove(struct ext4_op *op, struct ext4_inode *inode);
/* punch.c. The extent at the end of the path is not the file's any more; its blocks are the caller's. */
mnos_status_t ext4_extent_remove(struct ext4_op *op, struct ext4_inode *inode,
                                 const struct ext4_path *path);
/* Whether one more piece may be freed by the operation. */
bool ext4_has_room(const struct ext4_op *op, uint32_t freed_before);
/* Frees blocks from the end down to `first`, as many as one operation may. */
mnos_status_t ext4_blocks_cut(struct ext4_op *op, struct ext4_inode *inode, uint32_t first,
                              bool *done);
