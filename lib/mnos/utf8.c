// SPDX-License-Identifier: MIT
/* utf8 - see utf8.h. Host tests compile this file. */
#include "lib/mnos/utf8.h"

struct code_range {
    uint32_t first, last;
};

#include "width_table.h" /* made by tools/mkwidth.py */

enum utf8_step utf8_feed(struct utf8_decoder *decoder, uint8_t byte, uint32_t *code)
{
    if (decoder->missing != 0) {
        if (byte < decoder->low || byte > decoder->high) {
            decoder->missing = 0;
            return UTF8_BAD_BEFORE;
        }
        decoder->code = decoder->code << 6 | (byte & 0x3F);
        decoder->low = 0x80;
        decoder->high = 0xBF;
        *code = decoder->code;
        return --decoder->missing == 0 ? UTF8_DONE : UTF8_MORE;
    }
    if (byte < 0x80) {
        *code = byte;
        return UTF8_DONE;
    }
    if (byte < 0xC2 || byte > 0xF4)
        return UTF8_BAD;
    decoder->missing = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
    decoder->code = byte & (0x3F >> decoder->missing);
    /* The second byte excludes overlong forms, surrogates and what is above U+10FFFF. */
    decoder->low = byte == 0xE0 ? 0xA0 : byte == 0xF0 ? 0x90 : 0x80;
    decoder->high = byte == 0xED ? 0x9F : byte == 0xF4 ? 0x8F : 0xBF;
    return UTF8_MORE;
}

unsigned utf8_encode(uint32_t code, char out[UTF8_BYTES_MAX])
{
    unsigned count = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

    if (count == 1) {
        out[0] = (char)code;
        return 1;
    }
    for (unsigned i = count - 1; i > 0; i--, code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3F));
    out[0] = (char)(0xF00u >> count | code);
    return count;
}

unsigned utf8_decode(const char *text, uint32_t *code)
{
    struct utf8_decoder decoder = {0};
    unsigned count = 0;

    while (utf8_feed(&decoder, (uint8_t)text[count++], code) == UTF8_MORE)
        ;
    return count;
}

static bool within(uint32_t code, const struct code_range *ranges, size_t count)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (code > ranges[middle].last)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && code >= ranges[low].first;
}

unsigned utf8_width(uint32_t code)
{
    if (code < 0x80)
        return 1;
    if (within(code, zero_columns, sizeof zero_columns / sizeof zero_columns[0]))
        return 0;
    return within(code, two_columns, sizeof two_columns / sizeof two_columns[0]) ? 2 : 1;
}

size_t utf8_columns(const char *text, size_t size)
{
    size_t columns = 0;
    uint32_t code;

    for (size_t at = 0; at < size;) {
        at += utf8_decode(text + at, &code);
        columns += utf8_width(code);
    }
    return columns;
}

bool utf8_is_text(uint32_t code)
{
    return code >= 0x20 && (code < 0x7F || code > 0x9F) && code != 0x2028 && code != 0x2029;
}

/* How many bytes the code point has that begins here, if it is text; 0: it is none, or not well-formed. */
static unsigned text_bytes(const char *at)
{
    struct utf8_decoder decoder = {0};
    enum utf8_step step = UTF8_MORE;
    unsigned count = 0;
    uint32_t code;

    /* The 0 at the end of a text belongs to no code point of several bytes. */
    while (step == UTF8_MORE)
        step = utf8_feed(&decoder, (uint8_t)at[count++], &code);
    return step == UTF8_DONE && utf8_is_text(code) ? count : 0;
}

bool utf8_clean(char *text)
{
    bool clean = true;

    while (*text != 0) {
        unsigned count = text_bytes(text);

        if (count == 0) {
            *text = '?';
            clean = false;
            count = 1;
        }
        text += count;
    }
    return clean;
}
