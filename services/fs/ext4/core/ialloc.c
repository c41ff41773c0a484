// SPDX-License-Identifier: MIT
/* ialloc - inodes from the bitmaps of the groups: a file near its directory, a directory where there is room. */
#include "services/fs/ext4/core/files.h"

static uint32_t group_of(const struct ext4_fs *fs, uint32_t number)
{
    return (number - 1) / fs->inodes_per_group;
}

/* A new directory wants a group with as many free inodes and blocks as the groups have on average. */
static bool is_roomy(const struct ext4_fs *fs, const uint8_t *desc)
{
    return ext4_group_count(fs, desc, GD_FREE_INODES, GD_FREE_INODES_HI) >=
               fs->free_inodes / fs->groups &&
           ext4_group_count(fs, desc, GD_FREE_BLOCKS, GD_FREE_BLOCKS_HI) >=
               fs->free_blocks / fs->groups;
}

/* The first group from the parent's on that will do, or with `any` the first with a free inode. */
static mnos_status_t choose_group(struct ext4_op *op, uint32_t first, bool any, uint32_t *group,
                                  uint8_t **desc)
{
    const struct ext4_fs *fs = op->fs;

    for (uint32_t i = 0; i < fs->groups; i++) {
        mnos_status_t status;

        *group = first + i < fs->groups ? first + i : first + i - fs->groups;
        status = ext4_group_get(op, *group, desc);
        if (status != MNOS_OK)
            return status;
        if (ext4_group_count(fs, *desc, GD_FREE_INODES, GD_FREE_INODES_HI) != 0 &&
            (any || is_roomy(fs, *desc)))
            return MNOS_OK;
    }
    return MNOS_ERR_FULL;
}

/* The first free inode of the group, or EXT4_NONE. The lowest is taken, so that the unused end of the table, which
 * nobody has initialized, begins behind the highest. The bitmap is a block, which has whole words. */
static uint32_t find_free(const struct ext4_fs *fs, uint32_t group, const uint8_t *bitmap)
{
    uint32_t from = group == 0 ? fs->first_inode - 1 : 0;

    if (group == fs->search_group && from < fs->search_from)
        from = fs->search_from;
    for (uint32_t at = from & ~63u; at < fs->inodes_per_group; at += 64) {
        uint64_t used = le64(bitmap + at / 8);

        if (at < from)
            used |= (1ull << (from - at)) - 1;
        if (used == UINT64_MAX)
            continue;
        at += (uint32_t)__builtin_ctzll(~used);
        return at < fs->inodes_per_group ? at : EXT4_NONE;
    }
    return EXT4_NONE;
}

/* None below `index` is free in the group. */
static void search_from(struct ext4_fs *fs, uint32_t group, uint32_t index)
{
    EXT4_SET(fs, fs->search_group, group);
    EXT4_SET(fs, fs->search_from, index);
}

static void count_inode(struct ext4_op *op, uint8_t *desc, bool directory, int32_t change)
{
    struct ext4_fs *fs = op->fs;
    uint32_t free = ext4_group_count(fs, desc, GD_FREE_INODES, GD_FREE_INODES_HI);
    uint32_t directories = ext4_group_count(fs, desc, GD_USED_DIRS, GD_USED_DIRS_HI);

    ext4_group_set_count(op, desc, GD_FREE_INODES, GD_FREE_INODES_HI, free - (uint32_t)change);
    EXT4_SET(fs, fs->free_inodes, fs->free_inodes - (uint32_t)change);
    if (directory)
        ext4_group_set_count(op, desc, GD_USED_DIRS, GD_USED_DIRS_HI,
                             directories + (uint32_t)change);
}

static void shrink_unused(struct ext4_op *op, uint8_t *desc, uint32_t index)
{
    const struct ext4_fs *fs = op->fs;
    uint32_t behind = fs->inodes_per_group - index - 1;

    if (fs->has_checksums &&
        ext4_group_count(fs, desc, GD_UNUSED_INODES, GD_UNUSED_INODES_HI) > behind)
        ext4_group_set_count(op, desc, GD_UNUSED_INODES, GD_UNUSED_INODES_HI, behind);
}

static void set_bit(struct ext4_op *op, uint8_t *bitmap, uint32_t index, bool used)
{
    uint8_t bit = (uint8_t)(1u << index % 8), old = bitmap[index / 8];
    uint8_t value = used ? (uint8_t)(old | bit) : (uint8_t)(old & ~bit);

    ext4_put(op, &bitmap[index / 8], &value, 1);
}

/* ---- Taking ---- */

static mnos_status_t take_number(struct ext4_op *op, uint32_t first, bool directory, bool any,
                                 uint32_t *number)
{
    const struct ext4_fs *fs = op->fs;
    uint8_t *desc, *bitmap;
    uint32_t group, index;
    mnos_status_t status = choose_group(op, first, any, &group, &desc);

    if (status == MNOS_OK)
        status = ext4_bitmap_get(op, group, EXT4_INODE_BITMAP, desc, &bitmap);
    if (status == MNOS_OK)
        status = ext4_change(op, bitmap);
    if (status == MNOS_OK)
        status = ext4_change(op, desc);
    if (status != MNOS_OK)
        return status;
    index = find_free(fs, group, bitmap);
    if (index == EXT4_NONE)
        return MNOS_ERR_FORMAT; /* the descriptor says that there is one */
    set_bit(op, bitmap, index, true);
    search_from(op->fs, group, index + 1);
    count_inode(op, desc, directory, 1);
    shrink_unused(op, desc, index);
    *number = group * fs->inodes_per_group + index + 1;
    return MNOS_OK;
}

