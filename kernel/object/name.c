// SPDX-License-Identifier: MIT
/* name.c - see name.h. */
#include "object/name.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/string.h"

#define REPLACEMENT '?'
#define TEXT_BYTES (MNOS_NAME_BYTES - 1)

struct range {
    uint32_t first, last;
};

/* Beyond ASCII: control characters; what cannot be seen or ends a line; what changes the direction of
 * writing (Unicode Standard Annex 9, "Bidirectional Character Types"); surrogates; a mark of byte order. */
static const struct range refused[] = {
    {0x0080, 0x009F}, {0x200B, 0x200F}, {0x2028, 0x202E}, {0x2060, 0x206F},
    {0xD800, 0xDFFF}, {0xFEFF, 0xFEFF}, {0xFFF0, 0xFFFB}, {0xE0000, 0xE0FFF},
};

static bool is_refused(uint32_t character)
{
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        if (character >= refused[i].first && character <= refused[i].last)
            return true;
    return false;
}

/* Bytes of the character that begins with `lead`, by its highest bits; 0: none does. */
static size_t sequence_bytes(uint8_t lead)
{
    if (lead >= 0xC2 && lead <= 0xDF)
        return 2;
    if (lead >= 0xE0 && lead <= 0xEF)
        return 3;
    return lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
}

/* Bytes of the character beyond ASCII at `text`, of which there are `left`, that a name may have; 0: it is none.
 * Unicode Standard, "UTF-8": the shortest form only. */
static size_t character_bytes(const uint8_t *text, size_t left)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t bytes = sequence_bytes(text[0]);
    uint32_t character;

    if (bytes == 0 || bytes > left)
        return 0;
    character = text[0] & (0x7Fu >> bytes);
    for (size_t i = 1; i < bytes; i++) {
        if ((text[i] & 0xC0) != 0x80)
            return 0;
        character = character << 6 | (text[i] & 0x3Fu);
    }
    if (character < least[bytes] || character > 0x10FFFF || is_refused(character))
        return 0;
    return bytes;
}

void name_copy(char to[MNOS_NAME_BYTES], const char from[MNOS_NAME_BYTES])
{
    const uint8_t *text = (const uint8_t *)from;
    size_t at = 0;

    memset(to, 0, MNOS_NAME_BYTES);
    while (at < TEXT_BYTES && text[at] != '\0') {
        size_t bytes = 1;

        if (text[at] < ' ' || text[at] > '~')
            bytes = character_bytes(text + at, TEXT_BYTES - at);
        if (bytes == 0)
            to[at++] = REPLACEMENT;
        for (; bytes != 0; bytes--, at++)
            to[at] = (char)text[at];
    }
}
