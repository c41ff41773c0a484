// SPDX-License-Identifier: MIT
/*
 * assign.h - which volume is which service's, in memory that outlives this service. An entry is there when its
 * service is, which is stored last and cleared first.
 *
 * A service that loses a volume has sessions of it at the disk's driver, which are closed before it gets another one
 * there. That they are to be closed is stored before the volume is the service's no longer, for every disk, as nobody
 * knows where the volume was when its disk is not there; each disk's thread clears it when its driver has done so.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "protocols/volume.h"

#define ASSIGNMENTS_MAX 32u
#define ASSIGN_DISKS_MAX 8u
#define ASSIGN_SERVICES_MAX 128u /* numbers of services are below */

struct assignment {
    uint8_t volume[VOLUME_ID_BYTES];
    _Atomic uint64_t service; /* its number; 0: this entry is free */
};

struct assignments {
    struct assignment entries[ASSIGNMENTS_MAX];
    _Atomic uint64_t closing[ASSIGN_DISKS_MAX][ASSIGN_SERVICES_MAX / 64]; /* bits, by service */
};

/* The volume of a service, or NULL. */
const struct assignment *assignment_of(const struct assignments *assignments, uint64_t service);
bool assignment_has(const struct assignments *assignments, const uint8_t volume[VOLUME_ID_BYTES]);
/* In the place of what the service had; NULL: nothing. MNOS_ERR_EXISTS, MNOS_ERR_QUOTA; MNOS_ERR_NOT_FOUND: there can be
 * no such service. */
mnos_status_t assignment_set(struct assignments *assignments, uint64_t service,
                             const uint8_t volume[VOLUME_ID_BYTES]);

/* A service whose sessions at this disk are to be closed; 0: there is none. */
uint64_t assignment_closing(const struct assignments *assignments, uint32_t disk);
bool assignment_is_closing(const struct assignments *assignments, uint32_t disk, uint64_t service);
void assignment_closed(struct assignments *assignments, uint32_t disk, uint64_t service);