static mnos_status_t table_place(struct ext4_op *op, uint32_t number, uint8_t **raw, uint32_t *bit)
{
    struct ext4_fs *fs = op->fs;
    uint32_t index = (number - 1) % fs->inodes_per_group,
             per_block = fs->block_bytes / fs->inode_bytes;
    struct ext4_what what = {EXT4_INODES, number - index % per_block, 0};
    uint8_t *desc;
    mnos_status_t status = ext4_group_get(op, group_of(fs, number), &desc);

    if (status == MNOS_OK)
        status = ext4_block_get(
            op, ext4_group_number(fs, desc, GD_INODE_TABLE, GD_INODE_TABLE_HI) + index / per_block,
            &what, raw);
    if (status != MNOS_OK)
        return status;
    *bit = index % per_block;
    *raw += (size_t)*bit * fs->inode_bytes;
    return ext4_change(op, *raw);
}

static void fill(struct ext4_op *op, struct ext4_inode *inode, uint32_t mode)
{
    const struct ext4_fs *fs = op->fs;
    uint8_t *raw = inode->raw;
    uint32_t generation = (le32(raw + INODE_GENERATION) + (uint32_t)(op->now_ns >> 10)) | 1;
    uint8_t header[EXT_HEADER_BYTES] = {0};

    set_le16(header, EXT_MAGIC);
    set_le16(header + EXT_MAX, EXT_ROOT_ENTRIES);
    ext4_fill(op, raw, 0, fs->inode_bytes);
    ext4_put_16(op, raw + INODE_MODE, (uint16_t)mode);
    ext4_put_32(op, raw + INODE_GENERATION, generation);
    if (fs->inode_bytes > INODE_OLD_BYTES)
        ext4_put_16(op, raw + INODE_EXTRA, (uint16_t)fs->inode_extra);
    ext4_put_32(op, raw + INODE_FLAGS, INODE_FLAG_EXTENTS);
    ext4_put(op, raw + INODE_BLOCK, header, sizeof header);
    inode->seed = ext4_inode_seed(fs, inode->number, generation);
    ext4_inode_set_time(op, inode, INODE_CRTIME, (int64_t)op->now_ns);
    ext4_inode_set_time(op, inode, INODE_ATIME, (int64_t)op->now_ns);
    ext4_inode_touch(op, inode, true);
}

mnos_status_t ext4_inode_take(struct ext4_op *op, const struct ext4_inode *parent, uint32_t mode,
                              struct ext4_inode *inode)
{
    struct ext4_fs *fs = op->fs;
    bool directory = (mode & MODE_TYPE) == MODE_DIRECTORY;
    uint32_t first = group_of(fs, parent->number), bit;
    struct ext4_slot *slot;
    mnos_status_t status = take_number(op, first, directory, !directory, &inode->number);

    if (status == MNOS_ERR_FULL && directory)
        status = take_number(op, first, directory, true, &inode->number);
    if (status == MNOS_OK)
        status = table_place(op, inode->number, &inode->raw, &bit);
    if (status != MNOS_OK)
        return status;
    slot = &fs->slots[ext4_slot_of(fs, inode->raw)];
    EXT4_SET(fs, slot->use.good, slot->use.good | 1u << bit);
    fill(op, inode, mode);
    return MNOS_OK;
}

/* ---- Giving back ---- */

mnos_status_t ext4_inode_free(struct ext4_op *op, struct ext4_inode *inode)
{
    const struct ext4_fs *fs = op->fs;
    uint32_t group = group_of(fs, inode->number);
    uint32_t index = (inode->number - 1) % fs->inodes_per_group;
    uint8_t *desc, *bitmap;
    mnos_status_t status = ext4_group_get(op, group, &desc);

    if (status == MNOS_OK)
        status = ext4_bitmap_get(op, group, EXT4_INODE_BITMAP, desc, &bitmap);
    if (status == MNOS_OK && (bitmap[index / 8] >> index % 8 & 1) == 0)
        status = MNOS_ERR_FORMAT;
    if (status == MNOS_OK)
        status = ext4_change(op, bitmap);
    if (status == MNOS_OK)
        status = ext4_change(op, desc);
    if (status == MNOS_OK)
        status = ext4_change(op, inode->raw);
    if (status != MNOS_OK)
        return status;
    set_bit(op, bitmap, index, false);
    if (group == fs->search_group && index < fs->search_from)
        search_from(op->fs, group, index);
    count_inode(op, desc, ext4_inode_is(inode, MODE_DIRECTORY), -1);
    ext4_inode_set_size(op, inode, 0);
    ext4_put_32(op, inode->raw + INODE_DTIME, ext4_seconds(fs, op->now_ns));
    return MNOS_OK;
}
