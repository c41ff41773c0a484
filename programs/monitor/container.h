// SPDX-License-Identifier: MIT
/*
 * container.h - containers of programs of Linux that run, as who has started them sees them (container.def): what each can
 * reach, what it was refused, and what is taken away from it.
 */
#pragma once

#include <stdbool.h>

#include "programs/monitor/missing.h"
#include "protocols/container.h"

/* A container that answers in time says all there is; `control` is of task_open_control(). */

/* A request with nothing or an index, whose reply is one record. MNOS_ERR_SIZE: it is another one. */
mnos_status_t container_ask(mnos_cap_t control, enum container_request label, uint64_t index,
                            void *reply, size_t bytes);

struct container_grants {
    unsigned count;
    struct container_grant grants[CONTAINER_GRANTS];
    uint64_t numbers[CONTAINER_GRANTS]; /* by which REVOKE has them */
    struct missing_place places[CONTAINER_GRANTS];
    char texts[8192];
};
/* All that there are, or were. */
mnos_status_t container_grants(mnos_cap_t control, struct container_grants *grants);

/* What it was refused, with what would give it; nothing when it is no container. */
void container_print_denials(uint64_t task, const char *name);
/* Of one that was run to learn, by its name: when it has ended, prints the options that it would have needed, and lets it
 * go. */
void container_learn(const char *name);
