// SPDX-License-Identifier: MIT
/*
 * console.h - text on the framebuffer, for boot messages and panics. It only ever writes to the
 * framebuffer, which is write-combined: reading it back would be slow.
 */
#pragma once

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

/* Text of whole lines or parts of lines; newline and printable ASCII, anything else is a '?'. */
void console_write(const char *text, size_t size_bytes);
/* Applies to text that follows. */
void console_set_style(enum console_style style);
