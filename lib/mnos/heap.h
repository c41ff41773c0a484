// SPDX-License-Identifier: MIT
/*
 * heap.h - memory in pieces of any size, for this process. Grows as long as the process's quota
 * allows; heap_allocate() returns NULL when it does not. Safe to use from several threads.
 */
#pragma once

#include <stddef.h>

/* 16-byte aligned, not zeroed. */
void *heap_allocate(size_t size_bytes);

/* NULL is allowed. Freeing what was not allocated, or twice, ends the process with a fault. */
void heap_free(void *piece);
