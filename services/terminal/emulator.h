// SPDX-License-Identifier: MIT
/*
 * emulator.h - what bytes do to the grid of a terminal, and which bytes a key sends: libvterm, behind functions of ours. Its
 * terminal is xterm's. What it shows is kept as cells here, with the rows that have changed since they were looked at.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/terminal/cell.h"

enum emulator_key {
    EMULATOR_ENTER,
    EMULATOR_TAB,
    EMULATOR_BACKSPACE,
    EMULATOR_ESCAPE,
    EMULATOR_UP,
    EMULATOR_DOWN,
    EMULATOR_LEFT,
    EMULATOR_RIGHT,
    EMULATOR_INSERT,
    EMULATOR_DELETE,
    EMULATOR_HOME,
    EMULATOR_END,
    EMULATOR_PAGE_UP,
    EMULATOR_PAGE_DOWN,
    EMULATOR_F1, /* to F12, in a row */
    EMULATOR_F12 = EMULATOR_F1 + 11,
    EMULATOR_KEYS,
};

enum emulator_modifiers {
    EMULATOR_SHIFT = 1u << 0,
    EMULATOR_ALT = 1u << 1,
    EMULATOR_CTRL = 1u << 2,
};

struct emulator_hooks {
    void *context;
    /* As if it had been typed: what a key sends, and the answer to a question. */
    void (*answer)(void *context, const char *bytes, size_t count);
    /* A line of all columns goes off the top; not in a program's screen of its own. */
    void (*scrolled)(void *context, const cell_t *cells);
};

struct emulator;

/* NULL: there is no memory for it. It is never given back. `hooks` has to stay. */
struct emulator *emulator_make(unsigned columns, unsigned rows, const struct emulator_hooks *hooks);

void emulator_write(struct emulator *emulator, const char *bytes, size_t count);
/* A program has ended: what it has set is undone, as a screen of its own, colours and a hidden cursor; its text stays. */
void emulator_undo(struct emulator *emulator);
/* `modifiers`: enum emulator_modifiers. */
void emulator_press(struct emulator *emulator, enum emulator_key key, unsigned modifiers);

const cell_t *emulator_row(struct emulator *emulator, unsigned row);
/* Whether it has changed since it was asked last. */
bool emulator_take_changed(struct emulator *emulator, unsigned row);
/* False: it is not to be seen. */
bool emulator_cursor(const struct emulator *emulator, unsigned *row, unsigned *column);
