// SPDX-License-Identifier: MIT
/*
 * text.h - a text that is put together piece by piece, where printf's formats would take most of the time of an answer. What
 * does not fit is left out as a whole piece, and `cut` says so.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
    char *bytes;
    size_t count, room;
    bool cut;
};

void text_put(struct text *text, const char *bytes, size_t count);
/* Of a string; a literal's length is known. */
#define TEXT(text, string) text_put((text), (string), __builtin_strlen(string))
void text_decimal(struct text *text, uint64_t value);
/* With at least so many digits, zeros in front. */
void text_digits(struct text *text, uint32_t value, uint32_t digits);
/* Small letters. */
void text_hex(struct text *text, uint64_t value);
/* Puts a 0 behind it, for who reads it as a string; the last byte is lost for it, if need be. */
void text_end(struct text *text);
