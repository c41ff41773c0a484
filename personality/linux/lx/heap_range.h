// SPDX-License-Identifier: MIT
/* heap_range.h - where the heap of lx lies (heap.c): from LX_HEAP to its end, all of it mapped. */
#pragma once

#include <stdint.h>

uint64_t heap_end(void);
