// SPDX-License-Identifier: MIT
/*
 * test_emulator - terminals of the screen: bytes in, cells and pixels out, by libvterm as it is linked into the service, under
 * sanitizers; fonts and layouts are files that are made here.
 */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mnos/heap.h"
#include "lib/mnos/utf8.h"
#include "services/terminal/terminal.h"
#include "tests/unit/unit.h"

#define COLUMNS 20u
#define ROWS 5u
#define BLOCKS 2u
#define LINES (BLOCKS * SCROLLBACK_BLOCK_LINES)

/* What the process may have, as by its quota, and has. */
static size_t heap_limit = SIZE_MAX, heap_used;

void *heap_allocate(size_t size_bytes)
{
    void *piece = size_bytes <= heap_limit - heap_used ? malloc(size_bytes) : NULL;

    heap_used += piece != NULL ? malloc_usable_size(piece) : 0;
    return piece;
}

void heap_free(void *piece)
{
    heap_used -= piece != NULL ? malloc_usable_size(piece) : 0;
    free(piece);
}

static struct terminal terminal;

static void scene(void)
{
    CHECK(terminal_open(&terminal, COLUMNS, ROWS, BLOCKS));
}

static void write_text(const char *text)
{
    terminal_write(&terminal, text, strlen(text));
}

/* What a row shows, in ASCII, without blanks at its end. */
static const char *row_text(const cell_t *cells)
{
    static char text[COLUMNS + 1];
    size_t length = COLUMNS;

    for (unsigned i = 0; i < COLUMNS; i++)
        text[i] = (cells[i] & CELL_CODE) < 0x7F ? (char)(cells[i] & CELL_CODE) : '?';
    while (length != 0 && text[length - 1] == ' ')
        length--;
    text[length] = 0;
    return text;
}

static const char *shown(unsigned row)
{
    return row_text(emulator_row(terminal.emulator, row));
}

static const char *typed(void)
{
    static char text[64];
    size_t count = 0;

    while (count + 1 < sizeof text && byte_queue_used(&terminal.received) != 0)
        text[count++] = (char)byte_queue_take(&terminal.received);
    text[count] = 0;
    terminal.received.ready = terminal.received.put;
    return text;
}

/* ---- The emulator ---- */

TEST(emulator, text_goes_where_the_cursor_is)
{
    unsigned row, column;

    scene();
    write_text("one\r\ntwo\033[5;18Hend");
    CHECK_STR_EQ(shown(0), "one");
    CHECK_STR_EQ(shown(1), "two");
    CHECK_STR_EQ(shown(4), "                 end");
    CHECK(emulator_cursor(terminal.emulator, &row, &column));
    CHECK_EQ(row, 4);
    CHECK_EQ(column, 19);
    write_text("\033[?25l");
    CHECK(!emulator_cursor(terminal.emulator, &row, &column));
}

TEST(emulator, colours_and_attributes_are_in_the_cell)
{
    cell_t plain, red, reversed, under;

    scene();
    write_text("a\033[31mb\033[0;7mc\033[0;4md");
    plain = emulator_row(terminal.emulator, 0)[0];
    red = emulator_row(terminal.emulator, 0)[1];
    reversed = emulator_row(terminal.emulator, 0)[2];
    under = emulator_row(terminal.emulator, 0)[3];
    CHECK_EQ(cell_rgb(cell_paper(plain)), 0);
    CHECK(cell_rgb(cell_ink(red)) >> 16 > 0x80 && (cell_rgb(cell_ink(red)) & 0xFFFF) == 0);
    CHECK_EQ(cell_ink(reversed), cell_paper(plain));
    CHECK_EQ(cell_paper(reversed), cell_ink(plain));
    CHECK((under & CELL_UNDERLINE) != 0);
}

TEST(emulator, lines_that_scroll_off_are_kept_and_seen_again)
{
    struct keys_event up = {KEYS_SCROLL, KEYS_UP, 0}, any = {KEYS_CHARACTER, 'x', 0};
    char line[8] = "line 0\r\n";

    scene();
    for (char c = '0'; c <= '9'; c++) {
        line[5] = c;
        terminal_write(&terminal, line, sizeof line);
    }
    CHECK_STR_EQ(shown(0), "line 6"); /* the last row is empty */
    CHECK_EQ(scrollback_count(&terminal.scrollback), 6);
    CHECK_STR_EQ(row_text(scrollback_line(&terminal.scrollback, 1)), "line 5");
    terminal_key(&terminal, &up);
    CHECK_EQ(terminal.back, ROWS / 2);
    write_text("more\r\n");
    CHECK_EQ(terminal.back, ROWS / 2 + 1); /* the same lines are seen */
    for (unsigned i = 0; i < 10; i++)
        terminal_key(&terminal, &up);
    CHECK_EQ(terminal.back, 7);
    terminal_key(&terminal, &any);
    CHECK_EQ(terminal.back, 0);
    CHECK_STR_EQ(typed(), "x");
}

