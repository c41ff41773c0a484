// SPDX-License-Identifier: MIT
/* tree - files and directories come and go. */
#include "services/fs/ext4/core/tree.h"

static bool is_dots(const char *name, uint32_t bytes)
{
    return name[0] == '.' && (bytes == 1 || (bytes == 2 && name[1] == '.'));
}

static mnos_status_t check_name(const char *name, uint32_t bytes)
{
    if (bytes == 0 || bytes > EXT4_NAME_BYTES_MAX)
        return MNOS_ERR_SIZE;
    for (uint32_t i = 0; i < bytes; i++)
        if (name[i] == '/' || name[i] == '\0')
            return MNOS_ERR_ARGUMENT;
    return MNOS_OK;
}

mnos_status_t ext4_new_name(struct ext4_op *op, uint32_t directory, const char *name,
                            uint32_t bytes, struct ext4_inode *parent)
{
    struct ext4_entry_place place;
    mnos_status_t status = check_name(name, bytes);

    if (status == MNOS_OK)
        status = ext4_check_writable(op);
    if (status == MNOS_OK)
        status = ext4_directory_get(op, directory, parent);
    if (status == MNOS_OK && ext4_inode_links(parent) == 0)
        status = MNOS_ERR_NOT_FOUND; /* a removed directory takes no names */
    if (status != MNOS_OK)
        return status;
    status = ext4_dir_find(op, parent, name, bytes, &place);
    if (status == MNOS_OK)
        return MNOS_ERR_EXISTS;
    return status == MNOS_ERR_NOT_FOUND ? MNOS_OK : status;
}

mnos_status_t ext4_old_name(struct ext4_op *op, const struct ext4_place *place,
                            struct ext4_inode *parent, struct ext4_entry_place *entry,
                            struct ext4_inode *inode)
{
    mnos_status_t status = check_name(place->name, place->bytes);

    if (status == MNOS_OK && is_dots(place->name, place->bytes))
        status = MNOS_ERR_ARGUMENT;
    if (status == MNOS_OK)
        status = ext4_check_writable(op);
    if (status == MNOS_OK)
        status = ext4_directory_get(op, place->directory, parent);
    if (status == MNOS_OK)
        status = ext4_dir_find(op, parent, place->name, place->bytes, entry);
    if (status == MNOS_OK)
        status = ext4_inode_get(op, le32(entry->block + entry->offset + DIR_INODE), inode);
    if (status == MNOS_OK && ext4_inode_links(inode) == 0)
        status = MNOS_ERR_FORMAT; /* a name of what was removed */
    return status;
}

mnos_status_t ext4_count_child(struct ext4_op *op, struct ext4_inode *directory, int change)
{
    uint32_t links = ext4_inode_links(directory);
    mnos_status_t status = ext4_change(op, directory->raw);

    if (status != MNOS_OK || links == 1)
        return status; /* 1: they are too many to be counted */
    if (change > 0 && links + 1 >= EXT4_LINKS_MAX && (op->fs->ro_compat & RO_DIR_NLINK) == 0)
        return MNOS_ERR_LINKS;
    if (change < 0 && links <= 2)
        return MNOS_ERR_FORMAT;
    ext4_inode_set_links(op, directory, links + (uint32_t)change);
    return MNOS_OK;
}

/* ---- New ---- */

mnos_status_t ext4_create(struct ext4_op *op, uint32_t directory, const char *name, uint32_t bytes,
                          uint32_t mode, uint32_t *inode)
{
    struct ext4_inode parent, made;
    mnos_status_t status = ext4_new_name(op, directory, name, bytes, &parent);

    if ((mode & MODE_TYPE) == 0)
        mode |= MODE_FILE;
    if (status == MNOS_OK && (mode & MODE_TYPE) != MODE_FILE)
        status = MNOS_ERR_ARGUMENT;
    if (status == MNOS_OK)
        status = ext4_inode_take(op, &parent, mode, &made);
    if (status != MNOS_OK)
        return status;
    *inode = made.number;
    ext4_inode_set_links(op, &made, 1);
    return ext4_dir_add(op, &parent, name, bytes, made.number, mode);
}

