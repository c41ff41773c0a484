// SPDX-License-Identifier: MIT
/* screen - see screen.h. Host tests compile this file. */
#include "services/terminal/screen.h"

#include "lib/base/string.h"

#define CHANNEL_BITS 8u

uint64_t screen_cells(const struct screen_format *format, const struct font *font)
{
    bool drawable = format->pixel_bytes >= 2 && format->pixel_bytes <= 4 &&
                    format->pitch / format->pixel_bytes >= format->width;

    return drawable ? (uint64_t)(format->width / font->width) * (format->height / font->height) : 0;
}

static uint32_t channel(uint32_t value, unsigned size, unsigned shift)
{
    return size > CHANNEL_BITS ? value << (size - CHANNEL_BITS) << shift
                               : value >> (CHANNEL_BITS - size) << shift;
}

static uint32_t to_pixel(const struct screen_format *format, uint32_t colour)
{
    uint32_t rgb = cell_rgb(colour);

    return channel(rgb >> 16, format->red_size, format->red_shift) |
           channel(rgb >> 8 & 0xFF, format->green_size, format->green_shift) |
           channel(rgb & 0xFF, format->blue_size, format->blue_shift);
}

/* The picture of a cell: the glyph, and a line below it where it is underlined. */
static uint16_t glyph_row(const struct font *font, const uint16_t *glyph, cell_t cell, unsigned y)
{
    return (cell & CELL_UNDERLINE) != 0 && y + 2 == font->height ? UINT16_MAX : glyph[y];
}

/* Two neighbours at once. Font widths are even, and a cell begins at a multiple of 8 bytes if the framebuffer does. */
static void draw_row32(uint8_t *to, uint16_t bits, unsigned width, const uint64_t pairs[4])
{
    for (unsigned x = 0; x < width; x += 2, to += sizeof pairs[0])
        __builtin_memcpy(to, &pairs[bits >> (14 - x) & 3], sizeof pairs[0]);
}

static void draw_row(uint8_t *to, uint16_t bits, unsigned width, unsigned pixel_bytes,
                     const uint32_t pixels[2])
{
    for (unsigned x = 0; x < width; x++, to += pixel_bytes)
        memcpy(to, &pixels[bits >> (15 - x) & 1], pixel_bytes);
}

static void draw(struct screen *screen, uint8_t *to, cell_t old, cell_t cell)
{
    const struct screen_format *format = &screen->format;
    const struct font *font = &screen->font;
    const uint16_t *before = font_glyph(font, old & CELL_CODE);
    const uint16_t *now = font_glyph(font, cell & CELL_CODE);
    const uint32_t pixels[2] = {to_pixel(format, cell_paper(cell)),
                                to_pixel(format, cell_ink(cell))};
    uint64_t pairs[4];
    bool same_colours = old >> CELL_INK_SHIFT == cell >> CELL_INK_SHIFT;

    for (unsigned i = 0; i < 4; i++) /* the left one is at the lower address */
        pairs[i] = (uint64_t)pixels[i & 1] << 32 | pixels[i >> 1];
    for (unsigned y = 0; y < font->height; y++, to += format->pitch) {
        uint16_t bits = glyph_row(font, now, cell, y);

        if (same_colours && bits == glyph_row(font, before, old, y))
            continue;
        screen->drawn_pixels += font->width;
        if (format->pixel_bytes == 4)
            draw_row32(to, bits, font->width, pairs);
        else
            draw_row(to, bits, font->width, format->pixel_bytes, pixels);
    }
}

static void put(struct screen *screen, unsigned row, unsigned column, cell_t cell)
{
    cell_t *shown = &screen->shown[(size_t)row * screen->columns + column];
    cell_t old = *shown;

    *shown = cell;
    draw(screen,
         screen->format.pixels + (size_t)row * screen->font.height * screen->format.pitch +
             (size_t)column * screen->font.width * screen->format.pixel_bytes,
         old, cell);
}

void screen_put_row(struct screen *screen, unsigned row, const cell_t *cells, unsigned cursor)
{
    const cell_t *shown = screen->shown + (size_t)row * screen->columns;

    for (unsigned column = 0; column < screen->columns; column++) {
        cell_t cell = column == cursor ? cell_reversed(cells[column]) : cells[column];

        if (shown[column] != cell)
            put(screen, row, column, cell);
    }
}

/* Also what is to the right of the last column and below the last row. Black is zero in each format. */
static void clear(const struct screen *screen)
{
    const struct screen_format *format = &screen->format;

    for (unsigned y = 0; y < format->height; y++)
        memset(format->pixels + (size_t)y * format->pitch, 0,
               (size_t)format->width * format->pixel_bytes);
}

void screen_open(struct screen *screen, const struct screen_format *format, const struct font *font,
                 cell_t *shown)
{
    *screen = (struct screen){.format = *format,
                              .font = *font,
                              .columns = format->width / font->width,
                              .rows = format->height / font->height,
                              .shown = shown};
    for (size_t i = 0; i < (size_t)screen->columns * screen->rows; i++)
        shown[i] = cell_blank();
    clear(screen);
}
