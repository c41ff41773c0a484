// SPDX-License-Identifier: MIT
/*
 * seal - checksums of metadata. They are put into a block when it is about to be written, not at each change, so a
 * block that changes a hundred times in a transaction is summed once; and only for the inodes and descriptors of a
 * block that may have been changed.
 */
#include "services/fs/ext4/core/core.h"

static uint32_t sum_32(uint32_t crc, uint32_t value)
{
    return ext4_crc32c(crc, &value, sizeof value);
}

uint32_t ext4_inode_seed(const struct ext4_fs *fs, uint32_t number, uint32_t generation)
{
    return sum_32(sum_32(fs->seed, number), generation);
}

/* As if the two places of the checksum held zeros. */
uint32_t ext4_inode_checksum(const struct ext4_fs *fs, uint32_t number, const uint8_t *raw)
{
    static const uint8_t zeros[2];
    uint32_t sum = ext4_inode_seed(fs, number, le32(raw + INODE_GENERATION));
    size_t at = INODE_OLD_BYTES;

    sum = ext4_crc32c(sum, raw, INODE_CHECKSUM);
    sum = ext4_crc32c(sum, zeros, 2);
    sum = ext4_crc32c(sum, raw + INODE_CHECKSUM + 2, INODE_OLD_BYTES - INODE_CHECKSUM - 2);
    if (fs->inode_bytes == INODE_OLD_BYTES)
        return sum;
    if (le16(raw + INODE_EXTRA) >= 4) {
        sum = ext4_crc32c(sum, raw + at, 2);
        sum = ext4_crc32c(sum, zeros, 2);
        at += 4;
    }
    return ext4_crc32c(sum, raw + at, fs->inode_bytes - at);
}

uint32_t ext4_group_checksum(const struct ext4_fs *fs, uint32_t group, const uint8_t *desc)
{
    static const uint8_t zeros[2];
    uint32_t sum = sum_32(fs->seed, group);

    sum = ext4_crc32c(sum, desc, GD_CHECKSUM);
    sum = ext4_crc32c(sum, zeros, 2);
    return (uint16_t)ext4_crc32c(sum, desc + GD_CHECKSUM + 2, fs->desc_bytes - GD_CHECKSUM - 2);
}

uint32_t ext4_bitmap_checksum(const struct ext4_fs *fs, enum ext4_kind kind, const uint8_t *data)
{
    uint32_t bits = kind == EXT4_BLOCK_BITMAP ? fs->blocks_per_group : fs->inodes_per_group;

    return ext4_crc32c(fs->seed, data, bits / 8);
}

uint32_t ext4_dx_checksum(uint32_t seed, const uint8_t *data, size_t entries)
{
    uint32_t limit = le16(data + entries), count = le16(data + entries + 2);
    const uint8_t *tail = data + entries + (size_t)limit * DX_ENTRY_BYTES;
    uint32_t sum = ext4_crc32c(seed, data, entries + (size_t)count * DX_ENTRY_BYTES);

    return sum_32(ext4_crc32c(sum, tail, 4), 0);
}

uint32_t ext4_xattr_checksum(const struct ext4_fs *fs, uint64_t block, const uint8_t *data)
{
    uint32_t sum = ext4_crc32c(fs->seed, &block, sizeof block);

    sum = sum_32(ext4_crc32c(sum, data, XATTR_CHECKSUM), 0);
    return ext4_crc32c(sum, data + XATTR_CHECKSUM + 4, fs->block_bytes - XATTR_CHECKSUM - 4);
}

/* ---- Into the blocks ---- */

/* The checksum of a bitmap is in its group's descriptor, which every change of a bitmap changes as well, so it is in
 * the same transaction. */
void ext4_seal_bitmap(struct ext4_fs *fs, uint32_t index)
{
    const struct ext4_slot *slot = &fs->slots[index];
    bool blocks = slot->use.kind == EXT4_BLOCK_BITMAP;
    uint64_t place = fs->first_data_block + 1 + slot->use.owner / fs->groups_per_block;
    uint32_t desc_slot, sum;
    uint8_t *desc;

    if (!fs->has_checksums || (!blocks && slot->use.kind != EXT4_INODE_BITMAP))
        return;
    desc_slot = ext4_slot_find(fs, place);
    if (desc_slot == EXT4_NONE)
        return;
    desc = ext4_data(fs, desc_slot) +
           (size_t)(slot->use.owner % fs->groups_per_block) * fs->desc_bytes;
    sum = ext4_bitmap_checksum(fs, slot->use.kind, ext4_data(fs, index));
    set_le16(desc + (blocks ? GD_BLOCK_BITMAP_CSUM : GD_INODE_BITMAP_CSUM), (uint16_t)sum);
    if (fs->desc_bytes >= GD_BYTES)
        set_le16(desc + (blocks ? GD_BLOCK_BITMAP_CSUM_HI : GD_INODE_BITMAP_CSUM_HI),
                 (uint16_t)(sum >> 16));
}

