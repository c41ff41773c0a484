// SPDX-License-Identifier: MIT
/* line - see line.h. Host tests compile this file. */
#include "programs/monitor/line.h"

#include "lib/mnos/utf8.h"
#include "lib/base/string.h"

/* Whether a code point begins at `at` and combines with what is before. */
static bool combines(const struct line *line, size_t at)
{
    uint32_t code;

    if (at == 0 || at >= line->length)
        return false;
    utf8_decode(line->text + at, &code);
    return utf8_width(code) == 0;
}

static bool is_continuation(char byte)
{
    return ((uint8_t)byte & 0xC0) == 0x80;
}

/* `at`, or behind what there combines with the character before. */
static size_t whole(const struct line *line, size_t at)
{
    while (at < line->length && (is_continuation(line->text[at]) || combines(line, at)))
        at++;
    return at;
}

void line_clear(struct line *line)
{
    line->length = line->cursor = 0;
    line->text[0] = 0;
}

void line_set(struct line *line, const char *text)
{
    line->length = line->cursor = string_copy(line->text, text, LINE_BYTES);
}

bool line_insert(struct line *line, const char *bytes, size_t count)
{
    if (line->length + count >= LINE_BYTES)
        return false;
    memmove(line->text + line->cursor + count, line->text + line->cursor,
            line->length - line->cursor + 1);
    memcpy(line->text + line->cursor, bytes, count);
    line->length += count;
    line->cursor = whole(line, line->cursor + count);
    return true;
}

void line_remove(struct line *line, size_t from, size_t to)
{
    memmove(line->text + from, line->text + to, line->length - to + 1);
    line->length -= to - from;
    line->cursor = whole(line, from);
}

void line_move(struct line *line, size_t cursor)
{
    line->cursor = whole(line, cursor);
}

size_t line_before(const struct line *line, size_t at)
{
    while (at > 0) {
        at--;
        if (!is_continuation(line->text[at]) && !combines(line, at))
            break;
    }
    return at;
}

size_t line_after(const struct line *line, size_t at)
{
    while (at < line->length) {
        at++;
        if (!is_continuation(line->text[at]) && !combines(line, at))
            break;
    }
    return at;
}

/* `at`, or where the character begins that it is in. */
static size_t whole_before(const struct line *line, size_t at)
{
    return combines(line, at) ? line_before(line, at) : at;
}

static bool is_word(char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
           (byte >= 'A' && byte <= 'Z') || (uint8_t)byte >= 0x80;
}

size_t line_word_before(const struct line *line, size_t at)
{
    while (at > 0 && !is_word(line->text[at - 1]))
        at--;
    while (at > 0 && is_word(line->text[at - 1]))
        at--;
    return whole_before(line, at);
}

size_t line_word_after(const struct line *line, size_t at)
{
    while (at < line->length && !is_word(line->text[at]))
        at++;
    while (at < line->length && is_word(line->text[at]))
        at++;
    return whole(line, at);
}

size_t line_argument_before(const struct line *line, size_t at)
{
    while (at > 0 && line->text[at - 1] == ' ')
        at--;
    while (at > 0 && line->text[at - 1] != ' ')
        at--;
    return whole_before(line, at);
}
