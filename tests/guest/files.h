// SPDX-License-Identifier: MIT
/* files.h - the service of files in memory, in a child: its real code, with little memory. */
#pragma once

#include <stdint.h>

/* For child_start(): receives at `endpoint`, which it has all rights of, until it is ended. */
uint64_t files_serve(uint64_t endpoint, uint64_t, uint64_t, uint64_t);