static mnos_status_t write_dots(struct ext4_op *op, struct ext4_inode *made, uint32_t parent)
{
    struct ext4_entry_place place;
    uint32_t logical;
    uint8_t *data;
    mnos_status_t status = ext4_dir_append(op, made, EXT4_LEAF, &logical, &data);

    if (status != MNOS_OK)
        return status;
    ext4_dir_clear(op, data);
    (void)ext4_dir_put(op, data, ".", 1, made->number, MODE_DIRECTORY, &place);
    (void)ext4_dir_put(op, data, "..", 2, parent, MODE_DIRECTORY, &place);
    return MNOS_OK;
}

mnos_status_t ext4_mkdir(struct ext4_op *op, uint32_t directory, const char *name, uint32_t bytes,
                         uint32_t mode, uint32_t *inode)
{
    struct ext4_inode parent, made;
    mnos_status_t status = ext4_new_name(op, directory, name, bytes, &parent);

    mode = (mode & ~(uint32_t)MODE_TYPE) | MODE_DIRECTORY;
    if (status == MNOS_OK)
        status = ext4_inode_take(op, &parent, mode, &made);
    if (status != MNOS_OK)
        return status;
    *inode = made.number;
    ext4_inode_set_links(op, &made, 2);
    status = write_dots(op, &made, directory);
    if (status == MNOS_OK)
        status = ext4_count_child(op, &parent, 1);
    return status != MNOS_OK ? status : ext4_dir_add(op, &parent, name, bytes, made.number, mode);
}

mnos_status_t ext4_link(struct ext4_op *op, uint32_t number, uint32_t directory, const char *name,
                        uint32_t bytes)
{
    struct ext4_inode parent, inode;
    mnos_status_t status = ext4_new_name(op, directory, name, bytes, &parent);

    if (status == MNOS_OK)
        status = ext4_inode_get(op, number, &inode);
    if (status == MNOS_OK && ext4_inode_is(&inode, MODE_DIRECTORY))
        status = MNOS_ERR_DIRECTORY;
    /* What was removed while it is open does not come back. */
    if (status == MNOS_OK && ext4_inode_links(&inode) == 0)
        status = MNOS_ERR_NOT_FOUND;
    if (status == MNOS_OK && ext4_inode_links(&inode) >= EXT4_LINKS_MAX)
        status = MNOS_ERR_LINKS;
    if (status == MNOS_OK)
        status = ext4_change(op, inode.raw);
    if (status != MNOS_OK)
        return status;
    ext4_inode_set_links(op, &inode, ext4_inode_links(&inode) + 1);
    ext4_inode_touch(op, &inode, false);
    return ext4_dir_add(op, &parent, name, bytes, number, le16(inode.raw + INODE_MODE));
}

/* ---- Gone ---- */

mnos_status_t ext4_unname(struct ext4_op *op, struct ext4_inode *inode, uint32_t *gone)
{
    uint32_t links = ext4_inode_is(inode, MODE_DIRECTORY) ? 0 : ext4_inode_links(inode) - 1,
             previous;
    mnos_status_t status;
    bool listed;

    /* Its blocks could not be freed: files of ext3's sort are only read. */
    if (links == 0 && !ext4_inode_has_extents(inode) && ext4_inode_blocks(op->fs, inode) != 0 &&
        (ext4_inode_is(inode, MODE_FILE) || ext4_inode_is(inode, MODE_DIRECTORY)))
        return MNOS_ERR_DENIED;
    status = ext4_change(op, inode->raw);
    if (status != MNOS_OK)
        return status;
    ext4_inode_set_links(op, inode, links);
    ext4_inode_touch(op, inode, false);
    if (links != 0)
        return MNOS_OK;
    *gone = inode->number;
    /* One whose blocks are being cut is on the list already; twice there, it would be its own successor. */
    status = ext4_orphan_find(op, inode->number, &previous, &listed);
    return status != MNOS_OK || listed ? status : ext4_orphan_add(op, inode);
}

