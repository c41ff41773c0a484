// SPDX-License-Identifier: MIT
/* editor - keys and what they do to the line: see editor.h. Host tests compile this file. */
#include "programs/monitor/editor.h"

#include "lib/printf.h"
#include "lib/string.h"
#include "programs/monitor/editor_internal.h"

#define CTRL(letter) ((letter)&0x1F)
#define KEY_ESCAPE 0x1B
#define KEY_BACKSPACE 0x08
#define KEY_DELETE 0x7F

enum { ESCAPE_NONE, ESCAPE_SEEN, ESCAPE_BRACKET, ESCAPE_O };

void editor_put(struct editor *editor, const char *text)
{
    editor->write(text, strlen(text));
}

static size_t visible_columns(const struct editor *editor)
{
    return EDITOR_COLUMNS - strlen(editor->prompt);
}

/* Moves the view so that the cursor is in it, a third of a screen at a time. */
static void scroll(struct editor *editor)
{
    size_t columns = visible_columns(editor);

    if (editor->cursor < editor->view)
        editor->view = editor->cursor > columns / 3 ? editor->cursor - columns / 3 : 0;
    if (editor->cursor > editor->view + columns - 1)
        editor->view = editor->cursor - columns + 1 + columns / 3;
    if (editor->length < columns)
        editor->view = 0;
}

void editor_redraw(struct editor *editor)
{
    size_t shown, columns = visible_columns(editor);
    char move[16];

    scroll(editor);
    shown = editor->length - editor->view;
    if (shown > columns)
        shown = columns;
    editor_put(editor, "\r");
    editor_put(editor, editor->prompt);
    editor->write(editor->line + editor->view, shown);
    editor_put(editor, "\x1b[K");
    if (editor->cursor - editor->view < shown) {
        mnos_snprintf(move, sizeof move, "\x1b[%zuD", shown - (editor->cursor - editor->view));
        editor_put(editor, move);
    }
}

void editor_begin(struct editor *editor)
{
    editor->length = editor->cursor = editor->view = 0;
    editor->line[0] = 0;
    editor->history_back = 0;
    editor->escape = ESCAPE_NONE;
    editor_put(editor, editor->prompt);
}

void editor_insert(struct editor *editor, char byte)
{
    bool simple = editor->cursor == editor->length &&
                  editor->length - editor->view + 1 < visible_columns(editor);

    if (editor->length == EDITOR_LINE_BYTES - 1) {
        editor_put(editor, "\a");
        return;
    }
    memmove(editor->line + editor->cursor + 1, editor->line + editor->cursor,
            editor->length - editor->cursor + 1);
    editor->line[editor->cursor++] = byte;
    editor->length++;
    /* What is typed at the end, the usual case, is only echoed. */
    if (simple)
        editor->write(&byte, 1);
    else
        editor_redraw(editor);
}

/* Removes the characters from `from` up to `to`, and leaves the cursor at `from`. */
static void remove_range(struct editor *editor, size_t from, size_t to)
{
    memmove(editor->line + from, editor->line + to, editor->length - to + 1);
    editor->length -= to - from;
    editor->cursor = from;
    editor_redraw(editor);
}

static void move_to(struct editor *editor, size_t cursor)
{
    editor->cursor = cursor;
    editor_redraw(editor);
}

static void remove_word(struct editor *editor)
{
    size_t start = editor->cursor;

    while (start > 0 && editor->line[start - 1] == ' ')
        start--;
    while (start > 0 && editor->line[start - 1] != ' ')
        start--;
    remove_range(editor, start, editor->cursor);
}

static void show_line(struct editor *editor, const char *line)
{
    string_copy(editor->line, line, sizeof editor->line);
    editor->length = editor->cursor = strlen(editor->line);
    editor_redraw(editor);
}

static char *history_line(struct editor *editor, unsigned back)
{
    return editor->history[(editor->history_count - back) % EDITOR_HISTORY_LINES];
}

static void history_move(struct editor *editor, int step)
{
    unsigned kept =
        editor->history_count < EDITOR_HISTORY_LINES ? editor->history_count : EDITOR_HISTORY_LINES;
    unsigned back = editor->history_back + (unsigned)step;

    if ((step < 0 && editor->history_back == 0) || back > kept)
        return;
    if (editor->history_back == 0)
        string_copy(editor->unfinished, editor->line, sizeof editor->unfinished);
    editor->history_back = back;
    show_line(editor, back == 0 ? editor->unfinished : history_line(editor, back));
}

