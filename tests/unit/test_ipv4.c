// SPDX-License-Identifier: MIT
/* test_ipv4 - addresses as people write them: lib/format/net/ipv4.c. */
#include "lib/format/net/ipv4.h"

#include <string.h>

#include "tests/unit/unit.h"

TEST(ipv4, an_address_is_read_up_to_what_follows_it)
{
    const char *text = "10.0.2.15/24";
    uint32_t address, prefix;

    CHECK(ipv4_read(&text, &address));
    CHECK_EQ(address, 0x0A00020F);
    CHECK(strcmp(text, "/24") == 0);
    text++;
    CHECK(ipv4_read_number(&text, 32, &prefix));
    CHECK(prefix == 24 && *text == 0);
}

TEST(ipv4, what_is_no_address_is_none)
{
    static const char *const wrong[] = {"",
                                        ".",
                                        "1",
                                        "1.2.3",
                                        "1.2.3.",
                                        "256.0.0.1",
                                        "1.2.3.256",
                                        "1..2.3",
                                        " 1.2.3.4",
                                        "-1.2.3.4",
                                        "1.2.3.99999999999",
                                        "a.b.c.d"};

    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const char *text = wrong[i];
        uint32_t address;

        CHECK(!ipv4_read(&text, &address));
    }
}

TEST(ipv4, a_number_above_the_bound_is_refused_and_not_passed_over)
{
    const char *text = "4294967297", *at = text;
    uint32_t value;

    CHECK(!ipv4_read_number(&at, UINT32_MAX / 16, &value));
    CHECK(at == text);
    CHECK(!ipv4_read_number(&at, 100, &value));
    text = at = "100x";
    CHECK(ipv4_read_number(&at, 100, &value));
    CHECK(value == 100 && *at == 'x');
}

TEST(ipv4, text_is_read_back)
{
    static const uint32_t addresses[] = {0, UINT32_MAX, 0x7F000001, 0x0A000202};
    char text[IPV4_TEXT_BYTES];

    for (unsigned i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        const char *at = ipv4_text(text, addresses[i]);
        uint32_t address;

        CHECK(ipv4_read(&at, &address));
        CHECK(address == addresses[i] && *at == 0);
    }
}
