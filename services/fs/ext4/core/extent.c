// SPDX-License-Identifier: MIT
/* extent - from a block of a file to a block of the disk. */
#include "services/fs/ext4/core/files.h"

uint8_t *ext4_entry(const uint8_t *node, uint32_t index)
{
    return (uint8_t *)node + EXT_HEADER_BYTES + (size_t)index * EXT_ENTRY_BYTES;
}

struct ext4_extent ext4_extent_read(const uint8_t *entry)
{
    uint32_t length = le16(entry + EXT_LENGTH);
    bool unwritten = length > EXT_LENGTH_MAX;

    return (struct ext4_extent){
        .physical = le32(entry + EXT_START) | (uint64_t)le16(entry + EXT_START_HI) << 32,
        .logical = le32(entry + EXT_LOGICAL),
        .count = unwritten ? length - EXT_LENGTH_MAX : length,
        .unwritten = unwritten,
    };
}

uint64_t ext4_child(const uint8_t *entry)
{
    return le32(entry + EXT_CHILD) | (uint64_t)le16(entry + EXT_CHILD_HI) << 32;
}

uint32_t ext4_node_room(const struct ext4_fs *fs, bool root)
{
    /* In a block the last four bytes are the checksum's; e2fsprogs leaves them free without it, too. */
    return root ? EXT_ROOT_ENTRIES : (fs->block_bytes - EXT_HEADER_BYTES) / EXT_ENTRY_BYTES;
}

uint32_t ext4_entries(const struct ext4_fs *fs, const struct ext4_path *path, uint32_t level)
{
    uint32_t count = le16(path->node[level] + EXT_ENTRIES), room = ext4_node_room(fs, level == 0);

    return count < room ? count : room;
}

/* The last entry that does not begin behind `logical`. */
static uint32_t search(const struct ext4_fs *fs, const struct ext4_path *path, uint32_t level,
                       uint32_t logical)
{
    uint32_t low = 0, high = ext4_entries(fs, path, level);

    while (low < high) {
        uint32_t middle = (low + high) / 2;

        if (le32(ext4_entry(path->node[level], middle) + EXT_LOGICAL) <= logical)
            low = middle + 1;
        else
            high = middle;
    }
    return low - 1; /* EXT4_NONE: before the first */
}

mnos_status_t ext4_path_find(struct ext4_op *op, const struct ext4_inode *inode, uint32_t logical,
                             struct ext4_path *path)
{
    path->node[0] = inode->raw + INODE_BLOCK;
    path->depth = le16(path->node[0] + EXT_DEPTH);
    if (le16(path->node[0]) != EXT_MAGIC || path->depth > EXT_DEPTH_MAX)
        return MNOS_ERR_FORMAT;
    for (uint32_t level = 0;; level++) {
        struct ext4_what what = {EXT4_EXTENTS, path->depth - level - 1, inode->seed};
        mnos_status_t status;

        path->at[level] = search(op->fs, path, level, logical);
        if (level == path->depth)
            return MNOS_OK;
        if (path->at[level] == EXT4_NONE)
            path->at[level] = 0; /* what comes before the first belongs to its node as well */
        status = ext4_block_get(op, ext4_child(ext4_entry(path->node[level], path->at[level])),
                                &what, &path->node[level + 1]);
        if (status != MNOS_OK)
            return status;
    }
}

/* The first block behind the entry taken that an extent begins at. */
static uint32_t next_begin(const struct ext4_fs *fs, const struct ext4_path *path)
{
    for (uint32_t level = path->depth + 1; level-- > 0;)
        if (path->at[level] + 1 < ext4_entries(fs, path, level))
            return le32(ext4_entry(path->node[level], path->at[level] + 1) + EXT_LOGICAL);
    return UINT32_MAX;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static void hole(struct ext4_run *run, uint32_t logical, uint32_t next, uint32_t count)
{
    run->physical = 0;
    /* A damaged tree may name a beginning that is not behind: one block at least. */
    run->count = next > logical ? smaller(next - logical, count) : 1;
}

mnos_status_t ext4_map_inode(struct ext4_op *op, const struct ext4_inode *inode, uint32_t logical,
                             uint32_t count, struct ext4_run *run)
{
    struct ext4_extent extent;
    struct ext4_path path;
    mnos_status_t status;

    run->is_new = run->set_aside = false;
    if (!ext4_inode_has_extents(inode))
        return ext4_indirect_map(op, inode, logical, count, run);
    status = ext4_path_find(op, inode, logical, &path);
    if (status != MNOS_OK)
        return status;
    if (path.at[path.depth] == EXT4_NONE) {
        hole(run, logical, next_begin(op->fs, &path), count);
        return MNOS_OK;
    }
    extent = ext4_extent_read(ext4_entry(path.node[path.depth], path.at[path.depth]));
    if (logical - extent.logical >= extent.count) {
        hole(run, logical, next_begin(op->fs, &path), count);
        return MNOS_OK;
    }
    run->count = smaller(extent.logical + extent.count - logical, count);
    run->set_aside = extent.unwritten;
    run->physical = extent.unwritten ? 0 : extent.physical + (logical - extent.logical);
    return MNOS_OK;
}

mnos_status_t ext4_map(struct ext4_op *op, uint32_t number, uint32_t logical, uint32_t count,
                       struct ext4_run *run)
{
    struct ext4_inode inode;
    mnos_status_t status = ext4_inode_get(op, number, &inode);

    return status != MNOS_OK ? status : ext4_map_inode(op, &inode, logical, count, run);
}
