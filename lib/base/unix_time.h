// SPDX-License-Identifier: MIT
/* unix_time.h - nanoseconds since 1970 as a second and how much of it has passed. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define UNIX_TIME_NS_PER_S 1000000000ll

struct unix_time {
    int64_t seconds;
    uint32_t ns; /* forward from the second, also before 1970 */
};

static inline struct unix_time unix_time_of(int64_t ns)
{
    int64_t rest = ns % UNIX_TIME_NS_PER_S;
    bool before = rest < 0;

    return (struct unix_time){.seconds = ns / UNIX_TIME_NS_PER_S - before,
                              .ns = (uint32_t)(rest + (before ? UNIX_TIME_NS_PER_S : 0))};
}
