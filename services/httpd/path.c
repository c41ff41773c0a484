// SPDX-License-Identifier: MIT
/* path - what the target of a request names: see request.h. Host tests compile this file as it is. */
#include "services/httpd/request.h"

#include "lib/base/string.h"

static int digit_of(char character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    character |= 0x20;
    return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

/* Behind `http://` and `https://` in letters of any size; NULL: it does not begin with them. */
static const char *behind_scheme(const char *target)
{
    static const char scheme[] = "http";

    for (size_t i = 0; scheme[i] != 0; i++, target++)
        if ((*target | 0x20) != scheme[i])
            return NULL;
    if ((*target | 0x20) == 's')
        target++;
    return strncmp(target, "://", 3) == 0 ? target + 3 : NULL;
}

const char *request_target_path(const char *target)
{
    const char *host;

    if (*target == '/')
        return target;
    host = target = behind_scheme(target);
    if (host == NULL)
        return NULL;
    while (*target != 0 && *target != '/' && *target != '?' && *target != '#')
        target++;
    return target == host ? NULL : target;
}

bool request_path(const char *target, char *path, size_t size)
{
    size_t at = 0;

    target = request_target_path(target);
    if (target == NULL)
        return false;
    if (*target == '/')
        target++;
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
