// SPDX-License-Identifier: MIT
/*
 * grants.h - turns the grants of a manifest entry into capabilities in the new process's table, and
 * into the names of its bootstrap table. The only place where init gives authority away.
 */
#pragma once

#include "abi/bootstrap.h"
#include "services/init/archive.h"
#include "services/init/manifest.h"
#include "services/init/regions.h"

/* Badges that init mints: the client's service number (from 1), how often it was started, so that
 * the badge of a dead client never names its successor, and what it may ask of the manager. */
#define BADGE_SERVICE_MASK 0xFFFFull
#define BADGE_START_SHIFT 16
#define BADGE_CONTROL (1ull << 63)
/* Through a capability with this one come the faults of the service's threads; only the kernel has it. */
#define BADGE_FAULT (1ull << 62)

struct resources {
    const struct manifest *manifest;
    const struct archive *archive;                /* the initial RAM disk */
    mnos_cap_t endpoints[MANIFEST_ENDPOINTS_MAX]; /* by the manifest's numbers; all rights */
    struct regions regions;
    uint64_t free_frames; /* at boot: shares are parts of it */
};

/* Makes the endpoints of the manifest; regions get memory when they are used. `own` is the one that init receives on. */
mnos_status_t resources_init(struct resources *resources, const struct manifest *manifest,
                             const struct archive *archive, mnos_cap_t own);

/* `start` counts the starts of this service. */
mnos_status_t grants_give(struct resources *resources, uint32_t service, uint64_t start,
                          mnos_cap_t process, struct mnos_bootstrap *table);
