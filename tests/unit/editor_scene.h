/* SPDX-License-Identifier: MIT */
/*
 * editor_scene.h - the monitor's line editor and a model of a terminal line that it writes to.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/mnos/utf8.h"
#include "programs/monitor/editor.h"

/* One row of an ANSI terminal, enough of it for what the editor sends. A cell is a character
 * with what combines with it; one of two columns is followed by an empty cell. */
#define CELL_BYTES 40
#define CELLS 1100
extern struct terminal {
    char row[CELLS][CELL_BYTES];
    size_t column, columns;
    unsigned lines;            /* line feeds */
    unsigned bells, questions; /* for its width */
    char sequence[24];
    size_t sequence_length;
    struct utf8_decoder utf8;
} terminal;

extern struct editor editor;
extern const char *const editor_refusal; /* of a line that does not fit */

void begin(void);
void editor_check(void);
enum editor_event type_bytes(const char *keys, size_t count);
enum editor_event type(const char *keys);
void enter(const char *keys);
void answer(void);
void terminal_clear(size_t from);
