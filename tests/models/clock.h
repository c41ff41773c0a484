// SPDX-License-Identifier: MIT
/* clock.h - what day it is for a file system on the host: the machine began a second before 1,700,000,000 s since 1970. */
#pragma once

#include <stdint.h>

static inline uint64_t date_of_tick(uint64_t tick_ns)
{
    return 1699999999000000000ull + tick_ns;
}
