// SPDX-License-Identifier: MIT
/* htree_change - names that come to a hashed directory: a full leaf is split, and a full index before it. */
#include "services/fs/ext4/core/names.h"

/* Root, node, leaf: each may be split once for a name. */
enum { ROUNDS_MAX = 5 };

mnos_status_t ext4_dir_append(struct ext4_op *op, struct ext4_inode *directory, enum ext4_kind kind,
                              uint32_t *logical, uint8_t **data)
{
    struct ext4_what what = {kind, directory->number, directory->seed};
    uint64_t size = ext4_inode_size(directory), goal = ext4_inode_goal(op->fs, directory);
    struct ext4_extent extent = {.count = 1};
    struct ext4_run last;
    mnos_status_t status = MNOS_OK;

    if (!ext4_inode_has_extents(directory))
        return MNOS_ERR_DENIED; /* of ext3's sort: only read */
    *logical = (uint32_t)(size >> op->fs->block_shift);
    if (*logical >= INT32_MAX)
        return MNOS_ERR_FULL;
    if (*logical != 0) {
        status = ext4_map_inode(op, directory, *logical - 1, 1, &last);
        goal = last.physical + 1;
    }
    if (status == MNOS_OK)
        status = ext4_meta_block(op, directory, goal, &what, &extent.physical, data);
    extent.logical = *logical;
    if (status == MNOS_OK)
        status = ext4_extent_insert(op, directory, &extent);
    if (status == MNOS_OK)
        ext4_inode_set_size(op, directory, size + op->fs->block_bytes);
    return status;
}

static void set_dx_limits(struct ext4_op *op, uint8_t *data, enum ext4_kind kind, uint32_t count)
{
    uint8_t *at = data + ext4_dx_entries(kind);

    ext4_put_16(op, at, (uint16_t)ext4_dx_limit(op->fs, kind));
    ext4_put_16(op, at + 2, (uint16_t)count);
}

/* A pair behind the one taken. */
static void insert_pair(struct ext4_op *op, const struct ext4_dx_path *path, uint32_t level,
                        uint32_t hash, uint32_t block)
{
    uint32_t count = ext4_dx_count(op->fs, path, level), at = path->at[level] + 1;
    uint8_t *entry = ext4_dx_entry(path, level, at);
    uint8_t pair[DX_ENTRY_BYTES];

    set_le32(pair, hash);
    set_le32(pair + 4, block);
    if (at < count)
        ext4_put(op, entry + DX_ENTRY_BYTES, entry, (size_t)(count - at) * DX_ENTRY_BYTES);
    ext4_put(op, entry, pair, sizeof pair);
    ext4_put_16(op, ext4_dx_entry(path, level, 0) + 2, (uint16_t)(count + 1));
}

/* ---- Leaves ---- */

/* Copies entries, each as long as it needs to be, the last up to the end. */
static void pack(struct ext4_op *op, uint8_t *to, const uint8_t *from,
                 const struct ext4_hashed *list, uint32_t count)
{
    uint8_t packed[EXT4_SLOT_BYTES];
    uint32_t at = 0, last = 0, end = ext4_dir_end(op->fs);

    memset(packed, 0, end);
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *entry = from + list[i].offset;
        uint32_t bytes = ext4_dir_entry_bytes(entry[DIR_NAME_BYTES]);

        memcpy(packed + at, entry, DIR_HEADER_BYTES + (size_t)entry[DIR_NAME_BYTES]);
        set_le16(packed + at + DIR_RECORD, (uint16_t)bytes);
        last = at;
        at += bytes;
    }
    set_le16(packed + last + DIR_RECORD, (uint16_t)(end - last));
    op->fs->names_changed++;
    ext4_put(op, to, packed, end);
}

/* Where to split: about half of the bytes on each side, at least one entry. */
static uint32_t middle_of(const uint8_t *leaf, const struct ext4_hashed *list, uint32_t count,
                          uint32_t bytes)
{
    uint32_t half = 0, at = count;

    while (at > 1 && half < bytes / 2)
        half += ext4_dir_entry_bytes(leaf[list[--at].offset + DIR_NAME_BYTES]);
    return at;
}

