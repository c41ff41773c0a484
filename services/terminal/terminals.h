// SPDX-License-Identifier: MIT
/*
 * terminals.h - the virtual terminals of the screen, by numbers from 0, and which of them is seen. Each costs memory when it is
 * used for the first time: it is seen, or a program gets it.
 */
#pragma once

#include "services/terminal/terminal.h"

enum {
    TERMINAL_PROMPT,
    TERMINAL_LOG,
    TERMINAL_PROGRAMS, /* this one and all behind it */
    TERMINALS = TERMINAL_PROGRAMS + 2,
};

/* None is there, and the first is the one that is seen. */
void terminals_begin(unsigned columns, unsigned rows);
/* NULL: it was not used yet, or there was no memory for it. */
struct terminal *terminals_get(unsigned number);
/* Makes it if it is not there. NULL: there is no memory for it; what there was too little for once is not tried again. */
struct terminal *terminals_open(unsigned number);

unsigned terminals_seen(void);
/* From now on this one is seen, if there is such a one and memory for it. */
void terminals_show(unsigned number);
/* Of one for programs: whatever ran there has ended, and who looks is told how to start something. */
void terminals_say_free(unsigned number);
