// SPDX-License-Identifier: MIT
/* url.h - addresses of pages, as people write them: http://HOST[:PORT][/PATH][?QUERY]. An address of IPv6 as the host stands in
 * brackets (RFC 3986, 3.2.2). Plain data. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/format/net/dns.h"

#define URL_TARGET_BYTES 1024u /* with its end */
#define URL_HTTP_PORT 80u

enum url_error {
    URL_OK,
    URL_SCHEME, /* not http:// */
    URL_USER,   /* it has a user's name in it, which is sent to nobody */
    URL_HOST,   /* neither a name of a host nor an address */
    URL_PORT,
    URL_TARGET, /* too long, or a character in it has to be written as % and two digits */
};

struct url {
    bool is_address;
    struct ip_address address;
    char host[DNS_NAME_BYTES]; /* a clean name; or the address, of IPv6 in its brackets */
    uint16_t port;
    char target
        [URL_TARGET_BYTES]; /* what the server is asked for: from the first / on, without # and what follows */
};

enum url_error url_read(const char *text, struct url *url);
/* For people. */
const char *url_error_text(enum url_error error);
/* The last part of the path: what a file with it is to be called. Empty: it ends with a slash. */
void url_name(const struct url *url, char *name, unsigned size);
