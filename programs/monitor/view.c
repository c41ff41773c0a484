// SPDX-License-Identifier: MIT
/*
 * view - the part of the editor that draws: which part of the line the terminal shows, and how wide
 * the terminal is. Host tests compile this file.
 */
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "programs/monitor/editor_internal.h"

#define LINE_COLUMNS_MIN 8 /* beside a prompt that is too long */

void editor_put(struct editor *editor, const char *text)
{
    editor->write(text, strlen(text));
}

/* The last column stays empty: terminals disagree about the cursor after it. */
static size_t line_columns(const struct editor *editor, const char *prompt)
{
    size_t columns = (editor->columns != 0 ? editor->columns : EDITOR_COLUMNS) - 1;
    size_t taken = utf8_columns(prompt, strlen(prompt));

    return columns >= taken + LINE_COLUMNS_MIN ? columns - taken : LINE_COLUMNS_MIN;
}

static size_t columns_between(const struct line *line, size_t from, size_t to)
{
    return utf8_columns(line->text + from, to - from);
}

/* The character that begins at most `columns` before `at`. */
static size_t step_back(const struct line *line, size_t at, size_t columns)
{
    size_t from = at;

    while (from > 0 && columns_between(line, line_before(line, from), at) <= columns)
        from = line_before(line, from);
    return from;
}

/* Moves the view so that the cursor is in it, a third of a screen at a time. */
static void scroll(struct editor *editor, const struct line *line, size_t columns)
{
    if (columns_between(line, 0, line->length) < columns)
        editor->view = 0;
    else if (line->cursor < editor->view)
        editor->view = step_back(line, line->cursor, columns / 3);
    else if (columns_between(line, editor->view, line->cursor) >= columns)
        editor->view = step_back(line, line->cursor, columns - 1 - columns / 3);
}

void editor_show(struct editor *editor, const char *prompt, const struct line *line)
{
    size_t end, columns = line_columns(editor, prompt);
    char move[16];

    scroll(editor, line, columns);
    end = line->length;
    while (columns_between(line, editor->view, end) > columns)
        end = line_before(line, end);
    editor_put(editor, "\r");
    editor_put(editor, prompt);
    editor->write(line->text + editor->view, end - editor->view);
    editor_put(editor, "\x1b[K");
    columns = columns_between(line, line->cursor, end);
    if (columns != 0) {
        mnos_snprintf(move, sizeof move, "\x1b[%zuD", columns);
        editor_put(editor, move);
    }
}

void editor_redraw(struct editor *editor)
{
    if (editor->searching)
        editor_show_search(editor);
    else
        editor_show(editor, editor->prompt, &editor->line);
}

bool editor_has_columns(const struct editor *editor, size_t columns)
{
    return columns_between(&editor->line, editor->view, editor->line.length) + columns <
           line_columns(editor, editor->prompt);
}

void editor_set_columns(struct editor *editor, unsigned columns)
{
    if (columns == editor->columns)
        return;
    editor->columns = columns;
    editor_redraw(editor);
}
