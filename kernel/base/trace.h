// SPDX-License-Identifier: MIT
/*
 * trace.h - the event trace (abi/trace.h): a ring of records for each core, written while somebody has
 * it mapped. Else recording is a test of a byte in a line that every entry touches.
 */
#pragma once

#include <stdint.h>

#include "abi/trace.h"
#include "core.h"
#include "mm/addr.h"

/* Creates the rings of the cores that were found, in zeroed whole frames: so much of them; boot. */
uint64_t trace_bytes(void);
void trace_init(void *memory);
paddr_t trace_frame(uint64_t *page_count);
/* A mapping of it was made (1) or undone (-1); under the lock of its mappings. */
void trace_watch(int change);

void trace_record(struct core *core, enum mnos_trace_event event, uint64_t first, uint64_t second);

static inline void trace(enum mnos_trace_event event, uint64_t first, uint64_t second)
{
    struct core *core = this_core();

    if (__builtin_expect(core->tracing, false))
        trace_record(core, event, first, second);
}