mnos_status_t ext4_unlink(struct ext4_op *op, uint32_t directory, const char *name, uint32_t bytes,
                          uint32_t *gone)
{
    struct ext4_place place = {directory, name, bytes};
    struct ext4_entry_place entry;
    struct ext4_inode parent, inode;
    mnos_status_t status = ext4_old_name(op, &place, &parent, &entry, &inode);

    *gone = 0;
    if (status == MNOS_OK && ext4_inode_is(&inode, MODE_DIRECTORY))
        status = MNOS_ERR_DIRECTORY;
    if (status == MNOS_OK)
        status = ext4_dir_remove(op, &parent, &entry);
    return status == MNOS_OK ? ext4_unname(op, &inode, gone) : status;
}

static bool has_names(const struct ext4_fs *fs, const uint8_t *block)
{
    uint32_t end = ext4_dir_end(fs);

    for (uint32_t at = 0; at < end; at += ext4_dir_record(fs, block, at))
        if (le32(block + at + DIR_INODE) != 0 &&
            !is_dots((const char *)block + at + DIR_NAME, block[at + DIR_NAME_BYTES]))
            return true;
    return false;
}

static enum ext4_kind kind_of(const struct ext4_fs *fs, uint32_t logical, const uint8_t *raw)
{
    if (logical == 0)
        return EXT4_DX_ROOT;
    return le32(raw) == 0 && le16(raw + DIR_RECORD) == fs->block_bytes ? EXT4_DX_NODE : EXT4_LEAF;
}

/* A block of a hashed directory says what it is when it is looked at. */
static mnos_status_t block_is_empty(struct ext4_op *op, const struct ext4_inode *directory,
                                    uint32_t logical, bool *empty)
{
    bool hashed = ext4_dir_is_hashed(op->fs, directory);
    enum ext4_kind kind = EXT4_LEAF;
    uint8_t *data;
    mnos_status_t status = MNOS_OK;

    if (hashed) {
        status = ext4_dir_block(op, directory, logical, EXT4_RAW, &data);
        if (status != MNOS_OK)
            return status;
        kind = kind_of(op->fs, logical, data);
    }
    status = ext4_dir_block(op, directory, logical, kind, &data);
    if (status == MNOS_OK)
        *empty = kind != EXT4_LEAF || !has_names(op->fs, data);
    return status;
}

mnos_status_t ext4_dir_is_empty(struct ext4_op *op, const struct ext4_inode *directory, bool *empty)
{
    uint32_t count = (uint32_t)(ext4_inode_size(directory) >> op->fs->block_shift);

    /* What was looked through before this operation had to wait has not got a name since. */
    if (op->scan_directory != directory->number || op->scan_stamp != op->fs->names_added)
        op->scan_block = 0;
    op->scan_directory = directory->number;
    op->scan_stamp = op->fs->names_added;
    *empty = true;
    for (; op->scan_block < count && *empty; op->scan_block++) {
        uint32_t pinned = op->pin_count;
        mnos_status_t status = block_is_empty(op, directory, op->scan_block, empty);

        if (status != MNOS_OK)
            return status;
        ext4_unpin_to(op, pinned);
    }
    op->scan_directory = 0;
    return MNOS_OK;
}

mnos_status_t ext4_rmdir(struct ext4_op *op, uint32_t directory, const char *name, uint32_t bytes,
                         uint32_t *gone)
{
    struct ext4_place place = {directory, name, bytes};
    struct ext4_entry_place entry;
    struct ext4_inode parent, inode;
    bool empty;
    mnos_status_t status = ext4_old_name(op, &place, &parent, &entry, &inode);

    *gone = 0;
    if (status == MNOS_OK && !ext4_inode_is(&inode, MODE_DIRECTORY))
        status = MNOS_ERR_NOT_DIRECTORY;
    if (status == MNOS_OK && inode.number == EXT4_ROOT)
        status = MNOS_ERR_FORMAT; /* the root has no name */
    if (status == MNOS_OK)
        status = ext4_dir_is_empty(op, &inode, &empty);
    if (status == MNOS_OK && !empty)
        status = MNOS_ERR_NOT_EMPTY;
    if (status == MNOS_OK)
        status = ext4_dir_remove(op, &parent, &entry);
    if (status == MNOS_OK)
        status = ext4_count_child(op, &parent, -1);
    return status == MNOS_OK ? ext4_unname(op, &inode, gone) : status;
}
