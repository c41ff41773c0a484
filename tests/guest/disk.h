// SPDX-License-Identifier: MIT
/* disk.h - the driver of a disk of memory, in a child: its real code. */
#pragma once

#include <stdint.h>

#define DISK_STATE_PAGES 1u

/* For child_start(): receives at `endpoint`, which it has all rights of, until it is ended. `memory` is a
 * Memory capability of a page of state and `pages` pages of disk; a run finds what the one before left when
 * `epoch` is not 1. */
uint64_t disk_serve(uint64_t endpoint, uint64_t memory, uint64_t pages, uint64_t epoch);
