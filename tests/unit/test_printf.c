/* SPDX-License-Identifier: MIT */
/* test_printf.c - formatted text. */
#include "lib/base/printf.h"

#include <stdint.h>

#include "tests/unit/unit.h"

static char out[64];

#define FORMAT(...) (mnos_snprintf(out, sizeof(out), __VA_ARGS__), out)

TEST(printf, numbers)
{
    CHECK_STR_EQ(FORMAT("%d %i %u", -1, 0, 42u), "-1 0 42");
    CHECK_STR_EQ(FORMAT("%ld", INT64_MIN), "-9223372036854775808");
    CHECK_STR_EQ(FORMAT("%llu %zu", ~0ull, (size_t)7), "18446744073709551615 7");
    CHECK_STR_EQ(FORMAT("%x %X %lx", 0xBEEFu, 0xBEEFu, 0xFFFF800000000000ul),
                 "beef BEEF ffff800000000000");
    CHECK_STR_EQ(FORMAT("%p", (void *)0x1234), "0x1234");
}

TEST(printf, width_zeros_and_left)
{
    CHECK_STR_EQ(FORMAT("[%5u][%05u][%-5u]", 42u, 42u, 42u), "[   42][00042][42   ]");
    CHECK_STR_EQ(FORMAT("[%05d][%5d]", -42, -42), "[-0042][  -42]");
    CHECK_STR_EQ(FORMAT("[%-6s][%6s]", "abc", "abc"), "[abc   ][   abc]");
    CHECK_STR_EQ(FORMAT("%2u", 12345u), "12345");
    CHECK_STR_EQ(FORMAT("%*d|", -4, 7), "7   |");
}

TEST(printf, text_characters_precision_and_percent)
{
    const char *volatile none = NULL;

    CHECK_STR_EQ(FORMAT("%s%c 100%%%3c", "ab", 'c', 'd'), "abc 100%  d");
    CHECK_STR_EQ(FORMAT("[%.2s|%.*s]", "abc", 1, "xyz"), "[ab|x]");
    CHECK_STR_EQ(FORMAT("%s", none), "(null)");
}

TEST(printf, what_does_not_fit_is_cut_and_its_length_told)
{
    char small[8] = "xxxxxxx";

    CHECK_EQ(mnos_snprintf(small, 5, "%s", "abcdefgh"), 8);
    CHECK_STR_EQ(small, "abcd");
    CHECK_EQ(small[5], 'x');
    CHECK_EQ(mnos_snprintf(small, 1, "%u", 123u), 3);
    CHECK_STR_EQ(small, "");
    CHECK_EQ(mnos_snprintf(NULL, 0, "%d", 123), 3);
}
