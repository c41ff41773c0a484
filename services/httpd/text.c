// SPDX-License-Identifier: MIT
/* text - see text.h. */
#include "services/httpd/text.h"

#include "lib/base/string.h"

#define NUMBER_BYTES 20u /* of the largest of 64 bits, in decimal */

void text_put(struct text *text, const char *bytes, size_t count)
{
    if (count > text->room - text->count) {
        text->cut = true;
        return;
    }
    memcpy(text->bytes + text->count, bytes, count);
    text->count += count;
}

static void put_number(struct text *text, uint64_t value, uint32_t base, uint32_t digits)
{
    char bytes[NUMBER_BYTES], *at = bytes + sizeof bytes;

    do {
        *--at = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    while (bytes + sizeof bytes - at < (ptrdiff_t)digits)
        *--at = '0';
    text_put(text, at, (size_t)(bytes + sizeof bytes - at));
}

void text_decimal(struct text *text, uint64_t value)
{
    put_number(text, value, 10, 1);
}

void text_digits(struct text *text, uint32_t value, uint32_t digits)
{
    put_number(text, value, 10, digits < NUMBER_BYTES ? digits : NUMBER_BYTES);
}

void text_hex(struct text *text, uint64_t value)
{
    put_number(text, value, 16, 1);
}

void text_end(struct text *text)
{
    if (text->room == 0)
        return;
    if (text->count == text->room)
        text->count--;
    text->bytes[text->count] = 0;
}
