// SPDX-License-Identifier: MIT
/*
 * test_editor - the monitor's line editor against a model of a terminal line: what the user sees
 * must be the prompt and the line, with the cursor at the right place, after every key.
 */
#include "tests/unit/unit.h"

#include <string.h>

#include "programs/monitor/complete.c"
#include "programs/monitor/editor.c"

/* One row of an ANSI terminal, enough of it for what the editor sends. */
static struct {
    char row[200];
    size_t column;
    unsigned lines; /* line feeds */
    char sequence[16];
    size_t sequence_length;
} terminal;

static void terminal_sequence(void)
{
    int number = 0;

    for (size_t i = 2; i + 1 < terminal.sequence_length; i++)
        number = number * 10 + terminal.sequence[i] - '0';
    switch (terminal.sequence[terminal.sequence_length - 1]) {
    case 'K':
        memset(terminal.row + terminal.column, 0, sizeof terminal.row - terminal.column);
        break;
    case 'D': terminal.column -= (size_t)number; break;
    case 'J': memset(terminal.row, 0, sizeof terminal.row); break;
    case 'H': terminal.column = 0; break;
    default: CHECK(!"a sequence this terminal knows");
    }
    terminal.sequence_length = 0;
}

static void terminal_write(const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char c = bytes[i];

        if (terminal.sequence_length != 0 || c == '\x1b') {
            terminal.sequence[terminal.sequence_length++] = c;
            if (terminal.sequence_length > 2 && c >= '@')
                terminal_sequence();
        } else if (c == '\r') {
            terminal.column = 0;
        } else if (c == '\n') {
            memset(terminal.row, 0, sizeof terminal.row);
            terminal.lines++;
        } else if (c != '\a') {
            CHECK(terminal.column < 80);
            terminal.row[terminal.column++] = c;
        }
    }
}