TEST(emulator, the_oldest_lines_make_room)
{
    scene();
    for (unsigned i = 0; i < LINES + ROWS - 1; i++)
        write_text(i == 1 ? "second\r\n" : "x\r\n");
    CHECK_EQ(scrollback_count(&terminal.scrollback), LINES);
    CHECK_STR_EQ(row_text(scrollback_line(&terminal.scrollback, LINES - 1)), "second");
    write_text("\r\n\r\n");
    CHECK_EQ(scrollback_count(&terminal.scrollback), LINES);
    CHECK_STR_EQ(row_text(scrollback_line(&terminal.scrollback, LINES)), "x");
}

TEST(emulator, a_program_has_a_screen_of_its_own_and_gives_the_other_back)
{
    scene();
    write_text("before\033[?1049h\033[2J\033[Hinside");
    CHECK_STR_EQ(shown(0), "inside");
    write_text("\033[?1049l");
    CHECK_STR_EQ(shown(0), "before");
    CHECK_EQ(scrollback_count(&terminal.scrollback), 0);
    write_text("\033[?1049h"); /* nothing of the last program's is left there */
    CHECK_STR_EQ(shown(0), "");
}

TEST(emulator, keys_with_names_send_what_xterm_sends)
{
    struct keys_event event = {KEYS_NAMED, EMULATOR_UP, 0};

    scene();
    terminal_key(&terminal, &event);
    CHECK_STR_EQ(typed(), "\033[A");
    write_text("\033[?1h"); /* application cursor keys */
    terminal_key(&terminal, &event);
    CHECK_STR_EQ(typed(), "\033OA");
    event.code = EMULATOR_F12;
    terminal_key(&terminal, &event);
    CHECK_STR_EQ(typed(), "\033[24~");
    event = (struct keys_event){KEYS_NAMED, EMULATOR_LEFT, EMULATOR_CTRL};
    terminal_key(&terminal, &event);
    CHECK_STR_EQ(typed(), "\033[1;5D");
    event = (struct keys_event){KEYS_CHARACTER, 'b', EMULATOR_ALT};
    terminal_key(&terminal, &event);
    CHECK_STR_EQ(typed(), "\033b");
    event = (struct keys_event){KEYS_CHARACTER, 0xE9, 0};
    terminal_key(&terminal, &event);
    CHECK_STR_EQ(typed(), "\u00e9");
}

TEST(emulator, a_terminal_that_is_asked_for_the_cursor_answers)
{
    scene();
    write_text("\033[999;999H\033[6n");
    CHECK_STR_EQ(typed(), "\033[5;20R"); /* by which its clients learn its size */
}

TEST(emulator, keys_that_nobody_reads_are_lost_with_a_mark)
{
    struct keys_event event = {KEYS_CHARACTER, 'x', 0};

    scene();
    for (unsigned i = 0; i < BYTE_QUEUE_ITEMS + 10; i++)
        terminal_key(&terminal, &event);
    CHECK_EQ(byte_queue_room(&terminal.received), 0);
    CHECK_EQ(terminal.received.items[BYTE_QUEUE_ITEMS - 1], BYTE_QUEUE_MARK);
}

/* Whatever bytes a client sends: nothing but what it shows. */
/* A program that asks again and again and does not read: Ctrl-C is for whoever can end it. */
TEST(emulator, answers_that_nobody_reads_leave_room_for_keys)
{
    const struct keys_event interrupt = {KEYS_CHARACTER, 3, 0};
    const struct byte_queue *queue = &terminal.received;
    uint32_t put;

    scene();
    for (unsigned i = 0; i < BYTE_QUEUE_ITEMS; i++)
        write_text("\033[6n");
    put = queue->put;
    CHECK_EQ(queue->items[(put - 1) % BYTE_QUEUE_ITEMS], BYTE_QUEUE_MARK);
    for (unsigned i = 0; i < 100; i++)
        terminal_key(&terminal, &interrupt);
    CHECK_EQ(queue->put, put + 100);
    CHECK_EQ(queue->items[(put + 99) % BYTE_QUEUE_ITEMS], 3);
    write_text("\033[6n"); /* behind them it is told that something is missing, too */
    CHECK_EQ(queue->items[(put + 100) % BYTE_QUEUE_ITEMS], BYTE_QUEUE_MARK);
}

