// SPDX-License-Identifier: MIT
/*
 * log.h - lines for the kernel log, through the capability `log` of the bootstrap table. A program
 * without that capability, or without Write on it, logs nothing.
 */
#pragma once

#include "abi/log.h"
#include "abi/types.h"

#define LOG_LINE_BYTES 240

/* One line, without a newline, prefixed with the program's name; cut when too long. */
__attribute__((format(printf, 1, 2))) void log_line(const char *format, ...);

/* The same at another level than that of information: what does not work is an error, what may be wrong a warning. */
__attribute__((format(printf, 2, 3))) void log_at(enum mnos_log_level level, const char *format,
                                                  ...);

/* Logs as an error what failed and why, in the words of error_explain(). */
void log_error(mnos_status_t status, const char *what);
/* The same, for a program that ends of it: returns its exit code, `code`. */
int log_failure(mnos_status_t status, const char *what, int code);
