// SPDX-License-Identifier: MIT
/*
 * ahead - room for files that grow. The blocks behind the end of a file that was appended to are kept free of others for a
 * while, so that files that grow at the same time do not lie between each other block by block. It is a hint and no
 * promise: the blocks are free on the disk, whoever finds no others takes them, and a power cut or a death forgets nothing
 * that matters (docs/decisions/blocks-when-bytes-are-written.md).
 */
#include "services/fs/ext4/core/files.h"

enum { AHEAD_MIN = 16, AHEAD_MAX = 512 }; /* blocks */

static struct ext4_ahead *ahead_of(struct ext4_fs *fs, uint32_t inode)
{
    for (uint32_t i = 0; i < EXT4_AHEAD_FILES; i++) {
        if (fs->ahead[i].inode == inode)
            return &fs->ahead[i];
    }
    return NULL;
}

/* Twice as much each time that a file has used up its room; as much again if it is given blocks elsewhere first. */
void ext4_ahead_set(struct ext4_fs *fs, uint32_t inode, uint64_t first)
{
    struct ext4_ahead *ahead = ahead_of(fs, inode);
    uint32_t blocks = AHEAD_MIN;

    if (ahead == NULL) {
        ahead = &fs->ahead[fs->ahead_turn++ % EXT4_AHEAD_FILES];
    } else if (first - ahead->first < ahead->count) {
        return; /* the rest of it is as good */
    } else {
        blocks =
            ahead->count == 0 || ahead->blocks * 2 > AHEAD_MAX ? ahead->blocks : ahead->blocks * 2;
    }
    *ahead = (struct ext4_ahead){inode, blocks, blocks, first};
    /* Not where others have theirs: it would keep those away. */
    (void)ext4_ahead_skip(fs, inode, first, &ahead->count);
}

uint64_t ext4_ahead_skip(const struct ext4_fs *fs, uint32_t inode, uint64_t block, uint32_t *count)
{
    for (uint32_t i = 0; i < EXT4_AHEAD_FILES; i++) {
        const struct ext4_ahead *ahead = &fs->ahead[i];

        if (ahead->inode == inode || ahead->count == 0)
            continue;
        if (block - ahead->first < ahead->count) {
            *count = 0;
            return ahead->first + ahead->count;
        }
        if (ahead->first > block && ahead->first - block < *count)
            *count = (uint32_t)(ahead->first - block);
    }
    return block + *count;
}

bool ext4_ahead_forget(struct ext4_fs *fs)
{
    bool any = false;

    for (uint32_t i = 0; i < EXT4_AHEAD_FILES; i++) {
        any = any || fs->ahead[i].count != 0;
        fs->ahead[i].count = 0;
    }
    return any;
}
