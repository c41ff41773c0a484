// SPDX-License-Identifier: MIT
/*
 * assign.h - which volume is which service's, in memory that outlives this service. An entry is there when its
 * service is, which is stored last and cleared first.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "protocols/volume.h"

#define ASSIGNMENTS_MAX 32u

struct assignment {
    uint8_t volume[VOLUME_ID_BYTES];
    _Atomic uint64_t service; /* its number; 0: this entry is free */
};

struct assignments {
    struct assignment entries[ASSIGNMENTS_MAX];
};

/* The volume of a service, or NULL. */
const struct assignment *assignment_of(const struct assignments *assignments, uint64_t service);
bool assignment_has(const struct assignments *assignments, const uint8_t volume[VOLUME_ID_BYTES]);
/* In the place of what the service had; NULL: nothing. MNOS_ERR_EXISTS, MNOS_ERR_QUOTA. */
mnos_status_t assignment_set(struct assignments *assignments, uint64_t service,
                             const uint8_t volume[VOLUME_ID_BYTES]);
