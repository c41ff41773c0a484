// SPDX-License-Identifier: MIT
/*
 * search - Ctrl-R: looks for a line in the history while what it contains is typed. Host tests
 * compile this file.
 */
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "programs/monitor/editor_internal.h"

#define CTRL(letter) ((letter)&0x1F)
#define DEL 0x7F

/* From `back` on; what is shown stays when there is none. */
static void look(struct editor *editor, unsigned back)
{
    size_t at;
    unsigned found = history_find(&editor->history, back, editor->sought.text, &at);

    if (found != 0) {
        line_set(&editor->line, history_line(&editor->history, found));
        line_move(&editor->line, at);
        editor->found = found;
    } else {
        editor_put(editor, "\a");
    }
    editor_show_search(editor);
}

void editor_show_search(struct editor *editor)
{
    char prompt[EDITOR_SEARCH_BYTES + 16];

    mnos_snprintf(prompt, sizeof prompt, "(search) %s: ", editor->sought.text);
    editor_show(editor, prompt, &editor->line);
}

void editor_search(struct editor *editor)
{
    if (editor->history_back == 0)
        editor_keep_unfinished(editor);
    string_copy(editor->before_search, editor->line.text, sizeof editor->before_search);
    line_clear(&editor->sought);
    editor->searching = true;
    editor->found = 0;
    editor_show_search(editor);
}

static void leave(struct editor *editor)
{
    editor->searching = false;
    if (editor->found == 0)
        return;
    editor->history_back = editor->found;
    editor->refusal = NULL;
}

static void search_for(struct editor *editor, uint32_t character)
{
    char bytes[UTF8_BYTES_MAX];
    unsigned count = utf8_encode(character, bytes);

    if (editor->sought.length + count >= EDITOR_SEARCH_BYTES ||
        !line_insert(&editor->sought, bytes, count)) {
        editor_put(editor, "\a");
        return;
    }
    look(editor, editor->found != 0 ? editor->found : 1);
}

static bool search_control(struct editor *editor, uint32_t character)
{
    switch (character) {
    case CTRL('R'): look(editor, editor->found + 1); return true;
    case DEL:
    case '\b':
        line_remove(&editor->sought, line_before(&editor->sought, editor->sought.length),
                    editor->sought.length);
        look(editor, 1);
        return true;
    case CTRL('G'):
        editor->found = 0;
        leave(editor);
        line_set(&editor->line, editor->before_search);
        editor_redraw(editor);
        return true;
    default: return false;
    }
}

bool editor_search_key(struct editor *editor, const struct key *key)
{
    if (key->code == KEY_CHARACTER) {
        search_for(editor, key->character);
        return true;
    }
    if (key->code == KEY_CONTROL && search_control(editor, key->character))
        return true;
    leave(editor);
    editor_redraw(editor);
    return false;
}
