// SPDX-License-Identifier: MIT
/*
 * super - the superblock: which file systems are served, which only read, which refused. The features are
 * those of `mke2fs -t ext4` of Debian 12; another one is named when it is met.
 */
#include "services/fs/ext4/core/core.h"

enum { KNOWN_COMPAT = 0x3C, KNOWN_INCOMPAT = 0x2C6, KNOWN_RO_COMPAT = 0x46B };

struct feature {
    uint32_t bit;
    const char *name;
};

static const struct feature incompat_names[] = {
    {0x1, "compression"},    {0x8, "journal_dev"}, {0x10, "meta_bg"},     {0x100, "mmp"},
    {0x400, "ea_inode"},     {0x1000, "dirdata"},  {0x2000, "csum_seed"}, {0x4000, "large_dir"},
    {0x8000, "inline_data"}, {0x10000, "encrypt"}, {0x20000, "casefold"}, {0, NULL},
};

static const struct feature ro_names[] = {
    {0x4, "btree_dir"}, {0x10, "uninit_bg"},         {0x80, "snapshot"},  {0x100, "quota"},
    {0x800, "replica"}, {0x1000, "read-only"},       {0x2000, "project"}, {0x4000, "shared_blocks"},
    {0x8000, "verity"}, {0x10000, "orphan_present"}, {0, NULL},
};

/* ---- Why not ---- */

static size_t append(char *text, size_t at, const char *more)
{
    while (*more != '\0' && at + 1 < EXT4_REASON_BYTES)
        text[at++] = *more++;
    text[at] = '\0';
    return at;
}

mnos_status_t ext4_refuse(struct ext4_fs *fs, const char *why)
{
    (void)append(fs->reason, 0, why);
    fs->mount_step = MOUNT_REFUSED;
    return MNOS_ERR_FORMAT;
}

void ext4_make_read_only(struct ext4_fs *fs, const char *why)
{
    if (fs->reason[0] == '\0')
        (void)append(fs->reason, 0, why);
    fs->read_only = true;
}

/* Writing failed: what is in memory is no longer what will be on the disk. */
void ext4_abort(struct ext4_fs *fs, const char *why)
{
    if (!fs->aborted) {
        (void)append(fs->reason, 0, why);
        fs->port.say(fs->port.context, fs->reason);
    }
    fs->aborted = true;
    fs->read_only = true;
}

static void name_features(struct ext4_fs *fs, const char *before, uint32_t bits,
                          const struct feature *names)
{
    size_t at = append(fs->reason, 0, before);

    for (const struct feature *f = names; f->name != NULL; f++) {
        if ((bits & f->bit) == 0)
            continue;
        at = append(fs->reason, at, " ");
        at = append(fs->reason, at, f->name);
        bits &= ~f->bit;
    }
    if (bits != 0)
        (void)append(fs->reason, at, " (unknown)");
}

const char *ext4_reason(const struct ext4_fs *fs)
{
    return fs->reason;
}

bool ext4_is_read_only(const struct ext4_fs *fs)
{
    return fs->read_only;
}

uint32_t ext4_block_bytes(const struct ext4_fs *fs)
{
    return fs->block_bytes;
}

/* The superblock in its block: block 0 holds it behind the boot sector where blocks are larger than 1 KiB. */
uint8_t *ext4_super(const struct ext4_fs *fs)
{
    return ext4_data(fs, fs->super_slot) + (fs->block_bytes > SB_OFFSET ? SB_OFFSET : 0);
}

uint32_t ext4_seconds(const struct ext4_fs *fs, uint64_t now_ns)
{
    uint32_t now = (uint32_t)(now_ns / 1000000000), made = le32(ext4_super(fs) + SB_MKFS_TIME);

    if (now < made)
        now = made;
    return now == 0 ? 1 : now;
}

/* ---- Reading ---- */

static bool is_power(uint32_t number, uint32_t base)
{
    while (number > 1 && number % base == 0)
        number /= base;
    return number == 1;
}

bool ext4_group_has_super(const struct ext4_fs *fs, uint32_t group)
{
    if (group <= 1 || (fs->ro_compat & RO_SPARSE_SUPER) == 0)
        return true;
    return is_power(group, 3) || is_power(group, 5) || is_power(group, 7);
}

