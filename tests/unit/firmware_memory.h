// SPDX-License-Identifier: MIT
/*
 * firmware_memory.h - a machine's physical memory with a few firmware tables in it, for the readers of
 * lib/format. What they map is an allocation of exactly the size asked for, so that the address sanitizer
 * sees the first byte read beyond and whatever is used after it was unmapped.
 */
#pragma once

#include "lib/format/physical.h"

/* 39 bits of addresses. */
#define FIRMWARE_MEMORY_END (UINT64_C(1) << 39)

extern const struct physical_memory firmware_memory;

/* Puts bytes at an address, over what was there; all other memory is zero. */
void firmware_memory_put(uint64_t address, const void *bytes, size_t size);
void firmware_memory_clear(void);

/* How much is mapped: 0 when a reader has cleaned up. */
extern unsigned firmware_memory_mapped;
/* Bytes mapped since firmware_memory_clear(): what a reader has done. */
extern uint64_t firmware_memory_work;