TEST(emulator, any_bytes_at_all_leave_it_whole)
{
    static const char pieces[][12] = {"\033[",  "\033]0;", "999999999",   ";",      "H",    "\033P",
                                      "\033\\", "\033[?",  "1049h",       "L",      "M",    "S",
                                      "T",      "\303",    "\r\n",        "\033[r", "2;3r", "@",
                                      "-1",     "\033c",   "\344\270\255"};
    uint32_t seed = 12345;

    scene();
    for (unsigned i = 0; i < 200000; i++) {
        seed = seed * 1664525 + 1013904223;
        if ((seed >> 24) % 4 == 0) {
            char byte = (char)(seed >> 16);

            terminal_write(&terminal, &byte, 1);
        } else {
            write_text(pieces[(seed >> 16) % (sizeof pieces / sizeof pieces[0])]);
        }
        (void)typed();
    }
    write_text("\033c\033[Hstill here");
    CHECK_STR_EQ(shown(0), "still here");
}

/* Accents without end cost no memory: whoever writes could end the service with them. */
TEST(emulator, accents_without_end_stay_in_their_cell)
{
    size_t before;

    scene();
    write_text("e");
    before = heap_used;
    for (unsigned i = 0; i < 1000; i++)
        write_text("\314\201");
    CHECK_EQ(heap_used, before);
    write_text("x");
    CHECK_STR_EQ(shown(0), "ex");
}

/* However little memory there is, and wherever it ends: a terminal, or none. */
TEST(emulator, without_memory_there_is_no_terminal)
{
    size_t needed = heap_used;

    scene();
    needed = heap_used - needed;
    for (size_t room = 0; room < needed; room += 64) {
        heap_limit = heap_used + room;
        if (terminal_open(&terminal, COLUMNS, ROWS, BLOCKS))
            write_text("\033[?1049hx");
    }
    heap_limit = heap_used;
    CHECK(!terminal_open(&terminal, COLUMNS, ROWS, BLOCKS));
    heap_limit = SIZE_MAX;
}

/* ---- The screen ---- */

#define GLYPH_HEIGHT 4u

/* A font of two characters, and the blank: 8 pixels wide, 4 high. */
static struct {
    struct fonts_header header;
    struct font_entry entries[2];
    uint16_t glyphs[3][GLYPH_HEIGHT];
    struct font_character characters[3];
} file;

static void make_fonts(void)
{
    static const uint16_t glyphs[3][GLYPH_HEIGHT] = {
        {0, 0, 0, 0}, {0x8100, 0, 0, 0}, {0x8100, 0xFF00, 0, 0}};
    static const struct font_character characters[3] = {{' ', 0}, {'a', 1}, {'b', 2}};
    uint32_t at = (uint32_t)((char *)file.glyphs - (char *)&file);

    file.header = (struct fonts_header){FONTS_MAGIC, 2};
    for (unsigned i = 0; i < 2; i++)
        file.entries[i] =
            (struct font_entry){8 + 4 * i,        GLYPH_HEIGHT + 4 * i, at,
                                i == 0 ? 3u : 1u, at + sizeof glyphs,   i == 0 ? 3u : 1u};
    memcpy(file.glyphs, glyphs, sizeof glyphs);
    memcpy(file.characters, characters, sizeof characters);
}

static uint32_t pixels[ROWS * GLYPH_HEIGHT + 3][COLUMNS * 8 + 5];
static cell_t cells[COLUMNS * ROWS];
static struct screen screen;

static void open_screen(void)
{
    static const struct screen_format format = {
        .pixels = (uint8_t *)pixels,
        .width = COLUMNS * 8 + 5,
        .height = ROWS * GLYPH_HEIGHT + 3,
        .pitch = sizeof pixels[0],
        .pixel_bytes = 4,
        .red_shift = 16,
        .red_size = 8,
        .green_shift = 8,
        .green_size = 8,
        .blue_size = 8,
    };
    struct font font;

    make_fonts();
    memset(pixels, 0xEE, sizeof pixels);
    CHECK(font_choose(&font, &file, sizeof file, GLYPH_HEIGHT, format.width, format.height));
    CHECK_EQ(screen_cells(&format, &font), COLUMNS * ROWS);
    screen_open(&screen, &format, &font, cells);
    scene();
    terminal_draw(&terminal, &screen);
}

