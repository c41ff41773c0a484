// SPDX-License-Identifier: MIT
/*
 * trace.h - what each core has done last, as a reader sees it: a read-only Memory capability.
 *
 * Events are recorded exactly while somebody has a page of it mapped. Each core has a ring of
 * `capacity` records, those of core n from byte `rings_offset` + n * capacity * record_bytes on. Record
 * number r of a core is at r % capacity. A reader loads `written` with acquire order, copies, and loads
 * it again: valid are records from written - capacity + 1 on, since the one before them may be being
 * overwritten.
 */
#pragma once

#include "abi/types.h"

#define MNOS_TRACE_MAGIC 0x45434152544F4E4Dull

enum mnos_trace_event {
#define TRACE_EVENT(number, name, first, second, text) MNOS_TRACE_##name = (number),
#include "abi/trace.def"
#undef TRACE_EVENT
};

struct mnos_trace_record {
    uint64_t tsc;      /* kinfo.h says what time that is */
    uint16_t event;    /* enum mnos_trace_event */
    uint16_t core;     /* index */
    uint32_t thread;   /* low half of the id of the thread that ran; 0: none */
    uint64_t words[2]; /* trace.def; threads, processes and objects by their ids */
};
_Static_assert(sizeof(struct mnos_trace_record) == 32, "shared with programs");

struct mnos_trace_core {
    uint64_t written; /* records ever written */
    uint64_t reserved[7];
};

struct mnos_trace {
    uint64_t magic;
    uint32_t core_count;
    uint32_t capacity; /* records in a ring, a power of two */
    uint32_t record_bytes;
    uint32_t rings_offset;
    uint64_t reserved[5];
    struct mnos_trace_core cores[MNOS_CORES_MAX];
};
_Static_assert(sizeof(struct mnos_trace) <= MNOS_PAGE_BYTES, "the rings begin with a page");
