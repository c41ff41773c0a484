// SPDX-License-Identifier: MIT
/* step_by_step.h - what a death behind each store of some code would leave in memory. */
#pragma once

#include <stddef.h>

/* Runs it, and puts into `moments`, of which there is room for `room`, the `bytes` of memory as they were before it and
 * after each change; how many. */
unsigned step_by_step(void *moments, unsigned room, const void *memory, size_t bytes,
                      void (*run)(void *), void *argument);
