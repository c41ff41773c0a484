// SPDX-License-Identifier: MIT
/* url - see url.h; RFC 3986 as far as http needs it. */
#include "lib/format/net/url.h"

#include "lib/base/string.h"
#include "lib/base/printf.h"
#include "lib/format/net/ip.h"
#include "lib/format/net/ipv4.h"

static const char scheme[] = "http://";

const char *url_error_text(enum url_error error)
{
    switch (error) {
    case URL_OK: return "it can be";
    case URL_SCHEME: return "it does not begin with http://, and nothing else can be fetched";
    case URL_USER: return "it has the name of a user in it, which would be sent to nobody";
    case URL_HOST: return "it has neither a name of a host nor an address behind http://";
    case URL_PORT: return "its port is no number from 1 to 65535";
    case URL_TARGET:
        return "its path is too long, or has a character that has to be written as %XX";
    }
    return "?";
}

static bool has_scheme(const char *text)
{
    for (unsigned i = 0; scheme[i] != 0; i++)
        if ((text[i] >= 'A' && text[i] <= 'Z' ? text[i] | 0x20 : text[i]) != scheme[i])
            return false;
    return true;
}

static bool ends_host(char c)
{
    return c == 0 || c == '/' || c == '?' || c == '#';
}

/* Behind the bracket: an address of IPv6, by its usual name, and the other bracket. */
static bool read_bracketed(const char *text, struct url *url)
{
    char address[IP_TEXT_BYTES];

    url->is_address =
        ip_read(&text, &url->address) && !ip_is_v4(url->address) && text[0] == ']' && text[1] == 0;
    if (url->is_address)
        mnos_snprintf(url->host, sizeof url->host, "[%s]", ip_text(address, url->address));
    return url->is_address;
}

static bool read_host(const char *text, size_t bytes, struct url *url)
{
    char host[DNS_NAME_BYTES + 1];
    const char *end = host;

    if (bytes >= sizeof host)
        return false;
    memcpy(host, text, bytes);
    host[bytes] = 0;
    if (host[0] == '[')
        return read_bracketed(host + 1, url);
    url->is_address = ip_read(&end, &url->address) && *end == 0;
    return dns_name_clean(host, url->host);
}

/* From the first / on, which is there even if nobody wrote it. */
static bool read_target(const char *text, struct url *url)
{
    size_t bytes = 0;

    if (*text != '/')
        url->target[bytes++] = '/';
    for (; *text != 0 && *text != '#'; text++) {
        if (*text <= ' ' || *text >= 0x7F || bytes == sizeof url->target - 1)
            return false;
        url->target[bytes++] = *text;
    }
    url->target[bytes] = 0;
    return true;
}

enum url_error url_read(const char *text, struct url *url)
{
    size_t host = 0, all = 0;
    uint32_t port = URL_HTTP_PORT;
    bool bracketed = false;

    *url = (struct url){0};
    if (!has_scheme(text))
        return URL_SCHEME;
    text += sizeof scheme - 1;
    while (!ends_host(text[all])) {
        if (text[all] == '@')
            return URL_USER;
        bracketed = text[all] == '[' || (bracketed && text[all] != ']');
        host += (text[all] != ':' || bracketed) && host == all;
        all++;
    }
    if (!read_host(text, host, url))
        return URL_HOST;
    if (host != all) {
        const char *number = text + host + 1;

        if (!ipv4_read_number(&number, UINT16_MAX, &port) || number != text + all || port == 0)
            return URL_PORT;
    }
    url->port = (uint16_t)port;
    return read_target(text + all, url) ? URL_OK : URL_TARGET;
}

void url_name(const struct url *url, char *name, unsigned size)
{
    const char *last = url->target, *end = url->target;
    size_t bytes;

    for (; *end != 0 && *end != '?'; end++)
        if (*end == '/')
            last = end + 1;
    bytes = (size_t)(end - last);
    bytes = bytes < size ? bytes : size - 1;
    memcpy(name, last, bytes);
    name[bytes] = 0;
}
