// SPDX-License-Identifier: MIT
/*
 * htree - directories whose names are found by their hash: block 0 is the root, which holds pairs of a hash and a
 * block, one level of nodes may follow, and the leaves are ordinary blocks of names.
 */
#include "services/fs/ext4/core/names.h"

static enum ext4_kind kind_at(uint32_t level)
{
    return level == 0 ? EXT4_DX_ROOT : EXT4_DX_NODE;
}

uint8_t *ext4_dx_entry(const struct ext4_dx_path *path, uint32_t level, uint32_t index)
{
    return path->node[level] + ext4_dx_entries(kind_at(level)) + (size_t)index * DX_ENTRY_BYTES;
}

uint32_t ext4_dx_count(const struct ext4_fs *fs, const struct ext4_dx_path *path, uint32_t level)
{
    uint32_t count = le16(ext4_dx_entry(path, level, 0) + 2),
             limit = ext4_dx_limit(fs, kind_at(level));

    return count < limit ? count : limit;
}

static uint32_t block_at(const struct ext4_dx_path *path, uint32_t level)
{
    return le32(ext4_dx_entry(path, level, path->at[level]) + 4) & 0x0FFFFFFF;
}

uint32_t ext4_dx_block(const struct ext4_dx_path *path)
{
    return block_at(path, path->levels);
}

/* The last entry whose hash is not above; the first has none, it begins at 0. */
static uint32_t search(const struct ext4_fs *fs, const struct ext4_dx_path *path, uint32_t level,
                       uint32_t hash)
{
    uint32_t low = 1, high = ext4_dx_count(fs, path, level);

    while (low < high) {
        uint32_t middle = (low + high) / 2;

        if (le32(ext4_dx_entry(path, level, middle)) <= hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low - 1;
}

static mnos_status_t enter(struct ext4_op *op, const struct ext4_inode *directory,
                           struct ext4_dx_path *path, uint32_t level)
{
    return ext4_dir_block(op, directory, block_at(path, level), EXT4_DX_NODE,
                          &path->node[level + 1]);
}

mnos_status_t ext4_dx_begin(struct ext4_op *op, const struct ext4_inode *directory,
                            struct ext4_dx_path *path)
{
    mnos_status_t status = ext4_dir_block(op, directory, 0, EXT4_DX_ROOT, &path->node[0]);

    if (status != MNOS_OK)
        return status;
    path->levels = path->node[0][DX_LEVELS];
    path->version = path->node[0][DX_HASH];
    return path->levels > DX_LEVELS_MAX ? MNOS_ERR_FORMAT : MNOS_OK;
}

mnos_status_t ext4_dx_descend(struct ext4_op *op, const struct ext4_inode *directory, uint32_t hash,
                              struct ext4_dx_path *path)
{
    mnos_status_t status = MNOS_OK;

    for (uint32_t level = 0; level <= path->levels && status == MNOS_OK; level++) {
        path->at[level] = search(op->fs, path, level, hash);
        if (level < path->levels)
            status = enter(op, directory, path, level);
    }
    return status;
}

mnos_status_t ext4_dx_find(struct ext4_op *op, const struct ext4_inode *directory, uint32_t hash,
                           struct ext4_dx_path *path)
{
    mnos_status_t status = ext4_dx_begin(op, directory, path);

    return status != MNOS_OK ? status : ext4_dx_descend(op, directory, hash, path);
}

mnos_status_t ext4_dx_next(struct ext4_op *op, const struct ext4_inode *directory,
                           struct ext4_dx_path *path, uint32_t *hash, bool *more)
{
    uint32_t level = path->levels;

    *more = true;
    while (path->at[level] + 1 >= ext4_dx_count(op->fs, path, level)) {
        if (level == 0) {
            *more = false;
            return MNOS_OK;
        }
        level--;
    }
    path->at[level]++;
    *hash = le32(ext4_dx_entry(path, level, path->at[level]));
    if (level == path->levels)
        return MNOS_OK;
    /* Two levels at most, so this one is the root. */
    path->at[level + 1] = 0;
    return enter(op, directory, path, level);
}

/* ---- Leaves in order ---- */

static bool is_before(const struct ext4_hashed *a, const struct ext4_hashed *b)
{
    if (a->hash.major != b->hash.major)
        return a->hash.major < b->hash.major;
    if (a->hash.minor != b->hash.minor)
        return a->hash.minor < b->hash.minor;
    return a->offset < b->offset;
}

static void sort(struct ext4_hashed *list, uint32_t count)
{
    for (uint32_t gap = count / 2; gap > 0; gap /= 2) {
        for (uint32_t i = gap; i < count; i++) {
            struct ext4_hashed moved = list[i];
            uint32_t at = i;

            for (; at >= gap && is_before(&moved, &list[at - gap]); at -= gap)
                list[at] = list[at - gap];
            list[at] = moved;
        }
    }
}

uint32_t ext4_leaf_sort(const struct ext4_fs *fs, const uint8_t *block, uint8_t version,
                        struct ext4_hashed *list)
{
    uint32_t count = 0, end = ext4_dir_end(fs);

    for (uint32_t at = 0; at < end && count < EXT4_LEAF_ENTRIES_MAX;) {
        uint32_t record = ext4_dir_record(fs, block, at), bytes = block[at + DIR_NAME_BYTES];

        if (le32(block + at + DIR_INODE) != 0 && DIR_HEADER_BYTES + bytes <= record) {
            list[count].offset = at;
            ext4_hash(fs, version, (const char *)block + at + DIR_NAME, bytes, &list[count].hash);
            count++;
        }
        at += record;
    }
    sort(list, count);
    return count;
}
