// SPDX-License-Identifier: MIT
/*
 * line.h - the device as the terminal of lib/server/stream_server.h: what the kernel has left over for the line goes out
 * first, then what clients write.
 */
#pragma once

#include "drivers/serial/ns16550/backlog.h"
#include "drivers/serial/ns16550/uart.h"
#include "lib/server/stream_server.h"

struct line {
    struct uart uart;
    struct backlog backlog;
    struct stream_device device; /* line_open() */
};

/* The device of a line that stays where it is. */
void line_open(struct line *line);
