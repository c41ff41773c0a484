// SPDX-License-Identifier: MIT
/*
 * test_editor - the monitor's line editor against a model of a terminal line: what the user sees
 * must be the prompt and the line, with the cursor at the right place, after every key.
 */
#include "tests/unit/editor_scene.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/printf.h"
#include "tests/unit/unit.h"

TEST(editor, typing_shows_the_line_and_return_ends_it)
{
    begin();
    type("hello");
    CHECK_EQ(type("\r"), EDITOR_LINE);
    CHECK_STR_EQ(editor.line.text, "hello");
    begin();
    CHECK_EQ(type("\n"), EDITOR_NONE); /* of "\r\n" */
    CHECK_EQ(type("\n"), EDITOR_LINE);
}

TEST(editor, keys_edit_in_the_middle)
{
    begin();
    type("ac\x1b[Db");
    CHECK_STR_EQ(editor.line.text, "abc");
    type("\x1b[H0\x1b[F9");
    CHECK_STR_EQ(editor.line.text, "0abc9");
    type("\x01\x1b[3~\x05\x7f");
    CHECK_STR_EQ(editor.line.text, "abc");
    type("\x1b[D\x0b");
    CHECK_STR_EQ(editor.line.text, "ab");
    type(" two three\x17");
    CHECK_STR_EQ(editor.line.text, "ab two ");
    type("\x15");
    CHECK_STR_EQ(editor.line.text, "");
    type("\x7f\x1b[D\x1b[C\x1b[3~\x17"); /* all harmless on an empty line */
    CHECK_STR_EQ(editor.line.text, "");
}

TEST(editor, sequences_with_modifiers_and_unknown_ones_insert_nothing)
{
    begin();
    type("ab\x1b[1;2D");
    CHECK_EQ(editor.line.cursor, 1);
    type("\x1b[99~\x1b[Z\x1bOQ\x1bx\x1bOH");
    CHECK_STR_EQ(editor.line.text, "ab");
    CHECK_EQ(editor.line.cursor, 0);
}

TEST(editor, history_goes_back_and_forth_and_keeps_the_unfinished_line)
{
    begin();
    enter("first");
    enter("second");
    enter("second"); /* not kept twice */
    enter("");       /* not kept */
    type("new");
    type("\x1b[A");
    CHECK_STR_EQ(editor.line.text, "second");
    type("\x1b[A\x1b[A\x1b[A");
    CHECK_STR_EQ(editor.line.text, "first");
    type("\x1b[B");
    CHECK_STR_EQ(editor.line.text, "second");
    type("\x1b[B");
    CHECK_STR_EQ(editor.line.text, "new");
    type("\x1b[B");
    CHECK_STR_EQ(editor.line.text, "new");
}

TEST(editor, history_forgets_the_oldest_line)
{
    char line[16];

    begin();
    for (unsigned i = 0; i < HISTORY_LINES + 5; i++) {
        mnos_snprintf(line, sizeof line, "line %u", i);
        enter(line);
    }
    for (unsigned i = 0; i < HISTORY_LINES + 5; i++)
        type("\x1b[A");
    CHECK_STR_EQ(editor.line.text, "line 5");
}

TEST(editor, a_long_line_scrolls_and_is_bounded)
{
    begin();
    for (unsigned i = 0; i < LINE_BYTES + 20; i++) {
        char key[2] = {(char)('a' + i % 26), 0};

        type(key);
    }
    CHECK_EQ(editor.line.length, LINE_BYTES - 1);
    type("\x01");
    CHECK_EQ(editor.view, 0);
    for (unsigned i = 0; i < LINE_BYTES; i++)
        type("\x1b[C");
    CHECK_EQ(editor.line.cursor, LINE_BYTES - 1);
    for (unsigned i = 0; i < LINE_BYTES; i++)
        type("\x7f");
    CHECK_EQ(editor.line.length, 0);
}

TEST(editor, tab_completes_what_is_common_and_then_lists)
{
    unsigned lines;

    begin();
    type("res\t");
    CHECK_STR_EQ(editor.line.text, "restart ");
    type("s\t");
    CHECK_STR_EQ(editor.line.text, "restart ser");
    lines = terminal.lines;
    type("\t");
    CHECK_EQ(terminal.lines, lines + 2);
    type("i\t");
    CHECK_STR_EQ(editor.line.text, "restart serial ");
    type("zz\t");
    CHECK_STR_EQ(editor.line.text, "restart serial zz");
}

TEST(editor, control_c_drops_the_line)
{
    begin();
    type("abc");
    CHECK_EQ(type("\x03"), EDITOR_CANCELLED);
    begin();
    CHECK_EQ(editor.line.length, 0);
}

