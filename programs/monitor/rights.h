// SPDX-License-Identifier: MIT
/* rights.h - words of `run` that more than one kind of program is given. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* "rwcg" as rights of a session (protocols/file.h), looking up with it; *delegate: it may be handed on. False: it has
 * another letter. */
bool rights_parse(const char *text, uint32_t *rights, bool *delegate);
/* "64K", "16M" in frames; 0: it is no size. */
uint64_t rights_parse_frames(const char *text);
/* "3" as the number of a terminal; false: it is none. Whether there is such a terminal its service says. */
bool rights_parse_terminal(const char *text, unsigned *number);
