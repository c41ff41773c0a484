// SPDX-License-Identifier: MIT
/*
 * info.h - what the kernel tells programs in memory they can only read: the information page of every
 * process (abi/kinfo.h) and the statistics (abi/statistics.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mm/addr.h"

/* Zeroed memory in whole frames, for ever, from the HHDM; panics when there is none. Boot only. */
void *info_boot_alloc(size_t size_bytes);

/* Creates the statistics and points every core to its part; before the scheduler starts. */
void info_statistics_create(void);
/* Creates the information page: when time and all cores are known. */
void info_kinfo_create(void);

paddr_t kinfo_frame(void);
paddr_t info_statistics_frame(uint64_t *page_count);
void info_count_line(uint32_t line, bool delivered);
/* Brings the memory figures up to date: before the system idles. */
void info_update_memory(void);
