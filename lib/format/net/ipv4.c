// SPDX-License-Identifier: MIT
/* ipv4 - see ipv4.h. */
#include "lib/format/net/ipv4.h"

#include "lib/base/printf.h"

bool ipv4_read_number(const char **text, uint32_t max, uint32_t *value)
{
    const char *at = *text;

    for (*value = 0; *at >= '0' && *at <= '9' && *value <= max; at++)
        *value = *value * 10 + (uint32_t)(*at - '0');
    if (at == *text || *value > max)
        return false;
    *text = at;
    return true;
}

bool ipv4_read(const char **text, uint32_t *address)
{
    uint32_t part;

    *address = 0;
    for (unsigned i = 0; i < 4; i++) {
        if ((i != 0 && *(*text)++ != '.') || !ipv4_read_number(text, 255, &part))
            return false;
        *address = *address << 8 | part;
    }
    return true;
}

const char *ipv4_text(char text[IPV4_TEXT_BYTES], uint32_t address)
{
    mnos_snprintf(text, IPV4_TEXT_BYTES, "%u.%u.%u.%u", address >> 24, address >> 16 & 255,
                  address >> 8 & 255, address & 255);
    return text;
}
