// SPDX-License-Identifier: MIT
/* backlog - see backlog.h. */
#include "drivers/serial/ns16550/backlog.h"

#include "lib/base/printf.h"

/* The kernel may write a line more while the oldest is copied. */
#define LINE_BYTES 256

void backlog_begin(struct backlog *backlog, const struct mnos_log *log, uint16_t port)
{
    *backlog = (struct backlog){0};
    if (log->magic != MNOS_LOG_MAGIC || log->line_port != port ||
        log->line_shown >= log->line_claimed)
        return;
    backlog->log = log;
    backlog->at = log->line_shown;
    backlog->end = log->line_claimed;
}

static void put(struct backlog *backlog, char c)
{
    backlog->chunk[backlog->chunk_size++] = c;
}

/* What the ring does not have any more is skipped, up to the beginning of a line, and counted on the line. */
static void skip_lost(struct backlog *backlog)
{
    const struct mnos_log *log = backlog->log;
    uint64_t written = __atomic_load_n(&log->written, __ATOMIC_ACQUIRE);
    uint64_t keep = log->capacity - LINE_BYTES, from = written - keep;

    if (written - backlog->at <= keep)
        return;
    while (from < written && log->data[from++ % log->capacity] != '\n')
        ;
    if (from > backlog->end)
        from = backlog->end;
    backlog->chunk_size = (size_t)mnos_snprintf(
        backlog->chunk, sizeof backlog->chunk, "[%llu bytes of the log were lost on this line]\r\n",
        (unsigned long long)(from - backlog->at));
    backlog->at = from;
}

static void fill(struct backlog *backlog)
{
    backlog->chunk_at = backlog->chunk_size = 0;
    skip_lost(backlog);
    while (backlog->at < backlog->end && backlog->chunk_size + 2 <= sizeof backlog->chunk) {
        char c = backlog->log->data[backlog->at++ % backlog->log->capacity];

        if (c == '\n')
            put(backlog, '\r');
        put(backlog, c);
    }
}

bool backlog_send(struct backlog *backlog, struct uart *uart)
{
    while (backlog->log != NULL) {
        backlog->chunk_at += uart_send(uart, (const uint8_t *)backlog->chunk + backlog->chunk_at,
                                       backlog->chunk_size - backlog->chunk_at);
        if (backlog->chunk_at < backlog->chunk_size)
            return false;
        if (backlog->at == backlog->end)
            backlog->log = NULL;
        else
            fill(backlog);
    }
    return true;
}
