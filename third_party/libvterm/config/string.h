// SPDX-License-Identifier: MIT
/* string.h - for libvterm: lib/base has what it calls, but for strncpy(), with which it copies the head of a sequence. */
#pragma once

#include "lib/base/string.h"

static inline char *strncpy(char *to, const char *from, size_t count)
{
    size_t at = 0;

    for (; at < count && from[at] != 0; at++)
        to[at] = from[at];
    for (; at < count; at++)
        to[at] = 0;
    return to;
}
