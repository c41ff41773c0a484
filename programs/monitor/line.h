// SPDX-License-Identifier: MIT
/*
 * line.h - a line of text with a cursor, in characters: a code point and those after it that take
 * no column of their own and so combine with it.
 *
 * L1  cursor <= length < LINE_BYTES, and text[length] is 0
 * L2  the text is well-formed UTF-8 that a terminal takes for text
 * L3  the cursor is at the beginning of a character, or at the end
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINE_BYTES 512

struct line {
    size_t length, cursor; /* in bytes */
    char text[LINE_BYTES];
};

void line_clear(struct line *line);

/* Well-formed text; the cursor goes to its end. */
void line_set(struct line *line, const char *text);

/* Inserts at the cursor, which goes behind it. False: there is no room, and nothing is inserted. */
bool line_insert(struct line *line, const char *bytes, size_t count);

/* Moves the cursor to a code point, or behind it when that is within a character. */
void line_move(struct line *line, size_t cursor);

/* Removes the bytes from `from` up to `to`; the cursor goes to `from`. Both are at code points. */
void line_remove(struct line *line, size_t from, size_t to);

/* Where the character before and after a place begins; 0 and `length` at the ends. */
size_t line_before(const struct line *line, size_t at);
size_t line_after(const struct line *line, size_t at);

/* Where the word before a place begins, and the one after it ends. Words are letters, digits and
 * what is not ASCII. */
size_t line_word_before(const struct line *line, size_t at);
size_t line_word_after(const struct line *line, size_t at);

/* Where the blank-separated word before a place begins. */
size_t line_argument_before(const struct line *line, size_t at);
