// SPDX-License-Identifier: MIT
/*
 * clock.h - what is in the region `clock`: what day it is, as a time server has said it. `sntp` alone writes there; who
 * may read the region reads one word, and waits for nobody. Until something is there, and without the region, what the
 * loader has read counts (`wall_clock_base_ns` of abi/kinfo.h).
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "protocols/region.h"

struct clock_page {
    struct state_header header; /* the manager's */
    /* When the machine began, in nanoseconds since 1970 by UTC; 0: no server has said what time it is. With the time since
     * boot it is what time it is now. It may be changed in either direction at any time. */
    _Atomic int64_t boot_ns;
    _Atomic uint64_t said_ns; /* since boot: when a server has last said so */
};
_Static_assert(sizeof(struct clock_page) == 80, "shared between programs");
