// SPDX-License-Identifier: MIT
/* backoff.h - how long to wait before a service is started again. */
#pragma once

#include <stdint.h>

#define BACKOFF_FIRST_NS 10000000ull     /* 10 ms */
#define BACKOFF_LAST_NS 10000000000ull   /* 10 s */
#define BACKOFF_STABLE_NS 10000000000ull /* a run this long forgives earlier failures */

/* `previous_ns` is the last wait (0: none), `ran_ns` how long the service ran. */
static inline uint64_t backoff_next(uint64_t previous_ns, uint64_t ran_ns)
{
    if (previous_ns == 0 || ran_ns >= BACKOFF_STABLE_NS)
        return BACKOFF_FIRST_NS;
    return previous_ns >= BACKOFF_LAST_NS / 2 ? BACKOFF_LAST_NS : previous_ns * 2;
}
