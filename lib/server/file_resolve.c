// SPDX-License-Identifier: MIT
/*
 * file_resolve - what a path names, below the root of a session: see file_system.h. Nothing outside can be
 * named: the root's parent, and what begins with a slash, is answered with the rest of the path as
 * text.
 */
#include "lib/base/string.h"
#include "lib/server/file_resolve.h"

#define STEPS_UP_MAX 256u

mnos_status_t file_resolve_leave(struct file_walk *walk, enum file_rest_reason reason,
                                 struct file_cursor left)
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
                            struct file_cursor *left)
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
    *left = (struct file_cursor){end - rest - bytes, end};
    return *left->at == '/' ? file_resolve_leave(walk, FILE_REST_ABSOLUTE, *left) : MNOS_OK;
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

static mnos_status_t go_up(struct file_system *system, struct file_walk *walk,
                           struct file_cursor left, uint32_t *current)
{
    mnos_status_t status;
    bool below;

    if (*current == walk->root)
        return file_resolve_leave(walk, FILE_REST_PARENT, left);
    /* The directory where the path began may have been moved out of the session. */
    status = file_is_below(system, walk->root, *current, &below);
    if (status != MNOS_OK)
        return status;
    return below ? system->methods->parent(system->fs, *current, current) : MNOS_ERR_DENIED;
}

/* The place in walk->place is not what most components lead to: goes on behind a link, or in what is *current then, or
 * is *done. */
static mnos_status_t arrive(struct file_system *system, struct file_walk *walk, bool last,
                            struct file_cursor *left, uint32_t *current, bool *done)
{
    struct file_place *place = &walk->place;

    if (place->inode == 0 && !last)
        return MNOS_ERR_NOT_FOUND;
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

mnos_status_t file_resolve_rare(struct file_system *system, struct file_walk *walk,
                                struct file_cursor *left, uint32_t *current, bool *done)
{
    const char *text = walk->place.text;
    struct file_component name = {text, left->at,
                                  text_word(text, walk->place.bytes < 8 ? walk->place.bytes : 8)};
    bool last = file_skip_slashes(left->at, left->end) == left->end;

    if (file_is_dots(&name, 1))
        return MNOS_OK;
    if (file_is_dots(&name, 2))
        return go_up(system, walk, *left, current);
    walk->place.must_be_directory = last && left->at != left->end;
    return arrive(system, walk, last, left, current, done);
}

mnos_status_t file_resolve(struct file_system *system, struct file_walk *walk, const char *path,
                           uint32_t bytes)
{
    return file_resolve_in_place(system, walk, path, bytes);
}
