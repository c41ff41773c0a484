// SPDX-License-Identifier: MIT
/*
 * backlog.h - what the kernel has said and could not get rid of on this line, because it did not move until
 * now: abi/log.h. It goes out before anything a client writes.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "abi/log.h"
#include "drivers/serial/ns16550/uart.h"

#define BACKLOG_CHUNK_BYTES 128

struct backlog {
    const struct mnos_log *log; /* NULL: there is nothing to send */
    uint64_t at, end;           /* in the ring, still to send */
    size_t chunk_at, chunk_size;
    char chunk[BACKLOG_CHUNK_BYTES]; /* as it goes over the line */
};

/* The log is mapped at `log`; the line is the one at `port`. */
void backlog_begin(struct backlog *backlog, const struct mnos_log *log, uint16_t port);
/* Sends what the device takes; true: nothing is left. */
bool backlog_send(struct backlog *backlog, struct uart *uart);
