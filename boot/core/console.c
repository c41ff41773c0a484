// SPDX-License-Identifier: MIT
/* console - see console.h. */
#include "console.h"

#include <stdarg.h>

#include "cpu.h"

#define COM1 0x3f8
#define LINE_SIZE 1024

#define FONT_WIDTH 8
#define FONT_HEIGHT 16
#define VGA_TEXT UINT64_C(0xb8000)
#define VGA_COLUMNS 80
#define VGA_ROWS 25

extern const unsigned char boot_font[256][FONT_HEIGHT];

static struct boot_framebuffer screen;
static enum { SCREEN_NONE, SCREEN_TEXT, SCREEN_PIXELS } screen_kind;
static void (*firmware_write)(const char *line);
static unsigned row;
static bool serial_ready;

void boot_console_framebuffer(const struct boot_framebuffer *fb)
{
    screen = *fb;
    screen_kind = fb->bpp == 32 ? SCREEN_PIXELS : SCREEN_NONE;
    row = 0;
}

void boot_console_vga_text(void)
{
    screen_kind = SCREEN_TEXT;
    row = 0;
}

void boot_console_firmware(void (*write)(const char *line))
{
    firmware_write = write;
}

/* 16550: 115200 baud, 8 data bits, no parity, one stop bit. The port may not exist. */
static void serial_init(void)
{
    cpu_out8(COM1 + 1, 0);
    cpu_out8(COM1 + 3, 0x80);
    cpu_out8(COM1, 1);
    cpu_out8(COM1 + 1, 0);
    cpu_out8(COM1 + 3, 0x03);
    cpu_out8(COM1 + 2, 0x07);
    cpu_out8(COM1 + 4, 0x03);
}

static void serial_write(char c)
{
    /* A port that never gets ready must not stop us: 100,000 reads take about 0.1 s. */
    for (unsigned i = 0; i < 100000 && (cpu_in8(COM1 + 5) & 0x20) == 0; i++)
        cpu_pause();
    cpu_out8(COM1, (uint8_t)c);
}

static void draw_pixels(char c, unsigned column)
{
    uint64_t top = (uint64_t)row * FONT_HEIGHT, left = (uint64_t)column * FONT_WIDTH;

    for (unsigned y = 0; y < FONT_HEIGHT; y++) {
        volatile uint32_t *pixel =
            (volatile uint32_t *)(uintptr_t)(screen.physical + (top + y) * screen.pitch) + left;
        for (unsigned x = 0; x < FONT_WIDTH; x++)
            pixel[x] = (boot_font[(unsigned char)c][y] >> (7 - x) & 1) != 0 ? 0xffffffff : 0;
    }
}

static void draw(char c, unsigned column)
{
    if (screen_kind == SCREEN_TEXT)
        ((volatile uint16_t *)(uintptr_t)VGA_TEXT)[row * VGA_COLUMNS + column] =
            (uint16_t)(0x0700 | (unsigned char)c);
    else
        draw_pixels(c, column);
}

/* Whole rows, over what was there. Long lines go on in the next row; below the last is nothing. */
static void screen_write(const char *line)
{
    bool text = screen_kind == SCREEN_TEXT;
    uint64_t columns = text ? VGA_COLUMNS : screen.width / FONT_WIDTH;
    uint64_t rows = text ? VGA_ROWS : screen.height / FONT_HEIGHT;

    do {
        for (unsigned column = 0; column < columns && row < rows; column++)
            draw(*line != 0 ? *line++ : ' ', column);
        row++;
    } while (*line != 0 && row < rows);
}

struct buffer {
    char text[LINE_SIZE];
    unsigned length;
};

static void put(struct buffer *out, const char *text)
{
    for (; *text != 0 && out->length < LINE_SIZE - 1; text++) {
        bool printable = *text >= 0x20 && *text < 0x7f;
        out->text[out->length++] = printable ? *text : '?'; /* one line, whatever it quotes */
    }
}

static void put_number(struct buffer *out, unsigned value)
{
    char digits[12];
    unsigned at = sizeof digits - 1;

    digits[at] = 0;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    put(out, &digits[at]);
}

static void print(const char *format, va_list arguments)
{
    static struct buffer out;

    out.length = 0;
    put(&out, "minimalos loader: ");
    for (; *format != 0; format++) {
        char one[2] = {*format, 0};

        if (*format != '%')
            put(&out, one);
        else if (*++format == 's')
            put(&out, va_arg(arguments, const char *));
        else
            put_number(&out, va_arg(arguments, unsigned));
    }
    out.text[out.length] = 0;

    if (!serial_ready)
        serial_init();
    serial_ready = true;
    for (const char *c = out.text; *c != 0; c++)
        serial_write(*c);
    serial_write('\r');
    serial_write('\n');
    if (screen_kind != SCREEN_NONE)
        screen_write(out.text);
    else if (firmware_write != NULL)
        firmware_write(out.text);
}

void boot_print(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    print(format, arguments);
    va_end(arguments);
}

void boot_fatal(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    print(format, arguments);
    va_end(arguments);
    cpu_stop();
}
