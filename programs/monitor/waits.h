// SPDX-License-Identifier: MIT
/*
 * waits.h - names for what the kernel tells by id, such as what a thread waits for: whoever may inspect the processes
 * finds out whose thread or endpoint that is.
 */
#pragma once

#include <stddef.h>

#include "abi/inspect.h"

/* What is more than this has a number instead of a name. */
#define WAIT_NAMES_MAX 512

struct wait_name {
    uint64_t
        id; /* of a thread, a process, or an endpoint on which a thread of the process can receive */
    char process[MNOS_NAME_BYTES];
    char thread[MNOS_NAME_BYTES]; /* empty: it is no thread */
};

struct wait_names {
    unsigned count;
    struct wait_name names[WAIT_NAMES_MAX];
};

/* Of several that can receive on an endpoint the last one added counts. */
void waits_add(struct wait_names *names, uint64_t id, const char *process, const char *thread);

/* "power/main" of a thread, else "power"; empty: the id is of nothing that was added. */
void waits_name(const struct wait_names *names, uint64_t id, char *out, size_t size);

/* "for the reply of power, thread main"; empty for one that waits for nothing that has a name. */
void waits_text(const struct wait_names *names, const struct mnos_thread_info *info, char *out,
                size_t size);
