// SPDX-License-Identifier: MIT
/* alloc - blocks from the bitmaps of the groups. What the running transaction frees is not given out before it has
 * committed (J2): a power cut would bring back the file that owned it. */
#include "services/fs/ext4/core/files.h"

/* So many pieces of a group are looked at before the longest of them is good enough. */
enum { PIECES_MAX = 32, METADATA_MARGIN = 16 };

struct piece {
    uint32_t first, count;
};

/* The first bit from `at` on that is as wanted. By words, of which a bitmap has whole ones. */
static uint32_t find_bit(const uint8_t *bitmap, uint32_t at, uint32_t end, bool wanted)
{
    uint64_t skip = UINT64_MAX << at % 64;

    for (uint32_t base = at / 64 * 64; base < end; base += 64, skip = UINT64_MAX) {
        uint64_t word = le64(bitmap + base / 8);
        uint64_t found = (wanted ? word : ~word) & skip;

        if (found != 0) {
            uint32_t bit = base + (uint32_t)__builtin_ctzll(found);

            return bit < end ? bit : end;
        }
    }
    return end;
}

/* Makes a piece shorter by what was freed lately; returns where to look on when nothing is left of it. */
static uint64_t without_freed(const struct ext4_fs *fs, uint64_t block, uint32_t *count)
{
    for (uint32_t i = 0; i < fs->freed_count; i++) {
        const struct ext4_freed *freed = &fs->freed[i];

        if (block >= freed->block && block < freed->block + freed->count) {
            *count = 0;
            return freed->block + freed->count;
        }
        if (freed->block > block && freed->block < block + *count)
            *count = (uint32_t)(freed->block - block);
    }
    return block + *count;
}

/* The best piece between two bits of a group for a file. */
static bool search(const struct ext4_fs *fs, uint32_t inode, const uint8_t *bitmap, uint32_t group,
                   uint32_t at, uint32_t end, uint32_t wanted, struct piece *best)
{
    uint64_t first = ext4_group_first(fs, group);

    for (unsigned i = 0; i < PIECES_MAX && at < end && best->count < wanted; i++) {
        uint32_t from = find_bit(bitmap, at, end, false), limit, count;

        if (from == end)
            break;
        limit = end - from < wanted ? end : from + wanted;
        count = find_bit(bitmap, from, limit, true) - from;
        at = (uint32_t)(without_freed(fs, first + from, &count) - first);
        if (count != 0)
            at = (uint32_t)(ext4_ahead_skip(fs, inode, first + from, &count) - first);
        if (count > best->count)
            *best = (struct piece){from, count};
    }
    return best->count != 0;
}

/* Sets or clears bits, all of which were the other way; whole bytes at once. */
static void mark(struct ext4_op *op, uint8_t *bitmap, uint32_t first, uint32_t count, bool used)
{
    uint32_t end = first + count;

    while (first < end) {
        if (first % 8 == 0 && end - first >= 8) {
            uint32_t bytes = (end - first) / 8;

            ext4_fill(op, bitmap + first / 8, used ? 0xFF : 0, bytes);
            first += bytes * 8;
        } else {
            uint8_t bit = (uint8_t)(1u << first % 8), old = bitmap[first / 8];
            uint8_t value = used ? (uint8_t)(old | bit) : (uint8_t)(old & ~bit);

            ext4_put(op, &bitmap[first / 8], &value, 1);
            first++;
        }
    }
}

static void count_free(struct ext4_op *op, uint8_t *desc, int64_t change)
{
    uint32_t free = ext4_group_count(op->fs, desc, GD_FREE_BLOCKS, GD_FREE_BLOCKS_HI);

    ext4_group_set_count(op, desc, GD_FREE_BLOCKS, GD_FREE_BLOCKS_HI, (uint32_t)(free + change));
    EXT4_SET(op->fs, op->fs->free_blocks, op->fs->free_blocks + (uint64_t)change);
}

/* Nothing in this group: *count stays 0. */
static mnos_status_t take_in_group(struct ext4_op *op, uint32_t inode, uint32_t group, uint32_t at,
                                   uint32_t wanted, uint64_t *block, uint32_t *count)
{
    struct ext4_fs *fs = op->fs;
    uint32_t blocks = ext4_group_blocks(fs, group), free;
    struct piece best = {0, 0};
    uint8_t *desc, *bitmap;
    mnos_status_t status = ext4_group_get(op, group, &desc);

    if (status != MNOS_OK)
        return status;
    free = ext4_group_count(fs, desc, GD_FREE_BLOCKS, GD_FREE_BLOCKS_HI);
    if (free == 0)
        return MNOS_OK;
    status = ext4_bitmap_get(op, group, EXT4_BLOCK_BITMAP, desc, &bitmap);
    if (status != MNOS_OK)
        return status;
    if (!search(fs, inode, bitmap, group, at, blocks, wanted < free ? wanted : free, &best) &&
        !search(fs, inode, bitmap, group, 0, at, wanted < free ? wanted : free, &best))
        return MNOS_OK;
    status = ext4_change(op, bitmap);
    if (status == MNOS_OK)
        status = ext4_change(op, desc);
    if (status != MNOS_OK)
        return status;
    mark(op, bitmap, best.first, best.count, true);
    count_free(op, desc, -(int64_t)best.count);
    *block = ext4_group_first(fs, group) + best.first;
    *count = best.count;
    return MNOS_OK;
}

