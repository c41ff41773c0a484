// SPDX-License-Identifier: MIT
/* types.c - see types.h. */
#include "object/types.h"

#include <stddef.h>

#include "object/endpoint.h"
#include "object/interrupt.h"
#include "object/memory.h"
#include "object/process.h"
#include "object/thread.h"

#define OFFSET(type, member) (offsetof(struct type, member) - offsetof(struct type, obj))

const struct object_type object_types[OBJECT_TYPES] = {
    [MNOS_TYPE_MEMORY] = {.has_range = true,
                          .guard = OFFSET(memory, mappings_lock),
                          .drain_locked = memory_drain_locked,
                          .bytes = sizeof(struct memory),
                          .free = memory_free,
                          .describe = memory_describe},
    [MNOS_TYPE_ENDPOINT] = {.guard = OFFSET(endpoint, lock),
                            .drain_locked = endpoint_drain_locked,
                            .bytes = sizeof(struct endpoint),
                            .more_bytes = endpoint_more_bytes,
                            .free = endpoint_free,
                            .describe = endpoint_describe},
    /* The one object is for ever. */
    [MNOS_TYPE_INTERRUPT] = {.has_range = true,
                             .drain_locked = interrupt_drain_locked,
                             .after_drain = interrupt_after_drain,
                             .describe = interrupt_describe},
    [MNOS_TYPE_PROCESS] = {.ending = OFFSET(process, end),
                           .bytes = sizeof(struct process),
                           .free = process_free,
                           .describe = kobject_describe_id},
    [MNOS_TYPE_THREAD] = {.ending = OFFSET(thread, end),
                          .bytes = sizeof(struct thread),
                          .free = thread_free,
                          .describe = kobject_describe_id},
};
