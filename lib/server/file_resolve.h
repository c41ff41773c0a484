// SPDX-License-Identifier: MIT
/*
 * file_resolve.h - file_resolve() in place, for the requests that are made most: a name that leads on, or to a file at the
 * end, takes no call but that of the file system. What is rarer is in file_resolve.c.
 */
#pragma once

#include "lib/server/file_system.h"

struct file_cursor {
    const char *at, *end;
};

struct file_component {
    const char *at, *end;
    uint64_t word; /* of its first eight bytes: text_word() */
};

/* The path, or what is left of it, leads out of the session: MNOS_ERR_REST. */
mnos_status_t file_resolve_leave(struct file_walk *walk, enum file_rest_reason reason,
                                 struct file_cursor left);
/* Goes on behind the component in walk->place, which does not simply lead on, in *left and *current; or is *done. */
mnos_status_t file_resolve_rare(struct file_system *system, struct file_walk *walk,
                                struct file_cursor *left, uint32_t *current, bool *done);

/* Sets the lowest of the eight bytes that are a slash, in its uppermost bit, and perhaps others above it. */
static inline uint64_t file_slashes_in(uint64_t word)
{
    static const uint64_t ones = 0x0101010101010101ull;

    word ^= ones * '/';
    return (word - ones) & ~word & ones << 7;
}

static inline const char *file_skip_slashes(const char *at, const char *end)
{
    while (at < end && *at == '/')
        at++;
    return at;
}

/* The component at `at`, where a character other than a slash is: up to the next one. */
static inline struct file_component file_component_at(const char *at, const char *end)
{
    struct file_component component = {.at = at};
    uint64_t left = (uint64_t)(end - at);
    uint64_t word = left >= 8 ? text_word(at, 8) : text_word(at, (uint32_t)left);
    uint64_t slash = file_slashes_in(word);

    if (slash != 0) {
        component.word = word & (slash ^ (slash - 1)) >> 8; /* the bytes below it */
        component.end = at + (unsigned)__builtin_ctzll(slash) / 8;
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

/* Where the next component begins; the end: there is none. */
static inline const char *file_behind(const struct file_component *name, const char *end)
{
    const char *behind = name->end;

    if (behind == end)
        return end;
    behind++; /* a slash has ended it, and more of them are rare */
    return behind != end && *behind == '/' ? file_skip_slashes(behind, end) : behind;
}

/* One or two, which is the whole component. */
static inline bool file_is_dots(const struct file_component *name, unsigned count)
{
    return name->end - name->at == count && name->word == (count == 1 ? '.' : '.' << 8 | '.');
}

/* Looks the component up in a directory. */
static inline mnos_status_t file_look(struct file_system *system, struct file_walk *walk,
                                      uint32_t directory, const struct file_component *name)
{
    struct file_place *place = &walk->place;
    uint64_t bytes = (uint64_t)(name->end - name->at);

    if (bytes > FILE_NAME_BYTES_MAX)
        return MNOS_ERR_SIZE;
    place->directory = directory;
    place->bytes = (uint32_t)bytes;
    place->text = name->at;
    place->word = name->word;
    return system->methods->look(system->fs, place);
}

/* Whether a path can begin where it does; *type is that of the inode there. */
static inline mnos_status_t file_resolve_begin(struct file_system *system, struct file_walk *walk,
                                               struct file_cursor path, enum file_type *type)
{
    walk->links = 0;
    walk->place.must_be_directory = false; /* until it ends with a slash */
    if (path.end - path.at > FILE_PATH_BYTES_MAX)
        return MNOS_ERR_SIZE;
    if (path.at != path.end && *path.at == '/')
        return file_resolve_leave(walk, FILE_REST_ABSOLUTE, path);
    *type = walk->start_type;
    if (*type == FILE_TYPE_NONE) {
        mnos_status_t status = system->methods->type(system->fs, walk->start, type);

        if (status != MNOS_OK)
            return status;
    }
    return path.at != path.end && *type != FILE_TYPE_DIRECTORY ? MNOS_ERR_NOT_DIRECTORY : MNOS_OK;
}

static inline __attribute__((always_inline)) mnos_status_t file_resolve_in_place(
    struct file_system *system, struct file_walk *walk, const char *path, uint32_t bytes)
{
    const char *at = path, *end = path + bytes;
    uint32_t current = walk->start;
    enum file_type type;
    mnos_status_t status = file_resolve_begin(system, walk, (struct file_cursor){at, end}, &type);

    if (__builtin_expect(status != MNOS_OK, 0))
        return status;
    /* Ends: each round takes a component, and at most 40 links add some. Each begins in a directory: what
     * file_resolve_begin() and file_resolve_rare() have seen to. */
    while (at != end) {
        struct file_component name = file_component_at(at, end);
        const char *behind = file_behind(&name, end);
        struct file_cursor left;
        uint32_t next;
        bool done;

        if (*at != '.' || !(file_is_dots(&name, 1) || file_is_dots(&name, 2))) {
            status = file_look(system, walk, current, &name);
            if (__builtin_expect(status != MNOS_OK, 0))
                return status;
            if (walk->place.type == FILE_TYPE_DIRECTORY) {
                current = walk->place.inode;
                at = behind;
                if (behind != end)
                    continue;
                walk->place.must_be_directory = name.end != end;
                return MNOS_OK;
            }
            if (name.end == end && (walk->place.type == FILE_TYPE_FILE || walk->place.inode == 0))
                return MNOS_OK;
        } else {
            walk->place.directory = current;
            walk->place.text = name.at;
            walk->place.bytes = (uint32_t)(name.end - name.at);
        }
        /* By what is in the place, so that nothing else has to be kept over the call of the file system. */
        left = (struct file_cursor){walk->place.text + walk->place.bytes, end};
        next = walk->place.directory;
        done = false;
        status = file_resolve_rare(system, walk, &left, &next, &done);
        if (status != MNOS_OK || done)
            return status;
        current = next;
        end = left.end;
        at = file_skip_slashes(left.at, end);
    }
    walk->place = (struct file_place){.inode = current, .type = type};
    return MNOS_OK;
}
