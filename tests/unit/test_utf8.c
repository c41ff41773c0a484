// SPDX-License-Identifier: MIT
/* test_utf8 - text in UTF-8, against the C library; and the functions for the other tests. */
#define _XOPEN_SOURCE 700 /* wcwidth(), which knows the widths independently */

#include "tests/unit/unit.h"

#include <locale.h>
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
