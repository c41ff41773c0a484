// SPDX-License-Identifier: MIT
/* mounts.h - what other commands need of file systems. */
#pragma once

#include <stdbool.h>

/* Returns when all that was written is safe; false: it is not, which was told. */
bool mounts_sync(const char *command);

/* The same, and lets all volumes go. After that their files are not there any more. */
bool mounts_leave(const char *command);
