// SPDX-License-Identifier: MIT
/*
 * manifest.h - the compiled manifest, checked.
 *
 * Responsible for: every number and name in the bytes, which come from the boot medium and may be
 * damaged. After manifest_open() has said NULL, indexes are in range and names are terminated.
 * Leaves to grants.c what a grant means. Format: protocols/manifest_format.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "protocols/manifest_format.h"

struct manifest {
    const struct manifest_endpoint *endpoints;
    const struct manifest_service *services;
    const struct manifest_grant *grants;
    const struct manifest_region *regions;
    const struct manifest_match *matches;
    uint32_t endpoint_count;
    uint32_t service_count;
    uint32_t grant_count;
    uint32_t region_count;
    uint32_t match_count;
};

/* `bytes` must be 8-byte aligned and stay. Returns what is wrong, or NULL. */
const char *manifest_open(struct manifest *manifest, const void *bytes, size_t size);

/* Whether a service has a capability to an endpoint of another. */
bool manifest_uses(const struct manifest *manifest, uint32_t user, uint32_t provider);
