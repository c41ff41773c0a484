// SPDX-License-Identifier: MIT
/* test_terminals - the virtual terminals of the screen: which is seen, when they are made, and what one without a program shows. */
#include "services/terminal/terminals.h"

#include <string.h>

#include "tests/unit/unit.h"

#define COLUMNS 80u
#define ROWS 8u
#define THIRD TERMINAL_PROGRAMS

static void write_at(unsigned number, const char *text)
{
    terminal_write(terminals_get(number), text, strlen(text));
}

static const char *shown(unsigned number, unsigned row)
{
    static char text[COLUMNS + 1];
    const cell_t *cells = emulator_row(terminals_get(number)->emulator, row);
    size_t length = COLUMNS;

    for (unsigned i = 0; i < COLUMNS; i++)
        text[i] = (char)(cells[i] & CELL_CODE);
    while (length != 0 && text[length - 1] == ' ')
        length--;
    text[length] = 0;
    return text;
}

TEST(terminals, the_first_is_seen_and_others_are_made_when_they_are_used)
{
    terminals_begin(COLUMNS, ROWS);
    CHECK_EQ(terminals_seen(), TERMINAL_PROMPT);
    for (unsigned i = 0; i <= TERMINALS; i++)
        CHECK(terminals_get(i) == NULL);
    CHECK(terminals_open(TERMINAL_PROMPT) != NULL);
    CHECK(terminals_get(TERMINAL_PROMPT) == terminals_open(TERMINAL_PROMPT));
    CHECK(terminals_get(THIRD) == NULL);
    terminals_show(THIRD);
    CHECK_EQ(terminals_seen(), THIRD);
    CHECK(terminals_get(THIRD) != NULL);
    CHECK(terminals_get(THIRD)->all_changed);
    CHECK(terminals_get(THIRD + 1) == NULL);
    terminals_show(TERMINALS); /* there is none */
    CHECK(terminals_open(TERMINALS) == NULL);
    CHECK_EQ(terminals_seen(), THIRD);
}

TEST(terminals, one_is_as_it_was_when_it_is_seen_again)
{
    terminals_begin(COLUMNS, ROWS);
    CHECK(terminals_open(TERMINAL_PROMPT) != NULL);
    write_at(TERMINAL_PROMPT, "prompt");
    CHECK(terminals_open(THIRD) != NULL); /* a program has it before it is seen */
    write_at(THIRD, "program");
    terminals_show(THIRD);
    CHECK_STR_EQ(shown(THIRD, 0), "program");
    write_at(TERMINAL_PROMPT, " and more");
    terminals_show(TERMINAL_PROMPT);
    CHECK_STR_EQ(shown(TERMINAL_PROMPT, 0), "prompt and more");
    CHECK(terminals_get(TERMINAL_PROMPT)->all_changed);
}

TEST(terminals, one_without_a_program_says_how_to_start_one)
{
    terminals_begin(COLUMNS, ROWS);
    terminals_show(THIRD + 1);
    CHECK_STR_EQ(shown(THIRD + 1, 1),
                 "Terminal 4: no program. At the prompt (Alt-F1) one is started here by");
    CHECK_STR_EQ(shown(THIRD + 1, 2), "  run PROGRAM with terminal:4");
    terminals_show(TERMINAL_LOG); /* that of the log says nothing */
    CHECK_STR_EQ(shown(TERMINAL_LOG, 1), "");
}

TEST(terminals, what_a_program_has_set_ends_with_it_and_its_text_stays)
{
    unsigned row, column;

    terminals_begin(COLUMNS, ROWS);
    CHECK(terminals_open(THIRD) != NULL);
    write_at(THIRD, "before\033[?1049h\033[2J\033[Hinside\033[?25l\033[1;31m\033[3;4r");
    CHECK(!emulator_cursor(terminals_get(THIRD)->emulator, &row, &column));
    terminals_say_free(THIRD);
    CHECK(emulator_cursor(terminals_get(THIRD)->emulator, &row, &column));
    CHECK_STR_EQ(shown(THIRD, 0), "before");
    CHECK_STR_EQ(shown(THIRD, 2), "  run PROGRAM with terminal:3");
    CHECK_EQ(emulator_row(terminals_get(THIRD)->emulator, 2)[2] & ~CELL_CODE,
             cell_blank() & ~CELL_CODE);
    write_at(THIRD, "next\033[?1049h");
    CHECK_STR_EQ(shown(THIRD, 0), ""); /* and nothing of the last program's own screen */
}

/* The cursor was saved elsewhere, by a program that has no screen of its own. */
TEST(terminals, what_is_said_comes_behind_the_text)
{
    terminals_begin(COLUMNS, ROWS);
    CHECK(terminals_open(THIRD) != NULL);
    write_at(THIRD, "\0337one\r\ntwo");
    terminals_say_free(THIRD);
    CHECK_STR_EQ(shown(THIRD, 0), "one");
    CHECK_STR_EQ(shown(THIRD, 1), "two");
    CHECK_STR_EQ(shown(THIRD, 3), "  run PROGRAM with terminal:3");
}

/* It ended in the middle of a sequence: a title, which goes on until a terminator comes. */
TEST(terminals, a_sequence_that_a_program_has_begun_ends_with_it)
{
    unsigned row, column;

    terminals_begin(COLUMNS, ROWS);
    CHECK(terminals_open(THIRD) != NULL);
    write_at(THIRD, "text\033[?1049h\033[?25linside\033]0;title");
    terminals_say_free(THIRD);
    CHECK(emulator_cursor(terminals_get(THIRD)->emulator, &row, &column));
    CHECK_STR_EQ(shown(THIRD, 0), "text");
    CHECK_STR_EQ(shown(THIRD, 2), "  run PROGRAM with terminal:3");
}

TEST(terminals, a_screen_that_a_program_has_inverted_is_as_before)
{
    cell_t plain;

    terminals_begin(COLUMNS, ROWS);
    CHECK(terminals_open(THIRD) != NULL);
    write_at(THIRD, "text");
    plain = emulator_row(terminals_get(THIRD)->emulator, 0)[0];
    write_at(THIRD, "\033[?5h");
    CHECK(emulator_row(terminals_get(THIRD)->emulator, 0)[0] != plain);
    terminals_say_free(THIRD);
    CHECK_EQ(emulator_row(terminals_get(THIRD)->emulator, 0)[0], plain);
}
