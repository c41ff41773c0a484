// SPDX-License-Identifier: MIT
/*
 * console.c - a grid of characters on the framebuffer. What each cell shows is remembered, so that
 * scrolling draws only the cells that change, and only rows of pixels that differ are drawn. The
 * screen is cleared a line at a time as lines are first used: clearing all of it would cost as much
 * as the rest of booting. Everything is done in steps: once user space runs nobody waits for a whole screen to be
 * drawn.
 *
 * The caller serialises (the log's lock, or a panic).
 */
#include "base/console.h"

#include <stdbool.h>
#include <stdint.h>

#include "boot/boot_code.h"
#include "base/font.h"
#include "lib/base/string.h"

enum {
    COLUMNS_MAX = 256,
    LINES_MAX = 96,
    SCROLL_PART = 4, /* a full screen scrolls by a quarter: drawing is dearer than blank lines */
    BLANK = ' ',
    STYLES = 2,
    /* What one step does at most, about 2,000 instructions: cells drawn (in formats that are drawn by pixels), cells
     * looked at, rows of pixels cleared. */
    STEP_CELLS = 4,
    STEP_CELLS_SLOW = 1,
    STEP_LOOKS = 32,
    STEP_ROWS = 1,
};

struct colours {
    uint32_t ink;
    uint32_t paper;
};

/* Red, green, blue. */
static const struct colours palette[STYLES] = {
    [CONSOLE_NORMAL] = {.ink = 0xC8D0D8, .paper = 0x000000},
    [CONSOLE_ALARM] = {.ink = 0xFFFFFF, .paper = 0xA00000},
};

/* Four pixels for each value of four bits of a glyph, leftmost pixel in the high bit. */
struct quad {
    uint64_t left, right;
};

static struct boot_framebuffer screen;
static uint8_t *pixels; /* NULL: not mapped */
static unsigned pixel_bytes;
static unsigned columns, lines;

static unsigned column, line; /* where the next character goes */
static unsigned lines_clear;  /* lines from this one on still show what was there before us */
static unsigned rows_cleared; /* of the line that is being cleared */
static unsigned scroll_line, scroll_column; /* the next cell, while the screen scrolls */
static enum console_style style;
static uint32_t ink[STYLES], paper[STYLES]; /* in the framebuffer's format */
static struct quad quads[STYLES][16];       /* 32 bits a pixel only */

static unsigned char cells[LINES_MAX][COLUMNS_MAX];
static unsigned char line_style[LINES_MAX]; /* enum console_style, one for a whole line */

/* ---- pixels ---- */

BOOT_CODE static uint32_t channel(uint32_t value, unsigned size, unsigned shift)
{
    if (size > 8)
        return value << (size - 8) << shift;
    return value >> (8 - size) << shift;
}

BOOT_CODE static uint32_t to_pixel(uint32_t rgb)
{
    return channel(rgb >> 16 & 0xFF, screen.red_size, screen.red_shift) |
           channel(rgb >> 8 & 0xFF, screen.green_size, screen.green_shift) |
           channel(rgb & 0xFF, screen.blue_size, screen.blue_shift);
}

/* Two neighbours, the first one at the lower address. */
BOOT_CODE static uint64_t pixel_pair(unsigned with, unsigned first, unsigned second)
{
    return (uint64_t)(second ? ink[with] : paper[with]) << 32 | (first ? ink[with] : paper[with]);
}

static uint8_t *pixel_at(unsigned cell_line, unsigned cell_column)
{
    return pixels + (size_t)cell_line * FONT_HEIGHT * screen.pitch +
           (size_t)cell_column * FONT_WIDTH * pixel_bytes;
}

static void store_pixel(uint8_t *to, uint32_t value)
{
    memcpy(to, &value, pixel_bytes);
}

/* Draws the rows in which `new` differs from `old`, which is on the screen there. */
static void draw_difference32(uint8_t *to, const unsigned char *old, const unsigned char *new,
                              const struct quad *table)
{
    const size_t pitch = screen.pitch; /* stores through `to` could change the original, to C */

    for (unsigned y = 0; y < FONT_HEIGHT; y++, to += pitch) {
        if (old[y] == new[y])
            continue;
        const struct quad left = table[new[y] >> 4], right = table[new[y] & 15];
        __builtin_memcpy(to, &left, sizeof(left));
        __builtin_memcpy(to + sizeof(left), &right, sizeof(right));
    }
}

/* The same at 16 and 24 bits a pixel, which are rare. */
static void draw_difference(uint8_t *to, const unsigned char *old, const unsigned char *new,
                            unsigned with)
{
    for (unsigned y = 0; y < FONT_HEIGHT; y++, to += screen.pitch)
        for (unsigned x = 0; x < FONT_WIDTH && old[y] != new[y]; x++)
            store_pixel(to + x * pixel_bytes, new[y] << x & 0x80 ? ink[with] : paper[with]);
}

static void clear_row(uint8_t *to, size_t width_bytes, unsigned with)
{
    uint64_t two = (uint64_t)paper[with] << 32 | paper[with];

    if (paper[with] == 0) {
        memset(to, 0, width_bytes);
    } else if (pixel_bytes == 4) {
        for (size_t at = 0; at + 8 <= width_bytes; at += 8)
            __builtin_memcpy(to + at, &two, sizeof(two));
    } else {
        for (size_t at = 0; at + pixel_bytes <= width_bytes; at += pixel_bytes)
            store_pixel(to + at, paper[with]);
    }
}

