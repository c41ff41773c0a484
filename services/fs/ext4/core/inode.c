// SPDX-License-Identifier: MIT
/* inode - inodes in the blocks of their tables. There is no other copy of them. */
#include "lib/base/unix_time.h"
#include "services/fs/ext4/core/files.h"

#define SECONDS_LAST (INT64_MAX / UNIX_TIME_NS_PER_S)

mnos_status_t ext4_inode_get_any(struct ext4_op *op, uint32_t number, struct ext4_inode *inode)
{
    struct ext4_fs *fs = op->fs;
    uint32_t index = number - 1, per_block = fs->block_bytes / fs->inode_bytes;
    struct ext4_what what = {.kind = EXT4_INODES};
    uint8_t *desc, *data;
    mnos_status_t status;

    if (number == 0 || number > fs->inodes)
        return MNOS_ERR_FORMAT;
    status = ext4_group_get(op, index / fs->inodes_per_group, &desc);
    if (status != MNOS_OK)
        return status;
    what.owner = number - index % fs->inodes_per_group % per_block;
    status = ext4_block_get(op,
                            ext4_group_number(fs, desc, GD_INODE_TABLE, GD_INODE_TABLE_HI) +
                                index % fs->inodes_per_group / per_block,
                            &what, &data);
    if (status != MNOS_OK)
        return status;
    if ((fs->slots[ext4_slot_of(fs, data)].use.good >> (number - what.owner) & 1) == 0)
        return MNOS_ERR_FORMAT;
    inode->number = number;
    inode->raw = data + (size_t)(number - what.owner) * fs->inode_bytes;
    inode->seed = ext4_inode_seed(fs, number, le32(inode->raw + INODE_GENERATION));
    return MNOS_OK;
}

mnos_status_t ext4_inode_get(struct ext4_op *op, uint32_t number, struct ext4_inode *inode)
{
    if (number != EXT4_ROOT && number < op->fs->first_inode)
        return MNOS_ERR_FORMAT;
    return ext4_inode_get_any(op, number, inode);
}

mnos_status_t ext4_directory_get(struct ext4_op *op, uint32_t number, struct ext4_inode *inode)
{
    mnos_status_t status = ext4_inode_get(op, number, inode);

    if (status == MNOS_OK && !ext4_inode_is(inode, MODE_DIRECTORY))
        status = MNOS_ERR_NOT_DIRECTORY;
    return status;
}

/* ---- Fields ---- */

uint64_t ext4_inode_size(const struct ext4_inode *inode)
{
    return le32(inode->raw + INODE_SIZE) | (uint64_t)le32(inode->raw + INODE_SIZE_HI) << 32;
}

uint64_t ext4_inode_blocks(const struct ext4_fs *fs, const struct ext4_inode *inode)
{
    uint64_t sectors = le32(inode->raw + INODE_BLOCKS);

    if ((fs->ro_compat & RO_HUGE_FILE) != 0)
        sectors |= (uint64_t)le16(inode->raw + INODE_BLOCKS_HI) << 32;
    if ((le32(inode->raw + INODE_FLAGS) & INODE_FLAG_HUGE_FILE) != 0)
        return sectors;
    return sectors * SECTOR_BYTES >> fs->block_shift;
}

bool ext4_inode_is(const struct ext4_inode *inode, uint32_t type)
{
    return (le16(inode->raw + INODE_MODE) & MODE_TYPE) == type;
}

bool ext4_inode_has_extents(const struct ext4_inode *inode)
{
    return (le32(inode->raw + INODE_FLAGS) & INODE_FLAG_EXTENTS) != 0;
}

uint32_t ext4_type_of_mode(uint32_t mode)
{
    switch (mode & MODE_TYPE) {
    case MODE_FILE: return EXT4_TYPE_FILE;
    case MODE_DIRECTORY: return EXT4_TYPE_DIRECTORY;
    case MODE_SYMLINK: return EXT4_TYPE_SYMLINK;
    default: return EXT4_TYPE_OTHER;
    }
}

void ext4_inode_set_size(struct ext4_op *op, struct ext4_inode *inode, uint64_t size)
{
    ext4_put_32(op, inode->raw + INODE_SIZE, (uint32_t)size);
    ext4_put_32(op, inode->raw + INODE_SIZE_HI, (uint32_t)(size >> 32));
}

void ext4_inode_add_blocks(struct ext4_op *op, struct ext4_inode *inode, int64_t blocks)
{
    bool whole = (le32(inode->raw + INODE_FLAGS) & INODE_FLAG_HUGE_FILE) != 0;
    uint64_t count = ext4_inode_blocks(op->fs, inode) + (uint64_t)blocks;
    uint64_t stored = whole ? count : (count << op->fs->block_shift) / SECTOR_BYTES;

    ext4_put_32(op, inode->raw + INODE_BLOCKS, (uint32_t)stored);
    if ((op->fs->ro_compat & RO_HUGE_FILE) != 0)
        ext4_put_16(op, inode->raw + INODE_BLOCKS_HI, (uint16_t)(stored >> 32));
}

/* Links of a directory are not counted any more when there are too many for the field: 1 stands for many. */
void ext4_inode_set_links(struct ext4_op *op, struct ext4_inode *inode, uint32_t links)
{
    if (ext4_inode_is(inode, MODE_DIRECTORY) && links >= EXT4_LINKS_MAX)
        links = 1;
    ext4_put_16(op, inode->raw + INODE_LINKS, (uint16_t)links);
}

uint32_t ext4_inode_links(const struct ext4_inode *inode)
{
    return le16(inode->raw + INODE_LINKS);
}

/* ---- Times: 32 bits of seconds, and where inodes are larger 2 more and nanoseconds ---- */

