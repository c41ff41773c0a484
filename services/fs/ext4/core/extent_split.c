// SPDX-License-Identifier: MIT
/* extent_split - room in a tree of extents: a full node is split, and a full root gets a node below it. */
#include "services/fs/ext4/core/files.h"

static void write_header(struct ext4_op *op, uint8_t *node, uint32_t entries, uint32_t depth)
{
    uint8_t header[EXT_HEADER_BYTES] = {0};

    set_le16(header, EXT_MAGIC);
    set_le16(header + EXT_ENTRIES, (uint16_t)entries);
    set_le16(header + EXT_MAX, (uint16_t)ext4_node_room(op->fs, false));
    set_le16(header + EXT_DEPTH, (uint16_t)depth);
    ext4_put(op, node, header, sizeof header);
}

static void write_index(struct ext4_op *op, uint8_t *entry, uint32_t logical, uint64_t block)
{
    uint8_t bytes[EXT_ENTRY_BYTES] = {0};

    set_le32(bytes + EXT_LOGICAL, logical);
    set_le32(bytes + EXT_CHILD, (uint32_t)block);
    set_le16(bytes + EXT_CHILD_HI, (uint16_t)(block >> 32));
    ext4_put(op, entry, bytes, sizeof bytes);
}

/* The entries of the root go to a new node, which becomes its only child. */
static mnos_status_t grow(struct ext4_op *op, struct ext4_inode *inode,
                          const struct ext4_path *path)
{
    struct ext4_what what = {EXT4_EXTENTS, path->depth, inode->seed};
    uint8_t *root = path->node[0], *node;
    uint32_t count = ext4_entries(op->fs, path, 0);
    uint64_t block;
    mnos_status_t status;

    if (path->depth == EXT_DEPTH_MAX)
        return MNOS_ERR_FULL;
    status = ext4_meta_block(op, inode, ext4_inode_goal(op->fs, inode), &what, &block, &node);
    if (status != MNOS_OK)
        return status;
    write_header(op, node, count, path->depth);
    ext4_put(op, ext4_entry(node, 0), ext4_entry(root, 0), (size_t)count * EXT_ENTRY_BYTES);
    write_index(op, ext4_entry(root, 0), le32(ext4_entry(root, 0) + EXT_LOGICAL), block);
    ext4_put_16(op, root + EXT_ENTRIES, 1);
    ext4_put_16(op, root + EXT_DEPTH, (uint16_t)(path->depth + 1));
    return MNOS_OK;
}

/* The node below `level` gives entries to a new neighbour: the half, or, when the file grows at its end, the last. */
static mnos_status_t split(struct ext4_op *op, struct ext4_inode *inode,
                           const struct ext4_path *path, uint32_t level)
{
    struct ext4_what what = {EXT4_EXTENTS, path->depth - level - 1, inode->seed};
    uint8_t *full = path->node[level + 1], *parent = path->node[level], *node, *entry;
    uint32_t count = ext4_entries(op->fs, path, level + 1), keep = count / 2;
    uint32_t siblings = ext4_entries(op->fs, path, level), at = path->at[level] + 1;
    uint64_t block;
    mnos_status_t status;

    if (path->at[level + 1] + 1 == count)
        keep = count - 1;
    if (keep == 0)
        return MNOS_ERR_FORMAT;
    status = ext4_path_change(op, path, level + 1);
    if (status == MNOS_OK)
        status = ext4_path_change(op, path, level);
    if (status == MNOS_OK)
        status = ext4_meta_block(op, inode, ext4_inode_goal(op->fs, inode), &what, &block, &node);
    if (status != MNOS_OK)
        return status;
    write_header(op, node, count - keep, what.owner);
    ext4_put(op, ext4_entry(node, 0), ext4_entry(full, keep),
             (size_t)(count - keep) * EXT_ENTRY_BYTES);
    ext4_put_16(op, full + EXT_ENTRIES, (uint16_t)keep);
    entry = ext4_entry(parent, at);
    if (at < siblings)
        ext4_put(op, entry + EXT_ENTRY_BYTES, entry, (size_t)(siblings - at) * EXT_ENTRY_BYTES);
    write_index(op, entry, le32(ext4_entry(node, 0) + EXT_LOGICAL), block);
    ext4_put_16(op, parent + EXT_ENTRIES, (uint16_t)(siblings + 1));
    return MNOS_OK;
}

static bool has_room(const struct ext4_fs *fs, const struct ext4_path *path, uint32_t level)
{
    uint32_t max = le16(path->node[level] + EXT_MAX), room = ext4_node_room(fs, level == 0);

    return ext4_entries(fs, path, level) < (max < room ? max : room);
}

/* One step; the path has to be found again. */
mnos_status_t ext4_path_make_room(struct ext4_op *op, struct ext4_inode *inode,
                                  const struct ext4_path *path)
{
    for (uint32_t level = path->depth; level-- > 0;)
        if (has_room(op->fs, path, level))
            return split(op, inode, path, level);
    return grow(op, inode, path);
}
