// SPDX-License-Identifier: MIT
/* test_utf8 - text in UTF-8, against the C library; and the functions for the other tests. */
#define _XOPEN_SOURCE 700 /* wcwidth(), which knows the widths independently */

#include "tests/unit/unit.h"

#include <locale.h>
#include <string.h>
#include <wchar.h>

#include "lib/mnos/utf8.c"

TEST(utf8, widths_are_those_of_the_c_library)
{
    unsigned differences = 0;

    CHECK(setlocale(LC_CTYPE, "C.UTF-8") != NULL);
    for (uint32_t code = 0x20; code < 0x110000; code++) {
        int width = wcwidth((wchar_t)code);

        /* Unassigned to the library: it may know an older or a newer Unicode. */
        if (width >= 0 && utf8_is_text(code) && utf8_width(code) != (unsigned)width)
            differences++;
    }
    CHECK(differences < 200);
    CHECK_EQ(utf8_width('a'), 1);
    CHECK_EQ(utf8_width(0x0301), 0);
    CHECK_EQ(utf8_width(0x200D), 0);
    CHECK_EQ(utf8_width(0x65E5), 2);
    CHECK_EQ(utf8_width(0xFF21), 2);
    CHECK_EQ(utf8_width(0x1F600), 2);
    CHECK_EQ(utf8_width(UTF8_REPLACEMENT), 1);
    CHECK_EQ(utf8_width(0x10FFFF), 1);
}

TEST(utf8, every_code_point_survives_encoding)
{
    for (uint32_t code = 0; code < 0x110000; code++) {
        char bytes[UTF8_BYTES_MAX];
        uint32_t again = 0;
        unsigned count;

        if (code >= 0xD800 && code < 0xE000)
            continue;
        count = utf8_encode(code, bytes);
        CHECK_EQ(utf8_decode(bytes, &again), count);
        CHECK_EQ(again, code);
    }
}

TEST(utf8, a_name_is_cleaned_of_what_commands_a_terminal)
{
    static const struct {
        char from[16];
        const char *to;
    } names[] = {
        {"plain", "plain"},
        {"", ""},
        {"\303\244\342\202\254", "\303\244\342\202\254"},
        {"a\033[2Jb", "a?[2Jb"},
        {"a\r\n\x7f"
         "b",
         "a???b"},
        {"\302\2332J", "??2J"}, /* CSI of C1 */
        {"\2332J", "?2J"},
        {"\342\202", "??"}, /* cut short */
        {"\342\202x", "??x"},
        {"\342\200\250x", "???x"}, /* a line separator */
    };

    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        char text[16];

        memcpy(text, names[i].from, sizeof text);
        CHECK_EQ(utf8_clean(text), strcmp(names[i].from, names[i].to) == 0);
        CHECK_STR_EQ(text, names[i].to);
        CHECK(utf8_clean(text));
    }
}