static void history_add(struct editor *editor)
{
    if (editor->length == 0 ||
        (editor->history_count != 0 && strcmp(history_line(editor, 1), editor->line) == 0))
        return;
    string_copy(editor->history[editor->history_count++ % EDITOR_HISTORY_LINES], editor->line,
                EDITOR_LINE_BYTES);
}

/* The final byte of "ESC [ number X" or "ESC O X". */
static void escape_key(struct editor *editor, char final)
{
    switch (final) {
    case 'A': history_move(editor, 1); break;
    case 'B': history_move(editor, -1); break;
    case 'C':
        if (editor->cursor < editor->length)
            move_to(editor, editor->cursor + 1);
        break;
    case 'D':
        if (editor->cursor > 0)
            move_to(editor, editor->cursor - 1);
        break;
    case 'H': move_to(editor, 0); break;
    case 'F': move_to(editor, editor->length); break;
    case '~':
        if (editor->number == 1 || editor->number == 7)
            move_to(editor, 0);
        else if (editor->number == 4 || editor->number == 8)
            move_to(editor, editor->length);
        else if (editor->number == 3 && editor->cursor < editor->length)
            remove_range(editor, editor->cursor, editor->cursor + 1);
        break;
    default: break;
    }
}

/* Returns whether the byte belongs to an escape sequence. */
static bool escape_feed(struct editor *editor, char byte)
{
    if (editor->escape == ESCAPE_NONE) {
        if (byte != KEY_ESCAPE)
            return false;
        editor->escape = ESCAPE_SEEN;
        return true;
    }
    if (editor->escape == ESCAPE_SEEN) {
        editor->number = 0;
        editor->escape = byte == '[' ? ESCAPE_BRACKET : byte == 'O' ? ESCAPE_O : ESCAPE_NONE;
        return true;
    }
    if (byte >= '0' && byte <= '9' && editor->number < 1000)
        editor->number = editor->number * 10 + (unsigned)(byte - '0');
    else if (byte == ';')
        editor->number = 0; /* what follows is a modifier; the key is in the final byte */
    if (byte >= '@' && byte <= '~') {
        editor->escape = ESCAPE_NONE;
        escape_key(editor, byte);
    }
    return true;
}

static enum editor_event end_line(struct editor *editor)
{
    history_add(editor);
    editor_put(editor, "\r\n");
    return EDITOR_LINE;
}

static void control_key(struct editor *editor, char byte)
{
    switch (byte) {
    case CTRL('A'): move_to(editor, 0); break;
    case CTRL('E'): move_to(editor, editor->length); break;
    case CTRL('B'): escape_key(editor, 'D'); break;
    case CTRL('F'): escape_key(editor, 'C'); break;
    case CTRL('P'): history_move(editor, 1); break;
    case CTRL('N'): history_move(editor, -1); break;
    case CTRL('K'): remove_range(editor, editor->cursor, editor->length); break;
    case CTRL('U'): remove_range(editor, 0, editor->cursor); break;
    case CTRL('W'): remove_word(editor); break;
    case CTRL('L'):
        editor_put(editor, "\x1b[H\x1b[2J");
        editor_redraw(editor);
        break;
    case CTRL('D'):
        if (editor->cursor < editor->length)
            remove_range(editor, editor->cursor, editor->cursor + 1);
        break;
    case '\t': editor_complete(editor); break;
    case KEY_BACKSPACE:
    case KEY_DELETE:
        if (editor->cursor > 0)
            remove_range(editor, editor->cursor - 1, editor->cursor);
        break;
    default: break;
    }
}

enum editor_event editor_feed(struct editor *editor, char byte)
{
    bool after_cr = editor->after_cr;

    editor->after_cr = byte == '\r';
    if (escape_feed(editor, byte))
        return EDITOR_NONE;
    if (byte == '\r' || (byte == '\n' && !after_cr))
        return end_line(editor);
    if (byte == CTRL('C')) {
        editor_put(editor, "^C\r\n");
        return EDITOR_CANCELLED;
    }
    if ((unsigned char)byte < ' ' || byte == KEY_DELETE)
        control_key(editor, byte);
    else
        editor_insert(editor, byte);
    return EDITOR_NONE;
}
