// SPDX-License-Identifier: MIT
/* journal - see journal.h. */
#include "services/terminal/journal.h"

#include <stdatomic.h>

#include "abi/inspect.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/syscall.h"

/* The kernel may write a line more while the oldest is copied. */
#define LINE_BYTES 256u

void journal_open(struct journal *journal, mnos_cap_t log)
{
    const struct mnos_cap_info *info = (const void *)ipc_buffer()->data;
    const struct mnos_log *ring;
    uint64_t size, pages;
    void *address;

    *journal = (struct journal){0};
    if (log == 0 || sys_cap_inspect(log, MNOS_VIEW_CAPABILITY, 0, &size) != MNOS_OK ||
        (info->rights & MNOS_RIGHT_READ) == 0 ||
        memory_map_all(log, MNOS_MAP_READ, &address, &pages) != MNOS_OK)
        return;
    ring = address;
    if (ring->magic == MNOS_LOG_MAGIC && ring->capacity > LINE_BYTES)
        journal->log = ring;
}

/* What the ring does not have any more is skipped, up to the beginning of a line. */
static void skip_lost(struct journal *journal, uint64_t written)
{
    const struct mnos_log *log = journal->log;
    uint64_t keep = log->capacity - LINE_BYTES;

    if (written - journal->at <= keep)
        return;
    journal->at = written - keep;
    while (journal->at < written && log->data[journal->at++ % log->capacity] != '\n')
        ;
}

size_t journal_read(struct journal *journal, char *out, size_t size)
{
    const struct mnos_log *log = journal->log;
    uint64_t written;
    size_t count = 0;

    if (log == NULL)
        return 0;
    /* Acquire pairs with the kernel's release: the bytes are there before the count says so. */
    written = atomic_load_explicit((const _Atomic uint64_t *)&log->written, memory_order_acquire);
    skip_lost(journal, written);
    while (journal->at < written && count + 2 <= size) {
        char c = log->data[journal->at++ % log->capacity];

        if (c == '\n')
            out[count++] = '\r';
        out[count++] = c;
    }
    return count;
}
