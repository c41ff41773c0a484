// SPDX-License-Identifier: MIT
/*
 * orphan - inodes that have to be cut or removed, whatever happens: a list from the superblock through the inodes,
 * whose time of deletion is the next one's number meanwhile.
 */
#include "services/fs/ext4/core/files.h"

/* A longer list is a circle. */
enum { ORPHANS_MAX = 65536 };

/* Whether the inode is on the list, and which one is before it: 0, the superblock. */
mnos_status_t ext4_orphan_find(struct ext4_op *op, uint32_t number, uint32_t *previous, bool *found)
{
    uint32_t at = le32(ext4_super(op->fs) + SB_LAST_ORPHAN);

    *previous = 0;
    *found = false;
    for (uint32_t i = 0; at != 0; i++) {
        uint32_t pinned = op->pin_count;
        struct ext4_inode inode;
        mnos_status_t status;

        if (at == number) {
            *found = true;
            return MNOS_OK;
        }
        if (i == ORPHANS_MAX)
            return MNOS_ERR_FORMAT;
        status = ext4_inode_get(op, at, &inode);
        if (status != MNOS_OK)
            return status;
        *previous = at;
        at = le32(inode.raw + INODE_DTIME);
        ext4_unpin_to(op, pinned);
    }
    return MNOS_OK;
}

mnos_status_t ext4_orphan_add(struct ext4_op *op, struct ext4_inode *inode)
{
    uint8_t *sb = ext4_super(op->fs);
    mnos_status_t status = ext4_change(op, sb);

    if (status == MNOS_OK)
        status = ext4_change(op, inode->raw);
    if (status != MNOS_OK)
        return status;
    ext4_put_32(op, inode->raw + INODE_DTIME, le32(sb + SB_LAST_ORPHAN));
    ext4_put_32(op, sb + SB_LAST_ORPHAN, inode->number);
    return MNOS_OK;
}

mnos_status_t ext4_orphan_remove(struct ext4_op *op, struct ext4_inode *inode)
{
    uint32_t previous, next = le32(inode->raw + INODE_DTIME);
    uint8_t *at = ext4_super(op->fs) + SB_LAST_ORPHAN;
    struct ext4_inode before;
    mnos_status_t status;
    bool found;

    status = ext4_orphan_find(op, inode->number, &previous, &found);
    if (status == MNOS_OK && !found)
        status = MNOS_ERR_FORMAT;
    if (status == MNOS_OK && previous != 0) {
        status = ext4_inode_get(op, previous, &before);
        at = before.raw + INODE_DTIME;
    }
    if (status == MNOS_OK)
        status = ext4_change(op, at);
    if (status == MNOS_OK)
        status = ext4_change(op, inode->raw);
    if (status != MNOS_OK)
        return status;
    ext4_put_32(op, at, next);
    ext4_put_32(op, inode->raw + INODE_DTIME, 0);
    return MNOS_OK;
}
