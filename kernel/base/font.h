// SPDX-License-Identifier: MIT
/* font.h - the console font, made at build time by tools/mkfont.py. */
#pragma once

enum {
    FONT_WIDTH = 8,
    FONT_HEIGHT = 16,
};

/* A byte for each row of a character, the leftmost pixel in its high bit. */
extern const unsigned char console_font[256][FONT_HEIGHT];
