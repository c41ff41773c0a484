// SPDX-License-Identifier: MIT
/*
 * console - the loader's few words: on COM1, and on whatever screen there is.
 *
 * Formats: %s and %u. Every line begins with "minimalos loader: ".
 */
#pragma once

#include "platform.h"

/* Draw to this framebuffer from now on. */
void boot_console_framebuffer(const struct boot_framebuffer *fb);

/* Write to the VGA text buffer from now on. */
void boot_console_vga_text(void);

/* Hand lines to the firmware, for screens that only it can draw to; NULL ends it. */
void boot_console_firmware(void (*write)(const char *line));

/* One line, whose newline is added. */
__attribute__((format(printf, 1, 2))) void boot_print(const char *format, ...);

/* The same; then the machine stops for good. */
_Noreturn __attribute__((format(printf, 1, 2))) void boot_fatal(const char *format, ...);
