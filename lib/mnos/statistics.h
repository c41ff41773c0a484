// SPDX-License-Identifier: MIT
/* statistics.h - what the kernel's counters (abi/statistics.h) say. */
#pragma once

#include "abi/statistics.h"

/* How much of the time up to now the core was idle, in thousandths. */
static inline unsigned statistics_idle_permille(const struct mnos_core_statistics *core,
                                                uint64_t now_ns)
{
    uint64_t since = core->idle_since, idle = core->idle_ns;

    if (since != 0 && since < now_ns)
        idle += now_ns - since;
    if (idle > now_ns)
        idle = now_ns; /* the two counters were read at different moments */
    return now_ns >= 1000 ? (unsigned)(idle / (now_ns / 1000)) : 0;
}