/* Whether one of the things that a block has many of may have been changed. */
static bool is_stale(const struct ext4_fs *fs, const struct ext4_slot *slot, uint32_t index,
                     uint32_t bytes)
{
    uint32_t part = fs->block_shift - EXT4_STALE_SHIFT, first = index * bytes >> part;
    uint32_t last = (index * bytes + bytes - 1) >> part;

    return (slot->stale >> first & ((2ull << (last - first)) - 1)) != 0;
}

static void seal_groups(struct ext4_fs *fs, const struct ext4_slot *slot, uint8_t *data)
{
    uint32_t first = slot->use.owner;

    for (uint32_t i = 0; i < fs->groups_per_block && first + i < fs->groups; i++) {
        uint8_t *desc = data + (size_t)i * fs->desc_bytes;

        if (!is_stale(fs, slot, i, fs->desc_bytes))
            continue;
        set_le16(desc + GD_CHECKSUM, (uint16_t)ext4_group_checksum(fs, first + i, desc));
    }
}

/* An inode that was malformed on the disk stays so. */
static void seal_inodes(struct ext4_fs *fs, const struct ext4_slot *slot, uint8_t *data)
{
    for (uint32_t i = 0; i < fs->block_bytes / fs->inode_bytes; i++) {
        uint8_t *raw = data + (size_t)i * fs->inode_bytes;
        uint32_t sum;

        if ((slot->use.good >> i & 1) == 0 || !is_stale(fs, slot, i, fs->inode_bytes))
            continue;
        sum = ext4_inode_checksum(fs, slot->use.owner + i, raw);
        set_le16(raw + INODE_CHECKSUM, (uint16_t)sum);
        if (fs->inode_bytes > INODE_OLD_BYTES && le16(raw + INODE_EXTRA) >= 4)
            set_le16(raw + INODE_CHECKSUM_HI, (uint16_t)(sum >> 16));
    }
}

static void seal_leaf(struct ext4_fs *fs, const struct ext4_slot *slot, uint8_t *data)
{
    uint8_t *tail = data + ext4_dir_end(fs);

    set_le32(tail + DIR_INODE, 0);
    set_le16(tail + DIR_RECORD, DIR_TAIL_BYTES);
    tail[DIR_NAME_BYTES] = 0;
    tail[DIR_TYPE] = DIR_TAIL_TYPE;
    set_le32(tail + DIR_TAIL_CHECKSUM, ext4_crc32c(slot->use.seed, data, ext4_dir_end(fs)));
}

static void seal_super(struct ext4_fs *fs)
{
    uint8_t *sb = ext4_super(fs);

    set_le32(sb + SB_CHECKSUM, ext4_crc32c(UINT32_MAX, sb, SB_CHECKSUM));
}

void ext4_seal(struct ext4_fs *fs, uint32_t index)
{
    struct ext4_slot *slot = &fs->slots[index];
    uint8_t *data = ext4_data(fs, index);
    size_t end;

    if (!fs->has_checksums)
        return;
    switch (slot->use.kind) {
    case EXT4_SUPER: seal_super(fs); break;
    case EXT4_GROUPS: seal_groups(fs, slot, data); break;
    case EXT4_INODES: seal_inodes(fs, slot, data); break;
    case EXT4_EXTENTS:
        end = EXT_HEADER_BYTES + (size_t)le16(data + EXT_MAX) * EXT_ENTRY_BYTES;
        if (end + 4 <= fs->block_bytes)
            set_le32(data + end, ext4_crc32c(slot->use.seed, data, end));
        break;
    case EXT4_LEAF: seal_leaf(fs, slot, data); break;
    case EXT4_DX_ROOT:
    case EXT4_DX_NODE:
        end = ext4_dx_entries(slot->use.kind);
        set_le32(data + end + (size_t)ext4_dx_limit(fs, slot->use.kind) * DX_ENTRY_BYTES + 4,
                 ext4_dx_checksum(slot->use.seed, data, end));
        break;
    case EXT4_XATTR:
        set_le32(data + XATTR_CHECKSUM, ext4_xattr_checksum(fs, slot->block, data));
        break;
    default: break; /* bitmaps have theirs in the descriptor, raw blocks none */
    }
    slot->stale = 0;
}
