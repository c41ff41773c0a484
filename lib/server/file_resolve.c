// SPDX-License-Identifier: MIT
/*
 * file_resolve - what a path names, below the root of a session: see file_system.h. Nothing outside can be
 * named: the root's parent, and what begins with a slash, is answered with the rest of the path as
 * text.
 */
#include "lib/base/string.h"
#include "lib/server/file_system.h"

#define STEPS_UP_MAX 256u

struct cursor {
    const char *at, *end;
};

static mnos_status_t leave(struct file_walk *walk, enum file_rest_reason reason, struct cursor left)
{
    while (left.at < left.end && *left.at == '/')
        left.at++;
    walk->reason = reason;
    walk->rest = left.at;
    walk->rest_bytes = (uint32_t)(left.end - left.at);
    return MNOS_ERR_REST;
}

/* Puts the text of a link before what is left of the path, at the end of the walk's own buffer. */
static mnos_status_t expand(struct file_system *system, struct file_walk *walk, uint32_t link,
                            struct cursor *left)
{
    uint32_t bytes, rest = (uint32_t)(left->end - left->at);
    char *end = walk->text + sizeof walk->text;
    mnos_status_t status;

    if (++walk->links > FILE_LINKS_FOLLOWED_MAX)
        return MNOS_ERR_LINKS;
    /* What is left begins with the slash that ended the link's name, or is empty. The text is taken to the
     * front, which nothing uses once what is left stands at the end. */
    memmove(end - rest, left->at, rest);
    status = system->methods->link_text(system->fs, link, walk->text,
                                        (uint32_t)sizeof walk->text - rest, &bytes);
    if (status != MNOS_OK)
        return status;
    memmove(end - rest - bytes, walk->text, bytes);
    *left = (struct cursor){end - rest - bytes, end};
    return *left->at == '/' ? leave(walk, FILE_REST_ABSOLUTE, *left) : MNOS_OK;
}

mnos_status_t file_is_below(struct file_system *system, uint32_t root, uint32_t directory,
                            bool *below)
{
    *below = false;
    for (unsigned i = 0; i < STEPS_UP_MAX && directory != 0; i++) {
        mnos_status_t status;

        if (directory == root) {
            *below = true;
            break;
        }
        status = system->methods->parent(system->fs, directory, &directory);
        if (status != MNOS_OK)
            return status;
    }
    return MNOS_OK;
}

static mnos_status_t go_up(struct file_system *system, struct file_walk *walk, struct cursor left,
                           uint32_t *current)
{
    mnos_status_t status;
    bool below;

    if (*current == walk->root)
        return leave(walk, FILE_REST_PARENT, left);
    /* The directory where the path began may have been moved out of the session. */
    status = file_is_below(system, walk->root, *current, &below);
    if (status != MNOS_OK)
        return status;
    return below ? system->methods->parent(system->fs, *current, current) : MNOS_ERR_DENIED;
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

static inline bool only_slashes(struct cursor left)
{
    while (left.at < left.end && *left.at == '/')
        left.at++;
    return left.at == left.end;
}

/* What the place in walk->place names: goes on behind a link, or is *done. */
static mnos_status_t arrive(struct file_system *system, struct file_walk *walk, bool last,
                            struct cursor *left, uint32_t *current, bool *done)
{
    struct file_place *place = &walk->place;

    if (place->inode != 0 && place->type == FILE_TYPE_NONE) {
        mnos_status_t status = system->methods->type(system->fs, place->inode, &place->type);

        if (status != MNOS_OK)
            return status;
    }
    if (place->type == FILE_TYPE_SYMLINK && !(last && walk->no_follow && !place->must_be_directory))
        return expand(system, walk, place->inode, left);
    if (place->type != FILE_TYPE_DIRECTORY && place->inode != 0 &&
        (!last || place->must_be_directory))
        return MNOS_ERR_NOT_DIRECTORY;
    *current = place->inode;
    *done = last;
    return MNOS_OK;
}

/* One name in *current, which becomes what it names. */
static inline mnos_status_t enter(struct file_system *system, struct file_walk *walk,
                                  struct cursor name, struct cursor *left, uint32_t *current,
                                  bool *done)
{
    struct file_place *place = &walk->place;
    uint32_t bytes = (uint32_t)(name.end - name.at);
    bool last = only_slashes(*left);
    mnos_status_t status;

    if (bytes > FILE_NAME_BYTES_MAX)
        return MNOS_ERR_SIZE;
    place->directory = *current;
    place->inode = 0;
    place->entry = 0;
    place->bytes = bytes;
    place->type = FILE_TYPE_NONE;
    place->must_be_directory = last && left->at != left->end;
    place->text = name.at;
    status = system->methods->look(system->fs, place);
    if (status != MNOS_OK)
        return status;
    if (place->inode == 0 && !last)
        return MNOS_ERR_NOT_FOUND;
    return arrive(system, walk, last, left, current, done);
}

static bool is_dots(struct cursor name, unsigned count)
{
    return name.end - name.at == count && name.at[0] == '.' && name.at[count - 1] == '.';
}

mnos_status_t file_resolve(struct file_system *system, struct file_walk *walk, const char *path,
                           uint32_t bytes)
{
    struct cursor left = {path, path + bytes}, name;
    uint32_t current = walk->start;
    enum file_type type = walk->start_type;
    mnos_status_t status = MNOS_OK;
    bool done = false;

    walk->links = 0;
    if (bytes > FILE_PATH_BYTES_MAX)
        return MNOS_ERR_SIZE;
    if (bytes != 0 && path[0] == '/')
        return leave(walk, FILE_REST_ABSOLUTE, left);
    if (type == FILE_TYPE_NONE)
        status = system->methods->type(system->fs, current, &type);
    if (status != MNOS_OK)
        return status;
    while (!done && next_component(&left, &name)) {
        /* Ends: each round takes a component, and at most 40 links add some. What is not the last is a
         * directory, or arrive() has said so; only where the path begins may be a file. */
        if (type != FILE_TYPE_DIRECTORY)
            return MNOS_ERR_NOT_DIRECTORY;
        if (name.at[0] == '.' && is_dots(name, 1))
            continue;
        if (name.at[0] == '.' && is_dots(name, 2))
            status = go_up(system, walk, left, &current);
        else
            status = enter(system, walk, name, &left, &current, &done);
        if (status != MNOS_OK)
            return status;
    }
    if (!done) /* what is not where the path began is a directory, too */
        walk->place = (struct file_place){.inode = current, .type = type};
    return MNOS_OK;
}
