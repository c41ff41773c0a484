// SPDX-License-Identifier: MIT
/* net_limits - see net_limits.h. */
#include "programs/monitor/net_limits.h"

#include "lib/base/string.h"
#include "lib/format/net/dns.h"
#include "lib/format/net/ipv4.h"

/* Takes `word` off the beginning of *text, if it is there. */
static bool take(const char **text, const char *word)
{
    size_t bytes = strlen(word);

    if (strncmp(*text, word, bytes) != 0)
        return false;
    *text += bytes;
    return true;
}

/* 10.0.0.0, or 10.0.0.0/8, behind which no bits may be set. 0.0.0.0 alone is every address. */
static bool read_network(const char **text, struct socket_range *range)
{
    uint32_t address, prefix = 32, behind;

    if (!ipv4_read(text, &address))
        return false;
    if (take(text, "/") && !ipv4_read_number(text, 32, &prefix))
        return false;
    if (address == 0 && prefix == 32)
        prefix = 0;
    behind = prefix == 32 ? 0 : UINT32_MAX >> prefix;
    range->first = address;
    range->last = address | behind;
    return (address & behind) == 0;
}

static bool read_addresses(const char **text, struct socket_range *range)
{
    range->first = 0;
    range->last = UINT32_MAX;
    if (take(text, "*"))
        return true;
    if (take(text, "self")) {
        range->flags = SOCKET_RANGE_OWN;
        return true;
    }
    if (take(text, "loopback")) {
        range->first = 0x7F000000;
        range->last = 0x7FFFFFFF;
        return true;
    }
    return read_network(text, range);
}

static bool read_ports(const char **text, struct socket_range *range)
{
    uint32_t first = 1, last = UINT16_MAX;

    if (!take(text, "*")) {
        if (!ipv4_read_number(text, UINT16_MAX, &first))
            return false;
        last = first;
        if (take(text, "-") && !ipv4_read_number(text, UINT16_MAX, &last))
            return false;
    }
    range->first_port = (uint16_t)first;
    range->last_port = (uint16_t)last;
    return first != 0 && first <= last;
}

/* ADDRESS:PORT, and /tcp or /udp behind it. */
static bool read_range(const char *text, struct socket_range *range)
{
    *range = (struct socket_range){.protocols = SOCKET_TCP};
    if (!read_addresses(&text, range) || !take(&text, ":") || !read_ports(&text, range))
        return false;
    if (take(&text, "/udp"))
        range->protocols = SOCKET_UDP;
    else
        (void)take(&text, "/tcp");
    return *text == 0;
}

static bool add_range(const char *text, const char *word, struct socket_range *ranges,
                      const char **words, uint32_t *count)
{
    if (*count == SOCKET_RANGES || !read_range(text, &ranges[*count]))
        return false;
    words[(*count)++] = word;
    return true;
}

static bool add_name(const char *text, const char *word, struct net_limits *out)
{
    struct socket_limits *limits = &out->limits;
    char name[DNS_NAME_BYTES] = "*";

    if (limits->resolve_count == SOCKET_SUFFIXES ||
        (strcmp(text, "*") != 0 && !dns_name_clean(text, name)))
        return false;
    string_copy(limits->resolve[limits->resolve_count], name, SOCKET_NAME_BYTES);
    out->resolve[limits->resolve_count++] = word;
    return true;
}

static bool read_word(struct net_limits *out, const char *word)
{
    struct socket_limits *limits = &out->limits;
    const char *text = word;

    if (take(&text, "listen="))
        return add_range(text, word, limits->listen, out->listen, &limits->listen_count);
    if (take(&text, "connect="))
        return add_range(text, word, limits->connect, out->connect, &limits->connect_count);
    if (take(&text, "resolve="))
        return add_name(text, word, out);
    if (take(&text, "sockets="))
        return ipv4_read_number(&text, SOCKETS_OF_SESSION, &limits->sockets) && *text == 0;
    if (strcmp(word, "ping") == 0)
        limits->rights |= SOCKET_RIGHT_PING;
    else if (strcmp(word, "observe") == 0)
        limits->rights |= SOCKET_RIGHT_OBSERVE;
    else
        return false;
    return true;
}

bool net_limits_read(struct net_limits *limits, char *text, const char **wrong)
{
    *limits = (struct net_limits){.limits = {.sockets = UINT32_MAX}};
    while (text != NULL) {
        char *comma = strchr(text, ',');

        if (comma != NULL)
            *comma++ = 0;
        *wrong = text;
        if (!read_word(limits, text))
            return false;
        text = comma;
    }
    if (limits->limits.sockets == UINT32_MAX)
        limits->limits.sockets = limits->limits.listen_count + limits->limits.connect_count != 0
                                     ? SOCKETS_OF_SESSION
                                     : 0;
    return true;
}

const char *net_limits_word(const struct net_limits *limits, const struct socket_refusal *refusal)
{
    switch (refusal->limit) {
    case SOCKET_LIMIT_LISTEN:
        return refusal->index < limits->limits.listen_count ? limits->listen[refusal->index] : NULL;
    case SOCKET_LIMIT_CONNECT:
        return refusal->index < limits->limits.connect_count ? limits->connect[refusal->index]
                                                             : NULL;
    case SOCKET_LIMIT_RESOLVE:
        return refusal->index < limits->limits.resolve_count ? limits->resolve[refusal->index]
                                                             : NULL;
    default: return NULL;
    }
}
