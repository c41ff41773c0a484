// SPDX-License-Identifier: MIT
/* terminal.h - a service with a terminal, in a child: its real code (lib/server/stream_server.h) at a line that sends back all
 * that it is sent. */
#pragma once

#include <stdint.h>

#define TERMINAL_STATE_PAGES 1u
#define TERMINAL_HOLDER                                                                            \
    7u /* the number of the service that is in front at first: the low 16 bits of its badges */

/* For child_start(): receives at `endpoint`, which it has all rights of, until it is ended. `state`: a Memory capability of
 * TERMINAL_STATE_PAGES; a run finds what the one before left there when `fresh` is 0. What the line has taken and nobody
 * has read ends with the run, as with any driver. */
uint64_t terminal_serve(uint64_t endpoint, uint64_t state, uint64_t fresh, uint64_t);
