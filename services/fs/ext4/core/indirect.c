// SPDX-License-Identifier: MIT
/* indirect - files of ext2 and ext3: twelve blocks, then one, two and three levels of blocks of numbers. */
#include "services/fs/ext4/core/files.h"

enum { DIRECT = 12, LEVELS_MAX = 3 };

/* Which numbers lead to a block; returns how many levels, or EXT4_NONE: behind what can be named. */
static uint32_t route(const struct ext4_fs *fs, uint64_t logical, uint32_t at[LEVELS_MAX + 1])
{
    uint32_t shift = fs->block_shift - 2, mask = (1u << shift) - 1;
    uint64_t span = 1;

    if (logical < DIRECT) {
        at[0] = (uint32_t)logical;
        return 0;
    }
    logical -= DIRECT;
    for (uint32_t levels = 1; levels <= LEVELS_MAX; levels++) {
        span <<= shift;
        if (logical < span) {
            at[0] = DIRECT + levels - 1;
            for (uint32_t i = 0; i < levels; i++)
                at[levels - i] = (uint32_t)(logical >> (i * shift)) & mask;
            return levels;
        }
        logical -= span;
    }
    return EXT4_NONE;
}

/* Numbers that follow each other are one run. */
static uint32_t run_length(const uint8_t *numbers, uint32_t at, uint32_t limit, uint32_t count)
{
    uint32_t first = le32(numbers + 4 * (size_t)at), length = 1;

    while (length < count && at + length < limit &&
           le32(numbers + 4 * ((size_t)at + length)) == (first == 0 ? 0 : first + length))
        length++;
    return length;
}

mnos_status_t ext4_indirect_map(struct ext4_op *op, const struct ext4_inode *inode,
                                uint32_t logical, uint32_t count, struct ext4_run *run)
{
    struct ext4_fs *fs = op->fs;
    struct ext4_what what = {.kind = EXT4_RAW};
    uint8_t *numbers = inode->raw + INODE_BLOCK;
    uint32_t at[LEVELS_MAX + 1], levels = route(fs, logical, at), limit = DIRECT;

    *run = (struct ext4_run){.count = 1};
    if (levels == EXT4_NONE)
        return MNOS_OK;
    for (uint32_t i = 0; i < levels; i++) {
        uint32_t block = le32(numbers + 4 * (size_t)at[i]);
        mnos_status_t status;

        if (block == 0)
            return MNOS_OK;
        status = ext4_block_get(op, block, &what, &numbers);
        if (status != MNOS_OK)
            return status;
        limit = fs->block_bytes / 4;
    }
    run->count = run_length(numbers, at[levels], limit, count);
    run->physical = le32(numbers + 4 * (size_t)at[levels]);
    if (run->physical != 0 && run->physical + run->count > fs->blocks)
        return MNOS_ERR_FORMAT;
    return MNOS_OK;
}
