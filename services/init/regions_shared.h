// SPDX-License-Identifier: MIT
/* regions_shared.h - what regions.c and region_parts.c share. */
#pragma once

#include "services/init/regions.h"

/* init keeps it of what it hands on, to take it back. */
#define PARENT_RIGHTS (MNOS_RIGHT_GRANT | MNOS_RIGHT_REVOKE)

/* The grant by which the service has a region of that name; grant_count: it has none. */
uint32_t regions_find_grant(const struct regions *regions, uint32_t service, const char *name);
/* The region that a grant names. */
struct region *regions_of_grant(const struct regions *regions, uint32_t grant);
/* NULL: the region has no such piece. */
struct region_piece *regions_piece_at(const struct region *region, uint32_t index);
