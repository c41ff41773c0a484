// SPDX-License-Identifier: MIT
/* group - descriptors of groups and their bitmaps, which mke2fs leaves to be made when they are needed. */
#include "services/fs/ext4/core/core.h"

uint64_t ext4_group_number(const struct ext4_fs *fs, const uint8_t *desc, unsigned low,
                           unsigned high)
{
    uint64_t value = le32(desc + low);

    return fs->desc_bytes >= GD_BYTES ? value | (uint64_t)le32(desc + high) << 32 : value;
}

uint32_t ext4_group_count(const struct ext4_fs *fs, const uint8_t *desc, unsigned low,
                          unsigned high)
{
    uint32_t value = le16(desc + low);

    return fs->desc_bytes >= GD_BYTES ? value | (uint32_t)le16(desc + high) << 16 : value;
}

void ext4_group_set_count(struct ext4_op *op, uint8_t *desc, unsigned low, unsigned high,
                          uint32_t value)
{
    ext4_put_16(op, desc + low, (uint16_t)value);
    if (op->fs->desc_bytes >= GD_BYTES)
        ext4_put_16(op, desc + high, (uint16_t)(value >> 16));
}

uint64_t ext4_group_first(const struct ext4_fs *fs, uint32_t group)
{
    return fs->first_data_block + (uint64_t)group * fs->blocks_per_group;
}

/* The last group may be shorter. */
uint32_t ext4_group_blocks(const struct ext4_fs *fs, uint32_t group)
{
    uint64_t left = fs->blocks - ext4_group_first(fs, group);

    return left < fs->blocks_per_group ? (uint32_t)left : fs->blocks_per_group;
}

mnos_status_t ext4_group_get(struct ext4_op *op, uint32_t group, uint8_t **desc)
{
    struct ext4_fs *fs = op->fs;
    uint32_t within = group % fs->groups_per_block;
    struct ext4_what what = {EXT4_GROUPS, group - within, 0};
    uint64_t block = fs->first_data_block + 1 + group / fs->groups_per_block;
    mnos_status_t status = ext4_block_get(op, block, &what, desc);

    if (status == MNOS_OK)
        *desc += (size_t)within * fs->desc_bytes;
    return status;
}

/* ---- Bitmaps ---- */

static void set_bits(struct ext4_op *op, uint8_t *bitmap, uint32_t first, uint32_t end)
{
    uint32_t limit = op->fs->block_bytes * 8;

    for (uint32_t i = first; i < end && i < limit; i++)
        bitmap[i / 8] |= (uint8_t)(1u << i % 8); /* of a new block: nothing to undo */
}

static void set_place(struct ext4_op *op, uint8_t *bitmap, uint32_t group, uint64_t block,
                      uint32_t count)
{
    uint64_t first = ext4_group_first(op->fs, group);

    for (uint32_t i = 0; i < count; i++)
        if (block + i >= first && block + i < first + op->fs->blocks_per_group)
            set_bits(op, bitmap, (uint32_t)(block + i - first), (uint32_t)(block + i - first) + 1);
}

/* What a group that never gave out a block has taken: its superblock and descriptors, its bitmaps and
 * its inodes, as far as these lie in it. */
static void make_block_bitmap(struct ext4_op *op, uint32_t group, const uint8_t *desc,
                              uint8_t *bitmap)
{
    const struct ext4_fs *fs = op->fs;
    uint32_t tables = (fs->groups + fs->groups_per_block - 1) / fs->groups_per_block;

    if (ext4_group_has_super(fs, group))
        set_bits(op, bitmap, 0, 1 + tables + fs->reserved_gdt);
    set_place(op, bitmap, group, ext4_group_number(fs, desc, GD_BLOCK_BITMAP, GD_BLOCK_BITMAP_HI),
              1);
    set_place(op, bitmap, group, ext4_group_number(fs, desc, GD_INODE_BITMAP, GD_INODE_BITMAP_HI),
              1);
    set_place(op, bitmap, group, ext4_group_number(fs, desc, GD_INODE_TABLE, GD_INODE_TABLE_HI),
              fs->inodes_per_group * fs->inode_bytes / fs->block_bytes);
    set_bits(op, bitmap, ext4_group_blocks(fs, group), fs->block_bytes * 8);
}

static mnos_status_t make_bitmap(struct ext4_op *op, uint32_t group, uint64_t block,
                                 const struct ext4_what *what, uint8_t *desc, uint8_t **bitmap)
{
    bool blocks = what->kind == EXT4_BLOCK_BITMAP;
    uint16_t flag = blocks ? GD_BLOCK_UNINIT : GD_INODE_UNINIT;
    mnos_status_t status = ext4_change(op, desc);

    if (status == MNOS_OK)
        status = ext4_block_new(op, block, what, bitmap);
    if (status != MNOS_OK)
        return status;
    if (blocks)
        make_block_bitmap(op, group, desc, *bitmap);
    else
        set_bits(op, *bitmap, op->fs->inodes_per_group, op->fs->block_bytes * 8);
    ext4_put_16(op, desc + GD_FLAGS, (uint16_t)(le16(desc + GD_FLAGS) & ~flag));
    return MNOS_OK;
}

mnos_status_t ext4_bitmap_get(struct ext4_op *op, uint32_t group, enum ext4_kind kind,
                              uint8_t *desc, uint8_t **bitmap)
{
    const struct ext4_fs *fs = op->fs;
    bool blocks = kind == EXT4_BLOCK_BITMAP;
    uint64_t block = blocks ? ext4_group_number(fs, desc, GD_BLOCK_BITMAP, GD_BLOCK_BITMAP_HI)
                            : ext4_group_number(fs, desc, GD_INODE_BITMAP, GD_INODE_BITMAP_HI);
    uint32_t sum = ext4_group_count(fs, desc, blocks ? GD_BLOCK_BITMAP_CSUM : GD_INODE_BITMAP_CSUM,
                                    blocks ? GD_BLOCK_BITMAP_CSUM_HI : GD_INODE_BITMAP_CSUM_HI);
    struct ext4_what what = {kind, group, sum};
    uint32_t slot = ext4_slot_find(fs, block);

    if (fs->has_checksums &&
        (le16(desc + GD_FLAGS) & (blocks ? GD_BLOCK_UNINIT : GD_INODE_UNINIT)) != 0)
        return make_bitmap(op, group, block, &what, desc, bitmap);
    /* One that is here already was checked; its checksum in the descriptor is that of the last commit. */
    if (slot != EXT4_NONE && fs->slots[slot].use.kind == kind && fs->slots[slot].use.owner == group)
        what.seed = fs->slots[slot].use.seed;
    return ext4_block_get(op, block, &what, bitmap);
}
