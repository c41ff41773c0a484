// SPDX-License-Identifier: MIT
/*
 * editor.h - one line of input on a terminal: editing keys, history, search and completion.
 *
 * Bytes go in one at a time, bytes for an ANSI terminal come out through `write`; nothing here
 * knows where they go. Text is UTF-8. A line that is too long for the terminal scrolls sideways.
 * How wide the terminal is, the caller is asked to find out, and says by editor_set_columns(); until then it has 80
 * columns.
 *
 * E1  view <= line.cursor, and the view begins at a character
 * E2  what is shown, prompt and cursor included, fits into `columns`
 */
#pragma once

#include "programs/monitor/history.h"
#include "programs/monitor/keys.h"
#include "programs/monitor/line.h"

#define EDITOR_COLUMNS 80
#define EDITOR_WORD_BYTES LINE_BYTES
#define EDITOR_SEARCH_BYTES 32

enum editor_event {
    EDITOR_NONE = 0,
    EDITOR_LINE = 1,      /* the line is complete, in line.text */
    EDITOR_CANCELLED = 2, /* Ctrl-C */
    EDITOR_REFUSED = 3,   /* the line is complete, and must not be run: `refusal` says why */
};

struct editor {
    const char *prompt;
    void (*write)(const char *bytes, size_t count);
    void (*ask_columns)(void); /* how wide the terminal is; nobody waits for the answer */
    /* Candidate number `index` for the word that begins at line[word_start]; false past the
     * last. */
    bool (*candidate)(const char *line, size_t word_start, size_t typed, unsigned index,
                      char word[EDITOR_WORD_BYTES]);

    struct key_decoder keys;
    struct line line;
    size_t view;         /* the first visible byte */
    unsigned columns;    /* of the terminal; 0: it has not told, EDITOR_COLUMNS */
    const char *refusal; /* why the line must not be run; NULL: it may be */
    bool damaged;  /* the refusal is that bytes were lost: the rest of the line is not taken in */
    bool after_cr; /* a line feed that follows belongs to it */

    struct history history;
    unsigned history_back;          /* how far back the line shown is; 0: the new one */
    char unfinished[LINE_BYTES];    /* the new line, while an old one is shown, */
    const char *unfinished_refusal; /* and its refusal */

    bool searching;
    struct line sought;             /* what is searched for */
    unsigned found;                 /* how far back the line shown is; 0: none has been found */
    char before_search[LINE_BYTES]; /* what was shown */
};

/* The terminal has told how wide it is. */
void editor_set_columns(struct editor *editor, unsigned columns);

/* Shows the prompt with an empty line. */
void editor_begin(struct editor *editor);

/* Shows the prompt and the line again, for when something else has written to the terminal. */
void editor_redraw(struct editor *editor);

/* Some input was lost here: what there is of the line and what comes up to its end is not to be
 * run. */
void editor_lost(struct editor *editor);

enum editor_event editor_feed(struct editor *editor, char byte);
