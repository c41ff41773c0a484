/* SPDX-License-Identifier: MIT */
/* test_console.c - the framebuffer console, drawing into memory. */
#include "base/console.h"

#include <stdlib.h>
#include <string.h>

#include "base/font.h"
#include "tests/unit/unit.h"

/* Every character is a pattern of its own: its number in each row; a blank is blank. */
const unsigned char console_font[256][FONT_HEIGHT] = {
    ['A'] = {0x80, [5] = 0xFF, [15] = 0x01},
    ['B'] = {[5] = 0x0F},
    ['?'] = {[3] = 0x18},
};

enum {
    COLUMNS = 10,
    LINES = 8,
    WIDTH = COLUMNS * FONT_WIDTH + 3, /* not a multiple of the font */
    HEIGHT = LINES * FONT_HEIGHT + 5,
    PADDING = 16,
    INK = 0xC8D0D8,
};

static struct boot_framebuffer fb;
static uint8_t *pixels; /* from malloc(): a write outside is an error */

static void init(unsigned bpp)
{
    fb = (struct boot_framebuffer){
        .address = 0x1000,
        .width = WIDTH,
        .height = HEIGHT,
        .pitch = WIDTH * (bpp / 8) + PADDING,
        .bpp = (uint16_t)bpp,
        .red_size = bpp == 16 ? 5 : 8,
        .red_shift = bpp == 16 ? 11 : 16,
        .green_size = bpp == 16 ? 6 : 8,
        .green_shift = bpp == 16 ? 5 : 8,
        .blue_size = bpp == 16 ? 5 : 8,
    };
    pixels = malloc((size_t)fb.pitch * HEIGHT);
    memset(pixels, 0x55, (size_t)fb.pitch * HEIGHT);
    console_init(&fb, pixels);
}

static uint32_t pixel(unsigned line, unsigned column, unsigned x, unsigned y)
{
    uint32_t value = 0;

    memcpy(&value,
           pixels + (size_t)(line * FONT_HEIGHT + y) * fb.pitch +
               (size_t)(column * FONT_WIDTH + x) * (fb.bpp / 8),
           fb.bpp / 8);
    return value;
}

static void write_text(const char *text)
{
    size_t left = strlen(text), taken;

    for (unsigned steps = 0; left > 0; steps++, text += taken, left -= taken) {
        CHECK(console_show(text, left, &taken) && taken <= left);
        CHECK(steps < 1000); /* all of it is done some day */
    }
}

/* What a cell shows must be the glyph, whatever was there before. */
static bool shows(unsigned line, unsigned column, unsigned char c, uint32_t ink, uint32_t paper)
{
    for (unsigned y = 0; y < FONT_HEIGHT; y++)
        for (unsigned x = 0; x < FONT_WIDTH; x++)
            if (pixel(line, column, x, y) != (console_font[c][y] << x & 0x80 ? ink : paper))
                return false;
    return true;
}

TEST(console, draws_glyphs_at_32_bits)
{
    init(32);
    write_text("AB A\nB");
    CHECK(shows(0, 0, 'A', INK, 0) && shows(0, 1, 'B', INK, 0));
    CHECK(shows(0, 2, ' ', INK, 0) && shows(0, 3, 'A', INK, 0));
    CHECK(shows(0, 9, ' ', INK, 0)); /* the rest of a line is cleared */
    CHECK(shows(1, 0, 'B', INK, 0));
}

TEST(console, draws_glyphs_at_24_and_16_bits)
{
    init(24);
    write_text("AB");
    CHECK(shows(0, 0, 'A', INK, 0) && shows(0, 1, 'B', INK, 0));
    init(16);
    write_text("BA");
    CHECK(shows(0, 0, 'B', 0xCE9B, 0) && shows(0, 1, 'A', 0xCE9B, 0));
}

TEST(console, does_not_touch_the_padding_of_a_row)
{
    init(32);
    for (int i = 0; i < 3 * LINES; i++)
        write_text("AAAAAAAAAA\n");
    for (unsigned y = 0; y < HEIGHT; y++)
        for (unsigned i = 0; i < PADDING; i++)
            CHECK_EQ(pixels[(size_t)y * fb.pitch + WIDTH * 4 + i], 0x55);
}