static mnos_status_t read_features(struct ext4_fs *fs, const uint8_t *sb)
{
    uint32_t bits;

    fs->compat = le32(sb + SB_COMPAT);
    fs->incompat = le32(sb + SB_INCOMPAT);
    fs->ro_compat = le32(sb + SB_RO_COMPAT);
    if (le32(sb + SB_REVISION) == 0)
        fs->compat = fs->incompat = fs->ro_compat = 0;
    bits = fs->incompat & ~(uint32_t)KNOWN_INCOMPAT;
    if (bits != 0) {
        name_features(fs, "features that are not supported:", bits, incompat_names);
        fs->mount_step = MOUNT_REFUSED;
        return MNOS_ERR_FORMAT;
    }
    bits = fs->ro_compat & ~(uint32_t)KNOWN_RO_COMPAT;
    if ((bits & RO_BIGALLOC) != 0)
        return ext4_refuse(fs, "features that are not supported: bigalloc");
    if (bits != 0) {
        name_features(fs, "read-only because of the features", bits, ro_names);
        fs->read_only = true;
    }
    fs->has_checksums = (fs->ro_compat & RO_METADATA_CSUM) != 0;
    if (fs->has_checksums && (fs->ro_compat & 0x10) != 0)
        return ext4_refuse(fs, "features that exclude each other: uninit_bg metadata_csum");
    if (fs->has_checksums && sb[SB_CHECKSUM_TYPE] != 1)
        return ext4_refuse(fs, "unknown kind of checksum");
    if (fs->has_checksums && le32(sb + SB_CHECKSUM) != ext4_crc32c(UINT32_MAX, sb, SB_CHECKSUM))
        return ext4_refuse(fs, "the checksum of the superblock is wrong");
    return MNOS_OK;
}

static uint64_t wide(const struct ext4_fs *fs, const uint8_t *sb, unsigned low, unsigned high)
{
    uint64_t value = le32(sb + low);

    return (fs->incompat & INCOMPAT_64BIT) != 0 ? value | (uint64_t)le32(sb + high) << 32 : value;
}

static mnos_status_t read_sizes(struct ext4_fs *fs, const uint8_t *sb)
{
    uint32_t revision = le32(sb + SB_REVISION);

    if (le32(sb + SB_LOG_BLOCK) > 2)
        return ext4_refuse(fs, "blocks of this size are not supported: 1, 2 and 4 KiB are");
    fs->block_shift = 10 + le32(sb + SB_LOG_BLOCK);
    fs->block_bytes = 1u << fs->block_shift;
    fs->blocks = wide(fs, sb, SB_BLOCKS_LO, SB_BLOCKS_HI);
    fs->reserved_blocks = wide(fs, sb, SB_RESERVED_LO, SB_RESERVED_HI);
    fs->first_data_block = le32(sb + SB_FIRST_DATA_BLOCK);
    fs->blocks_per_group = le32(sb + SB_BLOCKS_PER_GROUP);
    fs->inodes = le32(sb + SB_INODES);
    fs->inodes_per_group = le32(sb + SB_INODES_PER_GROUP);
    fs->inode_bytes = revision == 0 ? INODE_OLD_BYTES : le16(sb + SB_INODE_BYTES);
    fs->first_inode = revision == 0 ? 11 : le32(sb + SB_FIRST_INODE);
    fs->inode_extra = le16(sb + SB_WANT_EXTRA);
    fs->desc_bytes = (fs->incompat & INCOMPAT_64BIT) != 0 ? le16(sb + SB_DESC_BYTES) : GD_BYTES_OLD;
    fs->reserved_gdt = le16(sb + SB_RESERVED_GDT);
    if (fs->options.sector_bytes > fs->block_bytes)
        return ext4_refuse(fs, "blocks are smaller than the sectors of the disk");
    if (fs->first_data_block != (fs->block_shift == 10 ? 1 : 0))
        return ext4_refuse(fs, "the first block is not where it belongs");
    return MNOS_OK;
}

