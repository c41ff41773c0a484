// SPDX-License-Identifier: MIT
/*
 * terminal.h - one of the virtual terminals: what it shows, what has scrolled away, and what is typed while it is to be seen. Its
 * clients, where it has any, are in clients.c by lib/server/stream_server.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/server/stream_bytes.h"
#include "services/terminal/emulator.h"
#include "services/terminal/scrollback.h"
#include "services/terminal/layout.h"
#include "services/terminal/screen.h"

struct terminal {
    struct emulator *emulator;
    struct emulator_hooks hooks;
    struct scrollback scrollback;
    struct byte_queue received; /* what keys have sent, and answers to questions */
    unsigned columns, rows;
    unsigned back;    /* so many lines above the bottom is what it shows */
    bool answers;     /* what it receives now is the emulator's, and no key */
    bool changed;     /* there is something to draw */
    bool all_changed; /* the screen shows another terminal, or other lines of it */
};

/* Keeps `scrollback_blocks` of lines that scroll away (scrollback.h), as far as there is memory. False: there is none for the
 * terminal. `terminal` has to stay where it is. */
bool terminal_open(struct terminal *terminal, unsigned columns, unsigned rows,
                   unsigned scrollback_blocks);
void terminal_write(struct terminal *terminal, const char *bytes, size_t count);
/* The program that wrote there has ended: emulator_undo(). */
void terminal_undo(struct terminal *terminal);
/* What a key means for it: KEYS_CHARACTER, KEYS_NAMED or KEYS_SCROLL. Any key but the last shows the bottom again. */
void terminal_key(struct terminal *terminal, const struct keys_event *event);
/* The screen showed another one. */
void terminal_come(struct terminal *terminal);
/* Draws what has changed. */
void terminal_draw(struct terminal *terminal, struct screen *screen);
