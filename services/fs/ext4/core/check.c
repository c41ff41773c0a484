// SPDX-License-Identifier: MIT
/* check - what a block has to be when it enters the cache: its checksum, and what the code trusts afterwards. */
#include "services/fs/ext4/core/files.h"

/* ---- Extents ---- */

static bool leaf_entry_is_good(const struct ext4_fs *fs, const uint8_t *entry, uint64_t *next)
{
    struct ext4_extent extent = ext4_extent_read(entry);

    if (extent.count == 0 || extent.logical < *next)
        return false;
    *next = (uint64_t)extent.logical + extent.count;
    return *next <= UINT32_MAX && extent.physical > fs->first_data_block &&
           extent.physical + extent.count <= fs->blocks;
}

static bool index_entry_is_good(const struct ext4_fs *fs, const uint8_t *entry, uint64_t *next)
{
    uint32_t logical = le32(entry + EXT_LOGICAL);

    if (logical < *next)
        return false;
    *next = (uint64_t)logical + 1;
    return ext4_child(entry) > fs->first_data_block && ext4_child(entry) < fs->blocks;
}

bool ext4_extents_are_good(const struct ext4_fs *fs, const uint8_t *node, size_t bytes,
                           uint32_t depth)
{
    uint32_t count = le16(node + EXT_ENTRIES), max = le16(node + EXT_MAX);
    uint64_t next = 0;

    if (le16(node) != EXT_MAGIC || le16(node + EXT_DEPTH) != depth || count > max ||
        max > (bytes - EXT_HEADER_BYTES) / EXT_ENTRY_BYTES)
        return false;
    if (depth > 0 && count == 0)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *entry = ext4_entry(node, i);

        if (!(depth == 0 ? leaf_entry_is_good(fs, entry, &next)
                         : index_entry_is_good(fs, entry, &next)))
            return false;
    }
    return true;
}

static bool extent_block_is_good(const struct ext4_fs *fs, const struct ext4_slot *slot,
                                 const uint8_t *data)
{
    size_t end = EXT_HEADER_BYTES + (size_t)le16(data + EXT_MAX) * EXT_ENTRY_BYTES;

    if (!ext4_extents_are_good(fs, data, fs->block_bytes, slot->use.owner))
        return false;
    return !fs->has_checksums || (end + 4 <= fs->block_bytes &&
                                  le32(data + end) == ext4_crc32c(slot->use.seed, data, end));
}

/* ---- Inodes ---- */

static bool type_is_known(uint32_t mode)
{
    switch (mode & MODE_TYPE) {
    case MODE_FILE:
    case MODE_DIRECTORY:
    case MODE_SYMLINK:
    case 0x1000: /* FIFO */
    case 0x2000: /* character device */
    case 0x6000: /* block device */
    case 0xC000: /* socket */ return true;
    default: return false;
    }
}

static bool size_is_good(const struct ext4_fs *fs, const uint8_t *raw)
{
    struct ext4_inode inode = {.raw = (uint8_t *)raw};
    uint64_t size = ext4_inode_size(&inode);

    if (size > (uint64_t)UINT32_MAX << fs->block_shift)
        return false;
    if (ext4_inode_is(&inode, MODE_DIRECTORY))
        return size > 0 && size % fs->block_bytes == 0 && size >> fs->block_shift <= INT32_MAX;
    return !ext4_inode_is(&inode, MODE_SYMLINK) || size <= fs->block_bytes;
}

bool ext4_inode_is_good(const struct ext4_fs *fs, uint32_t number, const uint8_t *raw)
{
    uint32_t sum, flags = le32(raw + INODE_FLAGS), depth = le16(raw + INODE_BLOCK + EXT_DEPTH);
    bool wide = fs->inode_bytes > INODE_OLD_BYTES;
    uint16_t extra = wide ? le16(raw + INODE_EXTRA) : 0;

    if (extra > fs->inode_bytes - INODE_OLD_BYTES || extra % 4 != 0)
        return false;
    if (fs->has_checksums) {
        sum = ext4_inode_checksum(fs, number, raw);
        if (le16(raw + INODE_CHECKSUM) != (uint16_t)sum ||
            (extra >= 4 && le16(raw + INODE_CHECKSUM_HI) != sum >> 16))
            return false;
    }
    if (!type_is_known(le16(raw + INODE_MODE)) || !size_is_good(fs, raw))
        return false;
    if ((flags & (INODE_FLAG_INLINE | INODE_FLAG_ENCRYPT | INODE_FLAG_CASEFOLD)) != 0)
        return false; /* of features that are refused */
    return (flags & INODE_FLAG_EXTENTS) == 0 ||
           (depth <= EXT_DEPTH_MAX &&
            ext4_extents_are_good(fs, raw + INODE_BLOCK, INODE_BLOCK_BYTES, depth));
}

