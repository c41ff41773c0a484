// SPDX-License-Identifier: MIT
/*
 * console.h - text to and from the terminal, through its service's protocol; and the one place
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
#include "protocols/stream.h"

/* Has the driver, and the manager if there is one, set events here. Without its line the monitor
 * ends. */
void console_open(void);

/* What the manifest calls the service of the terminal, for texts: `arguments = "terminal=NAME"`. */
const char *console_service(void);

/* "\n" becomes "\r\n" on the line. */
void console_write(const char *bytes, size_t count);
/* 511 bytes at most; what is longer is cut. */
__attribute__((format(printf, 1, 2))) void console_print(const char *format, ...);

/* When something was, since boot, as the log has it: "[    1.234567]  ". */
void console_print_time(uint64_t time_ns);

/* Prints what failed and why: error_explain(). */
void console_error(mnos_status_t status, const char *what);

/* Sends what was collected. */
void console_flush(void);

/* Where this monitor waits, with Grant; and what the launcher has of it for each program (launch.h): when one ends, or
 * the launcher does. */
#define CONSOLE_EVENT_PROGRAMS 32ull
#define CONSOLE_BADGE_PROGRAMS 3u
mnos_cap_t console_endpoint(void);

/* What console_read() returns beside bytes. */
enum console_event {
    CONSOLE_RESTARTED = -1, /* the driver: the terminal may not show what it should */
    CONSOLE_LOST = -2,      /* input is missing here */
    CONSOLE_SERVICES = -3,  /* the state of some service may have changed */
    CONSOLE_SIZE = -4,      /* the terminal's size is another: console_columns() */
    CONSOLE_PROGRAMS = -5,  /* a program may have ended */
};

/* The next byte typed, or an event. Waits for one. */
int console_read(void);

/* Waits until something may have been typed, the state of a service may have changed, or somebody else may be in
 * front. */
void console_wait(void);
/* Takes note of the events that are set, without waiting. */
void console_look(void);

/* Before a service is ended, which may be the driver: receives all that was typed, and leaves
 * what comes now in the device, until the next read. */
void console_hold_input(void);

/* Whether Ctrl-C was typed since the last console_read(), or at a program in front that was put there with
 * STREAM_INTERRUPTS; what was typed before it is dropped. */
bool console_interrupted(void);

/* Waits so long; false as soon as console_interrupted(). */
bool console_pause(uint64_t duration_ns);

/* Has the terminal asked for its size; nobody waits, and CONSOLE_SIZE comes when it is another. */
void console_ask_size(void);
/* 0: the terminal has not told. */
unsigned console_columns(void);

/*
 * A session of the terminal for another program (lib/client/stream.h), in front or behind as `flags` say; what is typed
 * goes to it then, but what this monitor has read ahead. With STREAM_INTERRUPTS Ctrl-C is this monitor's:
 * console_interrupted().
 */
mnos_status_t console_give_front(uint32_t flags, mnos_cap_t *session);
/* Ends such a session and deletes the capability; if it was in front, this monitor is. */
void console_take_front(mnos_cap_t session);
/* Whether this monitor is in front: not while a program is, but again after Ctrl-] was typed twice. */
bool console_has_front(void);
