// SPDX-License-Identifier: MIT
/* history.h - the lines entered last. */
#pragma once

#include "programs/monitor/line.h"

#define HISTORY_LINES 32

struct history {
    char lines[HISTORY_LINES][LINE_BYTES];
    unsigned entered; /* lines ever kept */
};

/* Keeps the line, unless it is empty or the same as the one before. */
void history_add(struct history *history, const char *text);

/* How many there are. */
unsigned history_count(const struct history *history);

/* The line that was entered `back` lines ago, from 1 to history_count(). */
const char *history_line(const struct history *history, unsigned back);

/* The first line from `back` on, towards older ones, that contains the text, and where in it; 0:
 * none. */
unsigned history_find(const struct history *history, unsigned back, const char *text, size_t *at);
