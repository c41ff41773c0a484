// SPDX-License-Identifier: MIT
/*
 * guard.h - memory of a client that a service has mapped, and that the client may take away at any
 * moment by dying or revoking. A touch of what is gone is then no fault of the service: a page of the
 * service's own comes in its place, and the range is marked.
 *
 * For one thread, which calls guard_begin() first; its faults elsewhere end the process as always.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/types.h"

struct guard {
    void *address; /* NULL: nothing is mapped */
    uint64_t pages;
    bool lost; /* the client has taken it away: what is read there is anything */
    struct guard *next;
};

mnos_status_t guard_begin(void);
/* Maps the first `pages` pages of a Memory capability for reading and writing; `guard` is linked until
 * guard_unmap(). */
mnos_status_t guard_map(struct guard *guard, mnos_cap_t memory, uint64_t pages);
void guard_unmap(struct guard *guard);
