// SPDX-License-Identifier: MIT
/* test_name.c - what becomes of the names that programs choose. */
#include "object/name.h"

#include <string.h>

#include "tests/unit/unit.h"

static void check_becomes(const char *from, const char *wanted)
{
    char text[MNOS_NAME_BYTES] = {0}, name[MNOS_NAME_BYTES];

    memset(name, 0xAA, sizeof name);
    memcpy(text, from, strnlen(from, sizeof text));
    name_copy(name, text);
    CHECK_EQ(strcmp(name, wanted), 0);
    for (size_t i = strlen(name); i < sizeof name; i++)
        CHECK_EQ(name[i], 0);
}

TEST(name, of_visible_characters_stays)
{
    check_becomes("", "");
    check_becomes("serial driver ~!", "serial driver ~!");
    check_becomes("\u00e4\u00f6\u00fc \u20ac \U0001F600", "\u00e4\u00f6\u00fc \u20ac \U0001F600");
    check_becomes("12345678901234567890123", "12345678901234567890123");
}

TEST(name, cannot_forge_a_line_or_command_a_terminal)
{
    check_becomes("a\n[ 0.1] E b", "a?[ 0.1] E b");
    check_becomes("\033[2J\r\177\a", "?[2J???");
    check_becomes("\xc2\x9b"
                  "2J",
                  "??2J");                        /* CSI as one character */
    check_becomes("a\u2028b", "a???b");           /* a line separator */
    check_becomes("\u202etxt.exe", "???txt.exe"); /* written backwards from here */
    check_becomes("\ufeff", "???");
}

TEST(name, has_no_malformed_sequence)
{
    check_becomes("\xff\x80", "??");
    check_becomes("\xc3(", "?(");
    check_becomes("\xc0\xaf", "??");           /* not the shortest form */
    check_becomes("\xe0\x80\xaf", "???");      /* the same */
    check_becomes("\xed\xa0\x80", "???");      /* half a surrogate pair */
    check_becomes("\xf4\x90\x80\x80", "????"); /* beyond the last character */
    check_becomes("1234567890123456789012\xc3\xa4", "1234567890123456789012?"); /* cut in two */
}
