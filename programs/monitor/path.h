// SPDX-License-Identifier: MIT
/* path.h - absolute paths as texts. Pure. */
#pragma once

#include "lib/base/string.h"

/* Takes `.`, `..` and double slashes out of an absolute path, as a person reads it: `..` is the directory that is
 * named before it. It becomes no longer. */
void path_make_plain(char *path);

/* Of plain paths. What follows `above` in a path that is it or below it, with its slash; empty: it is it; NULL: neither. */
static inline const char *path_rest(const char *path, const char *above)
{
    size_t bytes = strlen(above);

    if (bytes == 1) /* the root */
        return path[1] == 0 ? path + 1 : path;
    return strncmp(path, above, bytes) == 0 && (path[bytes] == 0 || path[bytes] == '/')
               ? path + bytes
               : NULL;
}