static void check_inodes(const struct ext4_fs *fs, struct ext4_slot *slot, const uint8_t *data)
{
    uint32_t count = fs->block_bytes / fs->inode_bytes;

    for (uint32_t i = 0; i < count; i++)
        if (le16(data + (size_t)i * fs->inode_bytes + INODE_MODE) != 0 &&
            ext4_inode_is_good(fs, slot->use.owner + i, data + (size_t)i * fs->inode_bytes))
            slot->use.good |= 1u << i;
}

/* ---- Groups ---- */

static bool place_is_good(const struct ext4_fs *fs, uint64_t block, uint64_t count)
{
    return block > fs->first_data_block && block < fs->blocks && count <= fs->blocks - block;
}

static bool group_is_good(const struct ext4_fs *fs, uint32_t group, const uint8_t *desc)
{
    uint32_t table = fs->inodes_per_group * fs->inode_bytes / fs->block_bytes;

    if (fs->has_checksums && le16(desc + GD_CHECKSUM) != ext4_group_checksum(fs, group, desc))
        return false;
    return place_is_good(fs, ext4_group_number(fs, desc, GD_BLOCK_BITMAP, GD_BLOCK_BITMAP_HI), 1) &&
           place_is_good(fs, ext4_group_number(fs, desc, GD_INODE_BITMAP, GD_INODE_BITMAP_HI), 1) &&
           place_is_good(fs, ext4_group_number(fs, desc, GD_INODE_TABLE, GD_INODE_TABLE_HI),
                         table) &&
           ext4_group_count(fs, desc, GD_FREE_BLOCKS, GD_FREE_BLOCKS_HI) <= fs->blocks_per_group &&
           ext4_group_count(fs, desc, GD_FREE_INODES, GD_FREE_INODES_HI) <= fs->inodes_per_group &&
           ext4_group_count(fs, desc, GD_UNUSED_INODES, GD_UNUSED_INODES_HI) <=
               fs->inodes_per_group;
}

static bool groups_are_good(const struct ext4_fs *fs, const struct ext4_slot *slot,
                            const uint8_t *data)
{
    for (uint32_t i = 0; i < fs->groups_per_block && slot->use.owner + i < fs->groups; i++)
        if (!group_is_good(fs, slot->use.owner + i, data + (size_t)i * fs->desc_bytes))
            return false;
    return true;
}

/* ---- Directories ---- */

uint32_t ext4_dir_end(const struct ext4_fs *fs)
{
    return fs->block_bytes - (fs->has_checksums ? DIR_TAIL_BYTES : 0);
}

static bool records_are_good(const struct ext4_fs *fs, const uint8_t *data, uint32_t end)
{
    uint32_t at = 0;

    while (at < end) {
        uint32_t record, bytes = 0;

        if (end - at < DIR_HEADER_BYTES)
            return false;
        record = le16(data + at + DIR_RECORD);
        if (le32(data + at + DIR_INODE) != 0)
            bytes = data[at + DIR_NAME_BYTES];
        if (record % 4 != 0 || record < DIR_HEADER_BYTES || record > end - at ||
            DIR_HEADER_BYTES + bytes > record || le32(data + at + DIR_INODE) > fs->inodes)
            return false;
        if (le32(data + at + DIR_INODE) != 0 && bytes == 0)
            return false;
        at += record;
    }
    return at == end;
}

