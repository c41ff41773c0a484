// SPDX-License-Identifier: MIT
/* path - what the target of a request names: see request.h. Host tests compile this file as it is. */
#include "services/httpd/request.h"

static int digit_of(char character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    character |= 0x20;
    return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

bool request_path(const char *target, char *path, size_t size)
{
    size_t at = 0;

    if (*target++ != '/')
        return false;
    for (; *target != 0 && *target != '?' && *target != '#'; target++) {
        int byte = (uint8_t)*target;

        if (byte == '%') {
            int high = digit_of(target[1]), low = high < 0 ? -1 : digit_of(target[2]);

            if (low < 0)
                return false;
            byte = high << 4 | low;
            target += 2;
        }
        if (byte == 0 || at + 1 >= size)
            return false;
        path[at++] = (char)byte;
    }
    path[at] = 0;
    return true;
}