TEST(editor, characters_of_several_bytes_and_columns_are_one_each)
{
    begin();
    type("aé日e\xcc\x81\xf0\x9f\x98\x80z"); /* e with a combining accent; an emoji */
    CHECK_EQ(terminal.column, 2 + 1 + 1 + 2 + 1 + 2 + 1);
    type("\x7f\x7f");
    CHECK_STR_EQ(editor.line.text, "aé日e\xcc\x81");
    type("\x7f");
    CHECK_STR_EQ(editor.line.text, "aé日"); /* the accent goes with its letter */
    type("\x1b[D\x1b[D\x1b[3~");
    CHECK_STR_EQ(editor.line.text, "a日");
    type("\x1b[C\x1b[D\x04");
    CHECK_STR_EQ(editor.line.text, "a");
    type(" ein Übel  größer\x17");
    CHECK_STR_EQ(editor.line.text, "a ein Übel  ");
    type("\x17");
    CHECK_STR_EQ(editor.line.text, "a ein ");
}

TEST(editor, a_character_that_combines_can_be_typed_anywhere)
{
    begin();
    type("abc\x1b[D\x1b[D");
    CHECK_EQ(editor_feed(&editor, '\xcc'), EDITOR_NONE);
    CHECK_EQ(editor_feed(&editor, '\x81'), EDITOR_NONE); /* on "a" */
    CHECK_STR_EQ(terminal.row[2], "a\xcc\x81");
    CHECK_EQ(terminal.column, 3);
    type("\x7f");
    CHECK_STR_EQ(editor.line.text, "bc");
}

