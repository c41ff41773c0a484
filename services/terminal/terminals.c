// SPDX-License-Identifier: MIT
/* terminals - see terminals.h. Host tests compile this file. */
#include "services/terminal/terminals.h"

#include "lib/base/printf.h"
#include "lib/mnos/heap.h"

#define TEXT_BYTES 256u

static struct terminal *terminals[TERMINALS]; /* one without an emulator: there was no memory */
static unsigned columns, rows, seen;

void terminals_begin(unsigned screen_columns, unsigned screen_rows)
{
    columns = screen_columns;
    rows = screen_rows;
    seen = TERMINAL_PROMPT;
    for (unsigned i = 0; i < TERMINALS; i++)
        terminals[i] = NULL;
}

struct terminal *terminals_get(unsigned number)
{
    bool there = number < TERMINALS && terminals[number] != NULL;

    return there && terminals[number]->emulator != NULL ? terminals[number] : NULL;
}

struct terminal *terminals_open(unsigned number)
{
    if (number < TERMINALS && terminals[number] == NULL) {
        terminals[number] = heap_allocate(sizeof *terminals[number]);
        if (terminals[number] != NULL)
            (void)terminal_open(terminals[number], columns, rows, SCROLLBACK_BLOCKS_MAX);
    }
    return terminals_get(number);
}

unsigned terminals_seen(void)
{
    return seen;
}

void terminals_show(unsigned number)
{
    bool is_new = terminals_get(number) == NULL;
    struct terminal *terminal = terminals_open(number);

    if (terminal == NULL)
        return;
    if (is_new && number >= TERMINAL_PROGRAMS)
        terminals_say_free(number);
    seen = number;
    terminal_come(terminal);
}

/* Behind what the program has written, on a line of its own. */
void terminals_say_free(unsigned number)
{
    char text[TEXT_BYTES];
    struct terminal *terminal = terminals_get(number);
    size_t length;

    if (terminal == NULL)
        return;
    terminal_undo(terminal);
    length = (size_t)mnos_snprintf(text, sizeof text,
                                   "\r\nTerminal %u: no program. At the prompt (Alt-F1) one is "
                                   "started here by\r\n"
                                   "  run PROGRAM with terminal:%u\r\n"
                                   "  run --terminal %u PROGRAM     (of Linux)\r\n",
                                   number + 1, number + 1, number + 1);
    terminal_write(terminal, text, length);
}
