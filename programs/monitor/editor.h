// SPDX-License-Identifier: MIT
/*
 * editor.h - one line of input on a terminal: editing keys, history and completion.
 *
 * Bytes go in one at a time, bytes for an ANSI terminal come out through `write`; nothing here
 * knows where they go. A line that is too long for EDITOR_COLUMNS scrolls sideways, so the terminal
 * may have any width from there up and may change it at any time.
 *
 * E1  view <= cursor <= length < EDITOR_LINE_BYTES
 * E2  line[length] is 0
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define EDITOR_LINE_BYTES 256
#define EDITOR_HISTORY_LINES 32
#define EDITOR_COLUMNS 78
#define EDITOR_WORD_BYTES 32

enum editor_event {
    EDITOR_NONE = 0,
    EDITOR_LINE = 1,      /* the line is complete, in `line` */
    EDITOR_CANCELLED = 2, /* Ctrl-C */
};

struct editor {
    const char *prompt;
    void (*write)(const char *bytes, size_t count);
    /* Candidate number `index` for the word that begins at line[word_start]; false past the last. */
    bool (*candidate)(const char *line, size_t word_start, unsigned index,
                      char word[EDITOR_WORD_BYTES]);

    char line[EDITOR_LINE_BYTES];
    size_t length, cursor;
    size_t view;     /* first visible character */
    unsigned escape; /* how much of an escape sequence has come: 0, ESC, "ESC [", and a number */
    unsigned number; /* in the escape sequence */
    bool after_cr;   /* a line feed that follows belongs to it */

    char history[EDITOR_HISTORY_LINES][EDITOR_LINE_BYTES];
    unsigned history_count;             /* lines ever entered */
    unsigned history_back;              /* how far back the line shown is; 0: the new one */
    char unfinished[EDITOR_LINE_BYTES]; /* the new line, while an old one is shown */
};

/* Shows the prompt with an empty line. */
void editor_begin(struct editor *editor);

/* Shows the prompt and the line again, for when something else has written to the terminal. */
void editor_redraw(struct editor *editor);

enum editor_event editor_feed(struct editor *editor, char byte);
