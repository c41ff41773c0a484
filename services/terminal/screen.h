// SPDX-License-Identifier: MIT
/*
 * screen.h - cells on the framebuffer. What each cell shows is remembered, and only what changes is drawn: of a cell that keeps its
 * colours, only the rows of pixels in which the glyphs differ. The framebuffer is write-combined, and never read.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "services/terminal/cell.h"
#include "services/terminal/font.h"

struct screen_format {
    uint8_t *pixels;        /* of the upper left corner */
    unsigned width, height; /* pixels */
    unsigned pitch;         /* bytes from one row to the next */
    unsigned pixel_bytes;   /* 2, 3 or 4 */
    uint8_t red_shift, red_size, green_shift, green_size, blue_shift, blue_size; /* bits */
};

struct screen {
    struct screen_format format;
    struct font font;
    unsigned columns, rows;
    cell_t *shown;         /* columns * rows */
    uint64_t drawn_pixels; /* so far: what tests and figures count */
};

/* How many cells there are with this font; 0: the format is none that can be drawn. */
uint64_t screen_cells(const struct screen_format *format, const struct font *font);
/* `shown`: as many cells. All of the screen is made black: cell_blank(). */
void screen_open(struct screen *screen, const struct screen_format *format, const struct font *font,
                 cell_t *shown);
/* What a row shows from now on: `columns` cells, from its first column on; with the cursor on `cursor`, if there is such a
 * column. */
void screen_put_row(struct screen *screen, unsigned row, const cell_t *cells, unsigned cursor);
