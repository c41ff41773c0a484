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

/* Sets the lowest of the eight bytes that are a slash, in its uppermost bit, and perhaps others above it. */
static inline uint64_t slashes_in(uint64_t word)
{
    static const uint64_t ones = 0x0101010101010101ull;

    word ^= ones * '/';
    return (word - ones) & ~word & ones << 7;
}

struct component {
    const char *at, *end;
    uint64_t word; /* of its first eight bytes: file_word() */
};

static inline const char *skip_slashes(const char *at, const char *end)
{
    while (at < end && *at == '/')
        at++;
    return at;
}

/* The component at `at`, where a character other than a slash is: up to the next one. */
static inline struct component component_at(const char *at, const char *end)
{
    struct component component = {.at = at};
    uint64_t left = (uint64_t)(end - at);
    uint64_t word = left >= 8 ? file_word(at, 8) : file_word(at, (uint32_t)left);
    uint64_t slash = slashes_in(word);

    if (slash != 0) {
        unsigned bits = (unsigned)__builtin_ctzll(slash) & ~7u;

        component.word = word & ((1ull << bits) - 1);
        component.end = at + bits / 8;
        return component;
    }
    component.word = word;
    if (left <= 8) {
        component.end = end;
        return component;
    }
    for (at += 8; at < end && *at != '/';)
        at++;
    component.end = at;
    return component;
}

/* Looks the component up in a directory; `behind` the slashes that follow it there is more, or the end. */
static inline mnos_status_t look(struct file_system *system, struct file_walk *walk,
                                 uint32_t directory, const struct component *name, const char *end,
                                 const char *behind)
{
    struct file_place *place = &walk->place;
    uint64_t bytes = (uint64_t)(name->end - name->at);

    if (bytes > FILE_NAME_BYTES_MAX)
        return MNOS_ERR_SIZE;
    place->directory = directory;
    place->inode = 0;
    place->entry = 0;
    place->bytes = (uint32_t)bytes;
    place->type = FILE_TYPE_NONE;
    place->must_be_directory = behind == end && name->end != end;
    place->text = name->at;
    place->word = name->word;
    return system->methods->look(system->fs, place);
}

/* The place in walk->place is not what most components lead to: goes on behind a link, or in what is *current then, or
 * is *done. */
static mnos_status_t arrive(struct file_system *system, struct file_walk *walk, bool last,
                            struct cursor *left, uint32_t *current, bool *done)
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

/* One or two, which is the whole component. */
static inline bool is_dots(const struct component *name, unsigned count)
{
    return name->end - name->at == count && name->word == (count == 1 ? '.' : '.' << 8 | '.');
}

/* What is rarer than names that lead on, or to a file at the end. */
static __attribute__((noinline)) mnos_status_t rare(struct file_system *system,
                                                    struct file_walk *walk,
                                                    const struct component *name,
                                                    struct cursor *left, uint32_t *current,
                                                    bool *done)
{
    if (is_dots(name, 1))
        return MNOS_OK;
    if (is_dots(name, 2))
        return go_up(system, walk, *left, current);
    return arrive(system, walk, skip_slashes(left->at, left->end) == left->end, left, current,
                  done);
}

/* Whether a path can begin where it does; *type is that of the inode there. */
static inline mnos_status_t begin(struct file_system *system, struct file_walk *walk,
                                  struct cursor path, enum file_type *type)
{
    walk->links = 0;
    if (path.end - path.at > FILE_PATH_BYTES_MAX)
        return MNOS_ERR_SIZE;
    if (path.at != path.end && *path.at == '/')
        return leave(walk, FILE_REST_ABSOLUTE, path);
    *type = walk->start_type;
    if (*type == FILE_TYPE_NONE) {
        mnos_status_t status = system->methods->type(system->fs, walk->start, type);

        if (status != MNOS_OK)
            return status;
    }
    return path.at != path.end && *type != FILE_TYPE_DIRECTORY ? MNOS_ERR_NOT_DIRECTORY : MNOS_OK;
}

mnos_status_t file_resolve(struct file_system *system, struct file_walk *walk, const char *path,
                           uint32_t bytes)
{
    const char *at = path, *end = path + bytes;
    uint32_t current = walk->start;
    enum file_type type;
    mnos_status_t status = begin(system, walk, (struct cursor){path, path + bytes}, &type);

    if (__builtin_expect(status != MNOS_OK, 0))
        return status;
    /* Ends: each round takes a component, and at most 40 links add some. Each begins in a directory: what begin() and
     * arrive() have seen to. */
    while (at != end) {
        struct component name = component_at(at, end), other;
        const char *behind = skip_slashes(name.end, end);
        struct cursor left;
        uint32_t next;
        bool done;

        if (*at != '.' || !(is_dots(&name, 1) || is_dots(&name, 2))) {
            status = look(system, walk, current, &name, end, behind);
            if (__builtin_expect(status != MNOS_OK, 0))
                return status;
            if (walk->place.type == FILE_TYPE_FILE && name.end == end)
                return MNOS_OK;
            if (walk->place.type == FILE_TYPE_DIRECTORY) {
                if (behind == end)
                    return MNOS_OK;
                current = walk->place.inode;
                at = behind;
                continue;
            }
        }
        /* By copies, so that what most rounds use can stay in registers. */
        other = name;
        left = (struct cursor){name.end, end};
        next = current;
        done = false;
        status = rare(system, walk, &other, &left, &next, &done);
        if (status != MNOS_OK || done)
            return status;
        current = next;
        end = left.end;
        at = skip_slashes(left.at, end);
    }
    walk->place = (struct file_place){.inode = current, .type = type};
    return MNOS_OK;
}
