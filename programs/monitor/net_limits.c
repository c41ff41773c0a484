// SPDX-License-Identifier: MIT
/* net_limits - see net_limits.h. */
#include "programs/monitor/net_limits.h"

#include "lib/base/string.h"
#include "lib/format/net/dns.h"
#include "lib/format/net/ip.h"
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

#define LOOPBACK6 ((struct ip_address){0, 1})
#define ALL_V4_LAST IP_V4(UINT32_MAX)
#define ALL_V6_LAST ((struct ip_address){UINT64_MAX, UINT64_MAX})

static void put(struct socket_range *range, struct ip_address first, struct ip_address last)
{
    range->first = first;
    range->last = last;
}

/* 10.0.0.0/8 or [2001:db8::]/32; 0.0.0.0 or [::] alone is every address of its family. */
static bool read_network(const char **text, struct socket_range *range)
{
    if (!ip_read_network(text, &range->first, &range->last))
        return false;
    if (ip_is_any(range->last))
        range->last = ip_is_v4(range->first) ? ALL_V4_LAST : ALL_V6_LAST;
    return true;
}

/* Addresses of one range, or of two: one of each family. 0: they are none. */
static uint32_t read_addresses(const char **text, struct socket_range ranges[2])
{
    if (take(text, "*")) {
        put(&ranges[0], IP_V4(0), ALL_V4_LAST);
        put(&ranges[1], IP_NONE, ALL_V6_LAST);
        return 2;
    }
    if (take(text, "loopback")) {
        put(&ranges[0], IP_V4(0x7F000000), IP_V4(0x7FFFFFFF));
        put(&ranges[1], LOOPBACK6, LOOPBACK6);
        return 2;
    }
    if (take(text, "self")) {
        put(&ranges[0], IP_NONE, ALL_V6_LAST);
        ranges[0].flags = SOCKET_RANGE_OWN;
        return 1;
    }
    return read_network(text, &ranges[0]) ? 1 : 0;
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

/* ADDRESS:PORT, and /tcp or /udp behind it: how many ranges it is; 0: none. */
static uint32_t read_range(const char *text, struct socket_range ranges[2])
{
    uint32_t count;

    ranges[0] = (struct socket_range){.protocols = SOCKET_TCP};
    ranges[1] = ranges[0];
    count = read_addresses(&text, ranges);
    if (count == 0 || !take(&text, ":") || !read_ports(&text, &ranges[0]))
        return 0;
    if (take(&text, "/udp"))
        ranges[0].protocols = SOCKET_UDP;
    else
        (void)take(&text, "/tcp");
    ranges[1].protocols = ranges[0].protocols;
    ranges[1].first_port = ranges[0].first_port;
    ranges[1].last_port = ranges[0].last_port;
    return *text == 0 ? count : 0;
}

static bool add_range(const char *text, const char *word, struct socket_range *ranges,
                      const char **words, uint32_t *count)
{
    struct socket_range read[2];
    uint32_t more = read_range(text, read);

    if (more == 0 || more > SOCKET_RANGES - *count)
        return false;
    for (uint32_t i = 0; i < more; i++) {
        ranges[*count] = read[i];
        words[(*count)++] = word;
    }
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
    else if (strcmp(word, "capture") == 0)
        limits->rights |= SOCKET_RIGHT_CAPTURE;
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
        limits->limits.sockets =
            limits->limits.listen_count + limits->limits.connect_count != 0 ? SOCKETS_USUAL : 0;
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