static bool leaf_is_good(const struct ext4_fs *fs, const struct ext4_slot *slot,
                         const uint8_t *data)
{
    uint32_t end = ext4_dir_end(fs);
    const uint8_t *tail = data + end;

    if (fs->has_checksums &&
        (le32(tail) != 0 || le16(tail + DIR_RECORD) != DIR_TAIL_BYTES ||
         tail[DIR_NAME_BYTES] != 0 || tail[DIR_TYPE] != DIR_TAIL_TYPE ||
         le32(tail + DIR_TAIL_CHECKSUM) != ext4_crc32c(slot->use.seed, data, end)))
        return false;
    return records_are_good(fs, data, end);
}

size_t ext4_dx_entries(enum ext4_kind kind)
{
    return kind == EXT4_DX_ROOT ? DX_ROOT_ENTRIES : DX_NODE_ENTRIES;
}

uint32_t ext4_dx_limit(const struct ext4_fs *fs, enum ext4_kind kind)
{
    size_t room = fs->block_bytes - ext4_dx_entries(kind) - (fs->has_checksums ? DX_TAIL_BYTES : 0);

    return (uint32_t)(room / DX_ENTRY_BYTES);
}

static bool dx_is_good(const struct ext4_fs *fs, const struct ext4_slot *slot, const uint8_t *data)
{
    size_t at = ext4_dx_entries(slot->use.kind);
    uint32_t limit = le16(data + at), count = le16(data + at + 2);

    if (limit != ext4_dx_limit(fs, slot->use.kind) || count == 0 || count > limit)
        return false;
    if (slot->use.kind == EXT4_DX_ROOT &&
        (data[DX_INFO_BYTES] != 8 || data[DX_LEVELS] > DX_LEVELS_MAX || data[DX_HASH] > HASH_TEA ||
         le32(data + DIR_INODE) == 0 || le16(data + DIR_RECORD) != 12 ||
         le32(data + 12 + DIR_INODE) == 0))
        return false;
    for (uint32_t i = 2; i < count; i++)
        if (le32(data + at + (size_t)i * DX_ENTRY_BYTES) <
            le32(data + at + (size_t)(i - 1) * DX_ENTRY_BYTES))
            return false;
    return !fs->has_checksums || le32(data + at + (size_t)limit * DX_ENTRY_BYTES + 4) ==
                                     ext4_dx_checksum(slot->use.seed, data, at);
}

/* ---- The rest ---- */

static bool bitmap_is_good(struct ext4_fs *fs, const struct ext4_slot *slot, const uint8_t *data)
{
    bool blocks = slot->use.kind == EXT4_BLOCK_BITMAP;
    uint32_t wanted = slot->use.seed; /* what the descriptor says; see ext4_bitmap_get() */
    uint32_t sum = ext4_bitmap_checksum(fs, slot->use.kind, data);

    (void)blocks;
    return !fs->has_checksums ||
           (fs->desc_bytes < GD_BYTES ? (uint16_t)sum == (uint16_t)wanted : sum == wanted);
}

static bool xattr_is_good(const struct ext4_fs *fs, const struct ext4_slot *slot,
                          const uint8_t *data)
{
    return le32(data) == XATTR_MAGIC &&
           (!fs->has_checksums ||
            le32(data + XATTR_CHECKSUM) == ext4_xattr_checksum(fs, slot->block, data));
}

mnos_status_t ext4_block_check(struct ext4_fs *fs, struct ext4_slot *slot, const uint8_t *data)
{
    bool good = true;

    switch (slot->use.kind) {
    case EXT4_GROUPS: good = groups_are_good(fs, slot, data); break;
    case EXT4_BLOCK_BITMAP:
    case EXT4_INODE_BITMAP: good = bitmap_is_good(fs, slot, data); break;
    case EXT4_INODES: check_inodes(fs, slot, data); break;
    case EXT4_EXTENTS: good = extent_block_is_good(fs, slot, data); break;
    case EXT4_LEAF: good = leaf_is_good(fs, slot, data); break;
    case EXT4_DX_ROOT:
    case EXT4_DX_NODE: good = dx_is_good(fs, slot, data); break;
    case EXT4_XATTR: good = xattr_is_good(fs, slot, data); break;
    default: break; /* the superblock is looked at by super.c, raw blocks by who reads them */
    }
    return good ? MNOS_OK : MNOS_ERR_FORMAT;
}
