// SPDX-License-Identifier: MIT
/*
 * console.h - text to and from the serial line, through the driver's protocol; and the one place
 * where the monitor waits, for what is typed and for news of services.
 *
 * Output is collected and sent in large messages, at the latest before waiting. When the driver
 * dies, what was being written is written again to its successor. Input that was received here
 * outlives the driver; what the driver held when it died is reported as lost.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "abi/types.h"

/* Has the driver, and the manager if there is one, set events here. Without its line the monitor
 * ends. */
void console_open(void);

/* "\n" becomes "\r\n" on the line. */
void console_write(const char *bytes, size_t count);
__attribute__((format(printf, 1, 2))) void console_print(const char *format, ...);

/* Prints what failed and why: error_explain(). */
void console_error(mnos_status_t status, const char *what);

/* Sends what was collected. */
void console_flush(void);

/* What console_read() returns beside bytes. */
enum console_event {
    CONSOLE_RESTARTED = -1, /* the driver: the terminal may not show what it should */
    CONSOLE_LOST = -2,      /* input is missing here */
    CONSOLE_SERVICES = -3,  /* the state of some service may have changed */
};

/* The next byte typed, or an event. Waits for one. */
int console_read(void);

/* Waits until something may have been typed, or the state of a service may have changed. */
void console_wait(void);

/* Before a service is ended, which may be the driver: receives all that was typed, and leaves
 * what comes now in the device, until the next read. */
void console_hold_input(void);

/* Whether Ctrl-C was typed since the last console_read(); what was typed before it is dropped. */
bool console_interrupted(void);
