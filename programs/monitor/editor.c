// SPDX-License-Identifier: MIT
/* editor - keys and what they do to the line: see editor.h. Host tests compile this file. */
#include "programs/monitor/editor.h"

#include "lib/base/string.h"
#include "programs/monitor/editor_internal.h"

#define CTRL(letter) ((letter)&0x1F)
#define DEL 0x7F

static const char too_long[] = "it is too long";
static const char bytes_lost[] = "part of it was lost on the line";

void editor_begin(struct editor *editor)
{
    line_clear(&editor->line);
    editor->view = 0;
    editor->refusal = NULL;
    editor->damaged = editor->searching = false;
    editor->history_back = 0;
    /* Its window may have changed. A terminal that has never answered is asked only on demand. */
    if (editor->columns != 0)
        editor->ask_columns();
    editor_redraw(editor);
}

void editor_insert(struct editor *editor, const char *bytes, size_t count)
{
    bool simple = editor->line.cursor == editor->line.length &&
                  editor_has_columns(editor, utf8_columns(bytes, count));

    if (!line_insert(&editor->line, bytes, count)) {
        /* A line without its end is another line: the user has to shorten it first. */
        if (editor->refusal == NULL)
            editor_put(editor, "\a");
        editor->refusal = too_long;
    } else if (simple) {
        editor->write(bytes, count); /* typed at the end, the usual case: only echoed */
    } else {
        editor_redraw(editor);
    }
}

static void remove_range(struct editor *editor, size_t from, size_t to)
{
    if (from < to)
        editor->refusal = NULL;
    line_remove(&editor->line, from, to);
    editor_redraw(editor);
}

static void move_to(struct editor *editor, size_t cursor)
{
    line_move(&editor->line, cursor);
    editor_redraw(editor);
}

void editor_keep_unfinished(struct editor *editor)
{
    string_copy(editor->unfinished, editor->line.text, sizeof editor->unfinished);
    editor->unfinished_refusal = editor->refusal;
}

static void history_move(struct editor *editor, int step)
{
    unsigned back = editor->history_back + (unsigned)step;

    if ((step < 0 && editor->history_back == 0) || back > history_count(&editor->history))
        return;
    if (editor->history_back == 0)
        editor_keep_unfinished(editor);
    editor->history_back = back;
    editor->refusal = back == 0 ? editor->unfinished_refusal : NULL;
    line_set(&editor->line, back == 0 ? editor->unfinished : history_line(&editor->history, back));
    editor_redraw(editor);
}

static enum editor_event end_line(struct editor *editor)
{
    editor_put(editor, "\r\n");
    if (editor->refusal != NULL)
        return EDITOR_REFUSED;
    history_add(&editor->history, editor->line.text);
    return EDITOR_LINE;
}

static void clear_screen(struct editor *editor)
{
    editor_put(editor, "\x1b[H\x1b[2J");
    editor->ask_columns();
    editor_redraw(editor);
}

/* What has no effect says so. */
static void delete_after(struct editor *editor)
{
    const struct line *line = &editor->line;

    if (line->cursor == line->length)
        editor_put(editor, "\a");
    else
        remove_range(editor, line->cursor, line_after(line, line->cursor));
}

static void control_key(struct editor *editor, uint32_t character)
{
    const struct line *line = &editor->line;
    size_t cursor = line->cursor;

    switch (character) {
    case CTRL('A'): move_to(editor, 0); break;
    case CTRL('E'): move_to(editor, line->length); break;
    case CTRL('B'): move_to(editor, line_before(line, cursor)); break;
    case CTRL('F'): move_to(editor, line_after(line, cursor)); break;
    case CTRL('P'): history_move(editor, 1); break;
    case CTRL('N'): history_move(editor, -1); break;
    case CTRL('K'): remove_range(editor, cursor, line->length); break;
    case CTRL('U'): remove_range(editor, 0, cursor); break;
    case CTRL('W'): remove_range(editor, line_argument_before(line, cursor), cursor); break;
    case CTRL('L'): clear_screen(editor); break;
    case CTRL('D'): delete_after(editor); break;
    case CTRL('R'): editor_search(editor); break;
    case '\t': editor_complete(editor); break;
    case '\b':
    case DEL: remove_range(editor, line_before(line, cursor), cursor); break;
    default: break;
    }
}

static void alt_key(struct editor *editor, uint32_t character)
{
    const struct line *line = &editor->line;
    size_t cursor = line->cursor;

    switch (character) {
    case 'b': move_to(editor, line_word_before(line, cursor)); break;
    case 'f': move_to(editor, line_word_after(line, cursor)); break;
    case 'd': remove_range(editor, cursor, line_word_after(line, cursor)); break;
    case DEL: remove_range(editor, line_word_before(line, cursor), cursor); break;
    default: break;
    }
}

static void function_key(struct editor *editor, const struct key *key)
{
    const struct line *line = &editor->line;
    size_t cursor = line->cursor;

    switch (key->code) {
    case KEY_UP: history_move(editor, 1); break;
    case KEY_DOWN: history_move(editor, -1); break;
    case KEY_LEFT:
        move_to(editor, key->modified ? line_word_before(line, cursor) : line_before(line, cursor));
        break;
    case KEY_RIGHT:
        move_to(editor, key->modified ? line_word_after(line, cursor) : line_after(line, cursor));
        break;
    case KEY_HOME: move_to(editor, 0); break;
    case KEY_END: move_to(editor, line->length); break;
    case KEY_DELETE:
        remove_range(editor, cursor,
                     key->modified ? line_word_after(line, cursor) : line_after(line, cursor));
        break;
    default: break;
    }
}

static void insert_character(struct editor *editor, uint32_t character)
{
    char bytes[UTF8_BYTES_MAX];

    editor_insert(editor, bytes, utf8_encode(character, bytes));
}

static enum editor_event handle_key(struct editor *editor, const struct key *key)
{
    uint32_t control = key->code == KEY_CONTROL ? key->character : 0;

    if (editor->searching && editor_search_key(editor, key))
        return EDITOR_NONE;
    if (control == '\r' || control == '\n')
        return end_line(editor);
    if (control == CTRL('C')) {
        if (editor->line.cursor != editor->line.length)
            move_to(editor, editor->line.length);
        editor_put(editor, "^C\r\n");
        return EDITOR_CANCELLED;
    }
    if (editor->damaged)
        return EDITOR_NONE;
    switch (key->code) {
    case KEY_CHARACTER: insert_character(editor, key->character); break;
    case KEY_CONTROL: control_key(editor, control); break;
    case KEY_ALT: alt_key(editor, key->character); break;
    default: function_key(editor, key); break;
    }
    return EDITOR_NONE;
}

void editor_lost(struct editor *editor)
{
    if (editor->damaged)
        return;
    editor->searching = false;
    editor->damaged = true;
    editor->refusal = bytes_lost;
    editor->keys = (struct key_decoder){0}; /* a sequence may have lost its end */
}

enum editor_event editor_feed(struct editor *editor, char byte)
{
    struct key keys[KEYS_PER_BYTE];
    bool after_cr = editor->after_cr;
    unsigned count = keys_feed(&editor->keys, (uint8_t)byte, keys);
    enum editor_event event = EDITOR_NONE;

    editor->after_cr = byte == '\r';
    if (byte == '\n' && after_cr)
        return EDITOR_NONE;
    for (unsigned i = 0; i < count; i++)
        event = handle_key(editor, &keys[i]);
    return event;
}
