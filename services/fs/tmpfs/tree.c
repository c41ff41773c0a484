// SPDX-License-Identifier: MIT
/* tree - what is done with names: see names.h. Each operation looks first, then changes without
 * failing. */
#include "lib/base/string.h"
#include "lib/base/word.h"
#include "lib/server/state.h"
#include "services/fs/tmpfs/names.h"

/* Whoever lists a name with a zero sees another one, and could not remove it. */
static inline mnos_status_t check_text(const struct file_place *place)
{
    bool has_zero = place->bytes < 8 ? text_word_has_zero(place->word, place->bytes)
                                     : text_has_zero(place->text, place->bytes);

    return has_zero ? MNOS_ERR_ARGUMENT : MNOS_OK;
}

/* Whether something new can have this name. A removed directory takes no names. */
static mnos_status_t check_new(struct tmpfs *fs, const struct file_place *place)
{
    if (place->directory == 0 || place->inode != 0)
        return MNOS_ERR_EXISTS;
    return tmpfs_inode(fs, place->directory)->links == 0 ? MNOS_ERR_NOT_FOUND : check_text(place);
}

mnos_status_t tmpfs_create(struct tmpfs *fs, const struct file_place *place, enum file_type type,
                           uint32_t account, uint32_t *inode)
{
    mnos_status_t status = check_new(fs, place);

    if (status == MNOS_OK && place->must_be_directory && type != FILE_TYPE_DIRECTORY)
        status = MNOS_ERR_NOT_FOUND;
    if (status == MNOS_OK)
        status = tmpfs_name_reserve(fs, place->directory, place->bytes, account, 0, 1);
    if (status != MNOS_OK)
        return status;
    *inode = tmpfs_inode_take(fs, type, account);
    tmpfs_inode(fs, *inode)->links = 1;
    if (type == FILE_TYPE_DIRECTORY)
        tmpfs_inode(fs, *inode)->parent = place->directory;
    tmpfs_name_add(fs, place->directory, place->text, place->bytes, *inode, account);
    return MNOS_OK;
}

mnos_status_t tmpfs_symlink(struct tmpfs *fs, const struct file_place *place, const char *target,
                            uint32_t bytes, uint32_t account)
{
    mnos_status_t status = check_new(fs, place);
    struct tmpfs_inode *link;
    uint32_t number;

    if (status == MNOS_OK && place->must_be_directory)
        status = MNOS_ERR_NOT_FOUND;
    if (status == MNOS_OK)
        status = tmpfs_name_reserve(fs, place->directory, place->bytes, account, 1, 1);
    if (status != MNOS_OK)
        return status;
    number = tmpfs_inode_take(fs, FILE_TYPE_SYMLINK, account);
    link = tmpfs_inode(fs, number);
    link->links = 1;
    link->size = bytes;
    memcpy(tmpfs_page(fs, tmpfs_tree_make(fs, link, 0, true)), target, bytes);
    tmpfs_name_add(fs, place->directory, place->text, place->bytes, number, account);
    return MNOS_OK;
}

mnos_status_t tmpfs_link(struct tmpfs *fs, uint32_t number, const struct file_place *place,
                         uint32_t account)
{
    struct tmpfs_inode *inode = tmpfs_inode(fs, number);
    mnos_status_t status = check_new(fs, place);

    if (inode->type == FILE_TYPE_DIRECTORY)
        return MNOS_ERR_DIRECTORY;
    if (status == MNOS_OK && place->must_be_directory)
        status = MNOS_ERR_NOT_FOUND;
    /* A file that was removed while it is open does not come back. */
    if (status == MNOS_OK && inode->links == 0)
        status = MNOS_ERR_NOT_FOUND;
    if (status == MNOS_OK && inode->links >= TMPFS_NAMES_OF_FILE_MAX)
        status = MNOS_ERR_LINKS;
    if (status == MNOS_OK)
        status = tmpfs_name_reserve(fs, place->directory, place->bytes, account, 0, 0);
    if (status != MNOS_OK)
        return status;
    STATE_SET(inode->links, inode->links + 1);
    STATE_SET(inode->changed_ns, fs->now_ns);
    tmpfs_name_add(fs, place->directory, place->text, place->bytes, number, account);
    return MNOS_OK;
}

/* One name less. */
static void unname(struct tmpfs *fs, uint32_t number)
{
    struct tmpfs_inode *inode = tmpfs_inode(fs, number);

    STATE_SET(inode->links, inode->links - 1);
    STATE_SET(inode->changed_ns, fs->now_ns);
    if (inode->type == FILE_TYPE_DIRECTORY)
        STATE_SET(inode->parent, 0);
    tmpfs_release(fs, number);
}

