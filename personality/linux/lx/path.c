// SPDX-License-Identifier: MIT
/* path - see path.h. */
#include "personality/linux/lx/path.h"

#include "lib/base/string.h"
#include "personality/linux/lx/errno.h"
#include "personality/linux/lx/scratch.h"

#define TEXT_BYTES 4096u

static size_t component_bytes(const char *path)
{
    size_t bytes = 0;

    while (path[bytes] != 0 && path[bytes] != '/')
        bytes++;
    return bytes;
}

static bool is_dots(const char *component, size_t bytes, size_t dots)
{
    return bytes == dots && component[0] == '.' && component[dots - 1] == '.';
}

static const char *skip_slashes(const char *path)
{
    while (*path == '/')
        path++;
    return path;
}

/* A slash and the component behind `length` bytes of `out`. */
static bool add(char *out, size_t size, size_t *length, const char *component, size_t bytes)
{
    if (bytes + 2 > size - *length)
        return false;
    out[*length] = '/';
    memcpy(out + *length + 1, component, bytes);
    *length += bytes + 1;
    out[*length] = 0;
    return true;
}

int64_t path_join(const char *base, const char *path, char *out, size_t size, bool *directory)
{
    const char *parts[2] = {path[0] == '/' ? "" : base, path};
    size_t length = 0;

    *directory = false;
    out[0] = 0;
    for (unsigned i = 0; i < 2; i++) {
        for (const char *at = skip_slashes(parts[i]); *at != 0; at = skip_slashes(at)) {
            size_t bytes = component_bytes(at);

            *directory =
                i == 1 && (at[bytes] == '/' || is_dots(at, bytes, 1) || is_dots(at, bytes, 2));
            if (!is_dots(at, bytes, 1) && !add(out, size, &length, at, bytes))
                return -LX_ENAMETOOLONG;
            at += bytes;
        }
    }
    if (length == 0)
        string_copy(out, "/", size);
    return 0;
}

bool path_has_parent(const char *path)
{
    for (const char *at = skip_slashes(path); *at != 0; at = skip_slashes(at)) {
        size_t bytes = component_bytes(at);

        if (is_dots(at, bytes, 2))
            return true;
        at += bytes;
    }
    return false;
}

const char *path_below(const char *path, const char *prefix)
{
    size_t bytes = strlen(prefix);

    if (bytes == 1) /* "/" */
        return path + 1;
    if (strncmp(path, prefix, bytes) != 0 || (path[bytes] != 0 && path[bytes] != '/'))
        return NULL;
    return path[bytes] == '/' ? path + bytes + 1 : path + bytes;
}

const char *path_last(const char *path)
{
    const char *last = path;

    for (const char *at = path; *at != 0; at++) {
        if (*at == '/')
            last = at + 1;
    }
    return last;
}

/* ---- Walking ---- */

struct walk {
    const struct path_world *world;
    char *out;
    size_t size, length;
    char rest[TEXT_BYTES], text[TEXT_BYTES];
    uint32_t links;
};

/* `..`: of what is a directory. */
static int64_t go_up(struct walk *walk)
{
    int64_t kind = walk->length == 0 ? PATH_DIRECTORY
                                     : walk->world->look(walk->out, walk->text, sizeof walk->text);

    if (kind < 0)
        return kind;
    if (kind != PATH_DIRECTORY)
        return kind == PATH_NOTHING ? -LX_ENOENT : -LX_ENOTDIR;
    while (walk->length > 0 && walk->out[--walk->length] != '/')
        ;
    walk->out[walk->length] = 0;
    return 0;
}

/* The text of a link, and what was to follow it, is the rest of the path. */
static int64_t follow(struct walk *walk, const char *rest, size_t before)
{
    size_t text = strlen(walk->text), behind = strlen(rest);

    if (++walk->links > PATH_LINKS_MAX)
        return -LX_ELOOP;
    if (text + 1 + behind + 1 > sizeof walk->rest)
        return -LX_ENAMETOOLONG;
    memmove(walk->rest + text + 1, rest, behind + 1);
    memcpy(walk->rest, walk->text, text);
    walk->rest[text] = '/';
    walk->length = walk->text[0] == '/' ? 0 : before;
    walk->out[walk->length] = 0;
    return 0;
}

/* One component, at `at`; what follows it is at `rest`. 1: a link was followed, and walk->rest is what is left. */
static int64_t step(struct walk *walk, const char *at, size_t bytes, const char *rest,
                    bool follow_it)
{
    size_t before = walk->length;
    int64_t kind, result;

    if (is_dots(at, bytes, 1))
        return 0;
    if (is_dots(at, bytes, 2))
        return go_up(walk);
    if (bytes > 255 || !add(walk->out, walk->size, &walk->length, at, bytes))
        return -LX_ENAMETOOLONG;
    if (*rest == 0 && !follow_it)
        return 0;
    kind = walk->world->look(walk->out, walk->text, sizeof walk->text);
    if (kind < 0)
        return kind;
    if (kind == PATH_LINK) {
        result = follow(walk, rest, before);
        return result == 0 ? 1 : result;
    }
    if (*rest != 0 && kind != PATH_DIRECTORY)
        return kind == PATH_NOTHING ? -LX_ENOENT : -LX_ENOTDIR;
    return 0;
}

int64_t path_walk(const struct path_world *world, const char *path, bool follow_last, char *out,
                  size_t size)
{
    static struct walk walk LX_SCRATCH; /* one thread is in lx at a time */
    const char *at;

    walk = (struct walk){.world = world, .out = out, .size = size};
    out[0] = 0;
    if (string_copy(walk.rest, path, sizeof walk.rest) >= sizeof walk.rest)
        return -LX_ENAMETOOLONG;
    for (at = skip_slashes(walk.rest); *at != 0;) {
        size_t bytes = component_bytes(at);
        const char *rest = skip_slashes(at + bytes);
        int64_t result = step(&walk, at, bytes, rest, follow_last);

        if (result < 0)
            return result;
        at = result == 1 ? skip_slashes(walk.rest) : rest;
    }
    if (walk.length == 0)
        string_copy(out, "/", size);
    return 0;
}
