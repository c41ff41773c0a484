// SPDX-License-Identifier: MIT
/*
 * readdir - the names of a directory in an order that does not change while others come and go: by hash, where
 * the directory is hashed or could become so (one block), else by their place, which no name leaves.
 */
#include "services/fs/ext4/core/names.h"

/* So many blocks are looked at for one answer, which may be empty then. */
enum { BLOCKS_MAX = 64 };

struct reader {
    struct ext4_op *op;
    bool (*emit)(void *context, const struct ext4_name *name);
    void *context;
    uint64_t cookie;
    uint64_t next;
    bool full;
};

static uint64_t cookie_of(const struct ext4_hash *hash)
{
    return (uint64_t)(hash->major >> 1) << 32 | hash->minor;
}

static uint32_t type_of(uint8_t type)
{
    return type == 1   ? EXT4_TYPE_FILE
           : type == 2 ? EXT4_TYPE_DIRECTORY
           : type == 7 ? EXT4_TYPE_SYMLINK
                       : EXT4_TYPE_OTHER;
}

/* False: the reader is full. */
static bool emit_entry(struct reader *reader, const uint8_t *entry, uint64_t cookie)
{
    struct ext4_name name = {.inode = le32(entry + DIR_INODE),
                             .type = type_of(entry[DIR_TYPE]),
                             .bytes = entry[DIR_NAME_BYTES],
                             .text = (const char *)entry + DIR_NAME};

    if (name.text[0] == '.' && (name.bytes == 1 || (name.bytes == 2 && name.text[1] == '.')))
        return true;
    if (reader->emit(reader->context, &name))
        return true;
    reader->next = cookie;
    reader->full = true;
    return false;
}

static void emit_leaf(struct reader *reader, const uint8_t *block, uint8_t version)
{
    struct ext4_hashed list[EXT4_LEAF_ENTRIES_MAX];
    uint32_t count = ext4_leaf_sort(reader->op->fs, block, version, list);

    for (uint32_t i = 0; i < count; i++) {
        uint64_t cookie = cookie_of(&list[i].hash);

        if (cookie >= reader->cookie && !emit_entry(reader, block + list[i].offset, cookie))
            return;
    }
}

static mnos_status_t read_hashed(struct reader *reader, const struct ext4_inode *directory,
                                 bool *end)
{
    uint32_t hash = (uint32_t)(reader->cookie >> 32) << 1, before = hash;
    struct ext4_op *op = reader->op;
    struct ext4_dx_path path;
    mnos_status_t status = ext4_dx_find(op, directory, hash, &path);
    bool more = true;
    uint8_t *data;

    for (unsigned i = 0; status == MNOS_OK; i++) {
        uint32_t pinned = op->pin_count;

        status = ext4_dir_block(op, directory, ext4_dx_block(&path), EXT4_LEAF, &data);
        if (status != MNOS_OK)
            return status;
        emit_leaf(reader, data, path.version);
        ext4_unpin_to(op, pinned);
        if (reader->full)
            return MNOS_OK;
        status = ext4_dx_next(op, directory, &path, &hash, &more);
        if (status != MNOS_OK)
            return status;
        *end = !more;
        if (!more)
            return MNOS_OK;
        if (hash < before)
            return MNOS_ERR_FORMAT; /* it would never end */
        reader->next = (uint64_t)(hash >> 1) << 32;
        /* An odd hash goes on with the names of the one before, which belong to one answer. */
        if (i >= BLOCKS_MAX && (hash & 1) == 0 && hash > before)
            return MNOS_OK;
        if (i >= 2 * BLOCKS_MAX)
            return MNOS_ERR_FORMAT;
        before = hash & ~1u;
    }
    return status;
}

static mnos_status_t read_single(struct reader *reader, const struct ext4_inode *directory,
                                 bool *end)
{
    uint8_t *data;
    mnos_status_t status = ext4_dir_block(reader->op, directory, 0, EXT4_LEAF, &data);

    if (status != MNOS_OK)
        return status;
    emit_leaf(reader, data, reader->op->fs->hash_version);
    *end = !reader->full;
    return MNOS_OK;
}

static void emit_block(struct reader *reader, const uint8_t *block, uint64_t first)
{
    const struct ext4_fs *fs = reader->op->fs;
    uint32_t end = ext4_dir_end(fs);

    for (uint32_t at = 0; at < end;) {
        uint32_t record = ext4_dir_record(fs, block, at);

        if (first + at >= reader->cookie && le32(block + at + DIR_INODE) != 0 &&
            DIR_HEADER_BYTES + (uint32_t)block[at + DIR_NAME_BYTES] <= record &&
            !emit_entry(reader, block + at, first + at))
            return;
        at += record;
    }
}

static mnos_status_t read_linear(struct reader *reader, const struct ext4_inode *directory,
                                 bool *end)
{
    uint32_t shift = reader->op->fs->block_shift;
    uint64_t count = ext4_inode_size(directory) >> shift, at = reader->cookie >> shift;
    uint64_t limit = count - at < BLOCKS_MAX ? count : at + BLOCKS_MAX;
    uint8_t *data;

    if (at >= count) {
        *end = true;
        return MNOS_OK;
    }
    for (; at < limit; at++) {
        uint32_t pinned = reader->op->pin_count;
        mnos_status_t status =
            ext4_dir_block(reader->op, directory, (uint32_t)at, EXT4_LEAF, &data);

        if (status != MNOS_OK)
            return status;
        emit_block(reader, data, at << shift);
        ext4_unpin_to(reader->op, pinned);
        if (reader->full)
            return MNOS_OK;
    }
    reader->next = at << shift;
    *end = at == count;
    return MNOS_OK;
}

mnos_status_t ext4_readdir(struct ext4_op *op, uint32_t number, uint64_t cookie,
                           bool (*emit)(void *context, const struct ext4_name *name), void *context,
                           uint64_t *next, bool *end)
{
    struct reader reader = {op, emit, context, cookie, cookie, false};
    struct ext4_inode directory;
    mnos_status_t status = ext4_directory_get(op, number, &directory);

    *end = false;
    if (status != MNOS_OK)
        return status;
    if (ext4_dir_is_hashed(op->fs, &directory))
        status = read_hashed(&reader, &directory, end);
    else if ((op->fs->compat & COMPAT_DIR_INDEX) != 0 &&
             ext4_inode_size(&directory) == op->fs->block_bytes)
        status = read_single(&reader, &directory, end);
    else
        status = read_linear(&reader, &directory, end);
    *next = reader.next;
    return status;
}
