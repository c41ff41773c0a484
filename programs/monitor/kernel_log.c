// SPDX-License-Identifier: MIT
/* kernel_log - the command log: copies the kernel's log ring out while the kernel goes on
 * writing. */
#include "abi/log.h"

#include <stdatomic.h>
#include <stdint.h>

#include "lib/base/string.h"
#include "programs/monitor/command.h"
#include "programs/monitor/console.h"
#include "programs/monitor/machine.h"

#define CHUNK_BYTES 2048

/* Acquire pairs with the kernel's release: the bytes are there before the count says so. */
static uint64_t written_bytes(const struct mnos_log *log)
{
    return atomic_load_explicit((const _Atomic uint64_t *)&log->written, memory_order_acquire);
}

static uint64_t oldest_byte(const struct mnos_log *log, uint64_t written)
{
    return written > log->capacity ? written - log->capacity : 0;
}

/* Copies bytes from position `at`; returns how many, and moves `at` over what was overwritten. */
static size_t copy_chunk(const struct mnos_log *log, uint64_t *at, uint64_t end, char *out)
{
    size_t count = end - *at < CHUNK_BYTES ? (size_t)(end - *at) : CHUNK_BYTES;
    uint64_t oldest, lost;

    for (size_t i = 0; i < count; i++)
        out[i] = log->data[(*at + i) & (log->capacity - 1)];
    oldest = oldest_byte(log, written_bytes(log));
    lost = oldest > *at ? oldest - *at : 0;
    if (lost >= count) {
        *at = lost > end - *at ? end : oldest;
        return 0;
    }
    memmove(out, out + lost, count - (size_t)lost);
    *at += count;
    return count - (size_t)lost;
}

void command_log(const struct words *)
{
    const struct mnos_log *log = machine_memory("log", "log");
    static char chunk[CHUNK_BYTES];
    uint64_t at, end;
    bool in_line;

    if (log == NULL)
        return;
    if (log->magic != MNOS_LOG_MAGIC || log->capacity == 0 ||
        (log->capacity & (log->capacity - 1)) != 0) {
        console_print("log: the capability \"log\" holds no log\n");
        return;
    }
    end = written_bytes(log);
    at = oldest_byte(log, end);
    in_line = at != 0; /* the first line may have lost its beginning */
    while (at < end) {
        uint64_t expected = at;
        size_t count = copy_chunk(log, &at, end, chunk), start = 0;

        in_line |= at - count != expected;
        while (in_line && start < count)
            in_line = chunk[start++] != '\n';
        console_write(chunk + start, count - start);
    }
}
