// SPDX-License-Identifier: MIT
/* line - see line.h. Host tests compile this file with a model of the device. */
#include "drivers/serial/ns16550/line.h"

static size_t line_send(void *context, const uint8_t *bytes, size_t count)
{
    struct line *line = context;

    return uart_send(&line->uart, bytes, count);
}

static bool line_send_own(void *context)
{
    struct line *line = context;

    return backlog_send(&line->backlog, &line->uart);
}

static void line_taken(void *context)
{
    struct line *line = context;

    uart_handed_out(&line->uart);
}

static void line_hold(void *context, bool hold)
{
    struct line *line = context;

    uart_hold(&line->uart, hold);
}

static bool line_request(void *context, struct message *msg)
{
    struct line *line = context;

    if (msg->label != SERIAL_STATISTICS)
        return false;
    message_put(msg, MNOS_OK, &line->uart.statistics, sizeof line->uart.statistics);
    return true;
}

void line_open(struct line *line)
{
    line->device = (struct stream_device){
        .context = line,
        .received = &line->uart.received,
        .send = line_send,
        .send_own = line_send_own,
        .taken = line_taken,
        .hold = line_hold,
        .request = line_request,
    };
}
