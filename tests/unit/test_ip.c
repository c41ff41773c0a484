// SPDX-License-Identifier: MIT
/* test_ip - addresses of both families as people write them: lib/format/net/ip.c. */
#include "lib/format/net/ip.h"

#include <string.h>

#include "tests/unit/unit.h"

static const struct {
    const char *text;
    struct ip_address address;
    const char *written; /* NULL: as `text` */
} examples[] = {
    {"10.0.2.15", {0, 0xFFFF0A00020F}, NULL},
    {"::", {0, 0}, NULL},
    {"::1", {0, 1}, NULL},
    {"1::", {0x0001000000000000, 0}, NULL},
    {"2001:db8::1", {0x20010DB800000000, 1}, NULL},
    {"2001:DB8:0:0:0:0:0:1", {0x20010DB800000000, 1}, "2001:db8::1"},
    {"2001:db8:0:1:1:1:1:1", {0x20010DB800000001, 0x0001000100010001}, NULL},
    {"2001:0:0:1::1", {0x2001000000000001, 1}, "2001:0:0:1::1"},
    {"2001:0:0:1:0:0:0:1", {0x2001000000000001, 1}, "2001:0:0:1::1"},
    {"2001:db8:0:0:1::1", {0x20010DB800000000, 0x0001000000000001}, "2001:db8::1:0:0:1"},
    {"fe80::5054:ff:fe12:3456", {0xFE80000000000000, 0x505400FFFE123456}, NULL},
    {"::ffff:10.0.2.15", {0, 0xFFFF0A00020F}, "10.0.2.15"},
    {"::ffff:a00:20f", {0, 0xFFFF0A00020F}, "10.0.2.15"},
    {"64:ff9b::10.0.2.15", {0x0064FF9B00000000, 0x0A00020F}, "64:ff9b::a00:20f"},
    {"1:2:3:4:5:6:7::", {0x0001000200030004, 0x0005000600070000}, "1:2:3:4:5:6:7:0"},
    {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", {UINT64_MAX, UINT64_MAX}, NULL},
    {"1:2:3:4:5:6:1.2.3.4", {0x0001000200030004, 0x0005000601020304}, "1:2:3:4:5:6:102:304"},
};

TEST(ip, an_address_is_read_and_written_as_the_standard_says)
{
    for (unsigned i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        const char *at = examples[i].text;
        struct ip_address address;
        char text[IP_TEXT_BYTES];

        CHECK(ip_read(&at, &address));
        CHECK(*at == 0);
        CHECK(ip_equal(address, examples[i].address));
        (void)ip_text(text, address);
        CHECK(strcmp(text, examples[i].written != NULL ? examples[i].written : examples[i].text) ==
              0);
    }
}

TEST(ip, what_is_no_address_is_none)
{
    static const char *const wrong[] = {"",        ":",           ":1",
                                        "1",       "1:",          "1:2:3:4:5:6:7",
                                        ":::",     "1:::2",       "::1:",
                                        "12345::", "::12345",     "g::",
                                        "1::2::3", "1.2.3",       "1:2:3:4:5:6:7:8:9",
                                        "::1.2.3", "::1.2.3.256", "1:2:3:4:5:6:7:1.2.3.4"};

    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const char *at = wrong[i];
        struct ip_address address;

        CHECK(!ip_read(&at, &address) || *at != 0);
    }
}

TEST(ip, a_network_is_from_its_first_address_to_its_last)
{
    static const struct {
        const char *text;
        struct ip_address first, last;
    } networks[] = {
        {"10.0.0.0/8", {0, 0xFFFF0A000000}, {0, 0xFFFF0AFFFFFF}},
        {"10.0.2.2", {0, 0xFFFF0A000202}, {0, 0xFFFF0A000202}},
        {"0.0.0.0/0", {0, 0xFFFF00000000}, {0, 0xFFFFFFFFFFFF}},
        {"[2001:db8::]/32", {0x20010DB800000000, 0}, {0x20010DB8FFFFFFFF, UINT64_MAX}},
        {"[::]/0", {0, 0}, {UINT64_MAX, UINT64_MAX}},
        {"[fe80::]/64", {0xFE80000000000000, 0}, {0xFE80000000000000, UINT64_MAX}},
        {"[::1]", {0, 1}, {0, 1}},
        {"[::ffff:10.0.0.0]/104", {0, 0xFFFF0A000000}, {0, 0xFFFF0AFFFFFF}},
    };
    static const char *const wrong[] = {
        "10.0.0.1/8",   "10.0.0.0/33",    "[2001:db8::1]/32", "2001:db8::",
        "[10.0.0.0]/8", "[2001:db8::/32", "[::]/129",         "[]"};

    for (unsigned i = 0; i < sizeof networks / sizeof networks[0]; i++) {
        const char *at = networks[i].text;
        struct ip_address first, last;

        CHECK(ip_read_network(&at, &first, &last));
        CHECK(*at == 0 && ip_equal(first, networks[i].first) && ip_equal(last, networks[i].last));
    }
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const char *at = wrong[i];
        struct ip_address first, last;

        CHECK(!ip_read_network(&at, &first, &last));
    }
}

TEST(ip, a_port_stands_behind_an_address_or_does_not)
{
    static const char *const none[] = {":", ":0", ":65536", ":x", ":-1", ": 1"};
    uint32_t port = 53;
    const char *at = " next";

    CHECK(ip_read_port(&at, &port));
    CHECK_EQ(port, 53);
    CHECK_EQ(strcmp(at, " next"), 0);
    at = ":65535 next";
    CHECK(ip_read_port(&at, &port));
    CHECK_EQ(port, 65535);
    CHECK_EQ(strcmp(at, " next"), 0);
    for (unsigned i = 0; i < sizeof none / sizeof none[0]; i++) {
        at = none[i];
        CHECK(!ip_read_port(&at, &port));
    }
}
