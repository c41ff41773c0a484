// SPDX-License-Identifier: MIT
/*
 * complete - the Tab key: completes the word before the cursor as far as all candidates agree, and
 * lists them when it cannot go further.
 */
#include "lib/base/string.h"
#include "programs/monitor/editor_internal.h"

struct matches {
    size_t word_start;
    size_t typed; /* bytes of the word before the cursor */
    unsigned count;
    size_t common; /* bytes on which all agree */
    char word[EDITOR_WORD_BYTES];
};

/* The next candidate that begins with what was typed; *index goes on behind it. */
static bool next_match(struct editor *editor, const struct matches *matches, unsigned *index,
                       char word[EDITOR_WORD_BYTES])
{
    while (editor->candidate(editor->line.text, matches->word_start, matches->typed, (*index)++,
                             word)) {
        if (word[0] != 0 &&
            strncmp(word, editor->line.text + matches->word_start, matches->typed) == 0)
            return true;
    }
    return false;
}

static void find_matches(struct editor *editor, struct matches *matches)
{
    char word[EDITOR_WORD_BYTES];
    unsigned index = 0;

    while (next_match(editor, matches, &index, word)) {
        size_t same = 0;

        if (matches->count++ == 0) {
            string_copy(matches->word, word, sizeof matches->word);
            matches->common = strlen(word);
            continue;
        }
        while (same < matches->common && word[same] == matches->word[same])
            same++;
        matches->common = same;
    }
}

/* Of paths, what lies behind the directory that was typed. */
static void list_matches(struct editor *editor, const struct matches *matches)
{
    char word[EDITOR_WORD_BYTES];
    size_t directory = matches->typed;
    unsigned index = 0;

    while (directory > 0 && editor->line.text[matches->word_start + directory - 1] != '/')
        directory--;

    editor_put(editor, "\r\n");
    while (next_match(editor, matches, &index, word)) {
        editor_put(editor, word + directory);
        editor_put(editor, "  ");
    }
    editor_put(editor, "\r\n");
    editor_redraw(editor);
}

void editor_complete(struct editor *editor)
{
    const struct line *line = &editor->line;
    struct matches matches = {.word_start = line->cursor};

    while (matches.word_start > 0 && line->text[matches.word_start - 1] != ' ')
        matches.word_start--;
    matches.typed = line->cursor - matches.word_start;
    find_matches(editor, &matches);
    if (matches.count == 0) {
        editor_put(editor, "\a");
        return;
    }
    if (matches.count > 1 && matches.common == matches.typed) {
        list_matches(editor, &matches);
        return;
    }
    editor_insert(editor, matches.word + matches.typed, matches.common - matches.typed);
    /* What ends with a slash goes on. */
    if (matches.count == 1 && matches.word[matches.common - 1] != '/')
        editor_insert(editor, " ", 1);
}
