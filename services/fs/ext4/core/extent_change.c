// SPDX-License-Identifier: MIT
/* extent_change - extents that come, and that were never written and are written now. */
#include "services/fs/ext4/core/files.h"

void ext4_extent_write(struct ext4_op *op, uint8_t *entry, const struct ext4_extent *extent)
{
    uint8_t bytes[EXT_ENTRY_BYTES];

    set_le32(bytes + EXT_LOGICAL, extent->logical);
    set_le16(bytes + EXT_LENGTH,
             (uint16_t)(extent->count + (extent->unwritten ? EXT_LENGTH_MAX : 0)));
    set_le16(bytes + EXT_START_HI, (uint16_t)(extent->physical >> 32));
    set_le32(bytes + EXT_START, (uint32_t)extent->physical);
    ext4_put(op, entry, bytes, sizeof bytes);
}

/* The root is in the inode, the other nodes are blocks: both are changed by their address. */
mnos_status_t ext4_path_change(struct ext4_op *op, const struct ext4_path *path, uint32_t level)
{
    return ext4_change(op, path->node[level]);
}

mnos_status_t ext4_path_set_first(struct ext4_op *op, const struct ext4_path *path, uint32_t level)
{
    uint32_t first = le32(ext4_entry(path->node[level], 0) + EXT_LOGICAL);

    while (level-- > 0) {
        mnos_status_t status = ext4_path_change(op, path, level);

        if (status != MNOS_OK)
            return status;
        ext4_put_32(op, ext4_entry(path->node[level], path->at[level]) + EXT_LOGICAL, first);
        if (path->at[level] != 0)
            break;
    }
    return MNOS_OK;
}

/* Whether b goes on where a ends, and both fit one entry. */
static bool follows(const struct ext4_extent *a, const struct ext4_extent *b)
{
    uint32_t max = a->unwritten ? EXT_UNWRITTEN_MAX : EXT_LENGTH_MAX;

    return a->unwritten == b->unwritten && a->logical + a->count == b->logical &&
           a->physical + a->count == b->physical && a->count + b->count <= max;
}

/* *merged false: neither neighbour in the leaf goes on with it. */
static mnos_status_t merge(struct ext4_op *op, const struct ext4_path *path,
                           const struct ext4_extent *extent, bool *merged)
{
    uint32_t level = path->depth, at = path->at[level];
    struct ext4_extent other;
    mnos_status_t status = ext4_path_change(op, path, level);

    *merged = status == MNOS_OK;
    if (status != MNOS_OK)
        return status;
    if (at != EXT4_NONE) {
        other = ext4_extent_read(ext4_entry(path->node[level], at));
        if (follows(&other, extent)) {
            other.count += extent->count;
            ext4_extent_write(op, ext4_entry(path->node[level], at), &other);
            return MNOS_OK;
        }
    }
    if (at + 1 < ext4_entries(op->fs, path, level)) {
        struct ext4_extent joined = *extent;

        other = ext4_extent_read(ext4_entry(path->node[level], at + 1));
        if (follows(extent, &other)) {
            joined.count += other.count;
            ext4_extent_write(op, ext4_entry(path->node[level], at + 1), &joined);
            return at + 1 == 0 ? ext4_path_set_first(op, path, level) : MNOS_OK;
        }
    }
    *merged = false;
    return MNOS_OK;
}

mnos_status_t ext4_extent_insert(struct ext4_op *op, struct ext4_inode *inode,
                                 const struct ext4_extent *extent)
{
    struct ext4_path path;
    uint8_t *node, *entry;
    uint32_t count, at;
    mnos_status_t status = ext4_path_find(op, inode, extent->logical, &path);
    bool merged;

    if (status == MNOS_OK)
        status = merge(op, &path, extent, &merged);
    if (status != MNOS_OK || merged)
        return status;
    /* Ends: each round splits a node of the path or makes the tree higher, and 2 * depth are enough. */
    for (unsigned i = 0;
         ext4_entries(op->fs, &path, path.depth) >= le16(path.node[path.depth] + EXT_MAX); i++) {
        if (i > 3 * EXT_DEPTH_MAX)
            return MNOS_ERR_FORMAT;
        status = ext4_path_make_room(op, inode, &path);
        if (status == MNOS_OK)
            status = ext4_path_find(op, inode, extent->logical, &path);
        if (status != MNOS_OK)
            return status;
    }
    status = ext4_path_change(op, &path, path.depth);
    if (status != MNOS_OK)
        return status;
    node = path.node[path.depth];
    count = le16(node + EXT_ENTRIES);
    at = path.at[path.depth] + 1;
    entry = ext4_entry(node, at);
    if (at < count)
        ext4_put(op, entry + EXT_ENTRY_BYTES, entry, (size_t)(count - at) * EXT_ENTRY_BYTES);
    ext4_extent_write(op, entry, extent);
    ext4_put_16(op, node + EXT_ENTRIES, (uint16_t)(count + 1));
    return at == 0 ? ext4_path_set_first(op, &path, path.depth) : MNOS_OK;
}

