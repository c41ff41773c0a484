// SPDX-License-Identifier: MIT
/*
 * disk.h - where things are in the blocks of an ext4 file system, by Documentation/filesystems/ext4 of Linux.
 * Numbers are little-endian except in the journal, where they are big-endian. All that is read goes through
 * the functions below, at any alignment.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/string.h"

static inline uint16_t le16(const void *p)
{
    uint16_t value;

    memcpy(&value, p, sizeof value);
    return value;
}

static inline uint32_t le32(const void *p)
{
    uint32_t value;

    memcpy(&value, p, sizeof value);
    return value;
}

static inline uint64_t le64(const void *p)
{
    uint64_t value;

    memcpy(&value, p, sizeof value);
    return value;
}

static inline uint32_t be32(const void *p)
{
    return __builtin_bswap32(le32(p));
}

static inline void set_le32(void *p, uint32_t value)
{
    memcpy(p, &value, sizeof value);
}

static inline void set_le16(void *p, uint16_t value)
{
    memcpy(p, &value, sizeof value);
}

static inline void set_be32(void *p, uint32_t value)
{
    set_le32(p, __builtin_bswap32(value));
}

/* ---- Superblock: 1024 bytes at byte 1024 of the disk ---- */

enum {
    SB_OFFSET = 1024,
    SB_BYTES = 1024,
    SB_INODES = 0x00,
    SB_BLOCKS_LO = 0x04,
    SB_RESERVED_LO = 0x08,
    SB_FREE_BLOCKS_LO = 0x0C,
    SB_FREE_INODES = 0x10,
    SB_FIRST_DATA_BLOCK = 0x14,
    SB_LOG_BLOCK = 0x18,
    SB_LOG_CLUSTER = 0x1C,
    SB_BLOCKS_PER_GROUP = 0x20,
    SB_INODES_PER_GROUP = 0x28,
    SB_MOUNT_TIME = 0x2C,
    SB_WRITE_TIME = 0x30,
    SB_MKFS_TIME = 0x108,
    SB_MOUNTS = 0x34,
    SB_MAGIC = 0x38,
    SB_STATE = 0x3A,
    SB_CREATOR = 0x48,
    SB_REVISION = 0x4C,
    SB_FIRST_INODE = 0x54,
    SB_INODE_BYTES = 0x58,
    SB_COMPAT = 0x5C,
    SB_INCOMPAT = 0x60,
    SB_RO_COMPAT = 0x64,
    SB_UUID = 0x68,
    SB_RESERVED_GDT = 0xCE,
    SB_JOURNAL_INODE = 0xE0,
    SB_LAST_ORPHAN = 0xE8,
    SB_HASH_SEED = 0xEC,
    SB_HASH_VERSION = 0xFC,
    SB_DESC_BYTES = 0xFE,
    SB_BLOCKS_HI = 0x150,
    SB_RESERVED_HI = 0x154,
    SB_FREE_BLOCKS_HI = 0x158,
    SB_WANT_EXTRA = 0x15E,
    SB_FLAGS = 0x160,
    SB_CHECKSUM_TYPE = 0x175,
    SB_CHECKSUM = 0x3FC,

    SB_MAGIC_VALUE = 0xEF53,
    SB_STATE_CLEAN = 1,
    SB_STATE_ERRORS = 2,
    SB_FLAG_UNSIGNED_HASH = 2,
};

enum {
    COMPAT_JOURNAL = 0x4,
    COMPAT_DIR_INDEX = 0x20,
    INCOMPAT_FILETYPE = 0x2,
    INCOMPAT_RECOVER = 0x4,
    INCOMPAT_EXTENTS = 0x40,
    INCOMPAT_64BIT = 0x80,
    INCOMPAT_FLEX_BG = 0x200,
    RO_SPARSE_SUPER = 0x1,
    RO_LARGE_FILE = 0x2,
    RO_HUGE_FILE = 0x8,
    RO_DIR_NLINK = 0x20,
    RO_EXTRA_ISIZE = 0x40,
    RO_BIGALLOC = 0x200, /* bitmaps and groups count clusters, which nothing here does */
    RO_METADATA_CSUM = 0x400,
};

