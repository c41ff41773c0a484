// SPDX-License-Identifier: MIT
/*
 * utf8.h - text in UTF-8: its code points, and how many columns of a terminal they take.
 *
 * Well-formed is what table 3-7 of the Unicode Standard says: no overlong forms, no surrogates,
 * nothing above U+10FFFF.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTF8_BYTES_MAX 4
#define UTF8_REPLACEMENT 0xFFFDu /* stands for what is not well-formed */

/* A decoder that is fed one byte at a time. Zero: between two code points. */
struct utf8_decoder {
    uint32_t code;     /* the bits so far */
    uint8_t missing;   /* bytes to come */
    uint8_t low, high; /* bounds of the next */
};

enum utf8_step {
    UTF8_MORE,      /* the code point has further bytes */
    UTF8_DONE,      /* *code is complete */
    UTF8_BAD,       /* this byte can begin nothing */
    UTF8_BAD_BEFORE /* what came before is cut short: feed the byte again */
};

enum utf8_step utf8_feed(struct utf8_decoder *decoder, uint8_t byte, uint32_t *code);

/* Returns how many bytes it has. `code` is a code point that well-formed text can contain. */
unsigned utf8_encode(uint32_t code, char out[UTF8_BYTES_MAX]);

/* The first code point of well-formed text that is not empty; returns how many bytes it has. */
unsigned utf8_decode(const char *text, uint32_t *code);

/* 0, 1 or 2. What a terminal does with a control character is not a matter of columns. */
unsigned utf8_width(uint32_t code);

/* Of `size` bytes of well-formed text. */
size_t utf8_columns(const char *text, size_t size);

/* Whether a terminal takes it for text: no control character (C0, C1) and no line separator. */
bool utf8_is_text(uint32_t code);

/* Names that others chose, before they go to a terminal: each byte of what is no text becomes '?'. True: there was none. */
bool utf8_clean(char *text);
