// SPDX-License-Identifier: MIT
/*
 * resolve - what a path names, below the root of a session: see names.h. Nothing outside can be
 * named: the root's parent, and what begins with a slash, is answered with the rest of the path as
 * text.
 */
#include "lib/base/string.h"
#include "services/fs/tmpfs/names.h"

struct cursor {
    const char *at, *end;
};

static mnos_status_t leave(struct tmpfs_walk *walk, enum file_rest_reason reason,
                           struct cursor left)
{
    while (left.at < left.end && *left.at == '/')
        left.at++;
    walk->reason = reason;
    walk->rest = left.at;
    walk->rest_bytes = (uint32_t)(left.end - left.at);
    return MNOS_ERR_REST;
}

/* Puts the text of a link before what is left of the path, at the end of the walk's own buffer. */
static mnos_status_t expand(struct tmpfs *fs, struct tmpfs_walk *walk, uint32_t link,
                            struct cursor *left)
{
    const struct tmpfs_inode *inode = tmpfs_inode(fs, link);
    uint32_t bytes = (uint32_t)inode->size, rest = (uint32_t)(left->end - left->at);
    char *end = walk->text + sizeof walk->text;

    if (++walk->links > FILE_LINKS_FOLLOWED_MAX)
        return MNOS_ERR_LINKS;
    if (bytes + rest > sizeof walk->text)
        return MNOS_ERR_SIZE;
    /* What is left begins with the slash that ended the link's name, or is empty. */
    memmove(end - rest, left->at, rest);
    memcpy(end - rest - bytes, tmpfs_page(fs, inode->root), bytes);
    *left = (struct cursor){end - rest - bytes, end};
    return *left->at == '/' ? leave(walk, FILE_REST_ABSOLUTE, *left) : MNOS_OK;
}

static bool is_type(struct tmpfs *fs, uint32_t inode, enum file_type type)
{
    return tmpfs_inode(fs, inode)->type == type;
}

static mnos_status_t go_up(struct tmpfs *fs, struct tmpfs_walk *walk, struct cursor left,
                           uint32_t *current)
{
    if (*current == walk->root)
        return leave(walk, FILE_REST_PARENT, left);
    /* The directory where the path began may have been moved out of the session. */
    if (!tmpfs_is_below(fs, walk->root, *current))
        return MNOS_ERR_DENIED;
    *current = tmpfs_inode(fs, *current)->parent;
    return MNOS_OK;
}

/* The next component: between the slashes. False: there is none. */
static bool next_component(struct cursor *left, struct cursor *component)
{
    while (left->at < left->end && *left->at == '/')
        left->at++;
    component->at = left->at;
    while (left->at < left->end && *left->at != '/')
        left->at++;
    component->end = left->at;
    return component->at != component->end;
}

static bool only_slashes(struct cursor left)
{
    while (left.at < left.end && *left.at == '/')
        left.at++;
    return left.at == left.end;
}

/* One name in *current, which becomes what it names; sets walk->place and *done when it is the
 * last. */
static mnos_status_t enter(struct tmpfs *fs, struct tmpfs_walk *walk, struct cursor name,
                           struct cursor *left, uint32_t *current, bool *done)
{
    uint32_t bytes = (uint32_t)(name.end - name.at), unit, inode;
    bool last = only_slashes(*left), slash = left->at != left->end;

    if (bytes > FILE_NAME_BYTES_MAX)
        return MNOS_ERR_SIZE;
    unit = tmpfs_name_find(fs, *current, name.at, bytes);
    if (unit == 0 && !last)
        return MNOS_ERR_NOT_FOUND;
    inode = unit == 0 ? 0 : tmpfs_unit(fs, unit)->inode;
    if (inode != 0 && is_type(fs, inode, FILE_TYPE_SYMLINK) && !(last && walk->no_follow && !slash))
        return expand(fs, walk, inode, left);
    if (last) {
        walk->place = (struct tmpfs_place){*current, unit, inode, bytes, name.at, slash};
        *done = true;
        if (slash && inode != 0 && !is_type(fs, inode, FILE_TYPE_DIRECTORY))
            return MNOS_ERR_NOT_DIRECTORY;
    }
    *current = inode;
    return MNOS_OK;
}

static bool is_dots(struct cursor name, unsigned count)
{
    return name.end - name.at == count && name.at[0] == '.' && name.at[count - 1] == '.';
}

mnos_status_t tmpfs_resolve(struct tmpfs *fs, struct tmpfs_walk *walk, const char *path,
                            uint32_t bytes)
{
    struct cursor left = {path, path + bytes}, name;
    uint32_t current = walk->start;
    mnos_status_t status = MNOS_OK;
    bool done = false;

    walk->links = 0;
    if (bytes > FILE_PATH_BYTES_MAX)
        return MNOS_ERR_SIZE;
    if (bytes != 0 && path[0] == '/')
        return leave(walk, FILE_REST_ABSOLUTE, left);
    walk->place = (struct tmpfs_place){0};
    while (!done && next_component(&left, &name)) {
        /* Ends: each round takes a component, and at most 40 links add some. */
        if (!is_type(fs, current, FILE_TYPE_DIRECTORY))
            return MNOS_ERR_NOT_DIRECTORY;
        if (is_dots(name, 1))
            continue;
        if (is_dots(name, 2))
            status = go_up(fs, walk, left, &current);
        else
            status = enter(fs, walk, name, &left, &current, &done);
        if (status != MNOS_OK)
            return status;
    }
    if (!done)
        walk->place = (struct tmpfs_place){.inode = current};
    return MNOS_OK;
}
