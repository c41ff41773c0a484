// SPDX-License-Identifier: MIT
/* rename - a name moves, over one that is there if both are directories or neither is. */
#include "services/fs/ext4/core/tree.h"

/* A directory is nested no deeper: paths end long before. */
enum { STEPS_UP_MAX = 65536 };

static mnos_status_t parent_of(struct ext4_op *op, const struct ext4_inode *directory,
                               uint32_t *parent)
{
    struct ext4_entry_place place;
    mnos_status_t status = ext4_dir_find(op, directory, "..", 2, &place);

    if (status == MNOS_OK)
        *parent = le32(place.block + place.offset + DIR_INODE);
    return status == MNOS_ERR_NOT_FOUND ? MNOS_ERR_FORMAT : status;
}

/* A directory cannot move below itself: whoever walks up from the new place would never meet the root. */
static mnos_status_t check_not_below(struct ext4_op *op, uint32_t moved, uint32_t into)
{
    for (uint32_t i = 0; into != EXT4_ROOT; i++) {
        uint32_t pinned = op->pin_count;
        struct ext4_inode directory;
        mnos_status_t status;

        if (into == moved)
            return MNOS_ERR_ARGUMENT;
        if (i == STEPS_UP_MAX)
            return MNOS_ERR_FORMAT; /* a circle */
        status = ext4_directory_get(op, into, &directory);
        if (status == MNOS_OK)
            status = parent_of(op, &directory, &into);
        if (status != MNOS_OK)
            return status;
        ext4_unpin_to(op, pinned);
    }
    return MNOS_OK;
}

/* What has the new name must be replaceable. */
static mnos_status_t check_replaced(struct ext4_op *op, const struct ext4_inode *moved,
                                    const struct ext4_inode *there)
{
    bool empty = true;
    mnos_status_t status = MNOS_OK;

    if (!ext4_inode_is(moved, MODE_DIRECTORY))
        return ext4_inode_is(there, MODE_DIRECTORY) ? MNOS_ERR_DIRECTORY : MNOS_OK;
    if (!ext4_inode_is(there, MODE_DIRECTORY))
        return MNOS_ERR_NOT_DIRECTORY;
    status = ext4_dir_is_empty(op, there, &empty);
    return status == MNOS_OK && !empty ? MNOS_ERR_NOT_EMPTY : status;
}

/* The entry at the new name names the moved inode from now on. */
static mnos_status_t replace(struct ext4_op *op, struct ext4_inode *parent,
                             const struct ext4_entry_place *entry, const struct ext4_inode *moved,
                             struct ext4_inode *there, uint32_t *gone)
{
    uint8_t type = ext4_dir_type(op->fs, le16(moved->raw + INODE_MODE));
    mnos_status_t status = ext4_change(op, entry->block);

    if (status == MNOS_OK)
        status = ext4_change(op, parent->raw);
    if (status != MNOS_OK)
        return status;
    op->fs->names_changed++;
    ext4_put_32(op, entry->block + entry->offset + DIR_INODE, moved->number);
    ext4_put(op, entry->block + entry->offset + DIR_TYPE, &type, 1);
    ext4_inode_touch(op, parent, true);
    if (ext4_inode_is(there, MODE_DIRECTORY))
        status = ext4_count_child(op, parent, -1);
    return status == MNOS_OK ? ext4_unname(op, there, gone) : status;
}

/* A directory that moved to another one. */
static mnos_status_t move_dots(struct ext4_op *op, struct ext4_inode *moved,
                               struct ext4_inode *from, struct ext4_inode *to)
{
    struct ext4_entry_place place;
    mnos_status_t status = ext4_dir_find(op, moved, "..", 2, &place);

    if (status == MNOS_OK)
        status = ext4_change(op, place.block);
    if (status != MNOS_OK)
        return status == MNOS_ERR_NOT_FOUND ? MNOS_ERR_FORMAT : status;
    ext4_put_32(op, place.block + place.offset + DIR_INODE, to->number);
    status = ext4_count_child(op, from, -1);
    return status == MNOS_OK ? ext4_count_child(op, to, 1) : status;
}

static mnos_status_t put_new(struct ext4_op *op, const struct ext4_place *to,
                             struct ext4_inode *moved, struct ext4_inode *new_parent,
                             uint32_t *gone, bool *same)
{
    struct ext4_entry_place entry;
    struct ext4_inode there;
    mnos_status_t status = ext4_old_name(op, to, new_parent, &entry, &there);

    *same = status == MNOS_OK && there.number == moved->number;
    if (*same)
        return MNOS_OK;
    if (status == MNOS_ERR_NOT_FOUND) {
        if (ext4_inode_links(new_parent) == 0)
            return MNOS_ERR_NOT_FOUND; /* a removed directory takes no names */
        return ext4_dir_add(op, new_parent, to->name, to->bytes, moved->number,
                            le16(moved->raw + INODE_MODE));
    }
    if (status == MNOS_OK)
        status = check_replaced(op, moved, &there);
    return status == MNOS_OK ? replace(op, new_parent, &entry, moved, &there, gone) : status;
}

mnos_status_t ext4_rename(struct ext4_op *op, const struct ext4_place *from,
                          const struct ext4_place *to, uint32_t *gone)
{
    struct ext4_inode old_parent, new_parent, moved;
    struct ext4_entry_place entry;
    bool same;
    mnos_status_t status = ext4_old_name(op, from, &old_parent, &entry, &moved);

    *gone = 0;
    if (status == MNOS_OK && ext4_inode_is(&moved, MODE_DIRECTORY))
        status = check_not_below(op, moved.number, to->directory);
    if (status == MNOS_OK)
        status = ext4_directory_get(op, to->directory, &new_parent);
    if (status == MNOS_OK)
        status = put_new(op, to, &moved, &new_parent, gone, &same);
    if (status != MNOS_OK || same)
        return status;
    /* The new name may have moved the old one to another block. */
    status = ext4_dir_find(op, &old_parent, from->name, from->bytes, &entry);
    if (status == MNOS_OK)
        status = ext4_dir_remove(op, &old_parent, &entry);
    if (status == MNOS_OK && ext4_inode_is(&moved, MODE_DIRECTORY) &&
        from->directory != to->directory)
        status = move_dots(op, &moved, &old_parent, &new_parent);
    if (status == MNOS_OK)
        status = ext4_change(op, moved.raw);
    if (status == MNOS_OK)
        ext4_inode_touch(op, &moved, false);
    return status;
}