TEST(editor, bytes_that_are_no_utf8_become_a_replacement)
{
    static const struct {
        const char *typed, *text;
    } cases[] = {
        {"a\xff"
         "b",
         "a\xef\xbf\xbd"
         "b"},
        {"a\xc3(", "a\xef\xbf\xbd("},             /* cut short by a letter */
        {"\xe2\x82\xc3\xa9", "\xef\xbf\xbdé"},    /* cut short by another character */
        {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"}, /* overlong */
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* a surrogate */
        {"\xc2\x9b"
         "1A",
         "\xef\xbf\xbd"
         "1A"},                           /* U+009B, which some terminals obey */
        {"\xe2\x80\xa8", "\xef\xbf\xbd"}, /* a line separator */
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin();
        type(cases[i].typed);
        CHECK_STR_EQ(editor.line.text, cases[i].text);
    }
    begin();
    type("\xe2\x82");
    CHECK_EQ(type("\r"), EDITOR_LINE); /* a control character ends what is cut short, and acts */
    CHECK_STR_EQ(editor.line.text, "\xef\xbf\xbd");
}

TEST(editor, a_control_character_ends_a_sequence_and_acts)
{
    static const char *const pending[] = {"\x1b",        "\x1b[", "\x1b[1;", "\x1bO",
                                          "\x1b]0;text", "\x1bP", "\x1b_x",  "\x1b]x\x1b"};

    for (size_t i = 0; i < sizeof pending / sizeof pending[0]; i++) {
        begin();
        type("x");
        type(pending[i]);
        CHECK_EQ(type("\x03"), EDITOR_CANCELLED);
        begin();
        type("line");
        type(pending[i]);
        CHECK_EQ(type("\r"), EDITOR_LINE);
        CHECK_STR_EQ(editor.line.text, "line");
        begin();
        type("line");
        type(pending[i]);
        type("\x15");
        CHECK_STR_EQ(editor.line.text, "");
    }
}

TEST(editor, strings_of_the_terminal_are_swallowed)
{
    begin();
    type("a\x1b]11;rgb:0000/0000/0000\x1b\\b\x1b]0;title\x07"
         "c\x1bP1$r0m\x1b\\d\x1b_é\x1b\\e");
    CHECK_STR_EQ(editor.line.text, "abcde");
    type("\x1b[[Af\x1b[?1;2cg\x1b[>0;276;0ch\x1b[1;2;3;4;5;6~i");
    CHECK_STR_EQ(editor.line.text, "abcdefghi");
}

TEST(editor, words)
{
    begin();
    type("one two-three  vier");
    type("\x1b"
         "b");
    CHECK_EQ(editor.line.cursor, 15);
    type("\x1b"
         "b\x1b[1;5D");
    CHECK_EQ(editor.line.cursor, 4);
    type("\x1b"
         "f\x1b[1;5C");
    CHECK_EQ(editor.line.cursor, 13);
    type("\x1b\x1b[D\x1bOd");
    CHECK_EQ(editor.line.cursor, 4);
    type("\x1b[1;2C"); /* Shift makes no difference */
    CHECK_EQ(editor.line.cursor, 5);
    type("\x1b"
         "d");
    CHECK_STR_EQ(editor.line.text, "one t-three  vier");
    type("\x1b\x7f\x1b[3;5~");
    CHECK_STR_EQ(editor.line.text, "one   vier");
}

TEST(editor, deleting_where_nothing_is_rings_the_bell)
{
    begin();
    type("\x04");
    CHECK_EQ(terminal.bells, 1);
    type("ab\x04");
    CHECK_EQ(terminal.bells, 2);
    CHECK_STR_EQ(editor.line.text, "ab");
}

TEST(editor, ctrl_r_searches_earlier_lines)
{
    begin();
    enter("services");
    enter("restart serial");
    enter("uptime");
    type("abc\x12");
    CHECK_STR_EQ(editor.line.text, "abc");
    type("ser");
    CHECK_STR_EQ(editor.line.text, "restart serial");
    CHECK_EQ(editor.line.cursor, 8);
    type("\x12");
    CHECK_STR_EQ(editor.line.text, "services");
    type("\x12"); /* there is no older one */
    CHECK_EQ(terminal.bells, 1);
    CHECK_STR_EQ(editor.line.text, "services");
    type("\x7f\x7f\x7fupt");
    CHECK_STR_EQ(editor.line.text, "uptime");
    type("\x07"); /* ends it without effect */
    CHECK_STR_EQ(editor.line.text, "abc");
    type("\x12res\x1b[C"); /* another key takes the line over and acts */
    CHECK_STR_EQ(editor.line.text, "restart serial");
    CHECK_EQ(editor.line.cursor, 1);
    type("\x1b[B\x1b[B");
    CHECK_STR_EQ(editor.line.text, "abc");
    type("\x12serv");
    CHECK_EQ(type("\r"), EDITOR_LINE);
    CHECK_STR_EQ(editor.line.text, "services");
    begin();
    type("\x12no such line\x03");
    CHECK(!editor.searching);
}

TEST(editor, a_line_that_does_not_fit_is_not_run)
{
    begin();
    for (unsigned i = 0; i < LINE_BYTES + 20; i++)
        type("x");
    CHECK_EQ(terminal.bells, 1);
    CHECK_EQ(type("\r"), EDITOR_REFUSED);
    CHECK_STR_EQ(editor.refusal, editor_refusal);
    begin();
    for (unsigned i = 0; i < LINE_BYTES + 20; i++)
        type("x");
    type("\x1b[A\x1b[B\x12\x07"); /* looking elsewhere does not complete it */
    CHECK_STR_EQ(editor.refusal, editor_refusal);
    type("\x7f"); /* the user has seen it */
    CHECK_EQ(type("\r"), EDITOR_LINE);
}

TEST(editor, after_lost_input_nothing_is_run_up_to_the_next_return)
{
    begin();
    type("rest");
    editor_lost(&editor);
    editor_redraw(&editor);
    type_bytes("art\x12\t\x15 monitor", 15);
    editor_lost(&editor);
    CHECK_EQ(type("\r"), EDITOR_REFUSED);
    begin();
    enter("uptime");
    editor_lost(&editor);
    CHECK_EQ(type("garbage\x03"), EDITOR_CANCELLED);
    begin();
    enter("uptime");
}

/* ---- The width of the terminal ---- */

static void fill(size_t columns)
{
    for (size_t i = 0; i < columns; i++)
        type("日");
    type("\x01\x05\x1b[D\x1b[D");
    for (size_t i = 0; i < columns; i++)
        type("\x1b[D");
    type("\x15\x0b");
}

TEST(editor, a_terminal_that_answers_is_used_to_its_full_width)
{
    terminal.columns = 132;
    begin();
    type("\f"); /* Ctrl-L asks */
    type("typed before it answers");
    answer();
    CHECK_EQ(editor.columns, 132);
    fill(132);
    type("\x1b[1;90R"); /* a key, of no use */
    CHECK_EQ(editor.columns, 132);
    terminal.columns = 30; /* its window changes: seen at the next line */
    terminal_clear(0);
    begin();
    CHECK_EQ(terminal.questions, 2);
    answer();
    CHECK_EQ(editor.columns, 30);
    fill(60);
}

TEST(editor, a_silent_terminal_has_80_columns_and_is_not_asked_each_time)
{
    begin();
    type("\f");
    CHECK_EQ(editor.columns, 0);
    fill(100);
    enter("x");
    CHECK_EQ(terminal.questions, 1);
}

TEST(editor, random_keys_keep_its_invariants)
{
    static const char keys[] =
        "ab \x01\x02\x05\x06\x07\x0b\x0e\x10\x12\x15\x17\x7f\x04\t\r\x1b\x1b[[OA]BbDdf~3;tR\x1b\\"
        "\xe6\x97\xa5\xc3\xa9\xcc\x81\xf0\x9f\x98\x80\x0c\xff";
    unsigned seed = 7;

    terminal.columns = 1001;
    begin();
    for (unsigned i = 0; i < 200000; i++) {
        seed = seed * 1103515245 + 12345;
        if (editor_feed(&editor, keys[(seed >> 16) % (sizeof keys - 1)]) != EDITOR_NONE)
            editor_begin(&editor);
        if (keys_idle(&editor.keys))
            editor_check();
    }
}
