// SPDX-License-Identifier: MIT
/* dir - the blocks of a directory: names in them, found, put and removed. */
#include "services/fs/ext4/core/names.h"

uint32_t ext4_dir_entry_bytes(uint32_t name_bytes)
{
    return (DIR_HEADER_BYTES + name_bytes + 3) & ~3u;
}

/* The length of an entry; what is not one goes up to the end. */
static inline uint32_t record_at(const uint8_t *block, uint32_t offset, uint32_t end)
{
    uint32_t record = le16(block + offset + DIR_RECORD), left = end - offset;

    return record < DIR_HEADER_BYTES || record > left ? left : record;
}

uint32_t ext4_dir_record(const struct ext4_fs *fs, const uint8_t *block, uint32_t offset)
{
    return record_at(block, offset, ext4_dir_end(fs));
}

bool ext4_dir_is_hashed(const struct ext4_fs *fs, const struct ext4_inode *directory)
{
    (void)fs;
    return (le32(directory->raw + INODE_FLAGS) & INODE_FLAG_INDEX) != 0;
}

uint8_t ext4_dir_type(const struct ext4_fs *fs, uint32_t mode)
{
    static const uint8_t types[16] = {
        [0x1] = 5, [0x2] = 3, [0x4] = 2, [0x6] = 4, [0x8] = 1, [0xA] = 7, [0xC] = 6};

    return (fs->incompat & INCOMPAT_FILETYPE) != 0 ? types[mode >> 12 & 15] : 0;
}

mnos_status_t ext4_dir_block(struct ext4_op *op, const struct ext4_inode *directory,
                             uint32_t logical, enum ext4_kind kind, uint8_t **data)
{
    struct ext4_what what = {kind, directory->number, directory->seed};
    struct ext4_run run;
    mnos_status_t status;

    if (logical >= ext4_inode_size(directory) >> op->fs->block_shift)
        return MNOS_ERR_FORMAT;
    status = ext4_map_inode(op, directory, logical, 1, &run);
    if (status == MNOS_OK && run.physical == 0)
        status = MNOS_ERR_FORMAT; /* directories have no holes */
    return status != MNOS_OK ? status : ext4_block_get(op, run.physical, &what, data);
}

/* ---- Finding ---- */

/* Names that many programs make differ at their ends: these are looked at first. */
static inline bool is_named(const uint8_t *entry, const char *name, uint32_t bytes)
{
    return entry[DIR_NAME_BYTES] == bytes &&
           entry[DIR_NAME + bytes - 1] == (uint8_t)name[bytes - 1] &&
           le32(entry + DIR_INODE) != 0 && memcmp(entry + DIR_NAME, name, bytes) == 0;
}

bool ext4_dir_scan(const struct ext4_fs *fs, const uint8_t *block, const char *name, uint32_t bytes,
                   struct ext4_entry_place *place)
{
    uint32_t end = ext4_dir_end(fs), previous = EXT4_NONE;

    for (uint32_t at = 0; at + DIR_HEADER_BYTES + bytes <= end;) {
        if (is_named(block + at, name, bytes)) {
            *place = (struct ext4_entry_place){(uint8_t *)block, at, previous};
            return true;
        }
        previous = at;
        at += record_at(block, at, end);
    }
    return false;
}

static mnos_status_t find_linear(struct ext4_op *op, const struct ext4_inode *directory,
                                 const char *name, uint32_t bytes, struct ext4_entry_place *place)
{
    uint32_t count = (uint32_t)(ext4_inode_size(directory) >> op->fs->block_shift);
    uint8_t *data;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t pinned = op->pin_count;
        mnos_status_t status = ext4_dir_block(op, directory, i, EXT4_LEAF, &data);

        if (status != MNOS_OK)
            return status;
        if (ext4_dir_scan(op->fs, data, name, bytes, place))
            return MNOS_OK;
        ext4_unpin_to(op, pinned);
    }
    return MNOS_ERR_NOT_FOUND;
}

const struct ext4_hint *ext4_hint_for(const struct ext4_fs *fs, uint32_t directory,
                                      const char *name, uint32_t bytes)
{
    const struct ext4_hint *hint = &fs->hint;

    return hint->stamp == fs->names_changed && hint->directory == directory &&
                   hint->bytes == bytes && memcmp(hint->text, name, bytes) == 0
               ? hint
               : NULL;
}

