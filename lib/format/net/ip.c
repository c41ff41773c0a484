// SPDX-License-Identifier: MIT
/* ip - see ip.h. */
#include "lib/format/net/ip.h"

#include <stddef.h>

#include "lib/base/printf.h"
#include "lib/format/net/ipv4.h"

#define GROUPS 8u

/* ---- Reading ---- */

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One to four hexadecimal digits. */
static bool read_group(const char **text, uint16_t *group)
{
    uint32_t value = 0, digits = 0;

    for (; digit_of(**text) >= 0 && digits < 4; (*text)++, digits++)
        value = value << 4 | (uint32_t)digit_of(**text);
    *group = (uint16_t)value;
    return digits != 0 && digit_of(**text) < 0;
}

/* The last two groups may be written as an address of IPv4. True: they are, and *text is behind them. */
static bool read_mapped(const char **text, uint16_t groups[2])
{
    const char *at = *text;
    uint32_t address;

    if (!ipv4_read(&at, &address))
        return false;
    groups[0] = (uint16_t)(address >> 16);
    groups[1] = (uint16_t)address;
    *text = at;
    return true;
}

/* Groups with colons between, up to `room` of them, or to what is none. False: one is wrong. */
static bool read_groups(const char **text, uint16_t *groups, uint32_t room, uint32_t *count)
{
    for (*count = 0; *count < room;) {
        if (*count + 2 <= room && read_mapped(text, groups + *count)) {
            *count += 2;
            return true; /* nothing is behind it */
        }
        if (!read_group(text, &groups[*count]))
            return false;
        (*count)++;
        if ((*text)[0] != ':' || (*text)[1] == ':')
            return true;
        if (*count != room)
            (*text)++;
    }
    return true;
}

static bool read_v6(const char **text, struct ip_address *address)
{
    uint16_t groups[GROUPS] = {0}, behind[GROUPS];
    uint32_t front = 0, count = 0;

    if ((*text)[0] != ':' && !read_groups(text, groups, GROUPS, &front))
        return false;
    if ((*text)[0] == ':' && (*text)[1] == ':' && front < GROUPS) {
        *text += 2;
        if (digit_of(**text) >= 0 && !read_groups(text, behind, GROUPS - 1 - front, &count))
            return false;
        for (uint32_t i = 0; i < count; i++)
            groups[GROUPS - count + i] = behind[i];
    } else if (front != GROUPS) {
        return false;
    }
    *address = IP_NONE;
    for (uint32_t i = 0; i < GROUPS / 2; i++) {
        address->high = address->high << 16 | groups[i];
        address->low = address->low << 16 | groups[GROUPS / 2 + i];
    }
    return true;
}

bool ip_read(const char **text, struct ip_address *address)
{
    const char *at = *text;
    uint32_t number;

    if (ipv4_read(&at, &number)) {
        *text = at;
        *address = IP_V4(number);
        return true;
    }
    return read_v6(text, address);
}

/* ---- Networks ---- */

/* The bits behind a prefix of so many. */
static struct ip_address behind(uint32_t prefix)
{
    return (struct ip_address){prefix >= 64 ? 0 : UINT64_MAX >> prefix,
                               prefix == 128  ? 0
                               : prefix >= 64 ? UINT64_MAX >> (prefix - 64)
                                              : UINT64_MAX};
}

static bool read_bracketed(const char **text, struct ip_address *address)
{
    if (**text != '[')
        return ip_read(text, address) && ip_is_v4(*address);
    (*text)++;
    return read_v6(text, address) && *(*text)++ == ']';
}

bool ip_read_network(const char **text, struct ip_address *first, struct ip_address *last)
{
    bool bracketed = **text == '[';
    uint32_t most = bracketed ? 128 : 32, prefix = most;
    struct ip_address bits;

    if (!read_bracketed(text, first))
        return false;
    if (**text == '/') {
        (*text)++;
        if (!ipv4_read_number(text, most, &prefix))
            return false;
    }
    bits = behind(prefix + (128 - most));
    *last = (struct ip_address){first->high | bits.high, first->low | bits.low};
    return (first->high & bits.high) == 0 && (first->low & bits.low) == 0;
}

bool ip_read_port(const char **text, uint32_t *port)
{
    if (**text != ':')
        return true;
    (*text)++;
    return ipv4_read_number(text, UINT16_MAX, port) && *port != 0;
}

/* ---- Writing ---- */

/* The longest row of zeros, of two groups at least, the first of such; its length. */
static uint32_t longest_zeros(const uint16_t groups[GROUPS], uint32_t *first)
{
    uint32_t best = 1;

    for (uint32_t i = 0, run = 0; i < GROUPS; i++) {
        run = groups[i] == 0 ? run + 1 : 0;
        if (run > best) {
            best = run;
            *first = i + 1 - run;
        }
    }
    return best == 1 ? 0 : best;
}

const char *ip_text(char text[IP_TEXT_BYTES], struct ip_address address)
{
    uint16_t groups[GROUPS];
    uint32_t first = GROUPS, zeros, at = 0;

    if (ip_is_v4(address))
        return ipv4_text(text, ip_v4_of(address));
    for (uint32_t i = 0; i < GROUPS; i++)
        groups[i] = (uint16_t)((i < 4 ? address.high : address.low) >> (48 - i % 4 * 16));
    zeros = longest_zeros(groups, &first);
    text[0] = 0;
    for (uint32_t i = 0; i < GROUPS; i++) {
        if (i == first) {
            at += (uint32_t)mnos_snprintf(text + at, IP_TEXT_BYTES - at, "::");
            i += zeros - 1;
            continue;
        }
        at += (uint32_t)mnos_snprintf(text + at, IP_TEXT_BYTES - at, "%s%x",
                                      i == 0 || i == first + zeros ? "" : ":", groups[i]);
    }
    return text;
}
