// SPDX-License-Identifier: MIT
/*
 * arena - memory for what stays with the kernel: responses, stacks, page tables. All of it is
 * bootloader-reclaimable and below 4 GiB. Running out ends the boot with a message.
 */
#pragma once

#include <stdint.h>

#include "memmap.h"

/* Takes memory from this map from now on. */
void boot_arena_init(struct boot_memmap *map);

/* Zeroed, 16-byte aligned. */
void *boot_arena_allocate(uint64_t size);

/* Whole pages, contents undefined. */
void *boot_arena_pages(uint64_t page_count);

/* A zeroed page. */
uint64_t *boot_arena_table(void);