static mnos_status_t take(struct ext4_op *op, uint32_t inode, uint64_t goal, uint32_t wanted,
                          uint64_t *block, uint32_t *count)
{
    struct ext4_fs *fs = op->fs;
    uint32_t first, at;

    *count = 0;
    if (goal < fs->first_data_block || goal >= fs->blocks)
        goal = fs->first_data_block;
    first = (uint32_t)((goal - fs->first_data_block) / fs->blocks_per_group);
    at = (uint32_t)((goal - fs->first_data_block) % fs->blocks_per_group);
    for (uint32_t i = 0; i < fs->groups; i++) {
        uint32_t group = first + i < fs->groups ? first + i : first + i - fs->groups;
        mnos_status_t status =
            take_in_group(op, inode, group, i == 0 ? at : 0, wanted, block, count);

        if (status != MNOS_OK || *count != 0)
            return status;
    }
    return MNOS_OK;
}

mnos_status_t ext4_blocks_take(struct ext4_op *op, uint32_t inode, uint64_t goal, uint32_t wanted,
                               uint64_t *block, uint32_t *count)
{
    struct ext4_fs *fs = op->fs;
    mnos_status_t status = take(op, inode, goal, wanted, block, count);

    if (status == MNOS_OK && *count == 0 && ext4_ahead_forget(fs))
        status = take(op, inode, goal, wanted, block, count);
    if (status != MNOS_OK || *count != 0)
        return status;
    if (op->spare_count != 0) {
        *block = op->spare + --op->spare_count;
        *count = 1;
        return MNOS_OK;
    }
    /* What others freed lately becomes usable by a commit; what this operation freed is undone while it waits. */
    return op->freed_before != 0 && fs->free_blocks != 0 ? ext4_wait_commit(op) : MNOS_ERR_FULL;
}

/* ---- Giving back ---- */

static mnos_status_t free_in_group(struct ext4_op *op, uint32_t group, uint32_t first,
                                   uint32_t count)
{
    uint8_t *desc, *bitmap;
    mnos_status_t status = ext4_group_get(op, group, &desc);

    if (status == MNOS_OK)
        status = ext4_bitmap_get(op, group, EXT4_BLOCK_BITMAP, desc, &bitmap);
    if (status == MNOS_OK && find_bit(bitmap, first, first + count, false) != first + count)
        status = MNOS_ERR_FORMAT; /* it is free already */
    if (status == MNOS_OK)
        status = ext4_change(op, bitmap);
    if (status == MNOS_OK)
        status = ext4_change(op, desc);
    if (status != MNOS_OK)
        return status;
    mark(op, bitmap, first, count, false);
    count_free(op, desc, count);
    return MNOS_OK;
}

mnos_status_t ext4_blocks_free(struct ext4_op *op, uint64_t block, uint32_t count, bool metadata)
{
    struct ext4_fs *fs = op->fs;

    if (block <= fs->first_data_block || block + count > fs->blocks)
        return MNOS_ERR_FORMAT;
    while (count > 0) {
        uint32_t group = (uint32_t)((block - fs->first_data_block) / fs->blocks_per_group);
        uint32_t first = (uint32_t)((block - fs->first_data_block) % fs->blocks_per_group);
        uint32_t here = count < fs->blocks_per_group - first ? count : fs->blocks_per_group - first;
        mnos_status_t status = free_in_group(op, group, first, here);

        if (status == MNOS_OK)
            status = ext4_note_freed(op, block, here, metadata);
        if (status != MNOS_OK)
            return status;
        block += here;
        count -= here;
    }
    return MNOS_OK;
}

/* ---- For others ---- */

uint64_t ext4_inode_goal(const struct ext4_fs *fs, const struct ext4_inode *inode)
{
    return ext4_group_first(fs, (inode->number - 1) / fs->inodes_per_group);
}

mnos_status_t ext4_meta_block(struct ext4_op *op, struct ext4_inode *inode, uint64_t goal,
                              const struct ext4_what *what, uint64_t *block, uint8_t **data)
{
    uint32_t count;
    mnos_status_t status = ext4_change(op, inode->raw);

    if (status == MNOS_OK)
        status = ext4_blocks_take(op, 0, goal, 1, block, &count);
    if (status == MNOS_OK)
        status = ext4_block_new(op, *block, what, data);
    if (status == MNOS_OK)
        ext4_inode_add_blocks(op, inode, 1);
    return status;
}

/* Nodes of extents and directories need blocks as well: some are kept for them. Who needs none is never refused. */
mnos_status_t ext4_reserve(struct ext4_fs *fs, uint64_t blocks)
{
    uint64_t kept = fs->reserved_blocks + fs->delayed + METADATA_MARGIN + fs->delayed / 64;

    if (fs->read_only)
        return fs->aborted ? MNOS_ERR_DEVICE : MNOS_ERR_DENIED;
    if (blocks != 0 && (fs->free_blocks < kept || fs->free_blocks - kept < blocks))
        return MNOS_ERR_FULL;
    fs->delayed += blocks;
    return MNOS_OK;
}

void ext4_unreserve(struct ext4_fs *fs, uint64_t blocks)
{
    fs->delayed -= blocks < fs->delayed ? blocks : fs->delayed;
}
