// SPDX-License-Identifier: MIT
/* time.h - nanoseconds since boot, without a system call where the processor allows it. */
#pragma once

#include <stdint.h>

#include "abi/kinfo.h"

static inline const struct mnos_kinfo *kinfo(void)
{
    return (const struct mnos_kinfo *)MNOS_KINFO_ADDRESS;
}

static inline uint64_t tsc_read(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

/* The time of a reading of the time stamp counter, where tsc_usable is 1. */
static inline uint64_t kinfo_time_of(const struct mnos_kinfo *info, uint64_t tsc)
{
    return (uint64_t)(((unsigned __int128)(tsc - info->tsc_base) * info->tsc_multiplier) >> 32);
}

uint64_t kinfo_time_ns(void);

/* A deadline so far from now; 0 and "never" keep their meaning. */
uint64_t deadline_after_ns(uint64_t duration_ns);

/* Returns not before the deadline. */
void sleep_until(uint64_t deadline_ns);
