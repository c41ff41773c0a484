// SPDX-License-Identifier: MIT
/* mounts.h - what other commands need of file systems. */
#pragma once

#include <stdbool.h>

/* Returns when all that was written is safe; false: it is not, which was told. */
bool mounts_sync(const char *command);

/* The same, and lets all volumes go. After that their files are not there any more. */
bool mounts_leave(const char *command);

/* Says why what is mounted at the beginning of a path, as it was typed, is not there; nothing when it is. */
void mounts_explain(const char *path);