TEST(screen, all_of_it_is_cleared_and_then_what_is_not_blank_is_drawn)
{
    uint64_t before;

    open_screen();
    CHECK_EQ(screen.drawn_pixels, 8 * GLYPH_HEIGHT); /* the cursor */
    for (unsigned y = 0; y < ROWS * GLYPH_HEIGHT + 3; y++)
        for (unsigned x = 8; x < COLUMNS * 8 + 5; x++) /* beside the cursor, and the margins */
            CHECK_EQ(pixels[y][x], 0);
    write_text("\033[?25l\r\nab");
    before = screen.drawn_pixels;
    terminal_draw(&terminal, &screen);
    /* The cell that the cursor has left, a row of pixels of the one, two of the other. */
    CHECK_EQ(screen.drawn_pixels - before, 8 * GLYPH_HEIGHT + 8 + 16);
    CHECK_EQ(pixels[GLYPH_HEIGHT][0], 0xCBD1DB);
    CHECK_EQ(pixels[GLYPH_HEIGHT][1], 0);
    CHECK_EQ(pixels[GLYPH_HEIGHT][7], 0xCBD1DB);
    CHECK_EQ(pixels[GLYPH_HEIGHT + 1][8 + 3], 0xCBD1DB);
    before = screen.drawn_pixels;
    terminal.changed = true;
    terminal_draw(&terminal, &screen);
    CHECK_EQ(screen.drawn_pixels, before);
}

TEST(screen, lines_that_scroll_are_drawn_where_they_differ)
{
    uint64_t before;

    open_screen();
    for (unsigned i = 0; i < ROWS; i++)
        write_text("aaaa\r\n");
    write_text("\033[?25l");
    terminal_draw(&terminal, &screen);
    before = screen.drawn_pixels;
    write_text("\r\naaaa\033[A\r    \033[B"); /* the same again, but for two lines */
    terminal_draw(&terminal, &screen);
    CHECK(screen.drawn_pixels - before <= 2 * 4 * 8);
}

TEST(screen, the_cursor_is_a_cell_with_its_colours_exchanged)
{
    open_screen();
    CHECK_EQ(pixels[0][0], 0xCBD1DB);
    write_text("b");
    terminal_draw(&terminal, &screen);
    CHECK_EQ(pixels[0][0], 0xCBD1DB); /* b */
    CHECK_EQ(pixels[0][1], 0);
    CHECK_EQ(pixels[2][8], 0xCBD1DB); /* the cursor */
}

TEST(screen, formats_of_24_and_16_bits_are_drawn_pixel_by_pixel)
{
    static uint8_t bytes[ROWS * GLYPH_HEIGHT][COLUMNS * 8 * 3];
    struct screen_format format = {.pixels = (uint8_t *)bytes,
                                   .width = COLUMNS * 8,
                                   .height = ROWS * GLYPH_HEIGHT,
                                   .pitch = sizeof bytes[0],
                                   .pixel_bytes = 3,
                                   .red_shift = 16,
                                   .red_size = 8,
                                   .green_shift = 8,
                                   .green_size = 8,
                                   .blue_size = 8};
    struct font font;

    make_fonts();
    CHECK(font_choose(&font, &file, sizeof file, GLYPH_HEIGHT, format.width, format.height));
    screen_open(&screen, &format, &font, cells);
    scene();
    write_text("\033[?25lb");
    terminal_draw(&terminal, &screen);
    CHECK_EQ(bytes[0][0], 0xDB);
    CHECK_EQ(bytes[0][2], 0xCB);
    CHECK_EQ(bytes[0][3], 0);
    format.pixel_bytes = 2;
    format.red_shift = 11, format.red_size = 5, format.green_shift = 5, format.green_size = 6;
    format.blue_size = 5;
    screen_open(&screen, &format, &font, cells);
    terminal_come(&terminal);
    terminal_draw(&terminal, &screen);
    CHECK_EQ(bytes[0][0] | bytes[0][1] << 8, 0xCB >> 3 << 11 | 0xD1 >> 2 << 5 | 0xDB >> 3);
    format.pixel_bytes = 1;
    CHECK_EQ(screen_cells(&format, &font), 0);
}

TEST(screen, fonts_that_are_not_whole_are_refused)
{
    struct font font;

    make_fonts();
    CHECK(font_choose(&font, &file, sizeof file, 0, 4000, 4000));
    CHECK_EQ(font.height, 2 * GLYPH_HEIGHT); /* the largest that leaves room */
    CHECK(font_choose(&font, &file, sizeof file, 0, 100, 100));
    CHECK_EQ(font.height, GLYPH_HEIGHT); /* none does */
    CHECK(!font_choose(&font, &file, sizeof file, 99, 4000, 4000));
    for (size_t size = 0; size < sizeof file; size += 4)
        CHECK(!font_choose(&font, &file, size, 0, 4000, 4000));
    file.characters[1].glyph = 3;
    CHECK(!font_choose(&font, &file, sizeof file, 0, 4000, 4000));
    make_fonts();
    file.entries[1].width = 18;
    CHECK(!font_choose(&font, &file, sizeof file, 0, 4000, 4000));
}
