// SPDX-License-Identifier: MIT
/* link - symbolic links: a short text lies in the inode, a long one in a block. */
#include "services/fs/ext4/core/tree.h"

mnos_status_t ext4_readlink(struct ext4_op *op, uint32_t number, char *text, uint32_t limit,
                            uint32_t *bytes)
{
    struct ext4_what what = {.kind = EXT4_RAW};
    struct ext4_inode inode;
    struct ext4_run run;
    uint8_t *data;
    mnos_status_t status = ext4_inode_get(op, number, &inode);

    if (status == MNOS_OK && !ext4_inode_is(&inode, MODE_SYMLINK))
        status = MNOS_ERR_STATE;
    if (status != MNOS_OK)
        return status;
    *bytes = (uint32_t)ext4_inode_size(&inode);
    if (*bytes > limit)
        return MNOS_ERR_SIZE;
    data = inode.raw + INODE_BLOCK;
    if (*bytes >= INODE_BLOCK_BYTES || ext4_inode_has_extents(&inode)) {
        status = ext4_map_inode(op, &inode, 0, 1, &run);
        if (status == MNOS_OK && run.physical == 0)
            status = MNOS_ERR_FORMAT;
        if (status == MNOS_OK)
            status = ext4_block_get(op, run.physical, &what, &data);
        if (status != MNOS_OK)
            return status;
    }
    memcpy(text, data, *bytes);
    return MNOS_OK;
}

static mnos_status_t put_text(struct ext4_op *op, struct ext4_inode *inode, const char *text,
                              uint32_t bytes)
{
    struct ext4_what what = {.kind = EXT4_RAW};
    struct ext4_extent extent = {.count = 1};
    struct ext4_fs *fs = op->fs;
    uint8_t *data;
    mnos_status_t status;

    ext4_inode_set_size(op, inode, bytes);
    if (bytes < INODE_BLOCK_BYTES) {
        ext4_put_32(op, inode->raw + INODE_FLAGS, 0);
        ext4_fill(op, inode->raw + INODE_BLOCK, 0, INODE_BLOCK_BYTES);
        ext4_put(op, inode->raw + INODE_BLOCK, text, bytes);
        return MNOS_OK;
    }
    if (be32(text) == JBD_MAGIC) {
        if (fs->escapes >= EXT4_ESCAPES_MAX)
            return ext4_wait_commit(op);
        EXT4_SET(fs, fs->escapes, fs->escapes + 1);
    }
    status =
        ext4_meta_block(op, inode, ext4_inode_goal(op->fs, inode), &what, &extent.physical, &data);
    if (status == MNOS_OK)
        status = ext4_extent_insert(op, inode, &extent);
    if (status == MNOS_OK)
        ext4_put(op, data, text, bytes);
    return status;
}

mnos_status_t ext4_symlink(struct ext4_op *op, uint32_t directory, const char *name, uint32_t bytes,
                           const char *text, uint32_t text_bytes, uint32_t *inode)
{
    struct ext4_inode parent, made;
    mnos_status_t status = ext4_new_name(op, directory, name, bytes, &parent);

    /* A zero ends the text for others who read it, and it fits one block. */
    if (status == MNOS_OK && (text_bytes == 0 || text_bytes >= op->fs->block_bytes))
        status = MNOS_ERR_SIZE;
    if (status == MNOS_OK)
        status = ext4_inode_take(op, &parent, MODE_SYMLINK | 0777, &made);
    if (status != MNOS_OK)
        return status;
    *inode = made.number;
    ext4_inode_set_links(op, &made, 1);
    status = put_text(op, &made, text, text_bytes);
    return status != MNOS_OK ? status
                             : ext4_dir_add(op, &parent, name, bytes, made.number, MODE_SYMLINK);
}