/* Goes on making a whole line blank, whatever the screen shows there; true: it is. One line at a time. */
static bool clear_line_step(unsigned at, unsigned with)
{
    unsigned end = rows_cleared + STEP_ROWS < FONT_HEIGHT ? rows_cleared + STEP_ROWS : FONT_HEIGHT;

    for (; rows_cleared < end; rows_cleared++)
        if (pixels)
            clear_row(pixel_at(at, 0) + (size_t)rows_cleared * screen.pitch,
                      (size_t)screen.width * pixel_bytes, with);
    if (rows_cleared < FONT_HEIGHT)
        return false;
    rows_cleared = 0;
    memset(cells[at], BLANK, columns);
    line_style[at] = (unsigned char)with;
    return true;
}

/* Changes one cell, in the style of its line. */
static void set_cell(unsigned at_line, unsigned at_column, unsigned char c)
{
    unsigned char old = cells[at_line][at_column];
    unsigned with = line_style[at_line];

    if (old == c)
        return;
    cells[at_line][at_column] = c;
    if (!pixels)
        return;
    if (pixel_bytes == 4)
        draw_difference32(pixel_at(at_line, at_column), console_font[old], console_font[c],
                          quads[with]);
    else
        draw_difference(pixel_at(at_line, at_column), console_font[old], console_font[c], with);
}

/* ---- lines ---- */

static unsigned step_cells(void)
{
    return pixel_bytes == 4 ? STEP_CELLS : STEP_CELLS_SLOW;
}

/* Goes on moving everything up. Of cells that do not change many pass in a step. */
static void scroll_step(void)
{
    unsigned by = lines / SCROLL_PART > 0 ? lines / SCROLL_PART : 1, looked_at = 0;
    unsigned left = step_cells();

    while (scroll_line < lines && left > 0 && looked_at++ < STEP_LOOKS) {
        unsigned from = scroll_line + by;
        unsigned char c = from < lines ? cells[from][scroll_column] : BLANK;

        if (from < lines && line_style[scroll_line] != line_style[from]) {
            (void)clear_line_step(scroll_line, line_style[from]);
            return;
        }
        left -= cells[scroll_line][scroll_column] != c;
        set_cell(scroll_line, scroll_column, c);
        if (++scroll_column == columns) {
            scroll_column = 0;
            scroll_line++;
        }
    }
    if (scroll_line == lines) {
        scroll_line = 0;
        line = lines - by;
    }
}

/* Goes on making room for the next character at the beginning of a line; true: it can be drawn. */
static bool begin_line_step(void)
{
    if (line == lines) {
        scroll_step();
        return false;
    }
    if (line >= lines_clear || line_style[line] != style) {
        if (!clear_line_step(line, style))
            return false;
        if (line >= lines_clear)
            lines_clear = line + 1;
    }
    return true;
}

/* False: there is no room yet. */
static bool put(char c)
{
    if (column == columns && c != '\n') {
        column = 0;
        line++;
    }
    if (column == 0 && !begin_line_step())
        return false;
    if (c == '\n') {
        column = 0;
        line++;
        return true;
    }
    set_cell(line, column++, c >= ' ' && c <= '~' ? (unsigned char)c : '?');
    return true;
}

/* ---- interface ---- */

BOOT_CODE void console_init(const struct boot_framebuffer *framebuffer, void *mapping)
{
    screen = *framebuffer;
    pixels = NULL;
    columns = 0;
    lines = 0;
    if (!framebuffer->address)
        return;
    pixel_bytes = screen.bpp / 8;
    columns = screen.width / FONT_WIDTH < COLUMNS_MAX ? screen.width / FONT_WIDTH : COLUMNS_MAX;
    lines = screen.height / FONT_HEIGHT < LINES_MAX ? screen.height / FONT_HEIGHT : LINES_MAX;
    if (columns == 0 || lines == 0)
        return;
    for (unsigned i = 0; i < STYLES; i++) {
        ink[i] = to_pixel(palette[i].ink);
        paper[i] = to_pixel(palette[i].paper);
        for (unsigned bits = 0; bits < 16; bits++)
            quads[i][bits] = (struct quad){
                .left = pixel_pair(i, bits & 8, bits & 4),
                .right = pixel_pair(i, bits & 2, bits & 1),
            };
    }
    pixels = mapping;
    style = CONSOLE_NORMAL;
    console_reset();
}

BOOT_CODE void console_remap(void *mapping)
{
    pixels = columns > 0 && lines > 0 ? mapping : NULL;
}

void console_reset(void)
{
    column = 0;
    line = 0;
    lines_clear = 0;
    rows_cleared = 0;
    scroll_line = 0;
    scroll_column = 0;
}

bool console_show(const char *text, size_t size_bytes, size_t *taken)
{
    *taken = 0;
    if (columns == 0 || lines == 0) {
        *taken = size_bytes;
        return true;
    }
    for (unsigned i = step_cells(); i > 0 && *taken < size_bytes && put(text[*taken]); i--)
        ++*taken;
    return true;
}

void console_set_style(enum console_style new_style)
{
    style = new_style;
    rows_cleared = 0;
    if (column > 0) { /* a line has one style */
        column = 0;
        line++;
    }
}
