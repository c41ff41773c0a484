// SPDX-License-Identifier: MIT
/* truncate - files get shorter and go, a part in each operation; the list of orphans remembers the rest. */
#include "services/fs/ext4/core/files.h"

/* Of one operation: pinned blocks before it stops, and blocks of metadata, each of which is revoked. */
/* FREED_KEPT: an extent of 32,768 blocks lies in five groups of 8,192 at most, and a node of each level goes with it. */
enum { PINS_BEFORE = EXT4_OP_PINS / 3, METADATA_AT_ONCE = 64, FREED_KEPT = 16 };

/* ---- The end of the tree ---- */

/* Frees the last extent, or the part of it behind `first`. */
static mnos_status_t cut_last(struct ext4_op *op, struct ext4_inode *inode, uint32_t first,
                              bool *done)
{
    bool metadata = !ext4_inode_is(inode, MODE_FILE);
    struct ext4_extent last;
    struct ext4_path path;
    uint8_t *leaf;
    uint32_t from;
    mnos_status_t status = ext4_path_find(op, inode, UINT32_MAX, &path);

    if (status != MNOS_OK)
        return status;
    leaf = path.node[path.depth];
    *done = path.at[path.depth] == EXT4_NONE;
    if (*done)
        return path.depth == 0 ? MNOS_OK : MNOS_ERR_FORMAT; /* no leaf is empty */
    last = ext4_extent_read(ext4_entry(leaf, path.at[path.depth]));
    *done = last.logical + last.count <= first;
    if (*done)
        return MNOS_OK;
    from = first > last.logical ? first : last.logical;
    if (metadata && last.logical + last.count - from > METADATA_AT_ONCE)
        from = last.logical + last.count - METADATA_AT_ONCE;
    status = ext4_path_change(op, &path, path.depth);
    if (status == MNOS_OK)
        status = ext4_blocks_free(op, last.physical + (from - last.logical),
                                  last.logical + last.count - from, metadata);
    if (status != MNOS_OK)
        return status;
    ext4_inode_add_blocks(op, inode, -(int64_t)(last.logical + last.count - from));
    last.count = from - last.logical;
    if (last.count != 0) {
        ext4_extent_write(op, ext4_entry(leaf, path.at[path.depth]), &last);
        return MNOS_OK;
    }
    return ext4_extent_remove(op, inode, &path);
}

/* Whether one more round fits the operation. Each frees at least a block, and takes pins, undo log and entries of the freed
 * ones, of which some are left for it; what does not fit is another operation. One that ran into a limit would be undone and
 * do the same when it runs again, for ever: only the first round may, since a commit makes room for that. */
bool ext4_has_room(const struct ext4_op *op, uint32_t freed_before)
{
    const struct ext4_fs *fs = op->fs;

    return op->pin_count < PINS_BEFORE &&
           state_mark(fs->memory.log) - op->mark < EXT4_LOG_BYTES / 2 &&
           (fs->freed_count == freed_before || fs->freed_count + FREED_KEPT < EXT4_FREED_MAX);
}

mnos_status_t ext4_blocks_cut(struct ext4_op *op, struct ext4_inode *inode, uint32_t first,
                              bool *done)
{
    bool metadata = !ext4_inode_is(inode, MODE_FILE);
    mnos_status_t status = ext4_change(op, inode->raw);
    uint32_t before = op->fs->freed_count;

    *done = false;
    while (status == MNOS_OK && !*done && ext4_has_room(op, before)) {
        status = cut_last(op, inode, first, done);
        if (metadata && !*done)
            break;
    }
    return status;
}

/* ---- For the service ---- */

