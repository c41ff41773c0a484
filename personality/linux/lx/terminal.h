// SPDX-License-Identifier: MIT
/* terminal.h - the terminal of the container. */
#pragma once

#include <stddef.h>

/* A text of lx itself, past the line discipline. */
void terminal_say(const char *text, size_t count);
