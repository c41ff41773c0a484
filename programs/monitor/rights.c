// SPDX-License-Identifier: MIT
/* rights - see rights.h. */
#include "programs/monitor/rights.h"

#include "protocols/file.h"

uint64_t rights_parse_frames(const char *text)
{
    uint64_t value = 0;

    for (; *text >= '0' && *text <= '9'; text++) {
        if (value > UINT32_MAX)
            return 0;
        value = value * 10 + (uint64_t)(*text - '0');
    }
    if (text[0] == 0 || text[1] != 0)
        return 0;
    switch (*text) {
    case 'K': return value / 4;
    case 'M': return value * 256;
    case 'G': return value * 262144;
    default: return 0;
    }
}

bool rights_parse_terminal(const char *text, unsigned *number)
{
    *number = text[0] >= '1' && text[0] <= '9' ? (unsigned)(text[0] - '0') : 0;
    return *number != 0 && text[1] == 0;
}

bool rights_parse(const char *text, uint32_t *rights, bool *delegate)
{
    *delegate = false;
    *rights = FILE_LOOKUP;
    for (; *text != 0; text++) {
        if (*text == 'r')
            *rights |= FILE_READ_RIGHT;
        else if (*text == 'w')
            *rights |= FILE_WRITE_RIGHT;
        else if (*text == 'c')
            *rights |= FILE_CREATE_RIGHT;
        else if (*text == 'g')
            *delegate = true;
        else
            return false;
    }
    return true;
}