/* ---- Group descriptors: 32 bytes, 64 with the feature 64bit ---- */

enum {
    GD_BLOCK_BITMAP = 0x00,
    GD_INODE_BITMAP = 0x04,
    GD_INODE_TABLE = 0x08,
    GD_FREE_BLOCKS = 0x0C,
    GD_FREE_INODES = 0x0E,
    GD_USED_DIRS = 0x10,
    GD_FLAGS = 0x12,
    GD_BLOCK_BITMAP_CSUM = 0x18,
    GD_INODE_BITMAP_CSUM = 0x1A,
    GD_UNUSED_INODES = 0x1C,
    GD_CHECKSUM = 0x1E,
    GD_BLOCK_BITMAP_HI = 0x20,
    GD_INODE_BITMAP_HI = 0x24,
    GD_INODE_TABLE_HI = 0x28,
    GD_FREE_BLOCKS_HI = 0x2C,
    GD_FREE_INODES_HI = 0x2E,
    GD_USED_DIRS_HI = 0x30,
    GD_UNUSED_INODES_HI = 0x32,
    GD_BLOCK_BITMAP_CSUM_HI = 0x38,
    GD_INODE_BITMAP_CSUM_HI = 0x3A,
    GD_BYTES_OLD = 32,
    GD_BYTES = 64,

    GD_INODE_UNINIT = 1,
    GD_BLOCK_UNINIT = 2,
};

/* ---- Inodes ---- */

enum {
    INODE_MODE = 0x00,
    INODE_OWNER = 0x02,
    INODE_SIZE = 0x04,
    INODE_ATIME = 0x08,
    INODE_CTIME = 0x0C,
    INODE_MTIME = 0x10,
    INODE_DTIME = 0x14, /* the next orphan, in the list of orphans */
    INODE_GROUP = 0x18,
    INODE_LINKS = 0x1A,
    INODE_BLOCKS = 0x1C, /* of 512 bytes */
    INODE_FLAGS = 0x20,
    INODE_BLOCK = 0x28, /* 60 bytes: extents, block numbers, or the text of a short link */
    INODE_BLOCK_BYTES = 60,
    INODE_GENERATION = 0x64,
    INODE_XATTR = 0x68,
    INODE_SIZE_HI = 0x6C,
    INODE_BLOCKS_HI = 0x74,
    INODE_XATTR_HI = 0x76,
    INODE_OWNER_HI = 0x78,
    INODE_GROUP_HI = 0x7A,
    INODE_CHECKSUM = 0x7C,
    INODE_OLD_BYTES = 128,
    INODE_EXTRA = 0x80, /* how much of what follows is there */
    INODE_CHECKSUM_HI = 0x82,
    INODE_CTIME_EXTRA = 0x84,
    INODE_MTIME_EXTRA = 0x88,
    INODE_ATIME_EXTRA = 0x8C,
    INODE_CRTIME = 0x90,
    INODE_CRTIME_EXTRA = 0x94,

    INODE_FLAG_IMMUTABLE = 0x10,
    INODE_FLAG_APPEND = 0x20,
    INODE_FLAG_ENCRYPT = 0x800,
    INODE_FLAG_INDEX = 0x1000,
    INODE_FLAG_HUGE_FILE = 0x40000,
    INODE_FLAG_EXTENTS = 0x80000,
    INODE_FLAG_VERITY = 0x100000,
    INODE_FLAG_EA_INODE = 0x200000,
    INODE_FLAG_INLINE = 0x10000000,
    INODE_FLAG_CASEFOLD = 0x40000000,

    MODE_TYPE = 0xF000,
    MODE_DIRECTORY = 0x4000,
    MODE_FILE = 0x8000,
    MODE_SYMLINK = 0xA000,

    SECTOR_BYTES = 512,
};

/* ---- Extents ---- */

