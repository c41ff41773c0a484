/* SPDX-License-Identifier: MIT */
/* test_format.c - the kernel's formatter. */
#include "log/format.h"

#include <stdint.h>

#include "tests/unit/unit.h"

static char out[64];

#define FORMAT(...) (format_into(out, sizeof(out), __VA_ARGS__), out)

TEST(format, numbers)
{
    CHECK_STR_EQ(FORMAT("%d %i %u", -1, 0, 42u), "-1 0 42");
    CHECK_STR_EQ(FORMAT("%ld", INT64_MIN), "-9223372036854775808");
    CHECK_STR_EQ(FORMAT("%lu %zu", UINT64_MAX, (size_t)7), "18446744073709551615 7");
    CHECK_STR_EQ(FORMAT("%x %lx", 0xBEEFu, 0xFFFF800000000000ul), "beef ffff800000000000");
    CHECK_STR_EQ(FORMAT("%p", (void *)0x1234), "0x0000000000001234");
}

TEST(format, width_zeros_and_left)
{
    CHECK_STR_EQ(FORMAT("[%5u][%05u][%-5u]", 42u, 42u, 42u), "[   42][00042][42   ]");
    CHECK_STR_EQ(FORMAT("[%05d][%5d]", -42, -42), "[-0042][  -42]");
    CHECK_STR_EQ(FORMAT("[%-6s][%6s]", "abc", "abc"), "[abc   ][   abc]");
    CHECK_STR_EQ(FORMAT("%2u", 12345u), "12345");
}

TEST(format, text_characters_and_percent)
{
    CHECK_STR_EQ(FORMAT("%s%c 100%%", "ab", 'c'), "abc 100%");
    const char *volatile none = NULL;
    CHECK_STR_EQ(FORMAT("%s", none), "(null)");
}

TEST(format, cuts_what_does_not_fit)
{
    char small[8] = "xxxxxxx";

    CHECK_EQ(format_into(small, 5, "%s", "abcdefgh"), 4);
    CHECK_STR_EQ(small, "abcd");
    CHECK_EQ(small[5], 'x');
    CHECK_EQ(format_into(small, 1, "%u", 123u), 0);
    CHECK_STR_EQ(small, "");
}
