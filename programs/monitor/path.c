// SPDX-License-Identifier: MIT
/* path - see path.h. */
#include "programs/monitor/path.h"

void path_make_plain(char *path)
{
    char *to = path;

    for (const char *at = path; *at != 0;) {
        const char *end;
        size_t bytes;

        while (*at == '/')
            at++;
        for (end = at; *end != 0 && *end != '/';)
            end++;
        bytes = (size_t)(end - at);
        if (bytes == 2 && at[0] == '.' && at[1] == '.') {
            while (to > path && *--to != '/')
                ;
        } else if (bytes != 0 && !(bytes == 1 && at[0] == '.')) {
            *to++ = '/';
            memmove(to, at, bytes);
            to += bytes;
        }
        at = end;
    }
    if (to == path)
        *to++ = '/';
    *to = 0;
}
