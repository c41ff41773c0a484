// SPDX-License-Identifier: MIT
/*
 * format.c - the kernel's formatter: %s %c %d %i %u %x %p and %%, with l, ll, z, flags 0 and -, and a
 * width. Anything else is copied as it stands, which shows the mistake in the output.
 */
#include "log/format.h"

#include <stdbool.h>
#include <stdint.h>

#include "lib/string.h"

struct output {
    char *next;
    char *end; /* room for the NUL is behind it */
};

struct conversion {
    bool left;
    bool zeros;
    unsigned width;
    unsigned longs; /* 0: int, else 64 bits */
};

enum {
    WIDTH_MAX = 64,
    DIGITS_MAX = 20, /* of 2^64 - 1 in decimal */
};

static void put(struct output *out, char c)
{
    if (out->next < out->end)
        *out->next++ = c;
}

static void put_repeated(struct output *out, char c, size_t count)
{
    for (; count > 0; count--)
        put(out, c);
}

/* `sign` is 0 or a character to go in front of the digits (and of the zeros that pad them). */
static void put_field(struct output *out, const struct conversion *c, char sign, const char *text,
                      size_t length)
{
    size_t total = length + (sign != 0);
    size_t fill = c->width > total ? c->width - total : 0;

    if (!c->left && !c->zeros)
        put_repeated(out, ' ', fill);
    if (sign)
        put(out, sign);
    if (!c->left && c->zeros)
        put_repeated(out, '0', fill);
    for (size_t i = 0; i < length; i++)
        put(out, text[i]);
    if (c->left)
        put_repeated(out, ' ', fill);
}

static void put_number(struct output *out, const struct conversion *c, char sign, uint64_t value,
                       unsigned base)
{
    char digits[DIGITS_MAX];
    unsigned i = DIGITS_MAX;

    /* 32-bit division is several times cheaper and covers nearly every number that is printed. */
    while (value > UINT32_MAX) {
        digits[--i] = "0123456789abcdef"[value % base];
        value /= base;
    }
    uint32_t rest = (uint32_t)value;
    do {
        digits[--i] = "0123456789abcdef"[rest % base];
        rest /= base;
    } while (rest > 0);
    put_field(out, c, sign, digits + i, DIGITS_MAX - i);
}

static void put_string(struct output *out, struct conversion *c, const char *text)
{
    c->zeros = false;
    if (!text)
        text = "(null)";
    put_field(out, c, 0, text, strlen(text));
}

static const char *parse_conversion(const char *format, struct conversion *c)
{
    *c = (struct conversion){0};
    for (;; format++) {
        if (*format == '-')
            c->left = true;
        else if (*format == '0')
            c->zeros = true;
        else
            break;
    }
    for (; *format >= '0' && *format <= '9'; format++)
        if (c->width < WIDTH_MAX)
            c->width = c->width * 10 + (unsigned)(*format - '0');
    for (; *format == 'l' || *format == 'z'; format++)
        c->longs++;
    return format;
}

size_t format_text(char *out, size_t capacity, const char *format, va_list arguments)
{
    struct output output = {out, out + capacity - 1};
    struct conversion c;
    va_list args;

    va_copy(args, arguments);
    for (; *format; format++) {
        if (*format != '%') {
            put(&output, *format);
            continue;
        }
        const char *start = format;
        format = parse_conversion(format + 1, &c);
        switch (*format) {
        case 's': put_string(&output, &c, va_arg(args, const char *)); break;
        case 'c': put_field(&output, &c, 0, &(char){(char)va_arg(args, int)}, 1); break;
        case 'd':
        case 'i': {
            int64_t value = c.longs ? va_arg(args, int64_t) : va_arg(args, int);
            uint64_t size = value < 0 ? -(uint64_t)value : (uint64_t)value;
            put_number(&output, &c, value < 0 ? '-' : 0, size, 10);
            break;
        }
        case 'u':
        case 'x':
            put_number(&output, &c, 0, c.longs ? va_arg(args, uint64_t) : va_arg(args, unsigned),
                       *format == 'u' ? 10 : 16);
            break;
        case 'p':
            c = (struct conversion){.zeros = true, .width = 16};
            put(&output, '0');
            put(&output, 'x');
            put_number(&output, &c, 0, (uintptr_t)va_arg(args, void *), 16);
            break;
        case '%': put(&output, '%'); break;
        default: /* not ours: shown as written */
            format = start;
            put(&output, '%');
            break;
        }
    }
    va_end(args);
    *output.next = '\0';
    return (size_t)(output.next - out);
}

size_t format_into(char *out, size_t capacity, const char *format, ...)
{
    va_list arguments;
    size_t length;

    va_start(arguments, format);
    length = format_text(out, capacity, format, arguments);
    va_end(arguments);
    return length;
}
