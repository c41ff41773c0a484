// SPDX-License-Identifier: MIT
/* test_url - addresses of pages: their parts, and what is none. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "lib/format/net/url.h"

static struct url url;

TEST(url, the_parts_are_found)
{
    char name[16];

    CHECK_EQ(url_read("http://Example.org", &url), URL_OK);
    CHECK_STR_EQ(url.host, "example.org");
    CHECK(!url.is_address);
    CHECK_EQ(url.port, 80);
    CHECK_STR_EQ(url.target, "/");
    url_name(&url, name, sizeof name);
    CHECK_STR_EQ(name, "");
    CHECK_EQ(url_read("HTTP://10.0.2.2:8000/a/b%20c?d=/e#f", &url), URL_OK);
    CHECK(url.is_address);
    CHECK(ip_equal(url.address, IP_V4(0x0A000202)));
    CHECK_EQ(url.port, 8000);
    CHECK_STR_EQ(url.target, "/a/b%20c?d=/e");
    url_name(&url, name, sizeof name);
    CHECK_STR_EQ(name, "b%20c");
    url_name(&url, name, 3);
    CHECK_STR_EQ(name, "b%");
    CHECK_EQ(url_read("http://a.b?q", &url), URL_OK);
    CHECK_STR_EQ(url.target, "/?q");
}

TEST(url, an_address_of_ipv6_stands_in_brackets)
{
    CHECK_EQ(url_read("http://[2001:DB8:0::1]:8000/a", &url), URL_OK);
    CHECK(url.is_address && ip_equal(url.address, (struct ip_address){0x20010DB800000000, 1}));
    CHECK_STR_EQ(url.host, "[2001:db8::1]");
    CHECK_EQ(url.port, 8000);
    CHECK_STR_EQ(url.target, "/a");
    CHECK_EQ(url_read("http://[fe80::1]", &url), URL_OK);
    CHECK_EQ(url.port, 80);
}

TEST(url, what_is_none_is_refused_with_the_reason)
{
    static const struct {
        const char *text;
        enum url_error error;
    } bad[] = {
        {"", URL_SCHEME},
        {"example.org", URL_SCHEME},
        {"https://example.org", URL_SCHEME},
        {"http:/example.org", URL_SCHEME},
        {"http://", URL_HOST},
        {"http://:80", URL_HOST},
        {"http:///a", URL_HOST},
        {"http://a..b/", URL_HOST},
        {"http://[::1/", URL_HOST},
        {"http://::1/", URL_HOST},
        {"http://[]/", URL_HOST},
        {"http://[10.0.2.2]/", URL_HOST},
        {"http://[::1]x/", URL_HOST},
        {"http://[::1]:0/", URL_PORT},
        {"http://me@a.b/", URL_USER},
        {"http://me:word@a.b/", URL_USER},
        {"http://a.b:/", URL_PORT},
        {"http://a.b:0/", URL_PORT},
        {"http://a.b:65536/", URL_PORT},
        {"http://a.b:80:80/", URL_PORT},
        {"http://a.b:8x/", URL_PORT},
        {"http://a.b/a b", URL_TARGET},
        {"http://a.b/\r\nHost: c", URL_TARGET},
        {"http://a.b/\xC3\xA4", URL_TARGET},
    };
    char text[URL_TARGET_BYTES + 32];

    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_EQ(url_read(bad[i].text, &url), bad[i].error);
    (void)snprintf(text, sizeof text, "http://a.b/%0*d", (int)URL_TARGET_BYTES - 2, 0);
    CHECK_EQ(url_read(text, &url), URL_OK);
    (void)snprintf(text, sizeof text, "http://a.b/%0*d", (int)URL_TARGET_BYTES - 1, 0);
    CHECK_EQ(url_read(text, &url), URL_TARGET);
    (void)snprintf(text, sizeof text, "http://%0*d/", 300, 0);
    CHECK_EQ(url_read(text, &url), URL_HOST);
}