TEST(console, wraps_long_lines)
{
    init(32);
    write_text("AAAAAAAAAAB\nB");
    CHECK(shows(0, 9, 'A', INK, 0) && shows(1, 0, 'B', INK, 0) && shows(2, 0, 'B', INK, 0));
}

TEST(console, scrolls_by_a_quarter_of_the_screen)
{
    init(32);
    for (int i = 0; i < LINES; i++)
        write_text(i % 2 ? "B\n" : "A\n");
    write_text("AB"); /* the ninth line of eight */
    CHECK(shows(0, 0, 'A', INK, 0));
    CHECK(shows(5, 0, 'B', INK, 0));
    CHECK(shows(6, 0, 'A', INK, 0) && shows(6, 1, 'B', INK, 0));
    CHECK(shows(7, 0, ' ', INK, 0));
}

TEST(console, unprintable_bytes_are_question_marks)
{
    init(32);
    write_text("\x1b\x80");
    CHECK(shows(0, 0, '?', INK, 0) && shows(0, 1, '?', INK, 0));
}

TEST(console, alarm_lines_are_white_on_red_and_begin_a_line)
{
    init(32);
    write_text("A");
    console_set_style(CONSOLE_ALARM);
    write_text("B\n");
    CHECK(shows(0, 0, 'A', INK, 0));
    CHECK(shows(1, 0, 'B', 0xFFFFFF, 0xA00000) && shows(1, 9, ' ', 0xFFFFFF, 0xA00000));
}

TEST(console, a_step_is_short)
{
    size_t taken;

    init(32);
    /* A row of a line's pixels is cleared in a step, then up to 4 characters drawn. */
    for (unsigned i = 0; i < FONT_HEIGHT - 1; i++) {
        CHECK(console_show("AAAAAAAAAABBBBBBBBBB", 20, &taken));
        CHECK_EQ(taken, 0);
    }
    CHECK_EQ(pixels[(size_t)(FONT_HEIGHT - 1) * fb.pitch], 0x55);
    CHECK(console_show("AAAAAAAAAABBBBBBBBBB", 20, &taken));
    CHECK_EQ(taken, 4);
    CHECK(console_show("AAAAAABBBBBBBBBB", 16, &taken) && taken == 4);
    CHECK(console_show("AABBBBBBBBBB", 12, &taken));
    CHECK_EQ(taken, 2); /* the next line has to be cleared first */
}

TEST(console, begins_anew_on_a_screen_that_somebody_else_has_used)
{
    init(32);
    write_text("AAAA\nAAAA\n");
    memset(pixels, 0x77, (size_t)fb.pitch * HEIGHT);
    console_reset();
    write_text("AB\n");
    CHECK(shows(0, 0, 'A', INK, 0) && shows(0, 1, 'B', INK, 0) && shows(0, 2, ' ', INK, 0));
    CHECK_EQ(pixels[(size_t)FONT_HEIGHT * fb.pitch], 0x77);
}

TEST(console, an_alarm_in_the_middle_of_clearing_or_scrolling_is_whole)
{
    for (unsigned steps = 0; steps < 180; steps++) {
        size_t taken = 0;

        init(32);
        for (int i = 0; i < LINES; i++)
            write_text(i % 2 ? "BBBB\n" : "AAAA\n");
        for (unsigned i = 0; i < steps && taken == 0; i++)
            CHECK(console_show("A", 1, &taken));
        console_set_style(CONSOLE_ALARM);
        write_text("BA\n");
        unsigned line = taken == 0 ? 6 : 7;
        CHECK(shows(line, 0, 'B', 0xFFFFFF, 0xA00000) && shows(line, 1, 'A', 0xFFFFFF, 0xA00000));
        CHECK(shows(line, 9, ' ', 0xFFFFFF, 0xA00000));
        free(pixels);
    }
}

TEST(console, text_is_lost_while_nothing_is_mapped)
{
    init(32);
    write_text("A\n");
    console_remap(NULL);
    write_text("B\n");
    console_remap(pixels);
    write_text("A\n");
    CHECK(shows(0, 0, 'A', INK, 0) && shows(2, 0, 'A', INK, 0));
}

TEST(console, works_without_a_framebuffer)
{
    const struct boot_framebuffer none = {0};

    console_init(&none, NULL);
    write_text("A\n");
    console_set_style(CONSOLE_ALARM);
    console_remap(NULL);
}
