// SPDX-License-Identifier: MIT
/*
 * name.h - names of processes and threads, which programs choose and people read: in the log, on a terminal, in
 * a panic. They are cleaned where they are copied in, so that none can forge a line or command a terminal.
 */
#pragma once

#include "abi/types.h"

/* What is left of `from`, in UTF-8, zeroed to its end. Every byte that belongs to no character that may be in a
 * name becomes '?': control characters and malformed sequences; also invisible characters, and those that change
 * the direction of what follows or begin a line. */
void name_copy(char to[MNOS_NAME_BYTES], const char from[MNOS_NAME_BYTES]);
