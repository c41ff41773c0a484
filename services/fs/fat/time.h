// SPDX-License-Identifier: MIT
/* time.h - dates of directory entries, and nanoseconds since 1970. */
#pragma once

#include <stdint.h>

#include "third_party/oofatfs/port.h"

/* In UTC, and so noted. Before 1980, or after 2107: the nearest that there is. */
struct fatfs_time fat_time_from_ns(uint64_t ns);
/* 0: the entry holds no date. */
uint64_t fat_time_to_ns(struct fatfs_time time);