void ext4_hint_set(struct ext4_fs *fs, uint32_t directory, const struct ext4_name *name,
                   uint32_t hash, uint32_t leaf, const struct ext4_entry_place *place)
{
    struct ext4_hint *hint = &fs->hint;

    hint->stamp = fs->names_changed;
    hint->directory = directory;
    hint->hash = hash;
    hint->exists = place != NULL;
    hint->leaf = leaf;
    hint->offset = place == NULL ? 0 : place->offset;
    hint->previous = place == NULL ? 0 : place->previous;
    hint->bytes = name->bytes;
    memcpy(hint->text, name->text, name->bytes);
}

static mnos_status_t use_hint(struct ext4_op *op, const struct ext4_inode *directory,
                              const struct ext4_hint *hint, struct ext4_entry_place *place)
{
    uint8_t *data;
    mnos_status_t status = MNOS_ERR_NOT_FOUND;

    if (hint->exists)
        status = ext4_dir_block(op, directory, hint->leaf, EXT4_LEAF, &data);
    if (status == MNOS_OK)
        *place = (struct ext4_entry_place){data, hint->offset, hint->previous};
    return status;
}

/* Names of one hash may go on in the next leaf, whose hash is odd then. */
static mnos_status_t find_hashed(struct ext4_op *op, const struct ext4_inode *directory,
                                 const char *name, uint32_t bytes, struct ext4_entry_place *place)
{
    const struct ext4_hint *hint = ext4_hint_for(op->fs, directory->number, name, bytes);
    struct ext4_name looked_for = {.bytes = bytes, .text = name};
    struct ext4_dx_path path;
    struct ext4_hash hash;
    mnos_status_t status;
    uint32_t next;
    uint8_t *data;
    bool more;

    if (hint != NULL)
        return use_hint(op, directory, hint, place);
    status = ext4_dx_begin(op, directory, &path);
    if (status != MNOS_OK)
        return status;
    ext4_hash(op->fs, path.version, name, bytes, &hash);
    status = ext4_dx_descend(op, directory, hash.major, &path);
    while (status == MNOS_OK) {
        uint32_t pinned = op->pin_count;

        status = ext4_dir_block(op, directory, ext4_dx_block(&path), EXT4_LEAF, &data);
        if (status != MNOS_OK)
            return status;
        if (ext4_dir_scan(op->fs, data, name, bytes, place)) {
            ext4_hint_set(op->fs, directory->number, &looked_for, hash.major, ext4_dx_block(&path),
                          place);
            return MNOS_OK;
        }
        ext4_unpin_to(op, pinned);
        status = ext4_dx_next(op, directory, &path, &next, &more);
        if (status == MNOS_OK && (!more || next != (hash.major | 1))) {
            ext4_hint_set(op->fs, directory->number, &looked_for, hash.major, 0, NULL);
            return MNOS_ERR_NOT_FOUND;
        }
    }
    return status;
}

static bool is_dots(const char *name, uint32_t bytes)
{
    return name[0] == '.' && (bytes == 1 || (bytes == 2 && name[1] == '.'));
}

/* "." and ".." of a hashed directory are in its root, the other names in its leaves. */
mnos_status_t ext4_dir_find(struct ext4_op *op, const struct ext4_inode *directory,
                            const char *name, uint32_t bytes, struct ext4_entry_place *place)
{
    mnos_status_t status;
    uint8_t *root;

    if (bytes == 0 || bytes > EXT4_NAME_BYTES_MAX)
        return MNOS_ERR_ARGUMENT;
    if (!ext4_dir_is_hashed(op->fs, directory))
        return find_linear(op, directory, name, bytes, place);
    if (!is_dots(name, bytes))
        return find_hashed(op, directory, name, bytes, place);
    status = ext4_dir_block(op, directory, 0, EXT4_DX_ROOT, &root);
    if (status != MNOS_OK)
        return status;
    /* dx_is_good() has looked at both. */
    *place = (struct ext4_entry_place){root, bytes == 1 ? 0 : 12, bytes == 1 ? EXT4_NONE : 0};
    return MNOS_OK;
}

mnos_status_t ext4_lookup(struct ext4_op *op, uint32_t directory, const char *name, uint32_t bytes,
                          uint32_t *inode)
{
    struct ext4_entry_place place;
    struct ext4_inode parent;
    mnos_status_t status = ext4_directory_get(op, directory, &parent);

    if (status == MNOS_OK)
        status = ext4_dir_find(op, &parent, name, bytes, &place);
    if (status == MNOS_OK)
        *inode = le32(place.block + place.offset + DIR_INODE);
    return status;
}

/* ---- Changing ---- */

