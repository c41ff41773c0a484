// SPDX-License-Identifier: MIT
/* service_limits.h - what the manifest gives each service of this program (protocols/limits_format.h): records by the name of the
 * service. Nothing here waits. */
#pragma once

#include <stdbool.h>

#include "protocols/limits_format.h"

struct service_limits {
    const void *records; /* each begins with char service[MNOS_NAME_BYTES] */
    uint32_t count;
    uint32_t record_bytes;
};

/* `size` bytes, which stay the caller's and must stay. False: they are no such records, and there are none then. */
bool service_limits_open(struct service_limits *limits, const void *bytes, uint64_t size,
                         uint64_t magic, uint32_t version, uint32_t record_bytes);
/* The record at an index below the count. */
const void *service_limits_at(const struct service_limits *limits, uint32_t index);
/* The record of a service, by its name (MNOS_NAME_BYTES, or fewer and a 0). The number of an instance does not count: instances
 * have what is said of all. NULL: it has none. */
const void *service_limits_of(const struct service_limits *limits, const char *service);
