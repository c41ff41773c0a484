// SPDX-License-Identifier: MIT
/* clock.h - what day it is for a file system on the host: always the same evening in November 2023, some time after the boot. */
#pragma once

#include <stdint.h>

static inline uint64_t date_of_tick(uint64_t tick_ns)
{
    return 1700000000000000000ull + tick_ns;
}
