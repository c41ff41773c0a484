// SPDX-License-Identifier: MIT
/* printf - see printf.h. */
#include "lib/base/printf.h"

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/string.h"

/* Where the text goes; counts what does not fit too. */
struct sink {
    char *out;
    size_t size;
    size_t length;
};

struct conversion {
    bool left, zero;
    unsigned width;
    int precision;       /* -1: none */
    unsigned long_count; /* l, ll; z counts as l */
};

static void sink_put(struct sink *sink, char c)
{
    if (sink->length + 1 < sink->size)
        sink->out[sink->length] = c;
    sink->length++;
}

static void sink_write(struct sink *sink, const char *text, size_t length)
{
    size_t room = sink->length + 1 < sink->size ? sink->size - 1 - sink->length : 0;

    if (room != 0)
        memcpy(sink->out + sink->length, text, length < room ? length : room);
    sink->length += length;
}

static void sink_repeat(struct sink *sink, char c, size_t count)
{
    while (count-- > 0)
        sink_put(sink, c);
}

/* `sign` (0: none) goes before padding zeros and after padding blanks. */
static void put_padded(struct sink *sink, const struct conversion *cv, char sign, const char *text,
                       size_t length, bool zero)
{
    size_t total = length + (sign != 0);
    size_t padding = cv->width > total ? cv->width - total : 0;

    if (!cv->left && !zero)
        sink_repeat(sink, ' ', padding);
    if (sign != 0)
        sink_put(sink, sign);
    if (!cv->left && zero)
        sink_repeat(sink, '0', padding);
    sink_write(sink, text, length);
    if (cv->left)
        sink_repeat(sink, ' ', padding);
}

static void put_number(struct sink *sink, const struct conversion *cv, char sign, uint64_t value,
                       unsigned base, const char *digits)
{
    char text[20];
    size_t at = sizeof text;

    do {
        text[--at] = digits[value % base];
        value /= base;
    } while (value != 0);
    put_padded(sink, cv, sign, text + at, sizeof text - at, cv->zero && !cv->left);
}

static void put_string(struct sink *sink, const struct conversion *cv, const char *text)
{
    size_t length = 0;

    if (text == NULL)
        text = "(null)";
    while ((cv->precision < 0 || length < (size_t)cv->precision) && text[length] != 0)
        length++;
    put_padded(sink, cv, 0, text, length, false);
}

static const char *parse_number(const char *format, unsigned *number)
{
    *number = 0;
    while (*format >= '0' && *format <= '9')
        *number = *number * 10 + (unsigned)(*format++ - '0');
    return format;
}

/* The arguments travel by pointer to a structure, because a va_list parameter may be an array. */
struct arguments {
    va_list list;
};

static const char *parse_conversion(const char *format, struct conversion *cv,
                                    struct arguments *args)
{
    unsigned precision;

    *cv = (struct conversion){.precision = -1};
    for (;; format++) {
        if (*format == '-')
            cv->left = true;
        else if (*format == '0')
            cv->zero = true;
        else
            break;
    }
    if (*format == '*') {
        int width = va_arg(args->list, int);

        cv->left |= width < 0;
        cv->width = width < 0 ? 0u - (unsigned)width : (unsigned)width;
        format++;
    } else {
        format = parse_number(format, &cv->width);
    }
    if (*format == '.') {
        if (format[1] == '*') {
            cv->precision = va_arg(args->list, int);
            format += 2;
        } else {
            format = parse_number(format + 1, &precision);
            cv->precision = (int)precision;
        }
    }
    while (*format == 'l' || *format == 'z' || *format == 'h')
        cv->long_count += *format++ != 'h';
    return format;
}

static void put_signed(struct sink *sink, const struct conversion *cv, struct arguments *args)
{
    int64_t value = cv->long_count ? va_arg(args->list, long long) : va_arg(args->list, int);
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    put_number(sink, cv, value < 0 ? '-' : 0, magnitude, 10, "0123456789");
}

static void put_unsigned(struct sink *sink, const struct conversion *cv, struct arguments *args,
                         unsigned base, const char *digits)
{
    uint64_t value =
        cv->long_count ? va_arg(args->list, unsigned long long) : va_arg(args->list, unsigned);

    put_number(sink, cv, 0, value, base, digits);
}

static void convert(struct sink *sink, char letter, struct conversion *cv, struct arguments *args)
{
    static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
    char character;

    switch (letter) {
    case 'd':
    case 'i': put_signed(sink, cv, args); break;
    case 'u': put_unsigned(sink, cv, args, 10, lower); break;
    case 'x': put_unsigned(sink, cv, args, 16, lower); break;
    case 'X': put_unsigned(sink, cv, args, 16, upper); break;
    case 'p':
        sink_put(sink, '0');
        sink_put(sink, 'x');
        put_number(sink, cv, 0, (uintptr_t)va_arg(args->list, void *), 16, lower);
        break;
    case 'c':
        character = (char)va_arg(args->list, int);
        put_padded(sink, cv, 0, &character, 1, false);
        break;
    case 's': put_string(sink, cv, va_arg(args->list, const char *)); break;
    default: sink_put(sink, letter); break; /* "%%", and a mistake the compiler warns of */
    }
}

int mnos_vsnprintf(char *out, size_t size, const char *format, va_list arguments)
{
    struct sink sink = {out, size, 0};
    struct arguments args;
    struct conversion cv;

    va_copy(args.list, arguments);
    for (; *format != 0; format++) {
        const char *text = format;

        while (*format != 0 && *format != '%')
            format++;
        sink_write(&sink, text, (size_t)(format - text));
        if (*format == 0)
            break;
        format = parse_conversion(format + 1, &cv, &args);
        if (*format == 0)
            break;
        convert(&sink, *format, &cv, &args);
    }
    va_end(args.list);
    if (size != 0)
        out[sink.length < size ? sink.length : size - 1] = 0;
    return (int)sink.length;
}

int mnos_snprintf(char *out, size_t size, const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = mnos_vsnprintf(out, size, format, arguments);
    va_end(arguments);
    return length;
}