static bool candidate(const char *line, size_t word_start, unsigned index,
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

static struct editor editor = {.prompt = "> ", .write = terminal_write, .candidate = candidate};

/* E1, E2, and the screen; for lines that need no scrolling, the screen exactly. */
static void editor_check(void)
{
    char expected[300];

    CHECK(editor.view <= editor.cursor && editor.cursor <= editor.length);
    CHECK(editor.length < EDITOR_LINE_BYTES);
    CHECK_EQ(editor.line[editor.length], 0);
    CHECK_EQ(terminal.column, 2 + editor.cursor - editor.view);
    strcpy(expected, "> ");
    strncat(expected, editor.line + editor.view, EDITOR_COLUMNS - 2);
    CHECK_STR_EQ(terminal.row, expected);
}

static enum editor_event type(const char *keys)
{
    enum editor_event event = EDITOR_NONE;

    for (; *keys != 0; keys++) {
        event = editor_feed(&editor, *keys);
        if (event != EDITOR_NONE)
            return event;
        if (editor.escape == 0)
            editor_check();
    }
    return event;
}

static void enter(const char *keys)
{
    type(keys);
    CHECK_EQ(type("\r"), EDITOR_LINE);
    editor_begin(&editor);
}

TEST(editor, typing_shows_the_line_and_return_ends_it)
{
    editor_begin(&editor);
    type("hello");
    CHECK_EQ(type("\r"), EDITOR_LINE);
    CHECK_STR_EQ(editor.line, "hello");
    editor_begin(&editor);
    CHECK_EQ(type("\n"), EDITOR_NONE); /* of "\r\n" */
    CHECK_EQ(type("\n"), EDITOR_LINE);
}

TEST(editor, keys_edit_in_the_middle)
{
    editor_begin(&editor);
    type("ac\x1b[Db");
    CHECK_STR_EQ(editor.line, "abc");
    type("\x1b[H0\x1b[F9");
    CHECK_STR_EQ(editor.line, "0abc9");
    type("\x01\x1b[3~\x05\x7f");
    CHECK_STR_EQ(editor.line, "abc");
    type("\x1b[D\x0b");
    CHECK_STR_EQ(editor.line, "ab");
    type(" two three\x17");
    CHECK_STR_EQ(editor.line, "ab two ");
    type("\x15");
    CHECK_STR_EQ(editor.line, "");
    type("\x7f\x1b[D\x1b[C\x1b[3~\x17"); /* all harmless on an empty line */
    CHECK_STR_EQ(editor.line, "");
}

TEST(editor, sequences_with_modifiers_and_unknown_ones_insert_nothing)
{
    editor_begin(&editor);
    type("ab\x1b[1;5D");
    CHECK_EQ(editor.cursor, 1);
    type("\x1b[99~\x1b[Z\x1bOQ\x1bx\x1bOH");
    CHECK_STR_EQ(editor.line, "ab");
    CHECK_EQ(editor.cursor, 0);
}

TEST(editor, history_goes_back_and_forth_and_keeps_the_unfinished_line)
{
    editor_begin(&editor);
    enter("first");
    enter("second");
    enter("second"); /* not kept twice */
    enter("");       /* not kept */
    type("new");
    type("\x1b[A");
    CHECK_STR_EQ(editor.line, "second");
    type("\x1b[A\x1b[A\x1b[A");
    CHECK_STR_EQ(editor.line, "first");
    type("\x1b[B");
    CHECK_STR_EQ(editor.line, "second");
    type("\x1b[B");
    CHECK_STR_EQ(editor.line, "new");
    type("\x1b[B");
    CHECK_STR_EQ(editor.line, "new");
}

TEST(editor, history_forgets_the_oldest_line)
{
    char line[16];

    editor_begin(&editor);
    for (unsigned i = 0; i < EDITOR_HISTORY_LINES + 5; i++) {
        mnos_snprintf(line, sizeof line, "line %u", i);
        enter(line);
    }
    for (unsigned i = 0; i < EDITOR_HISTORY_LINES + 5; i++)
        type("\x1b[A");
    CHECK_STR_EQ(editor.line, "line 5");
}

TEST(editor, a_long_line_scrolls_and_is_bounded)
{
    editor_begin(&editor);
    for (unsigned i = 0; i < EDITOR_LINE_BYTES + 20; i++) {
        char key[2] = {(char)('a' + i % 26), 0};

        type(key);
    }
    CHECK_EQ(editor.length, EDITOR_LINE_BYTES - 1);
    type("\x01");
    CHECK_EQ(editor.view, 0);
    for (unsigned i = 0; i < EDITOR_LINE_BYTES; i++)
        type("\x1b[C");
    CHECK_EQ(editor.cursor, EDITOR_LINE_BYTES - 1);
    for (unsigned i = 0; i < EDITOR_LINE_BYTES; i++)
        type("\x7f");
    CHECK_EQ(editor.length, 0);
}

TEST(editor, tab_completes_what_is_common_and_then_lists)
{
    unsigned lines;

    editor_begin(&editor);
    type("res\t");
    CHECK_STR_EQ(editor.line, "restart ");
    type("s\t");
    CHECK_STR_EQ(editor.line, "restart ser");
    lines = terminal.lines;
    type("\t");
    CHECK_EQ(terminal.lines, lines + 2);
    type("i\t");
    CHECK_STR_EQ(editor.line, "restart serial ");
    type("zz\t");
    CHECK_STR_EQ(editor.line, "restart serial zz");
}

TEST(editor, control_c_drops_the_line)
{
    editor_begin(&editor);
    type("abc");
    CHECK_EQ(type("\x03"), EDITOR_CANCELLED);
    editor_begin(&editor);
    CHECK_EQ(editor.length, 0);
}

TEST(editor, random_keys_keep_its_invariants)
{
    static const char keys[] = "ab \x01\x02\x05\x06\x0b\x0e\x10\x15\x17\x7f\x04\t\r\x1b[AB~3;D";
    unsigned seed = 7;

    editor_begin(&editor);
    for (unsigned i = 0; i < 200000; i++) {
        seed = seed * 1103515245 + 12345;
        if (editor_feed(&editor, keys[(seed >> 16) % (sizeof keys - 1)]) != EDITOR_NONE)
            editor_begin(&editor);
        if (editor.escape == 0)
            editor_check();
    }
}