mnos_status_t ext4_set_size(struct ext4_op *op, uint32_t number, uint64_t size)
{
    struct ext4_inode inode;
    mnos_status_t status = ext4_inode_get(op, number, &inode);

    if (status == MNOS_OK && !ext4_inode_is(&inode, MODE_FILE))
        status = MNOS_ERR_DIRECTORY;
    if (status == MNOS_OK && size > (uint64_t)UINT32_MAX << op->fs->block_shift)
        status = MNOS_ERR_FULL;
    if (status == MNOS_OK)
        status = ext4_change(op, inode.raw);
    if (status != MNOS_OK)
        return status;
    if (size > ext4_inode_size(&inode))
        ext4_inode_set_size(op, &inode, size);
    ext4_inode_touch(op, &inode, true);
    return MNOS_OK;
}

mnos_status_t ext4_truncate(struct ext4_op *op, uint32_t number, uint64_t size, bool *done)
{
    const struct ext4_fs *fs = op->fs;
    struct ext4_inode inode;
    uint32_t previous;
    mnos_status_t status = ext4_inode_get(op, number, &inode);
    bool listed;

    *done = true;
    if (status == MNOS_OK && !ext4_inode_is(&inode, MODE_FILE))
        status = MNOS_ERR_DIRECTORY;
    if (status != MNOS_OK || size > ext4_inode_size(&inode))
        return status != MNOS_OK ? status : ext4_set_size(op, number, size);
    if (!ext4_inode_has_extents(&inode))
        return MNOS_ERR_DENIED; /* of ext3's sort: only read */
    status = ext4_orphan_find(op, number, &previous, &listed);
    if (status == MNOS_OK)
        status = ext4_change(op, inode.raw);
    if (status != MNOS_OK)
        return status;
    if (size != ext4_inode_size(&inode)) {
        ext4_inode_set_size(op, &inode, size);
        ext4_inode_touch(op, &inode, true);
    }
    status = ext4_blocks_cut(op, &inode,
                             (uint32_t)((size + fs->block_bytes - 1) >> fs->block_shift), done);
    if (status == MNOS_OK && !*done && !listed)
        status = ext4_orphan_add(op, &inode);
    if (status == MNOS_OK && *done && listed && ext4_inode_links(&inode) != 0)
        status = ext4_orphan_remove(op, &inode);
    return status;
}

/* Several inodes may share a block of attributes. */
static mnos_status_t drop_attributes(struct ext4_op *op, struct ext4_inode *inode)
{
    uint64_t block = le32(inode->raw + INODE_XATTR) | (uint64_t)le16(inode->raw + INODE_XATTR_HI)
                                                          << 32;
    struct ext4_what what = {.kind = EXT4_XATTR};
    uint8_t *data;
    mnos_status_t status;

    if (block == 0)
        return MNOS_OK;
    status = ext4_block_get(op, block, &what, &data);
    if (status == MNOS_OK && le32(data + XATTR_REFERENCES) <= 1) {
        status = ext4_blocks_free(op, block, 1, true);
    } else if (status == MNOS_OK) {
        status = ext4_change(op, data);
        if (status == MNOS_OK)
            ext4_put_32(op, data + XATTR_REFERENCES, le32(data + XATTR_REFERENCES) - 1);
    }
    if (status != MNOS_OK)
        return status;
    ext4_put_32(op, inode->raw + INODE_XATTR, 0);
    ext4_put_16(op, inode->raw + INODE_XATTR_HI, 0);
    ext4_inode_add_blocks(op, inode, -1);
    return MNOS_OK;
}

mnos_status_t ext4_release(struct ext4_op *op, uint32_t number, bool *done)
{
    struct ext4_inode inode;
    mnos_status_t status = ext4_inode_get(op, number, &inode);

    *done = true;
    if (status == MNOS_OK && ext4_inode_links(&inode) != 0)
        status = MNOS_ERR_STATE; /* it has a name */
    if (status == MNOS_OK)
        status = ext4_change(op, inode.raw);
    if (status == MNOS_OK && ext4_inode_has_extents(&inode))
        status = ext4_blocks_cut(op, &inode, 0, done);
    if (status != MNOS_OK || !*done)
        return status;
    status = drop_attributes(op, &inode);
    if (status == MNOS_OK)
        status = ext4_orphan_remove(op, &inode);
    return status == MNOS_OK ? ext4_inode_free(op, &inode) : status;
}