enum {
    EXT_MAGIC = 0xF30A,
    EXT_HEADER_BYTES = 12, /* magic, entries, max, depth: 16 bits each; generation */
    EXT_ENTRIES = 2,
    EXT_MAX = 4,
    EXT_DEPTH = 6,
    EXT_ENTRY_BYTES = 12,
    /* Of a leaf's entry: */
    EXT_LOGICAL = 0,
    EXT_LENGTH = 4, /* above 32768: that many less, never written */
    EXT_START_HI = 6,
    EXT_START = 8,
    /* Of an index's entry: */
    EXT_CHILD = 4,
    EXT_CHILD_HI = 8,
    EXT_LENGTH_MAX = 32768,
    EXT_UNWRITTEN_MAX = 32767,
    EXT_DEPTH_MAX = 5,
    EXT_ROOT_ENTRIES = 4,
};

/* ---- Directories ---- */

enum {
    DIR_INODE = 0,
    DIR_RECORD = 4, /* bytes up to the next entry */
    DIR_NAME_BYTES = 6,
    DIR_TYPE = 7,
    DIR_NAME = 8,
    DIR_HEADER_BYTES = 8,
    DIR_TAIL_BYTES = 12, /* an entry without a name that holds the checksum */
    DIR_TAIL_TYPE = 0xDE,
    DIR_TAIL_CHECKSUM = 8,

    DX_INFO = 24, /* in the root, behind "." and ".." */
    DX_HASH = DX_INFO + 4,
    DX_INFO_BYTES = DX_INFO + 5,
    DX_LEVELS = DX_INFO + 6,
    DX_ROOT_ENTRIES = DX_INFO + 8,
    DX_NODE_ENTRIES = 8,
    DX_ENTRY_BYTES = 8, /* hash, block; of the first the place of the hash holds limit and count */
    DX_TAIL_BYTES = 8,  /* reserved, checksum */
    DX_LEVELS_MAX = 1,  /* beside the root; 2 need the feature large_dir */

    HASH_LEGACY = 0,
    HASH_HALF_MD4 = 1,
    HASH_TEA = 2,
};

/* ---- Block of extended attributes ---- */

enum { XATTR_MAGIC = 0xEA020000, XATTR_REFERENCES = 4, XATTR_CHECKSUM = 0x10 };

/* ---- Journal (jbd2) ---- */

enum {
    JBD_MAGIC = 0xC03B3998,
    JBD_DESCRIPTOR = 1,
    JBD_COMMIT = 2,
    JBD_SUPER_1 = 3,
    JBD_SUPER_2 = 4,
    JBD_REVOKE = 5,
    JBD_HEADER_BYTES = 12, /* magic, kind of the block, sequence */
    JBD_KIND = 4,
    JBD_SEQUENCE = 8,

    JSB_BLOCK_BYTES = 0x0C,
    JSB_BLOCKS = 0x10,
    JSB_FIRST = 0x14,
    JSB_SEQUENCE = 0x18,
    JSB_START = 0x1C,
    JSB_ERROR = 0x20,
    JSB_INCOMPAT = 0x28,
    JSB_UUID = 0x30,
    JSB_CHECKSUM_TYPE = 0x50,
    JSB_CHECKSUM = 0xFC,
    JSB_BYTES = 1024,
    JSB_CRC32C = 4,

    JBD_INCOMPAT_REVOKE = 1,
    JBD_INCOMPAT_64BIT = 2,
    JBD_INCOMPAT_ASYNC = 4,
    JBD_INCOMPAT_CSUM_2 = 8,
    JBD_INCOMPAT_CSUM_3 = 0x10,
    JBD_INCOMPAT_FAST = 0x20,

    JBD_TAG_ESCAPED = 1,
    JBD_TAG_SAME_UUID = 2,
    JBD_TAG_DELETED = 4,
    JBD_TAG_LAST = 8,
    JBD_TAG3_BYTES = 16,
    JBD_TAIL_BYTES = 4,

    JBD_REVOKE_BYTES = 12, /* how many are used, with the header */
    JBD_REVOKE_FIRST = 16,

    JBD_COMMIT_CHECKSUM = 16,
    JBD_COMMIT_SECONDS = 48,
    JBD_COMMIT_NANOSECONDS = 56,
};
