// SPDX-License-Identifier: MIT
/* stdlib.h - for lwIP: it reads the numbers of interfaces, which nobody asks it for. */
#pragma once

static inline int atoi(const char *text)
{
    int value = 0;

    while (*text >= '0' && *text <= '9')
        value = value * 10 + (*text++ - '0');
    return value;
}