static mnos_status_t check_sizes(struct ext4_fs *fs)
{
    uint64_t groups;

    if (fs->inode_bytes < INODE_OLD_BYTES || fs->inode_bytes > fs->block_bytes ||
        !is_power(fs->inode_bytes, 2))
        return ext4_refuse(fs, "inodes of this size are not supported");
    if (fs->desc_bytes != GD_BYTES_OLD && fs->desc_bytes != GD_BYTES)
        return ext4_refuse(fs, "group descriptors of this size are not supported");
    if (fs->blocks_per_group == 0 || fs->blocks_per_group % 8 != 0 ||
        fs->blocks_per_group > fs->block_bytes * 8 || fs->inodes_per_group == 0 ||
        fs->inodes_per_group % 8 != 0 || fs->inodes_per_group > fs->block_bytes * 8 ||
        fs->inodes_per_group * fs->inode_bytes % fs->block_bytes != 0)
        return ext4_refuse(fs, "the sizes of groups are damaged");
    if (fs->blocks <= (uint64_t)fs->first_data_block + 2 ||
        fs->blocks > fs->options.disk_bytes >> fs->block_shift)
        return ext4_refuse(fs, "the file system is larger than its disk");
    groups = (fs->blocks - fs->first_data_block + fs->blocks_per_group - 1) / fs->blocks_per_group;
    if (groups > UINT32_MAX / fs->inodes_per_group || fs->inodes != groups * fs->inodes_per_group ||
        fs->first_inode < 11 || fs->first_inode > fs->inodes_per_group)
        return ext4_refuse(fs, "the number of inodes does not fit the groups");
    fs->groups = (uint32_t)groups;
    fs->groups_per_block = fs->block_bytes / fs->desc_bytes;
    if (fs->inode_extra > fs->inode_bytes - INODE_OLD_BYTES || fs->inode_extra % 4 != 0 ||
        fs->inode_bytes == INODE_OLD_BYTES)
        fs->inode_extra = fs->inode_bytes == INODE_OLD_BYTES ? 0 : 32;
    return MNOS_OK;
}

static void read_hash(struct ext4_fs *fs, const uint8_t *sb)
{
    fs->hash_unsigned = (le32(sb + SB_FLAGS) & SB_FLAG_UNSIGNED_HASH) != 0;
    fs->hash_version = sb[SB_HASH_VERSION];
    if (fs->hash_version > HASH_TEA)
        fs->hash_version = HASH_HALF_MD4;
    for (unsigned i = 0; i < 4; i++)
        fs->hash_seed[i] = le32(sb + SB_HASH_SEED + 4 * i);
}

mnos_status_t ext4_super_read(struct ext4_fs *fs, const uint8_t *sb)
{
    mnos_status_t status;

    if (le16(sb + SB_MAGIC) != SB_MAGIC_VALUE)
        return ext4_refuse(fs, "there is no ext2, ext3 or ext4 file system here");
    if (le32(sb + SB_REVISION) > 1)
        return ext4_refuse(fs, "unknown revision of the format");
    fs->reason[0] = '\0';
    fs->read_only = fs->options.read_only;
    memcpy(fs->uuid, sb + SB_UUID, sizeof fs->uuid);
    fs->seed = ext4_crc32c(UINT32_MAX, fs->uuid, sizeof fs->uuid);
    status = read_features(fs, sb);
    if (status == MNOS_OK)
        status = read_sizes(fs, sb);
    if (status == MNOS_OK)
        status = check_sizes(fs);
    if (status != MNOS_OK)
        return status;
    read_hash(fs, sb);
    fs->had_errors = (le16(sb + SB_STATE) & SB_STATE_ERRORS) != 0;
    if (fs->had_errors)
        ext4_make_read_only(fs, "read-only because errors were found: run e2fsck");
    if ((fs->incompat & INCOMPAT_EXTENTS) == 0)
        ext4_make_read_only(fs, "read-only because it has no extents (ext2 or ext3)");
    if ((fs->compat & COMPAT_JOURNAL) == 0)
        ext4_make_read_only(fs, "read-only because it has no journal");
    return MNOS_OK;
}

void ext4_statfs(const struct ext4_fs *fs, struct ext4_space *space)
{
    uint64_t kept = fs->reserved_blocks + fs->delayed;

    *space = (struct ext4_space){.blocks = fs->blocks - fs->first_data_block,
                                 .free_blocks = fs->free_blocks > kept ? fs->free_blocks - kept : 0,
                                 .inodes = fs->inodes,
                                 .free_inodes = fs->free_inodes};
}