static mnos_status_t split_leaf(struct ext4_op *op, struct ext4_inode *directory,
                                const struct ext4_dx_path *path, uint8_t *leaf)
{
    struct ext4_hashed list[EXT4_LEAF_ENTRIES_MAX];
    uint32_t count = ext4_leaf_sort(op->fs, leaf, path->version, list), logical, middle, hash;
    uint8_t *neighbour;
    mnos_status_t status;

    if (count < 2)
        return MNOS_ERR_FORMAT;
    status = ext4_change(op, leaf);
    if (status == MNOS_OK)
        status = ext4_change(op, path->node[path->levels]);
    if (status == MNOS_OK)
        status = ext4_dir_append(op, directory, EXT4_LEAF, &logical, &neighbour);
    if (status != MNOS_OK)
        return status;
    middle = middle_of(leaf, list, count, ext4_dir_end(op->fs));
    hash = list[middle].hash.major;
    /* Names of one hash on both sides: an odd hash says that they go on. */
    if (list[middle - 1].hash.major == hash)
        hash |= 1;
    pack(op, neighbour, leaf, list + middle, count - middle);
    pack(op, leaf, leaf, list, middle);
    insert_pair(op, path, path->levels, hash, logical);
    return MNOS_OK;
}

/* ---- Indexes ---- */

/* The pairs of the root go to a node, which becomes its only one. */
static mnos_status_t add_level(struct ext4_op *op, struct ext4_inode *directory,
                               const struct ext4_dx_path *path)
{
    uint32_t count = ext4_dx_count(op->fs, path, 0), logical;
    uint8_t *root = path->node[0], *node, levels = 1;
    mnos_status_t status = ext4_change(op, root);

    if (status == MNOS_OK)
        status = ext4_dir_append(op, directory, EXT4_DX_NODE, &logical, &node);
    if (status != MNOS_OK)
        return status;
    ext4_dx_clear(op, node);
    ext4_put(op, node + DX_NODE_ENTRIES, root + DX_ROOT_ENTRIES, (size_t)count * DX_ENTRY_BYTES);
    set_dx_limits(op, node, EXT4_DX_NODE, count);
    set_dx_limits(op, root, EXT4_DX_ROOT, 1);
    ext4_put_32(op, root + DX_ROOT_ENTRIES + 4, logical);
    ext4_put(op, root + DX_LEVELS, &levels, 1);
    return MNOS_OK;
}

static mnos_status_t split_node(struct ext4_op *op, struct ext4_inode *directory,
                                const struct ext4_dx_path *path)
{
    uint32_t count = ext4_dx_count(op->fs, path, 1), keep = count / 2, logical, hash;
    uint8_t *full = path->node[1], *node;
    mnos_status_t status = ext4_change(op, full);

    if (status == MNOS_OK)
        status = ext4_change(op, path->node[0]);
    if (status == MNOS_OK)
        status = ext4_dir_append(op, directory, EXT4_DX_NODE, &logical, &node);
    if (status != MNOS_OK)
        return status;
    hash = le32(ext4_dx_entry(path, 1, keep));
    ext4_dx_clear(op, node);
    ext4_put(op, node + DX_NODE_ENTRIES, ext4_dx_entry(path, 1, keep),
             (size_t)(count - keep) * DX_ENTRY_BYTES);
    set_dx_limits(op, node, EXT4_DX_NODE, count - keep);
    set_dx_limits(op, full, EXT4_DX_NODE, keep);
    insert_pair(op, path, 0, hash, logical);
    return MNOS_OK;
}

/* Room for one pair more in the index above the leaf. *changed: the path is another one now. */
static mnos_status_t make_room(struct ext4_op *op, struct ext4_inode *directory,
                               const struct ext4_dx_path *path, bool *changed)
{
    const struct ext4_fs *fs = op->fs;

    *changed = true;
    if (ext4_dx_count(fs, path, path->levels) <
        ext4_dx_limit(fs, path->levels == 0 ? EXT4_DX_ROOT : EXT4_DX_NODE)) {
        *changed = false;
        return MNOS_OK;
    }
    if (path->levels == 0)
        return add_level(op, directory, path);
    if (ext4_dx_count(fs, path, 0) == ext4_dx_limit(fs, EXT4_DX_ROOT))
        return MNOS_ERR_FULL; /* more needs the feature large_dir */
    return split_node(op, directory, path);
}

/* ---- Names ---- */

static mnos_status_t try_add(struct ext4_op *op, struct ext4_inode *directory, uint32_t hash,
                             const struct ext4_name *name, uint32_t mode, bool *done)
{
    struct ext4_entry_place place;
    struct ext4_dx_path path;
    uint8_t *leaf;
    mnos_status_t status = ext4_dx_find(op, directory, hash, &path);
    bool changed;

    *done = false;
    if (status == MNOS_OK)
        status = ext4_dir_block(op, directory, ext4_dx_block(&path), EXT4_LEAF, &leaf);
    if (status == MNOS_OK)
        status = ext4_change(op, leaf);
    if (status != MNOS_OK)
        return status;
    if (ext4_dir_put(op, leaf, name->text, name->bytes, name->inode, mode, &place)) {
        *done = true;
        ext4_hint_set(op->fs, directory->number, name, hash, ext4_dx_block(&path), &place);
        return MNOS_OK;
    }
    status = make_room(op, directory, &path, &changed);
    return status != MNOS_OK || changed ? status : split_leaf(op, directory, &path, leaf);
}

