// SPDX-License-Identifier: MIT
/* time.h - dates of directory entries, and nanoseconds since 1970. */
#pragma once

#include <stdint.h>

/* Before 1980, or after 2107: the nearest that there is. */
uint32_t fat_time_from_ns(uint64_t ns);
/* 0: the entry holds no date. */
uint64_t fat_time_to_ns(uint32_t time);