/* What lies before and behind the written part stays as it was: up to three extents of one. */
mnos_status_t ext4_extent_convert(struct ext4_op *op, struct ext4_inode *inode, uint32_t logical,
                                  uint32_t count)
{
    struct ext4_extent whole, before, written, behind;
    struct ext4_path path;
    uint8_t *entry;
    mnos_status_t status = ext4_path_find(op, inode, logical, &path);

    if (status == MNOS_OK)
        status = ext4_path_change(op, &path, path.depth);
    if (status != MNOS_OK)
        return status;
    entry = ext4_entry(path.node[path.depth], path.at[path.depth]);
    whole = ext4_extent_read(entry);
    before = behind = whole;
    before.count = logical - whole.logical;
    written = (struct ext4_extent){whole.physical + before.count, logical, count, false};
    behind.logical = logical + count;
    behind.physical = written.physical + count;
    behind.count = whole.count - before.count - count;
    if (before.count == 0 && path.at[path.depth] != 0) {
        struct ext4_extent other = ext4_extent_read(entry - EXT_ENTRY_BYTES);

        /* What is written from its beginning on does not fall into pieces. */
        if (follows(&other, &written)) {
            other.count += count;
            ext4_extent_write(op, entry - EXT_ENTRY_BYTES, &other);
            if (behind.count == 0)
                return ext4_extent_remove(op, inode, &path);
            ext4_extent_write(op, entry, &behind);
            return MNOS_OK;
        }
    }
    ext4_extent_write(op, entry, before.count != 0 ? &before : &written);
    if (before.count != 0)
        status = ext4_extent_insert(op, inode, &written);
    if (status == MNOS_OK && behind.count != 0)
        status = ext4_extent_insert(op, inode, &behind);
    return status;
}

/* ---- Blocks for a file ---- */

/* Behind the extent before, as far as the file's blocks between them would go. */
static mnos_status_t goal_of(struct ext4_op *op, const struct ext4_inode *inode, uint32_t logical,
                             uint64_t *goal)
{
    struct ext4_extent extent;
    struct ext4_path path;
    mnos_status_t status = ext4_path_find(op, inode, logical, &path);

    *goal = ext4_inode_goal(op->fs, inode);
    if (status != MNOS_OK || path.at[path.depth] == EXT4_NONE)
        return status;
    extent = ext4_extent_read(ext4_entry(path.node[path.depth], path.at[path.depth]));
    *goal = extent.physical + (logical - extent.logical);
    return MNOS_OK;
}

mnos_status_t ext4_fill_hole(struct ext4_op *op, struct ext4_inode *inode, uint32_t logical,
                             bool unwritten, struct ext4_run *run)
{
    struct ext4_extent extent = {.logical = logical, .unwritten = unwritten};
    uint32_t max = unwritten ? EXT_UNWRITTEN_MAX : EXT_LENGTH_MAX;
    uint32_t wanted = run->count < max ? run->count : max;
    uint64_t goal;
    mnos_status_t status = goal_of(op, inode, logical, &goal);

    if (wanted > UINT32_MAX - logical)
        wanted = UINT32_MAX - logical;
    if (wanted == 0)
        return MNOS_ERR_FULL; /* behind the largest file */
    if (status == MNOS_OK)
        status = ext4_blocks_take(op, inode->number, goal, wanted, &extent.physical, &extent.count);
    if (status == MNOS_OK)
        status = ext4_extent_insert(op, inode, &extent);
    if (status != MNOS_OK)
        return status;
    if (logical != 0 && (uint64_t)logical << op->fs->block_shift >= ext4_inode_size(inode))
        ext4_ahead_set(op->fs, inode->number, extent.physical + extent.count);
    ext4_inode_add_blocks(op, inode, extent.count);
    *run = (struct ext4_run){
        .physical = extent.physical, .count = extent.count, .set_aside = unwritten, .is_new = true};
    return MNOS_OK;
}

mnos_status_t ext4_file_to_change(struct ext4_op *op, uint32_t number, struct ext4_inode *inode)
{
    mnos_status_t status = ext4_inode_get(op, number, inode);

    if (status == MNOS_OK && !ext4_inode_is(inode, MODE_FILE))
        status = MNOS_ERR_DIRECTORY;
    if (status == MNOS_OK && !ext4_inode_has_extents(inode))
        status = MNOS_ERR_DENIED; /* of ext3's sort: only read */
    return status;
}

mnos_status_t ext4_allocate(struct ext4_op *op, uint32_t number, uint32_t logical, uint32_t count,
                            struct ext4_run *run)
{
    struct ext4_extent extent;
    struct ext4_inode inode;
    struct ext4_path path;
    mnos_status_t status = ext4_file_to_change(op, number, &inode);

    if (status == MNOS_OK)
        status = ext4_map_inode(op, &inode, logical, count, run);
    if (status != MNOS_OK || run->physical != 0)
        return status;
    status = ext4_change(op, inode.raw);
    if (status == MNOS_OK)
        status = ext4_path_find(op, &inode, logical, &path);
    if (status != MNOS_OK)
        return status;
    if (path.at[path.depth] != EXT4_NONE) {
        extent = ext4_extent_read(ext4_entry(path.node[path.depth], path.at[path.depth]));
        if (logical - extent.logical < extent.count) {
            run->physical = extent.physical + (logical - extent.logical);
            run->is_new = true;
            return ext4_extent_convert(op, &inode, logical, run->count);
        }
    }
    return ext4_fill_hole(op, &inode, logical, false, run);
}