static mnos_status_t hash_of(struct ext4_op *op, const struct ext4_inode *directory,
                             const struct ext4_name *name, uint32_t *major)
{
    struct ext4_dx_path path;
    struct ext4_hash hash;
    mnos_status_t status = ext4_dx_begin(op, directory, &path);

    if (status != MNOS_OK)
        return status;
    ext4_hash(op->fs, path.version, name->text, name->bytes, &hash);
    *major = hash.major;
    return MNOS_OK;
}

mnos_status_t ext4_dx_add(struct ext4_op *op, struct ext4_inode *directory, const char *name,
                          uint32_t bytes, uint32_t inode, uint32_t mode)
{
    const struct ext4_hint *hint = ext4_hint_for(op->fs, directory->number, name, bytes);
    struct ext4_name entry = {inode, 0, bytes, name};
    uint32_t hash = hint == NULL ? 0 : hint->hash;
    mnos_status_t status = hint == NULL ? hash_of(op, directory, &entry, &hash) : MNOS_OK;
    bool done = false;

    for (unsigned i = 0; i < ROUNDS_MAX && status == MNOS_OK && !done; i++)
        status = try_add(op, directory, hash, &entry, mode, &done);
    return status == MNOS_OK && !done ? MNOS_ERR_FULL : status;
}

/* ---- From one block to a hashed directory ---- */

void ext4_dx_clear(struct ext4_op *op, uint8_t *node)
{
    uint8_t empty[DIR_HEADER_BYTES] = {0};

    /* To who does not know hashes a node is one entry without a name. */
    set_le16(empty + DIR_RECORD, (uint16_t)op->fs->block_bytes);
    ext4_put(op, node, empty, sizeof empty);
}

static void write_root(struct ext4_op *op, uint8_t *root)
{
    const struct ext4_fs *fs = op->fs;
    uint8_t info[8] = {[DX_HASH - DX_INFO] = fs->hash_version, [DX_INFO_BYTES - DX_INFO] = 8};

    ext4_fill(op, root + DX_INFO, 0, fs->block_bytes - DX_INFO);
    ext4_put_16(op, root + DIR_RECORD, 12);
    ext4_put_16(op, root + 12 + DIR_RECORD, (uint16_t)(fs->block_bytes - 12));
    ext4_put(op, root + DX_INFO, info, sizeof info);
    set_dx_limits(op, root, EXT4_DX_ROOT, 1);
    ext4_put_32(op, root + DX_ROOT_ENTRIES + 4, 1);
}

/* "." and ".." come first in every directory, and a root has them at these two places. */
static bool begins_with_dots(const uint8_t *block)
{
    const uint8_t *second = block + le16(block + DIR_RECORD);

    return le16(block + DIR_RECORD) == 12 && block[DIR_NAME_BYTES] == 1 && block[DIR_NAME] == '.' &&
           second[DIR_NAME_BYTES] == 2 && second[DIR_NAME] == '.' && second[DIR_NAME + 1] == '.';
}

mnos_status_t ext4_dx_make(struct ext4_op *op, struct ext4_inode *directory)
{
    struct ext4_hashed list[EXT4_LEAF_ENTRIES_MAX];
    struct ext4_fs *fs = op->fs;
    uint32_t count, logical, kept = 0;
    uint8_t *root, *leaf;
    mnos_status_t status = ext4_dir_block(op, directory, 0, EXT4_LEAF, &root);

    if (status == MNOS_OK && !begins_with_dots(root))
        status = MNOS_ERR_FORMAT;
    if (status == MNOS_OK)
        status = ext4_change(op, root);
    if (status == MNOS_OK)
        status = ext4_dir_append(op, directory, EXT4_LEAF, &logical, &leaf);
    if (status != MNOS_OK)
        return status;
    count = ext4_leaf_sort(fs, root, fs->hash_version, list);
    for (uint32_t i = 0; i < count; i++)
        if (list[i].offset > 12)
            list[kept++] = list[i];
    pack(op, leaf, root, list, kept);
    write_root(op, root);
    EXT4_SET(fs, fs->slots[ext4_slot_of(fs, root)].use.kind, EXT4_DX_ROOT);
    ext4_put_32(op, directory->raw + INODE_FLAGS,
                le32(directory->raw + INODE_FLAGS) | INODE_FLAG_INDEX);
    return MNOS_OK;
}