/* Where the rest of a time is, or 0. */
static unsigned extra_of(const struct ext4_fs *fs, const struct ext4_inode *inode, unsigned field)
{
    unsigned at = field == INODE_CTIME   ? INODE_CTIME_EXTRA
                  : field == INODE_MTIME ? INODE_MTIME_EXTRA
                  : field == INODE_ATIME ? INODE_ATIME_EXTRA
                                         : INODE_CRTIME_EXTRA;

    if (fs->inode_bytes == INODE_OLD_BYTES)
        return 0;
    return at + 4 <= INODE_OLD_BYTES + (unsigned)le16(inode->raw + INODE_EXTRA) ? at : 0;
}

/* What the protocol of files cannot say is the nearest that it can. */
static int64_t time_of(const struct ext4_fs *fs, const struct ext4_inode *inode, unsigned field)
{
    unsigned extra = extra_of(fs, inode, field);
    int64_t seconds;

    if (field == INODE_CRTIME && extra == 0)
        return 0;
    seconds = (int32_t)le32(inode->raw + field);
    if (extra != 0)
        seconds += (int64_t)(le32(inode->raw + extra) & 3) << 32;
    if (seconds >= SECONDS_LAST)
        return INT64_MAX;
    return seconds * UNIX_TIME_NS_PER_S + (extra == 0 ? 0 : le32(inode->raw + extra) >> 2);
}

/* A time that the inode cannot hold becomes the nearest that it can: from 1901 on, and without the rest up to 2038. */
void ext4_inode_set_time(struct ext4_op *op, struct ext4_inode *inode, unsigned field, int64_t ns)
{
    unsigned extra = extra_of(op->fs, inode, field);
    struct unix_time time = unix_time_of(ns);

    if (field == INODE_CRTIME && extra == 0)
        return;
    if (time.seconds < INT32_MIN)
        time = (struct unix_time){.seconds = INT32_MIN};
    if (extra == 0 && time.seconds > INT32_MAX)
        time.seconds = INT32_MAX;
    ext4_put_32(op, inode->raw + field, (uint32_t)time.seconds);
    /* The two bits count from the signed number that the 32 are. */
    if (extra != 0)
        ext4_put_32(op, inode->raw + extra,
                    time.ns << 2 |
                        (uint32_t)((uint64_t)(time.seconds - (int32_t)time.seconds) >> 32 & 3));
}

void ext4_inode_touch(struct ext4_op *op, struct ext4_inode *inode, bool contents)
{
    ext4_inode_set_time(op, inode, INODE_CTIME, (int64_t)op->now_ns);
    if (contents)
        ext4_inode_set_time(op, inode, INODE_MTIME, (int64_t)op->now_ns);
}

/* ---- For the service ---- */

mnos_status_t ext4_stat(struct ext4_op *op, uint32_t number, struct ext4_attr *attr)
{
    const struct ext4_fs *fs = op->fs;
    struct ext4_inode inode;
    mnos_status_t status = ext4_inode_get(op, number, &inode);

    if (status != MNOS_OK)
        return status;
    *attr = (struct ext4_attr){
        .inode = number,
        .generation = le32(inode.raw + INODE_GENERATION),
        .type = ext4_type_of_mode(le16(inode.raw + INODE_MODE)),
        .mode = le16(inode.raw + INODE_MODE),
        .links = ext4_inode_links(&inode),
        .owner = le16(inode.raw + INODE_OWNER) | (uint32_t)le16(inode.raw + INODE_OWNER_HI) << 16,
        .group = le16(inode.raw + INODE_GROUP) | (uint32_t)le16(inode.raw + INODE_GROUP_HI) << 16,
        .size = ext4_inode_size(&inode),
        .allocated_bytes = ext4_inode_blocks(fs, &inode) << fs->block_shift,
        .created_ns = time_of(fs, &inode, INODE_CRTIME),
        .modified_ns = time_of(fs, &inode, INODE_MTIME),
        .changed_ns = time_of(fs, &inode, INODE_CTIME),
        .accessed_ns = time_of(fs, &inode, INODE_ATIME),
    };
    return MNOS_OK;
}

mnos_status_t ext4_set_attr(struct ext4_op *op, uint32_t number, uint32_t what,
                            const struct ext4_attr *attr)
{
    struct ext4_inode inode;
    mnos_status_t status = ext4_inode_get(op, number, &inode);

    if (status == MNOS_OK)
        status = ext4_change(op, inode.raw);
    if (status != MNOS_OK)
        return status;
    if ((what & EXT4_SET_MODE) != 0)
        ext4_put_16(op, inode.raw + INODE_MODE,
                    (uint16_t)((le16(inode.raw + INODE_MODE) & MODE_TYPE) |
                               (attr->mode & ~(uint32_t)MODE_TYPE)));
    if ((what & EXT4_SET_OWNER) != 0) {
        ext4_put_16(op, inode.raw + INODE_OWNER, (uint16_t)attr->owner);
        ext4_put_16(op, inode.raw + INODE_OWNER_HI, (uint16_t)(attr->owner >> 16));
        ext4_put_16(op, inode.raw + INODE_GROUP, (uint16_t)attr->group);
        ext4_put_16(op, inode.raw + INODE_GROUP_HI, (uint16_t)(attr->group >> 16));
    }
    if ((what & EXT4_SET_MODIFIED) != 0)
        ext4_inode_set_time(op, &inode, INODE_MTIME, attr->modified_ns);
    if ((what & EXT4_SET_ACCESSED) != 0)
        ext4_inode_set_time(op, &inode, INODE_ATIME, attr->accessed_ns);
    ext4_inode_touch(op, &inode, false);
    return MNOS_OK;
}
