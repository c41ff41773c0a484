// SPDX-License-Identifier: MIT
/* word.h - a few bytes of text as one number, by which they are compared, hashed and sent. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Up to eight bytes as a number, the first lowest, zeros behind the last: by loads that overlap, none outside. */
static inline uint64_t text_word(const char *text, uint32_t bytes)
{
    uint32_t low, high;

    if (bytes >= 4) {
        __builtin_memcpy(&low, text, 4);
        __builtin_memcpy(&high, text + bytes - 4, 4);
        return low | (uint64_t)high << (8 * bytes - 32);
    }
    if (bytes == 0)
        return 0;
    low = (uint8_t)text[0] | (uint32_t)(uint8_t)text[bytes / 2] << (bytes / 2 * 8);
    return low | (uint32_t)(uint8_t)text[bytes - 1] << (8 * bytes - 8);
}

/* Up to sixteen, as two of them. */
static inline void text_words(const char *text, uint64_t bytes, uint64_t words[2])
{
    uint64_t first, last;

    if (bytes < 8) {
        words[0] = text_word(text, (uint32_t)bytes);
        words[1] = 0;
        return;
    }
    __builtin_memcpy(&first, text, 8);
    __builtin_memcpy(&last, text + bytes - 8, 8);
    words[0] = first;
    /* In two steps, since none of 64 bits is defined: of eight bytes nothing is left. */
    words[1] = last >> (64 - 4 * bytes) >> (64 - 4 * bytes);
}

static inline bool word_has_zero(uint64_t word)
{
    static const uint64_t ones = 0x0101010101010101ull;

    return ((word - ones) & ~word & ones << 7) != 0;
}

/* Whether one of up to seven bytes, as text_word() has them, is zero: those behind the last are none of them. */
static inline bool text_word_has_zero(uint64_t word, uint32_t bytes)
{
    return word_has_zero(word | ~0ull << 8 * bytes);
}

/* Whether one of any number of bytes is. */
static inline bool text_has_zero(const char *text, uint32_t bytes)
{
    for (; bytes >= 8; bytes -= 8, text += 8) {
        if (word_has_zero(text_word(text, 8)))
            return true;
    }
    return text_word_has_zero(text_word(text, bytes), bytes);
}