static void write_entry(struct ext4_op *op, uint8_t *entry, uint32_t record, const char *name,
                        uint32_t bytes, uint32_t inode, uint32_t mode)
{
    uint8_t text[DIR_HEADER_BYTES + EXT4_NAME_BYTES_MAX];

    set_le32(text + DIR_INODE, inode);
    set_le16(text + DIR_RECORD, (uint16_t)record);
    text[DIR_NAME_BYTES] = (uint8_t)bytes;
    text[DIR_TYPE] = ext4_dir_type(op->fs, mode);
    memcpy(text + DIR_NAME, name, bytes);
    ext4_put(op, entry, text, DIR_HEADER_BYTES + bytes);
}

bool ext4_dir_put(struct ext4_op *op, uint8_t *block, const char *name, uint32_t bytes,
                  uint32_t inode, uint32_t mode, struct ext4_entry_place *place)
{
    uint32_t end = ext4_dir_end(op->fs), needed = ext4_dir_entry_bytes(bytes), previous = EXT4_NONE;

    op->fs->names_changed++;
    for (uint32_t at = 0; at < end;) {
        uint32_t record = record_at(block, at, end), used = 0;

        if (le32(block + at + DIR_INODE) != 0)
            used = ext4_dir_entry_bytes(block[at + DIR_NAME_BYTES]);
        if (record >= used + needed) {
            if (used != 0)
                ext4_put_16(op, block + at + DIR_RECORD, (uint16_t)used);
            write_entry(op, block + at + used, record - used, name, bytes, inode, mode);
            *place = (struct ext4_entry_place){block, at + used, used != 0 ? at : previous};
            return true;
        }
        previous = at;
        at += record;
    }
    return false;
}

void ext4_dir_clear(struct ext4_op *op, uint8_t *block)
{
    uint8_t empty[DIR_HEADER_BYTES] = {0};

    op->fs->names_changed++;
    set_le16(empty + DIR_RECORD, (uint16_t)ext4_dir_end(op->fs));
    ext4_put(op, block, empty, sizeof empty);
}

mnos_status_t ext4_dir_remove(struct ext4_op *op, struct ext4_inode *directory,
                              const struct ext4_entry_place *place)
{
    const struct ext4_fs *fs = op->fs;
    mnos_status_t status = ext4_change(op, place->block);

    if (status == MNOS_OK)
        status = ext4_change(op, directory->raw);
    if (status != MNOS_OK)
        return status;
    op->fs->names_changed++;
    if (place->previous == EXT4_NONE)
        ext4_put_32(op, place->block + place->offset + DIR_INODE, 0);
    else
        ext4_put_16(op, place->block + place->previous + DIR_RECORD,
                    (uint16_t)(place->offset - place->previous +
                               ext4_dir_record(fs, place->block, place->offset)));
    ext4_inode_touch(op, directory, true);
    return MNOS_OK;
}

static mnos_status_t add_linear(struct ext4_op *op, struct ext4_inode *directory, const char *name,
                                uint32_t bytes, uint32_t inode, uint32_t mode)
{
    const struct ext4_fs *fs = op->fs;
    uint32_t count = (uint32_t)(ext4_inode_size(directory) >> fs->block_shift), logical;
    struct ext4_entry_place place;
    mnos_status_t status;
    uint8_t *data;

    for (uint32_t i = 0; i < count; i++) {
        status = ext4_dir_block(op, directory, i, EXT4_LEAF, &data);
        if (status == MNOS_OK)
            status = ext4_change(op, data);
        if (status != MNOS_OK || ext4_dir_put(op, data, name, bytes, inode, mode, &place))
            return status;
    }
    if (count == 1 && (fs->compat & COMPAT_DIR_INDEX) != 0) {
        status = ext4_dx_make(op, directory);
        return status != MNOS_OK ? status : ext4_dx_add(op, directory, name, bytes, inode, mode);
    }
    status = ext4_dir_append(op, directory, EXT4_LEAF, &logical, &data);
    if (status != MNOS_OK)
        return status;
    ext4_dir_clear(op, data);
    return ext4_dir_put(op, data, name, bytes, inode, mode, &place) ? MNOS_OK : MNOS_ERR_FORMAT;
}

mnos_status_t ext4_dir_add(struct ext4_op *op, struct ext4_inode *directory, const char *name,
                           uint32_t bytes, uint32_t inode, uint32_t mode)
{
    mnos_status_t status = ext4_change(op, directory->raw);

    if (status != MNOS_OK)
        return status;
    ext4_inode_touch(op, directory, true);
    EXT4_SET(op->fs, op->fs->names_added, op->fs->names_added + 1);
    if (ext4_dir_is_hashed(op->fs, directory))
        return ext4_dx_add(op, directory, name, bytes, inode, mode);
    return add_linear(op, directory, name, bytes, inode, mode);
}
