// SPDX-License-Identifier: MIT
/* editor_scene.c - see editor_scene.h. */
#define _XOPEN_SOURCE 700 /* wcwidth(), which knows the widths independently */

#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "programs/monitor/complete.c"
#include "programs/monitor/editor.c"
#include "programs/monitor/history.c"
#include "programs/monitor/keys.c"
#include "programs/monitor/line.c"
#include "programs/monitor/search.c"
#include "programs/monitor/view.c"
/* After those, whose functions have an argument of the name of our editor. */
#include "tests/unit/editor_scene.h"
#include "tests/unit/unit.h"

struct terminal terminal;

void terminal_clear(size_t from)
{
    memset(terminal.row[from], 0, sizeof terminal.row[0] * (CELLS - from));
}

static void terminal_sequence(void)
{
    unsigned number = 0;
    char final = terminal.sequence[terminal.sequence_length - 1];

    sscanf(terminal.sequence + 2, "%u", &number);
    switch (final) {
    case 'K': terminal_clear(terminal.column); break;
    case 'D': terminal.column -= number; break;
    case 'J': terminal_clear(0); break;
    case 'H': terminal.column = 0; break;
    default: CHECK(!"a sequence this terminal knows");
    }
    terminal.sequence_length = 0;
}

static void terminal_character(uint32_t code)
{
    char bytes[UTF8_BYTES_MAX];
    unsigned count = utf8_encode(code, bytes);
    int width = code == UTF8_REPLACEMENT ? 1 : wcwidth((wchar_t)code);
    size_t column = terminal.column;

    CHECK(width >= 0);
    CHECK(terminal.column + (size_t)width < terminal.columns); /* the last column stays empty */
    if (width == 0) {
        column--;
        while (column > 0 && terminal.row[column][0] == 0)
            column--;
    } else {
        terminal.row[column][0] = 0;
        terminal.row[column + 1][0] = width == 2 ? 0 : terminal.row[column + 1][0];
    }
    if (strlen(terminal.row[column]) + count < CELL_BYTES)
        strncat(terminal.row[column], bytes, count);
    terminal.column += (size_t)width;
}

static void terminal_write(const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char c = bytes[i];
        uint32_t code;

        if (terminal.sequence_length != 0 || c == '\x1b') {
            terminal.sequence[terminal.sequence_length++] = c;
            if (terminal.sequence_length == 2 ? c != '[' : terminal.sequence_length > 2 && c >= '@')
                terminal_sequence();
        } else if (c == '\r') {
            terminal.column = 0;
        } else if (c == '\n') {
            terminal_clear(0);
            terminal.lines++;
        } else if (c == '\a') {
            terminal.bells++;
        } else {
            enum utf8_step step = utf8_feed(&terminal.utf8, (uint8_t)c, &code);

            CHECK(step == UTF8_MORE || step == UTF8_DONE); /* what is sent is well-formed */
            if (step == UTF8_DONE)
                terminal_character(code);
        }
    }
}

static void ask_columns(void)
{
    terminal.questions++;
}

static bool candidate(const char *line, size_t word_start, size_t, unsigned index,
                      char word[EDITOR_WORD_BYTES])
{
    static const char *const words[] = {"services", "serial", "restart", "reboot"};

    (void)line;
    (void)word_start;
    if (index >= sizeof words / sizeof words[0])
        return false;
    strcpy(word, words[index]);
    return true;
}

const char *const editor_refusal = too_long;
struct editor editor = {
    .prompt = "> ", .write = terminal_write, .ask_columns = ask_columns, .candidate = candidate};

void begin(void)
{
    CHECK(setlocale(LC_CTYPE, "C.UTF-8") != NULL);
    if (terminal.columns == 0)
        terminal.columns = EDITOR_COLUMNS;
    editor_begin(&editor);
}

/* L1 to L3, E1, and the screen: from the first visible character, as much of the line as fits. */
void editor_check(void)
{
    const struct line *line = &editor.line;
    size_t column = 2, cursor = 0, at = editor.view;
    char cell[CELL_BYTES];

    CHECK(editor.view <= line->cursor && line->cursor <= line->length);
    CHECK(line->length < LINE_BYTES);
    CHECK_EQ(line->text[line->length], 0);
    if (editor.searching)
        return;
    CHECK(memcmp(terminal.row[0], ">", 2) == 0);
    while (at < line->length) {
        size_t next = line_after(line, at), width = utf8_columns(line->text + at, next - at);

        if (at == line->cursor)
            cursor = column;
        if (column + width > (editor.columns ? editor.columns : EDITOR_COLUMNS) - 1)
            break;
        cell[0] = 0;
        if (next - at < sizeof cell) {
            strncat(cell, line->text + at, next - at);
            if (width != 0)
                CHECK_STR_EQ(terminal.row[column], cell);
        }
        column += width;
        at = next;
    }
    if (at == line->length) {
        CHECK_STR_EQ(terminal.row[column], "");
        if (line->cursor == line->length)
            cursor = column;
    }
    CHECK_EQ(terminal.column, cursor);
}

enum editor_event type_bytes(const char *keys, size_t count)
{
    enum editor_event event = EDITOR_NONE;

    for (size_t i = 0; i < count; i++) {
        event = editor_feed(&editor, keys[i]);
        if (event != EDITOR_NONE)
            return event;
        if (keys_idle(&editor.keys))
            editor_check();
    }
    return event;
}

enum editor_event type(const char *keys)
{
    return type_bytes(keys, strlen(keys));
}

void enter(const char *keys)
{
    type(keys);
    CHECK_EQ(type("\r"), EDITOR_LINE);
    editor_begin(&editor);
}

/* The driver has found out how wide the terminal is. */
void answer(void)
{
    CHECK(terminal.questions != 0);
    editor_set_columns(&editor, (unsigned)terminal.columns);
}