mnos_status_t tmpfs_unlink(struct tmpfs *fs, const struct file_place *place)
{
    if (place->directory == 0)
        return MNOS_ERR_DIRECTORY;
    if (place->inode == 0)
        return MNOS_ERR_NOT_FOUND;
    if (tmpfs_inode(fs, place->inode)->type == FILE_TYPE_DIRECTORY)
        return MNOS_ERR_DIRECTORY;
    tmpfs_name_remove(fs, (uint32_t)place->entry);
    unname(fs, place->inode);
    return MNOS_OK;
}

mnos_status_t tmpfs_rmdir(struct tmpfs *fs, const struct file_place *place)
{
    const struct tmpfs_inode *inode;

    if (place->directory == 0)
        return MNOS_ERR_ARGUMENT; /* a path that ends with "." or nothing */
    if (place->inode == 0)
        return MNOS_ERR_NOT_FOUND;
    inode = tmpfs_inode(fs, place->inode);
    if (inode->type != FILE_TYPE_DIRECTORY)
        return MNOS_ERR_NOT_DIRECTORY;
    if (inode->names != 0)
        return MNOS_ERR_NOT_EMPTY;
    tmpfs_name_remove(fs, (uint32_t)place->entry);
    unname(fs, place->inode);
    return MNOS_OK;
}

/* Directories may be nested deeper than a walk from a handle goes, so this one goes as far as there
 * are any. */
static bool would_be_in_itself(struct tmpfs *fs, uint32_t moved, uint32_t into)
{
    while (into != 0 && into != moved)
        into = tmpfs_inode(fs, into)->parent;
    return into == moved;
}

/* What is at the new name already must be replaceable. */
static mnos_status_t check_replaced(struct tmpfs *fs, uint32_t moved, uint32_t replaced)
{
    bool moves_directory = tmpfs_inode(fs, moved)->type == FILE_TYPE_DIRECTORY;
    const struct tmpfs_inode *there = tmpfs_inode(fs, replaced);

    if (there->type == FILE_TYPE_DIRECTORY) {
        if (!moves_directory)
            return MNOS_ERR_DIRECTORY;
        return there->names != 0 ? MNOS_ERR_NOT_EMPTY : MNOS_OK;
    }
    return moves_directory ? MNOS_ERR_NOT_DIRECTORY : MNOS_OK;
}

static mnos_status_t check_rename(struct tmpfs *fs, const struct file_place *from,
                                  const struct file_place *to)
{
    bool moves_directory;

    if (from->directory == 0 || to->directory == 0)
        return MNOS_ERR_ARGUMENT;
    if (from->inode == 0 || tmpfs_inode(fs, to->directory)->links == 0)
        return MNOS_ERR_NOT_FOUND;
    moves_directory = tmpfs_inode(fs, from->inode)->type == FILE_TYPE_DIRECTORY;
    if (to->must_be_directory && !moves_directory)
        return MNOS_ERR_NOT_DIRECTORY;
    if (moves_directory && would_be_in_itself(fs, from->inode, to->directory))
        return MNOS_ERR_ARGUMENT;
    if (to->inode == 0)
        return check_text(to);
    return to->inode == from->inode ? MNOS_OK : check_replaced(fs, from->inode, to->inode);
}

mnos_status_t tmpfs_rename(struct tmpfs *fs, const struct file_place *from,
                           const struct file_place *to, uint32_t account)
{
    mnos_status_t status = check_rename(fs, from, to);
    struct tmpfs_inode *moved;

    if (status != MNOS_OK || from->inode == to->inode)
        return status; /* two names of one file stay as they are */
    if (to->inode == 0)
        status = tmpfs_name_reserve(fs, to->directory, to->bytes, account, 0, 0);
    if (status != MNOS_OK)
        return status;
    if (to->inode != 0) {
        struct tmpfs_inode *directory = tmpfs_inode(fs, to->directory);

        struct tmpfs_name *name = tmpfs_unit(fs, (uint32_t)to->entry);

        STATE_SET(name->inode, from->inode);
        STATE_SET(name->type, (uint8_t)tmpfs_inode(fs, from->inode)->type);
        STATE_SET(directory->modified_ns, fs->now_ns);
        STATE_SET(directory->changed_ns, fs->now_ns);
        unname(fs, to->inode);
    } else {
        tmpfs_name_add(fs, to->directory, to->text, to->bytes, from->inode, account);
    }
    tmpfs_name_remove(fs, (uint32_t)from->entry);
    moved = tmpfs_inode(fs, from->inode);
    STATE_SET(moved->changed_ns, fs->now_ns);
    if (moved->type == FILE_TYPE_DIRECTORY)
        STATE_SET(moved->parent, to->directory);
    return MNOS_OK;
}
