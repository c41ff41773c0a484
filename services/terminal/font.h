// SPDX-License-Identifier: MIT
/*
 * font.h - the fonts of the file `fonts`, which tools/mkfonts.py makes of Debian's console fonts: which of them suits a screen, and
 * the picture of a character. The file comes with the boot image and is checked once, when it is opened.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FONTS_MAGIC 0x544E4F46u /* "FONT" */
#define FONTS_MAX 16u
#define FONT_ASCII 128u

/* The file: this, so many struct font_entry, then their tables. Little-endian. */
struct fonts_header {
    uint32_t magic;
    uint32_t count;
};

struct font_entry {
    uint32_t width, height; /* pixels; the width is even, and 16 at most */
    uint32_t glyphs,
        glyph_count; /* where in the file; `height` rows of 16 bits each, leftmost pixel in the highest */
    uint32_t characters, character_count; /* where struct font_character are, by code point */
};

struct font_character {
    uint32_t code;
    uint32_t glyph;
};

struct font {
    unsigned width, height;
    const uint16_t *glyphs;
    const struct font_character *characters;
    uint32_t character_count;
    uint16_t ascii[FONT_ASCII]; /* the glyph of each, so that text is not searched for */
    uint16_t missing;           /* the glyph of what the font does not have */
};

/* The font with `height`, or, with 0, the largest that leaves room for 120 columns and 36 rows; where none does, the smallest.
 * False: there is none, or the file is not whole. `file` has to stay. */
bool font_choose(struct font *font, const void *file, size_t size, unsigned height,
                 unsigned screen_width, unsigned screen_height);

/* Its rows, `height` of them, leftmost pixel in the highest bit. */
const uint16_t *font_glyph(const struct font *font, uint32_t code);
