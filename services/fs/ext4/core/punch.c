// SPDX-License-Identifier: MIT
/* punch - blocks that are set aside for a file before anything is written to them, and blocks taken out of its middle. */
#include "services/fs/ext4/core/files.h"

/* ---- Room set aside ---- */

mnos_status_t ext4_set_aside(struct ext4_op *op, uint32_t number, uint32_t logical, uint32_t count,
                             uint32_t *done)
{
    struct ext4_inode inode;
    struct ext4_run run;
    mnos_status_t status = ext4_file_to_change(op, number, &inode);

    if (status == MNOS_OK)
        status = ext4_map_inode(op, &inode, logical, count, &run);
    if (status != MNOS_OK)
        return status;
    if (run.physical == 0 && !run.set_aside) {
        status = ext4_change(op, inode.raw);
        if (status == MNOS_OK)
            status = ext4_fill_hole(op, &inode, logical, true, &run);
    }
    *done = run.count;
    return status;
}

/* ---- Blocks taken out ---- */

static mnos_status_t remove_entry(struct ext4_op *op, const struct ext4_path *path, uint32_t level)
{
    uint8_t *node = path->node[level];
    uint32_t count = ext4_entries(op->fs, path, level), at = path->at[level];

    if (at >= count)
        return MNOS_ERR_FORMAT;
    if (at + 1 < count)
        ext4_put(op, ext4_entry(node, at), ext4_entry(node, at + 1),
                 (size_t)(count - at - 1) * EXT_ENTRY_BYTES);
    ext4_put_16(op, node + EXT_ENTRIES, (uint16_t)(count - 1));
    return at == 0 && count > 1 ? ext4_path_set_first(op, path, level) : MNOS_OK;
}

/* The entry of the leaf goes; a node without entries goes with it, and its parent may, too. */
mnos_status_t ext4_extent_remove(struct ext4_op *op, struct ext4_inode *inode,
                                 const struct ext4_path *path)
{
    mnos_status_t status = remove_entry(op, path, path->depth);

    for (uint32_t level = path->depth; status == MNOS_OK && level > 0; level--) {
        uint64_t node = ext4_child(ext4_entry(path->node[level - 1], path->at[level - 1]));

        if (ext4_entries(op->fs, path, level) != 0)
            return MNOS_OK;
        status = ext4_path_change(op, path, level - 1);
        if (status == MNOS_OK)
            status = ext4_blocks_free(op, node, 1, true);
        if (status == MNOS_OK)
            status = remove_entry(op, path, level - 1);
        ext4_inode_add_blocks(op, inode, -1);
    }
    if (status == MNOS_OK && path->depth > 0 && ext4_entries(op->fs, path, 0) == 0)
        ext4_put_16(op, path->node[0] + EXT_DEPTH, 0);
    return status;
}

/* What lies behind the blocks that are taken out gets an entry of its own. That may take nodes, and on a full disk these
 * are made of the same blocks: until the transaction has committed a node is not written in its place (J1), so a power cut
 * finds there what the file had. */
static mnos_status_t insert_behind(struct ext4_op *op, struct ext4_inode *inode,
                                   const struct ext4_extent *behind, uint64_t block,
                                   uint32_t *count)
{
    mnos_status_t status;

    op->spare = block;
    op->spare_count = *count;
    status = ext4_extent_insert(op, inode, behind);
    *count = op->spare_count;
    op->spare_count = 0;
    return status;
}

/* What is left of an extent where something was taken out of it: the parts before and behind, or one of them, or none. */
static mnos_status_t keep_rest(struct ext4_op *op, struct ext4_inode *inode,
                               const struct ext4_path *path, const struct ext4_extent *before,
                               const struct ext4_extent *behind)
{
    uint32_t level = path->depth;

    if (before->count == 0 && behind->count == 0)
        return ext4_extent_remove(op, inode, path);
    ext4_extent_write(op, ext4_entry(path->node[level], path->at[level]),
                      before->count != 0 ? before : behind);
    return before->count == 0 && path->at[level] == 0 ? ext4_path_set_first(op, path, level)
                                                      : MNOS_OK;
}

/* Takes [from, end), which lies in the extent at the end of the path, out of it. */
static mnos_status_t cut_out(struct ext4_op *op, struct ext4_inode *inode,
                             const struct ext4_path *path, uint32_t from, uint32_t end)
{
    const uint8_t *entry = ext4_entry(path->node[path->depth], path->at[path->depth]);
    struct ext4_extent before = ext4_extent_read(entry), behind = before;
    uint32_t count = end - from, free = count;
    uint64_t block = before.physical + (from - before.logical);
    mnos_status_t status = ext4_path_change(op, path, path->depth);

    before.count = from - before.logical;
    behind.count -= end - behind.logical;
    behind.physical = block + count;
    behind.logical = end;
    if (status == MNOS_OK)
        status = keep_rest(op, inode, path, &before, &behind);
    if (status == MNOS_OK && before.count != 0 && behind.count != 0)
        status = insert_behind(op, inode, &behind, block, &free);
    if (status == MNOS_OK && free != 0)
        status = ext4_blocks_free(op, block, free, false);
    if (status == MNOS_OK)
        ext4_inode_add_blocks(op, inode, -(int64_t)count);
    return status;
}

/* The first piece that is to be taken out; *done is the beginning of what comes behind it. */
static mnos_status_t punch_first(struct ext4_op *op, struct ext4_inode *inode, uint32_t end,
                                 uint32_t *done)
{
    struct ext4_extent extent;
    struct ext4_path path;
    struct ext4_run run;
    uint32_t last;
    mnos_status_t status = ext4_map_inode(op, inode, *done, end - *done, &run);

    if (status != MNOS_OK)
        return status;
    last = *done + run.count;
    if (run.physical != 0 || run.set_aside) {
        status = ext4_path_find(op, inode, *done, &path);
        if (status != MNOS_OK)
            return status;
        extent = ext4_extent_read(ext4_entry(path.node[path.depth], path.at[path.depth]));
        if (*done - extent.logical >= extent.count || last - extent.logical > extent.count)
            return MNOS_ERR_FORMAT;
        status = cut_out(op, inode, &path, *done, last);
    }
    *done = last;
    return status;
}

mnos_status_t ext4_punch(struct ext4_op *op, uint32_t number, uint32_t first, uint32_t end,
                         uint32_t *done)
{
    const struct ext4_fs *fs = op->fs;
    struct ext4_inode inode;
    mnos_status_t status = ext4_file_to_change(op, number, &inode);
    uint32_t before = fs->freed_count;

    *done = first;
    if (status == MNOS_OK)
        status = ext4_change(op, inode.raw);
    if (status != MNOS_OK)
        return status;
    ext4_inode_touch(op, &inode, true);
    while (status == MNOS_OK && *done < end && ext4_has_room(op, before))
        status = punch_first(op, &inode, end, done);
    return status;
}
