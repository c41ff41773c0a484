// SPDX-License-Identifier: MIT
/* format.h - printf-like formatting into a buffer, with the conversions that log.h lists. */
#pragma once

#include <stdarg.h>
#include <stddef.h>

/* Writes at most capacity - 1 characters and a NUL; returns how many characters were written, not
 * counting the NUL. Text that does not fit is cut. `capacity` is at least 1. */
size_t format_text(char *out, size_t capacity, const char *format, va_list arguments);

[[gnu::format(printf, 3, 4)]] size_t format_into(char *out, size_t capacity, const char *format,
                                                 ...);
