// SPDX-License-Identifier: MIT
/*
 * console.h - text on the framebuffer, for the log and panics. It only ever writes to the
 * framebuffer, which is write-combined: reading it back would be slow.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "boot/bootinfo.h"

enum console_style {
    CONSOLE_NORMAL,
    CONSOLE_ALARM, /* white on red: a panic */
};

/* Draws through `mapping` from now on, and begins with an empty screen. Does nothing, and all below
 * do nothing, when framebuffer->address is 0. */
void console_init(const struct boot_framebuffer *framebuffer, void *mapping);
/* The framebuffer is mapped elsewhere now; NULL: nowhere, text is lost until it is mapped again. */
void console_remap(void *mapping);

/* Forgets what is on the screen, which somebody else has used, and begins at its top. */
void console_reset(void);

/* A step of drawing: *taken says how many bytes of the text, newlines and printable ASCII, anything else as a '?',
 * have been drawn; it may be none, while room is made for them. Always true: a screen never waits. */
bool console_show(const char *text, size_t size_bytes, size_t *taken);
/* Applies to text that follows. */
void console_set_style(enum console_style style);
