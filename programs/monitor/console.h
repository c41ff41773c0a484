// SPDX-License-Identifier: MIT
/*
 * console.h - text to and from the serial line, through the driver's protocol.
 *
 * Output is collected and sent in large messages. When the driver dies, what was being written is
 * written again to its successor. Input that was received here outlives the driver.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "abi/types.h"

/* "\n" becomes "\r\n" on the line. */
void console_write(const char *bytes, size_t count);
__attribute__((format(printf, 1, 2))) void console_print(const char *format, ...);

/* Prints what failed and why: error_explain(). */
void console_error(mnos_status_t status, const char *what);

/* Sends what was collected. */
void console_flush(void);

/* The next byte typed, after flushing. -1: the driver was restarted, and the terminal does not show
 * what it should. */
int console_read(void);

/* Receives what was typed so far, without waiting, for console_read() to return later. */
void console_take_input(void);

/* Whether Ctrl-C was typed since the last console_read(); what was typed before it is dropped. */
bool console_interrupted(void);
