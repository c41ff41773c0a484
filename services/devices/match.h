// SPDX-License-Identifier: MIT
/* match.h - which service of the manifest a function is for. */
#pragma once

#include "services/devices/table.h"

#define MATCHES_MAX 64u
#define MATCH_ANY UINT32_MAX

struct driver_match {
    char service[MNOS_NAME_BYTES]; /* without the number of an instance */
    uint32_t instances;            /* 0: it has no number */
    uint32_t vendor, device;       /* MATCH_ANY: the class counts */
    uint32_t class_code, class_mask;
};

/* Gives each FREE function that has no service yet the first match that names its identifiers, else
 * the first that names its class, and the lowest instance that no other function has. What stays
 * without one because all instances have a device says so in its reason. */
void match_all(struct table *table, const struct driver_match *matches, unsigned count);
