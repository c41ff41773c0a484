// SPDX-License-Identifier: MIT
/* test_word - a few bytes of text as numbers: lib/base/word.h. Each text ends where its memory does, so that the sanitizer
 * sees a byte that is read behind it. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/word.h"

static char *text_of(uint32_t bytes)
{
    char *text = malloc(bytes == 0 ? 1 : bytes);

    for (uint32_t i = 0; i < bytes; i++)
        text[i] = (char)(0xF1 - 7 * i);
    return text;
}

TEST(word, a_text_of_up_to_eight_bytes_is_the_number_with_these_bytes)
{
    for (uint32_t bytes = 0; bytes <= 8; bytes++) {
        char *text = text_of(bytes);
        uint64_t word = 0;

        memcpy(&word, text, bytes);
        CHECK_EQ(text_word(text, bytes), word);
        free(text);
    }
}

TEST(word, one_of_up_to_sixteen_is_two_of_them)
{
    for (uint32_t bytes = 0; bytes <= 16; bytes++) {
        char *text = text_of(bytes);
        uint64_t words[2] = {0}, found[2];

        memcpy(words, text, bytes);
        text_words(text, bytes, found);
        CHECK_EQ(found[0], words[0]);
        CHECK_EQ(found[1], words[1]);
        free(text);
    }
}

TEST(word, a_zero_is_found_wherever_it_is_and_none_behind_the_text)
{
    for (uint32_t bytes = 0; bytes <= 40; bytes++) {
        char *text = malloc(bytes == 0 ? 1 : bytes);

        memset(text, 0x01, bytes); /* a zero below it borrows from it */
        CHECK(!text_has_zero(text, bytes));
        for (uint32_t at = 0; at < bytes; at++) {
            text[at] = 0;
            CHECK(text_has_zero(text, bytes));
            text[at] = (char)0x80;
        }
        CHECK(!text_has_zero(text, bytes));
        free(text);
    }
}
