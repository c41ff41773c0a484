// SPDX-License-Identifier: MIT
/*
 * log_line.h - which lines of the kernel log a person wants to see. A line is "[sssss.uuuuuu] L NAME: text"
 * (abi/log.h), and init's lines about a service are "init: NAME: text". Host tests compile this file.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct log_filter {
    char level;       /* E, W, I or D: lines of that level and graver ones; 0: all */
    const char *name; /* of a program, or about it; NULL: all */
};

/* E, W, I or D of "error", "warning", "info" or "debug", or of their first letters; 0: it is none of them. */
char log_level_of(const char *word);

/* Whether the filter lets the line pass; `length` does not count its newline. */
bool log_line_passes(const struct log_filter *filter, const char *line, size_t length);
