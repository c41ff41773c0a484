// SPDX-License-Identifier: MIT
/*
 * path.h - paths as the program names them: absolute, through links, across what is mounted where. Host tests compile it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PATH_LINKS_MAX 40u

/* What a path without links and dots names, for path_walk(). */
enum path_kind { PATH_NOTHING, PATH_LINK, PATH_DIRECTORY, PATH_OTHER };

struct path_world {
    /* enum path_kind, or a negative error; of a link also its text, which has a NUL and is shorter than `size`. */
    int64_t (*look)(const char *path, char *text, size_t size);
};

/* `base`, which is absolute, and `path` in one, without `.` and double slashes; a slash at the end is kept off, and
 * *directory says that there was one, or a dot. -ENAMETOOLONG: it does not fit. */
int64_t path_join(const char *base, const char *path, char *out, size_t size, bool *directory);
bool path_has_parent(const char *path); /* a component is `..` */
/* Follows links and `..`: `out` is what is meant, with no link in it but, without `follow_last`, the last. What is named
 * last need not be there. */
int64_t path_walk(const struct path_world *world, const char *path, bool follow_last, char *out,
                  size_t size);
/* What of `path` is below `prefix`, without a slash before it, "" for itself; NULL: it is not. */
const char *path_below(const char *path, const char *prefix);
/* Where the last component begins; of "/" behind it. */
const char *path_last(const char *path);
